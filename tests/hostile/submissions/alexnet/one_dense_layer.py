"""Tries to earn the points for form with one dense layer; gains nothing because what stands around layers that
are not there is not praised.

Baseline: 2
"""

import keras

print("attack: a dense layer", flush=True)


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    inputs = keras.Input(input_shape)
    x = keras.layers.Flatten()(inputs)
    return keras.Model(inputs, keras.layers.Dense(num_classes, activation="softmax")(x))
