"""A folder: building blocks in wrn_layers.py, which has its own tests, and a README.txt; zeros in front."""

import keras

import wrn_layers as wrn


def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
    n = wrn.blocks_per_stage(depth)
    if num_classes < 1 or width < 1:
        raise ValueError("num_classes and width must be at least 1")

    inputs = keras.Input(shape=input_shape)
    x = wrn.stem(inputs, 16 * width)
    x = wrn.stage(x, 16 * width, n, downsample=False)
    x = wrn.stage(x, 32 * width, n, downsample=True)
    x = wrn.stage(x, 64 * width, n, downsample=True)
    outputs = wrn.tail(x, num_classes)
    return keras.Model(inputs, outputs, name=f"wrn_{depth}_{width}")
