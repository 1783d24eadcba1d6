"""After McDonnell's own code, with tensorflow.keras: zeros_like and concatenate, L2 of 2.5e-4, momentum 0.9."""

from tensorflow import keras
from tensorflow.keras import layers, regularizers


def resnet_layer(x, filters, kernel=3, strides=1, learn=False, relu=True):
    x = layers.BatchNormalization(epsilon=1e-5, center=learn, scale=learn, momentum=0.9)(x)
    if relu:
        x = layers.Activation("relu")(x)
    return layers.Conv2D(filters, (kernel, kernel), (strides, strides), "same", use_bias=False,
                         kernel_initializer="he_normal",
                         kernel_regularizer=regularizers.l2(2.5e-4))(x)


def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
    blocks, filters = (depth - 2) // 6, 16 * width
    images = keras.Input(input_shape)
    x = resnet_layer(images, filters, learn=True, relu=False)
    for stack in range(3):
        for block in range(blocks):
            strides = 2 if stack and not block else 1
            path = resnet_layer(x, filters, strides=strides)
            path = resnet_layer(path, filters)
            if strides == 2:
                x = layers.AveragePooling2D((3, 3), (2, 2), "same")(x)
                x = layers.concatenate([x, keras.ops.zeros_like(x)])
            x = layers.add([path, x])
        filters *= 2
    x = resnet_layer(x, num_classes, kernel=1)
    x = layers.BatchNormalization(epsilon=1e-5, center=False, scale=False)(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(images, layers.Activation("softmax")(x))
