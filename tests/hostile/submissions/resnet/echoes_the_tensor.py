"""Tries to earn the points of a block by returning the tensor it was given, and those of a network by adding
an image to itself as often as there are blocks; gains nothing because a block has convolutions.

Baseline: 2
"""

import keras

print("attack: the same tensor", flush=True)
L = keras.layers


def bottleneck_block(x, filters, *, stride=1):
    return L.ReLU()(L.Add()([x, x]))


def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
    inputs = keras.Input(input_shape)
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(width, 3, padding="same", use_bias=False)(inputs)))
    for _ in range(sum(blocks)):
        x = L.ReLU()(L.Add()([x, x]))
    x = L.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, L.Dense(num_classes, activation="softmax")(x))
