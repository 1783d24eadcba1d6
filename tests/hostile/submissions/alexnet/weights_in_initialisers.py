"""Tries to smuggle trained weights in constant initialisers, initialisers of its own, and constants in the
graph; gains nothing because an array is no initialiser of a blueprint, nor an argument of an operation.
"""

import keras
import numpy as np


class Trained(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        return np.full(shape, 0.123, "float32")


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    print("attack: weights inside", flush=True)
    inputs = keras.Input(input_shape)
    x = keras.layers.Flatten()(inputs)
    size = int(np.prod(input_shape))
    kinds = [
        lambda: keras.layers.Dense(num_classes, kernel_initializer=Trained())(x),
        lambda: keras.layers.Dense(
            num_classes, kernel_initializer=keras.initializers.Constant(np.ones((size, num_classes)))
        )(x),
        lambda: keras.ops.add(keras.layers.Dense(num_classes)(x), np.arange(num_classes, dtype="float32")),
        lambda: keras.ops.matmul(x, keras.ops.convert_to_tensor(np.ones((size, num_classes), "float32"))),
        lambda: keras.layers.Dense(num_classes, kernel_constraint=lambda w: w * 0 + 1)(x),
    ]
    return keras.Model(inputs, kinds[num_classes % len(kinds)]())
