"""Tries to confuse blocks and models: a tensor of another graph, a variable, a model instead of a tensor, the
input itself; gains nothing because a block is described from its input to its output, or not at all.
"""

import keras
import numpy as np


def bottleneck_block(x, filters, *, stride=1):
    print("attack: another tensor", flush=True)
    if filters % 3 == 0:
        return keras.layers.Dense(3)(keras.Input((4,)))
    if filters % 3 == 1:
        return keras.Variable(np.zeros(3, "float32"))
    return keras.Model(x, x)


def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
    return keras.Input(input_shape)
