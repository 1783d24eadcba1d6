"""Tries to have Keras lie about its own layers: settings as properties, types that compare equal, a mapping
of its own; gains nothing because what the lie describes is what would be built, and it has to be right.
"""

import sys

import keras

keras.layers.Conv2D.filters = property(lambda self: 96, lambda self, value: None)
keras.layers.Dense.units = property(lambda self: 10**9, lambda self, value: None)
keras.layers.Dropout.rate = property(lambda self: float("nan"), lambda self, value: None)
print("attack: Keras lies", flush=True)


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    return keras.Sequential(
        [keras.Input(input_shape), keras.layers.Conv2D(1, 1), keras.layers.Flatten(), keras.layers.Dropout(0.5)]
    )
