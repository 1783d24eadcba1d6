"""Tries to earn the points of a ResNet with stem and head alone, and a block that adds two convolutions; gains
nothing because what surrounds the blocks is praised where there are blocks.

Baseline: 2
"""

import keras

print("attack: no blocks", flush=True)
L = keras.layers


def bottleneck_block(x, filters, *, stride=1):
    y = L.BatchNormalization()(L.Conv2D(4 * filters, 1, strides=stride)(x))
    return L.ReLU()(L.Add()([y, L.Conv2D(4 * filters, 1, strides=stride)(x)]))


def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
    inputs = keras.Input(input_shape)
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(width, 3, padding="same", use_bias=False)(inputs)))
    x = L.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, L.Dense(num_classes, activation="softmax")(x))
