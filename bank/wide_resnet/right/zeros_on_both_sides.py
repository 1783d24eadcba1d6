"""A Sequential for the main path, half of the zeros before and half behind the channels, orthogonal kernels."""

import keras
from keras import layers

BN = dict(scale=False, center=False, epsilon=1e-5)


def branch(filters, stride):
    return keras.Sequential([
        layers.BatchNormalization(**BN), layers.ReLU(),
        layers.Conv2D(filters, 3, stride, "same", use_bias=False, kernel_initializer="orthogonal"),
        layers.BatchNormalization(**BN), layers.ReLU(),
        layers.Conv2D(filters, 3, 1, "same", use_bias=False, kernel_initializer="orthogonal"),
    ])


def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
    inputs = keras.Input(input_shape)
    x = layers.BatchNormalization(epsilon=1e-5)(inputs)
    x = layers.Conv2D(16 * width, 3, padding="same", use_bias=False)(x)
    for filters, first in ((16 * width, 1), (32 * width, 2), (64 * width, 2)):
        for stride in [first] + [1] * ((depth - 8) // 6):
            shortcut = layers.Identity()(x)
            if stride > 1:
                shortcut = layers.AvgPool2D(3, 2, padding="same")(shortcut)
                more = filters - shortcut.shape[-1]
                shortcut = keras.ops.pad(shortcut, [(0, 0)] * 3 + [(more // 2, more - more // 2)])
            x = layers.Add()([shortcut, branch(filters, stride)(x)])
    x = layers.ReLU()(layers.BatchNormalization(**BN)(x))
    x = layers.Conv2D(num_classes, 1, use_bias=False)(x)
    x = layers.BatchNormalization(**BN)(x)
    return keras.Model(inputs, layers.Softmax()(layers.GlobalAveragePooling2D()(x)))
