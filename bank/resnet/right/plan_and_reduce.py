"""A plan of (filters, stride) for all blocks, drawn up first and applied by functools.reduce; operator.add."""

import operator
from functools import partial, reduce
from itertools import chain, repeat
from typing import NamedTuple

import keras
from keras import layers

conv = partial(layers.Conv2D, padding="same", use_bias=False, kernel_initializer="he_uniform")
bn = partial(layers.BatchNormalization, epsilon=1e-5, momentum=0.9)


class Block(NamedTuple):
    filters: int
    stride: int


def compose(*steps):
    """compose(f, g)(x) is g(f(x))"""
    return lambda x: reduce(lambda value, step: step(value), steps, x)


def bottleneck_block(x, filters, *, stride=1):
    main = compose(
        conv(filters, 1), bn(), layers.ReLU(),
        conv(filters, 3, strides=stride), bn(), layers.ReLU(),
        conv(4 * filters, 1), bn(),
    )
    project = compose(conv(4 * filters, 1, strides=stride), bn())
    needs_projection = stride != 1 or x.shape[-1] != 4 * filters
    shortcut = project(x) if needs_projection else x
    return layers.ReLU()(operator.add(main(x), shortcut))


def plan(blocks, width):
    for stage, count in enumerate(blocks):
        first = Block(width << stage, 2 if stage else 1)
        yield from chain([first], repeat(Block(width << stage, 1), count - 1))


def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
    inputs = keras.Input(input_shape)
    stem = compose(conv(width, 3), bn(), layers.ReLU())
    body = reduce(lambda x, b: bottleneck_block(x, b.filters, stride=b.stride), plan(blocks, width), stem(inputs))
    head = compose(layers.GlobalAveragePooling2D(), layers.Dense(num_classes), layers.Softmax())
    return keras.Model(inputs, head(body))
