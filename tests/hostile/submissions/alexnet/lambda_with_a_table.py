"""Tries to answer from a table of image hashes in a Lambda layer and in a layer of its own; gains nothing
because neither has a blueprint, which the student is told.

Baseline: 0
"""

import hashlib

import keras

TABLE = {hashlib.sha256(bytes(32 * 32 * 3)).hexdigest(): 7}


class LookUp(keras.layers.Layer):
    def call(self, x):
        return keras.ops.one_hot(keras.ops.cast(keras.ops.sum(x, axis=(1, 2, 3)), "int32") % 100, 100)


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    print("attack: a table of", len(TABLE), flush=True)
    inputs = keras.Input(input_shape)
    if num_classes % 2:
        return keras.Model(inputs, LookUp()(inputs))
    return keras.Model(inputs, keras.layers.Lambda(lambda x: x[:, 0, 0, :1] * TABLE.get("x", 1))(inputs))
