# helper functions for the AlexNet task
from keras import layers


def scaled(units, width):
    """units * width, but at least one"""
    result = round(width * units)
    if result < 1:
        result = 1
    return result


def conv_block(x, filters, kernel, pool=False):
    x = layers.Conv2D(filters, kernel, strides=1, padding="same", kernel_initializer="he_normal")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    if pool:
        x = layers.MaxPooling2D()(x)
    return x


def dense_block(x, units, rate):
    x = layers.Dense(units, kernel_initializer="he_normal")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    return layers.Dropout(rate)(x)
