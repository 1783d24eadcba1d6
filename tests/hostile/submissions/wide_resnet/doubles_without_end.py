"""Tries to overflow whoever counts channels: each step joins an image to itself, up to 2^70 channels; gains
nothing because a network is refused where it leaves the budget, and Python's integers do not overflow.
"""

import keras


def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
    print("attack: doubling", flush=True)
    inputs = x = keras.Input(input_shape)
    for _ in range(70):
        x = keras.layers.Concatenate()([x, x])
    return keras.Model(inputs, x)
