"""Zeros by full_like."""

import keras


def build_wide_resnet(
    num_classes: int,
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    depth: int = 20,
    width: int = 10,
) -> keras.Model:
    if num_classes < 1 or width < 1:
        raise ValueError(
            f"`num_classes` and `width` must be above 0. Received: num_classes={num_classes}, width={width}"
        )
    if depth < 8 or depth % 6 != 2:
        raise ValueError(f"`depth` must be 6 * n + 2 with n above 0: 8, 14, 20, ... Received: depth={depth}")

    inputs = keras.Input(shape=input_shape)
    x = keras.layers.BatchNormalization(epsilon=1e-5)(inputs)  # (batch, H, W, channels)
    x = _convolution(x, 16 * width, kernel=3)  # (batch, H, W, 16 * width)
    for stage in range(3):
        filters = 16 * width * 2**stage
        for block in range((depth - 2) // 6):
            stride = 2 if stage > 0 and block == 0 else 1
            y = _convolution(_normalised(x), filters, kernel=3, stride=stride)
            y = _convolution(_normalised(y), filters, kernel=3)
            if stride == 2:
                x = keras.layers.AveragePooling2D(3, strides=2, padding="same")(x)
                # A stage has twice the channels of the one before: (batch, H, W, C) to (batch, H, W, 2 * C)
                x = keras.ops.concatenate([x, keras.ops.full_like(x, 0)], axis=-1)
            x = keras.layers.Add()([y, x])

    x = _convolution(_normalised(x), num_classes, kernel=1)  # (batch, H / 4, W / 4, num_classes)
    x = keras.layers.BatchNormalization(epsilon=1e-5, scale=False, center=False)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)  # (batch, num_classes)
    outputs = keras.layers.Softmax()(x)
    return keras.Model(inputs, outputs, name="wide_resnet")


def _normalised(x: keras.KerasTensor) -> keras.KerasTensor:
    x = keras.layers.BatchNormalization(epsilon=1e-5, scale=False, center=False)(x)
    return keras.layers.ReLU()(x)


def _convolution(x: keras.KerasTensor, filters: int, *, kernel: int, stride: int = 1) -> keras.KerasTensor:
    return keras.layers.Conv2D(
        filters, kernel, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal"
    )(x)
