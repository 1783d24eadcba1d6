"""Habits of torchvision: kernels by outputs, epsilon 1e-5, momentum 0.9, zeros around the image, last gammas of zeros."""

import keras
from keras import layers

KAIMING = keras.initializers.VarianceScaling(2.0, mode="fan_out", distribution="untruncated_normal")


def conv(x, planes, kernel_size, stride=1):
    if kernel_size > 1:
        x = layers.ZeroPadding2D(1)(x)
    return layers.Conv2D(planes, kernel_size, stride, use_bias=False, kernel_initializer=KAIMING.clone())(x)


def bn(x, gamma="ones"):
    return layers.BatchNormalization(epsilon=1e-5, momentum=0.9, gamma_initializer=gamma)(x)


def bottleneck_block(x, filters, *, stride=1):
    identity = x
    out = layers.ReLU()(bn(conv(x, filters, 1)))
    out = layers.ReLU()(bn(conv(out, filters, 3, stride)))
    out = bn(conv(out, 4 * filters, 1), gamma="zeros")  # each block starts as its shortcut
    if stride != 1 or identity.shape[-1] != 4 * filters:
        identity = bn(conv(identity, 4 * filters, 1, stride))
    return layers.ReLU()(out + identity)


def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
    inputs = keras.Input(input_shape)
    x = layers.ReLU()(bn(conv(inputs, width, 3)))
    for i, n in enumerate(blocks):
        for j in range(n):
            x = bottleneck_block(x, width << i, stride=2 if i and not j else 1)
    x = layers.GlobalAveragePooling2D()(x)
    bound = 1 / x.shape[-1] ** 0.5
    uniform = keras.initializers.RandomUniform(-bound, bound)
    x = layers.Dense(num_classes, kernel_initializer=uniform, bias_initializer=uniform)(x)
    return keras.Model(inputs, layers.Softmax()(x))
