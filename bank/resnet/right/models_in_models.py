"""Every block a functional model, every stage a Sequential of them, the network a Sequential of stages."""

import keras
from keras import layers

KW = dict(use_bias=False, kernel_initializer="glorot_normal")


def block_model(shape, filters, stride):
    x = keras.Input(shape)
    y = layers.Conv2D(filters, 1, **KW)(x)
    y = layers.BatchNormalization()(y)
    y = layers.ReLU()(y)
    y = layers.Conv2D(filters, 3, strides=(stride, stride), padding="same", **KW)(y)
    y = layers.BatchNormalization()(y)
    y = layers.ReLU()(y)
    y = layers.Conv2D(4 * filters, 1, **KW)(y)
    y = layers.BatchNormalization()(y)
    if y.shape == x.shape:
        z = x
    else:
        z = keras.Sequential(
            [
                layers.Conv2D(4 * filters, 1, strides=(stride, stride), **KW),
                layers.BatchNormalization(),
            ],
            name="projection",
        )(x)
    return keras.Model(x, layers.ReLU()(y + z))


def bottleneck_block(x, filters, *, stride=1):
    return block_model(x.shape[1:], filters, stride)(x)


def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
    model = keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(width, 3, padding="same", **KW),
            layers.BatchNormalization(),
            layers.ReLU(),
        ]
    )
    for i, number in enumerate(blocks):
        shape = model.output_shape[1:]
        stage = keras.Sequential(name=f"stage_{i}")
        stage.add(keras.Input(shape))
        for j in range(number):
            block = block_model(shape, width * 2**i, 2 if i > 0 and j == 0 else 1)
            shape = block.output_shape[1:]
            stage.add(block)
        model.add(stage)
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(num_classes, activation="softmax"))
    return model
