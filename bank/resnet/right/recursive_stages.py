"""Recursion over blocks and over stages; Add with the shortcut last, keras.activations.relu, momentum 0.95."""

import keras
from keras import layers
from keras.activations import relu, softmax


def normalised(x, filters, kernel, stride=1):
    """Convolution and batch normalisation."""
    x = layers.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=0.95)(x)


def bottleneck_block(x: keras.KerasTensor, filters: int, *, stride: int = 1) -> keras.KerasTensor:
    if filters < 1 or stride < 1:
        raise ValueError("filters and stride must be above 0")
    y = relu(normalised(x, filters, 1))
    y = relu(normalised(y, filters, 3, stride))
    y = normalised(y, 4 * filters, 1)
    same = tuple(x.shape[1:]) == tuple(y.shape[1:])
    return relu(layers.Add()([y, x if same else normalised(x, 4 * filters, 1, stride)]))


def run(x, filters, count, stride=1):
    """`count` blocks, the first of them with the stride."""
    if count == 0:
        return x
    return run(bottleneck_block(x, filters, stride=stride), filters, count - 1)


def all_stages(x, filters, counts, stride=1):
    if not counts:
        return x
    head, *tail = counts
    return all_stages(run(x, filters, head, stride), 2 * filters, tail, stride=2)


def build_resnet(
    num_classes: int,
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    blocks: tuple[int, ...] = (3, 4, 6, 3),
    width: int = 64,
) -> keras.Model:
    if not blocks or min(blocks) <= 0 or num_classes <= 0 or width <= 0:
        raise ValueError("all of num_classes, blocks and width must be above 0")
    image = keras.Input(input_shape)
    x = all_stages(relu(normalised(image, width, 3)), width, blocks)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(num_classes, activation=softmax)(x))
