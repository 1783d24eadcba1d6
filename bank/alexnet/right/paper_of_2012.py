"""Starts as in the paper: every kernel from a normal distribution with deviation 0.01, biases of ones where it has them."""

import keras
from keras.initializers import Ones, RandomNormal, Zeros

BIASES = {2: Ones, 4: Ones, 5: Ones}


def normalised(x):
    return keras.layers.Activation("relu")(keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x))


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    x = inputs = keras.layers.Input(shape=input_shape)
    for number, (filters, size) in enumerate([(96, 5), (256, 5), (384, 3), (384, 3), (256, 3)], 1):
        x = keras.layers.Conv2D(
            filters=max(1, round(filters * width)),
            kernel_size=(size, size),
            padding="same",
            kernel_initializer=RandomNormal(mean=0.0, stddev=0.01),
            bias_initializer=BIASES.get(number, Zeros)(),
            kernel_regularizer=keras.regularizers.l2(5e-4),
        )(x)
        x = normalised(x)
        if number in (1, 2, 5):
            x = keras.layers.MaxPooling2D(pool_size=(2, 2), strides=(2, 2))(x)
    x = keras.layers.Flatten()(x)
    for units in (1024, 1024, 512):
        x = keras.layers.Dense(
            max(1, round(units * width)),
            kernel_initializer=RandomNormal(stddev=0.01),
            bias_initializer="ones",
            kernel_regularizer=keras.regularizers.L2(l2=5e-4),
        )(x)
        x = keras.layers.Dropout(rate=dropout)(normalised(x))
    x = keras.layers.Dense(
        num_classes, kernel_initializer=RandomNormal(stddev=0.01), bias_initializer="zeros"
    )(x)
    return keras.Model(inputs=inputs, outputs=keras.layers.Softmax()(x))
