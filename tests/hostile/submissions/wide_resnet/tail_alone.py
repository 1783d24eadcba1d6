"""Tries to earn the points of a wide ResNet with its first and its last layers and nothing between; gains
nothing because what surrounds the blocks is praised where there are blocks.

Baseline: 2
"""

import keras

print("attack: a tail", flush=True)
L = keras.layers


def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
    inputs = keras.Input(input_shape)
    x = L.Conv2D(16 * width, 3, padding="same")(L.BatchNormalization()(inputs))
    x = L.BatchNormalization()(L.Conv2D(num_classes, 1)(L.ReLU()(L.BatchNormalization()(x))))
    return keras.Model(inputs, L.Softmax()(L.GlobalAveragePooling2D()(x)))
