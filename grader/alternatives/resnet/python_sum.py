"""Python's sum() adds the two paths."""

import keras


def bottleneck_block(x: keras.KerasTensor, filters: int, *, stride: int = 1) -> keras.KerasTensor:
    if filters < 1 or stride < 1:
        raise ValueError(
            f"`filters` and `stride` must be above 0. Received: filters={filters}, stride={stride}"
        )
    shortcut = x
    if stride != 1 or x.shape[-1] != 4 * filters:
        shortcut = _convolution(x, 4 * filters, kernel=1, stride=stride)

    x = keras.layers.ReLU()(_convolution(x, filters, kernel=1))
    x = keras.layers.ReLU()(_convolution(x, filters, kernel=3, stride=stride))
    x = _convolution(x, 4 * filters, kernel=1)  # no ReLU: the addition may lower a value as well as raise it
    return keras.layers.ReLU()(sum([x, shortcut]))


def build_resnet(
    num_classes: int,
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    blocks: tuple[int, ...] = (3, 4, 6, 3),
    width: int = 64,
) -> keras.Model:
    if num_classes < 1 or width < 1:
        raise ValueError(
            f"`num_classes` and `width` must be above 0. Received: num_classes={num_classes}, width={width}"
        )
    if not blocks or min(blocks) < 1:
        raise ValueError(f"`blocks` must hold numbers above 0. Received: blocks={blocks}")

    inputs = keras.Input(shape=input_shape)
    x = keras.layers.ReLU()(_convolution(inputs, width, kernel=3))  # (batch, H, W, width)
    for stage, count in enumerate(blocks):
        for block in range(count):
            stride = 2 if stage > 0 and block == 0 else 1
            x = bottleneck_block(x, width * 2**stage, stride=stride)
    x = keras.layers.GlobalAveragePooling2D()(x)  # (batch, 4 * width * 2**(stages - 1))
    outputs = keras.layers.Dense(num_classes, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="resnet")


def _convolution(x: keras.KerasTensor, filters: int, *, kernel: int, stride: int = 1) -> keras.KerasTensor:
    x = keras.layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )(x)
    return keras.layers.BatchNormalization()(x)
