"""Recursion over blocks, branches as nested functional models, pooling over the whole image by its size."""

import keras
from keras import layers

NORM = {"epsilon": 1e-5, "scale": False, "center": False, "momentum": 0.9}


def main_path(shape, filters, stride):
    image = keras.Input(shape)
    x = image
    for s in (stride, 1):
        x = layers.BatchNormalization(**NORM)(x)
        x = layers.Activation("relu")(x)
        x = layers.Conv2D(filters, (3, 3), strides=(s, s), padding="same", use_bias=False)(x)
    return keras.Model(image, x)


def half(shape):
    """The shortcut of a block that halves the image and doubles its channels."""
    image = keras.Input(shape)
    small = layers.AveragePooling2D(3, 2, padding="same")(image)
    return keras.Model(image, layers.Concatenate()([small, keras.ops.multiply(small, 0)]))


def grow(x, blocks):
    if not blocks:
        return x
    (filters, stride), *rest = blocks
    shape = x.shape[1:]
    shortcut = half(shape)(x) if stride == 2 else x
    return grow(layers.add([main_path(shape, filters, stride)(x), shortcut]), rest)


def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
    n = depth // 6
    w = 16 * width
    blocks = n * [(w, 1)] + [(2 * w, 2)] + (n - 1) * [(2 * w, 1)] + [(4 * w, 2)] + (n - 1) * [(4 * w, 1)]

    image = keras.Input(input_shape)
    x = layers.BatchNormalization(epsilon=1e-5)(image)
    x = layers.Conv2D(w, (3, 3), padding="same", use_bias=False)(x)
    x = grow(x, blocks)
    x = layers.BatchNormalization(**NORM)(x)
    x = layers.Activation("relu")(x)
    x = layers.Conv2D(num_classes, (1, 1), use_bias=False)(x)
    x = layers.BatchNormalization(**NORM)(x)
    x = layers.AveragePooling2D(x.shape[1:3])(x)
    x = layers.Reshape((num_classes,))(x)
    return keras.Model(image, layers.Activation("softmax")(x))
