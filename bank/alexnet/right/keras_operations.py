"""keras.ops for ReLU and softmax, one helper for convolutions and dense layers alike, Identity layers."""

import keras
from keras import layers as L, ops


def block(x, units, kernel=None):
    layer = L.Dense(units, use_bias=False) if kernel is None else L.Conv2D(units, kernel, padding="same")
    return ops.relu(L.BatchNormalization()(layer(x)))


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    scaled = [max(1, round(width * n)) for n in (96, 256, 384, 384, 256, 1024, 1024, 512)]
    x = inputs = keras.Input(input_shape)
    x = L.MaxPooling2D()(block(x, scaled[0], 5))
    x = L.MaxPooling2D()(block(x, scaled[1], 5))
    x = block(block(x, scaled[2], 3), scaled[3], 3)
    x = L.MaxPooling2D()(block(x, scaled[4], 3))
    x = L.Flatten()(x)
    for units in scaled[5:]:
        x = L.Dropout(dropout)(L.Identity()(block(x, units)))
    return keras.Model(inputs, ops.softmax(L.Dense(num_classes, "linear")(x)))
