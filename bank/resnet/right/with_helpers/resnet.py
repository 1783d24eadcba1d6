"""A folder: convolutions from helpers.py, settings from config.py, and notes in Markdown beside them."""

import keras

import config
from helpers import conv_bn, conv_bn_relu


def bottleneck_block(x, filters, *, stride=1):
    """See the assignment for what this has to do."""
    out_channels = config.EXPANSION * filters

    main = conv_bn_relu(x, filters, 1)
    main = conv_bn_relu(main, filters, 3, stride)
    main = conv_bn(main, out_channels, 1)

    if main.shape[1:] == x.shape[1:]:
        shortcut = x
    else:
        shortcut = conv_bn(x, out_channels, 1, stride)

    return keras.layers.ReLU()(main + shortcut)


def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
    if num_classes <= 0 or width <= 0:
        raise ValueError("num_classes and width must be positive")
    if len(blocks) == 0 or any(b <= 0 for b in blocks):
        raise ValueError("blocks must be positive numbers")

    inputs = keras.Input(shape=input_shape)
    x = conv_bn_relu(inputs, width, 3)

    filters = width
    first_stage = True
    for number_of_blocks in blocks:
        if first_stage:
            x = bottleneck_block(x, filters)
        else:
            x = bottleneck_block(x, filters, stride=2)
        for _ in range(number_of_blocks - 1):
            x = bottleneck_block(x, filters)
        filters = filters * 2
        first_stage = False

    x = keras.layers.GlobalAveragePooling2D()(x)
    outputs = keras.layers.Dense(num_classes, activation="softmax")(x)
    return keras.Model(inputs, outputs)
