"""Tries to be built with four billion channels of zeros, which cost nothing to describe; gains nothing
because channels are bounded, and zeros count as activations.
"""

import keras


def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
    print("attack: padding", flush=True)
    inputs = x = keras.Input(input_shape)
    x = keras.ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, 2**32)))
    for _ in range(4):
        x = keras.layers.ZeroPadding2D(10**8)(x)
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))
