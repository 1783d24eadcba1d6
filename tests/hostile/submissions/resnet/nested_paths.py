"""Tries to overflow the judge's stack with paths within paths: x = x + start, some six hundred times; gains
nothing because paths nest to a bound.
"""

import keras


def _sums(x):
    start = keras.layers.Conv2D(x.shape[-1], 1)(x)
    y = keras.layers.ReLU()(start)
    for _ in range(450):
        y = keras.layers.Add()([y, start])
    return y


def bottleneck_block(x, filters, *, stride=1):
    print("attack: nesting", flush=True)
    return _sums(x)


def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
    raise ValueError("the block is enough")
