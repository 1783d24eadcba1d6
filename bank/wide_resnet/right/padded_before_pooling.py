"""The channels of zeros come before the average pooling; type hints, small functions, errors for wrong arguments."""

import keras
from keras import KerasTensor, layers, ops

EPSILON = 1e-5


def _bn(x: KerasTensor, *, learned: bool = False) -> KerasTensor:
    return layers.BatchNormalization(center=learned, scale=learned, epsilon=EPSILON)(x)


def _conv(x: KerasTensor, filters: int, *, size: int = 3, stride: int = 1) -> KerasTensor:
    return layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)(x)


def _shortcut(x: KerasTensor, filters: int) -> KerasTensor:
    """Half the size, and filled up with zeros to `filters` channels."""
    missing = filters - x.shape[-1]
    x = ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, missing)), mode="constant", constant_values=0)
    return layers.AveragePooling2D(pool_size=3, strides=2, padding="same")(x)


def _block(x: KerasTensor, filters: int, *, halve: bool) -> KerasTensor:
    main = _conv(layers.ReLU()(_bn(x)), filters, stride=2 if halve else 1)
    main = _conv(layers.ReLU()(_bn(main)), filters)
    return main + (_shortcut(x, filters) if halve else x)


def build_wide_resnet(
    num_classes: int,
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    depth: int = 20,
    width: int = 10,
) -> keras.Model:
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"depth is {depth}, but has to be 8, 14, 20, ...")
    if num_classes <= 0 or width <= 0:
        raise ValueError("num_classes and width have to be positive")

    inputs = keras.Input(input_shape)
    x = _conv(_bn(inputs, learned=True), 16 * width)
    for stage in range(3):
        for block in range(n):
            x = _block(x, 16 * width * 2**stage, halve=stage > 0 and block == 0)
    x = _conv(layers.ReLU()(_bn(x)), num_classes, size=1)
    x = layers.GlobalAveragePooling2D()(_bn(x))
    return keras.Model(inputs, layers.Softmax()(x))
