"""A Sequential from a list, without an input, built at the end; truncated normal kernels, int(x + 0.5) to round."""

import keras
from keras.layers import *


def scale(n, width):
    k = int(n * width + 0.5)
    return k if k > 0 else 1


init = keras.initializers.VarianceScaling(scale=2.0, mode="fan_in", distribution="truncated_normal")


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    # the same scaled numbers are used more than once
    c1, c2, c3, d1, d2 = [scale(n, width) for n in [96, 256, 384, 1024, 512]]

    model = keras.Sequential([
        Conv2D(c1, 5, padding="same", kernel_initializer=init),
        BatchNormalization(),
        ReLU(),
        MaxPooling2D(),

        Conv2D(c2, 5, padding="same", kernel_initializer=init),
        BatchNormalization(),
        ReLU(),
        MaxPooling2D(),

        Conv2D(c3, 3, padding="same", kernel_initializer=init),
        BatchNormalization(),
        ReLU(),

        Conv2D(c3, 3, padding="same", kernel_initializer=init),
        BatchNormalization(),
        ReLU(),

        Conv2D(c2, 3, padding="same", kernel_initializer=init),
        BatchNormalization(),
        ReLU(),
        MaxPooling2D(),

        Flatten(),

        Dense(d1, kernel_initializer=init),
        BatchNormalization(),
        ReLU(),
        Dropout(dropout),

        Dense(d1, kernel_initializer=init),
        BatchNormalization(),
        ReLU(),
        Dropout(dropout),

        Dense(d2, kernel_initializer=init),
        BatchNormalization(),
        ReLU(),
        Dropout(dropout),

        Dense(num_classes, activation="softmax", kernel_initializer=init),
    ])
    model.build((None,) + tuple(input_shape))
    return model
