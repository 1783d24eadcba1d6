"""The network as a string, read with a match statement; glorot_uniform with L2 of 1e-4."""

import keras
from keras import layers, regularizers

RECIPE = """
    conv 96 5
    pool
    conv 256 5
    pool
    conv 384 3
    conv 384 3
    conv 256 3
    pool
    flatten
    dense 1024
    dense 1024
    dense 512
    classes
"""


def build_alexnet(
    num_classes: int,
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    width: float = 1.0,
    dropout: float = 0.5,
) -> keras.Model:
    decay = regularizers.l2(1e-4)

    def size(text):
        return max(1, round(int(text) * width))

    def bn_relu(x):
        return layers.ReLU()(layers.BatchNormalization()(x))

    inputs = x = keras.Input(input_shape)
    for line in RECIPE.strip().splitlines():
        match line.split():
            case ["conv", filters, kernel]:
                x = layers.Conv2D(size(filters), int(kernel), padding="same", kernel_regularizer=decay)(x)
                x = bn_relu(x)
            case ["pool"]:
                x = layers.MaxPooling2D()(x)
            case ["flatten"]:
                x = layers.Flatten()(x)
            case ["dense", units]:
                x = bn_relu(layers.Dense(size(units), kernel_regularizer=decay)(x))
                x = layers.Dropout(dropout)(x)
            case ["classes"]:
                x = layers.Dense(num_classes, kernel_regularizer=decay, activation="softmax")(x)
            case _:
                raise RuntimeError(f"cannot read {line!r}")
    return keras.Model(inputs, x)
