"""Builds the networks as it is imported, to check itself with the docstrings' numbers, and leaves that in."""

import keras
from keras import layers


def conv_bn(x, filters, size, *, stride=1, act=None):
    x = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    x = layers.BatchNormalization()(x)
    return layers.Activation(act)(x)  # act=None changes nothing


def bottleneck_block(x, filters, *, stride=1):
    """1x1, 3x3, 1x1"""
    if not filters > 0:
        raise ValueError(f"filters: {filters}")
    if not stride > 0:
        raise ValueError(f"stride: {stride}")
    y = conv_bn(x, filters, 1, act="relu")
    y = conv_bn(y, filters, 3, stride=stride, act="relu")
    y = conv_bn(y, 4 * filters, 1)
    if (stride, x.shape[-1]) != (1, 4 * filters):
        x = conv_bn(x, 4 * filters, 1, stride=stride)
    return layers.Activation("relu")(layers.add([x, y]))


def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
    image = keras.Input(shape=input_shape)
    x = conv_bn(image, width, 3, act="relu")
    for stage, n in enumerate(blocks):
        for block in range(n):
            down = stage > 0 and block == 0
            x = bottleneck_block(x, width * 2**stage, stride=1 + down)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(num_classes, activation="softmax")(x)
    return keras.Model(image, x)


# TODO: remove before handing in
_x = keras.Input(shape=(32, 32, 64))
assert bottleneck_block(_x, 64).shape == (None, 32, 32, 256)
assert bottleneck_block(_x, 128, stride=2).shape == (None, 16, 16, 512)
_model = build_resnet(20, blocks=(1, 1), width=8)
_model.summary()
assert (_model.input_shape, _model.output_shape) == ((None, 32, 32, 3), (None, 20))
print("all good")

if __name__ == "__main__":
    big = build_resnet(100)
    print(f"{big.count_params():,} parameters")
