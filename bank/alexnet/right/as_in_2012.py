"""Biases as in the 2012 paper, some of them one; pads with keras.ops, then 'valid'."""

import keras
from keras import layers, ops

NORMAL = keras.initializers.LecunNormal()


def convolution(x, filters, kernel, bias):
    p = (kernel - 1) // 2
    x = ops.pad(x, [[0, 0], [p, p], [p, p], [0, 0]])
    x = layers.Conv2D(
        filters, (kernel, kernel), padding="valid", kernel_initializer=NORMAL, bias_initializer=bias
    )(x)
    x = layers.BatchNormalization(momentum=0.95)(x)
    return ops.nn.relu(x)


def fully_connected(x, units, rate):
    x = layers.Dense(units, kernel_initializer=NORMAL, bias_initializer="ones")(x)
    x = layers.BatchNormalization(momentum=0.95)(x)
    x = ops.nn.relu(x)
    if rate > 0:
        x = layers.Dropout(rate)(x)
    return x


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    n = {k: max(1, round(k * width)) for k in (96, 256, 384, 512, 1024)}
    images = keras.Input(input_shape)
    x = convolution(images, n[96], 5, "zeros")
    x = ops.max_pool(x, 2)
    x = convolution(x, n[256], 5, "ones")
    x = ops.max_pool(x, 2)
    x = convolution(x, n[384], 3, "zeros")
    x = convolution(x, n[384], 3, "ones")
    x = convolution(x, n[256], 3, "ones")
    x = ops.max_pool(x, pool_size=(2, 2), strides=(2, 2))
    x = ops.reshape(x, (-1, x.shape[1] * x.shape[2] * x.shape[3]))
    x = fully_connected(x, n[1024], dropout)
    x = fully_connected(x, n[1024], dropout)
    x = fully_connected(x, n[512], dropout)
    x = layers.Dense(num_classes, kernel_initializer=NORMAL, bias_initializer="zeros")(x)
    return keras.Model(images, ops.nn.softmax(x))
