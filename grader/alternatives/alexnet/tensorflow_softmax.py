"""activation=tf.nn.softmax."""

import keras
import tensorflow as tf


def build_alexnet(
    num_classes: int,
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    width: float = 1.0,
    dropout: float = 0.5,
) -> keras.Model:
    if num_classes < 1:
        raise ValueError(f"`num_classes` must be above 0. Received: num_classes={num_classes}")
    if width <= 0:
        raise ValueError(f"`width` must be above 0. Received: width={width}")
    if not 0 <= dropout < 1:
        raise ValueError(f"`dropout` must be at least 0 and below 1. Received: dropout={dropout}")

    inputs = keras.Input(shape=input_shape)
    x = inputs  # (batch, H, W, channels)
    for number, (filters, kernel, pool) in enumerate(
        [(96, 5, True), (256, 5, True), (384, 3, False), (384, 3, False), (256, 3, True)], start=1
    ):
        x = keras.layers.Conv2D(
            max(1, round(width * filters)),
            kernel,
            padding="same",
            use_bias=False,  # the batch normalisation that follows subtracts any bias again
            kernel_initializer="he_normal",  # keeps the variance from ReLU to ReLU
            name=f"conv{number}",
        )(x)
        x = keras.layers.BatchNormalization(name=f"conv{number}_bn")(x)
        x = keras.layers.ReLU(name=f"conv{number}_relu")(x)
        if pool:
            x = keras.layers.MaxPooling2D(2, name=f"conv{number}_pool")(x)

    x = keras.layers.Flatten(name="flatten")(x)  # (batch, H/8 * W/8 * filters)
    for number, units in enumerate([1024, 1024, 512], start=1):
        x = keras.layers.Dense(
            max(1, round(width * units)),
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"dense{number}",
        )(x)
        x = keras.layers.BatchNormalization(name=f"dense{number}_bn")(x)
        x = keras.layers.ReLU(name=f"dense{number}_relu")(x)
        x = keras.layers.Dropout(dropout, name=f"dense{number}_dropout")(x)

    outputs = keras.layers.Dense(num_classes, activation=tf.nn.softmax)(x)
    return keras.Model(inputs, outputs, name="alexnet")
