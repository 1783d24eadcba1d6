"""Tries to build a model of a thousand million units, and one that is called a million times; gains nothing
because the sandbox has a limit, and a description too.
"""

import keras

print("attack: building", flush=True)


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    inputs = keras.Input(input_shape)
    if width == 1.0:
        x = keras.layers.Dense(1_000_000_000)(keras.layers.Flatten()(inputs))
        return keras.Model(inputs, x)
    same = keras.layers.ReLU()
    x = inputs
    for _ in range(5000):
        x = same(x)
    return keras.Model(inputs, x)
