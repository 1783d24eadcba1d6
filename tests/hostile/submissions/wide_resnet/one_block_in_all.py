"""Tries to earn the points of a wide ResNet with a single block between stem and tail; gains nothing because a
network of one block has neither its depth, nor its shortcuts, nor its strides.

Baseline: 2
"""

import keras

print("attack: one block", flush=True)
L = keras.layers


def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
    inputs = keras.Input(input_shape)
    x = L.Conv2D(16 * width, 3, padding="same")(L.BatchNormalization()(inputs))
    y = L.Conv2D(16 * width, 3, padding="same")(L.ReLU()(L.BatchNormalization()(x)))
    y = L.Conv2D(16 * width, 3, padding="same")(L.ReLU()(L.BatchNormalization()(y)))
    x = L.Add()([x, y])
    x = L.BatchNormalization()(L.Conv2D(num_classes, 1)(L.ReLU()(L.BatchNormalization()(x))))
    return keras.Model(inputs, L.Softmax()(L.GlobalAveragePooling2D()(x)))
