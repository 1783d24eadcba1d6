"""A folder: the layers come from layers_helper.py beside it, and a README.txt lies there too."""

import keras

from layers_helper import conv_block, dense_block, scaled


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    inputs = keras.layers.Input(shape=input_shape)

    x = conv_block(inputs, scaled(96, width), 5, pool=True)
    x = conv_block(x, scaled(256, width), 5, pool=True)
    x = conv_block(x, scaled(384, width), 3)
    x = conv_block(x, scaled(384, width), 3)
    x = conv_block(x, scaled(256, width), 3, pool=True)

    x = keras.layers.Flatten()(x)
    x = dense_block(x, scaled(1024, width), dropout)
    x = dense_block(x, scaled(1024, width), dropout)
    x = dense_block(x, scaled(512, width), dropout)

    outputs = keras.layers.Dense(num_classes, activation="softmax")(x)
    return keras.Model(inputs=inputs, outputs=outputs)
