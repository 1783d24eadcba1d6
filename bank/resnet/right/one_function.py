"""One helper for convolution and normalisation, with tf.keras, biases and L2 on both; compares shapes."""

import tensorflow as tf
from tensorflow.keras import layers, regularizers

L2 = regularizers.l2(1e-4)


def conv_bn(x, n, k, s=1):
    x = layers.Conv2D(n, (k, k), (s, s), "same", kernel_regularizer=L2, bias_regularizer=L2)(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1.001e-5)(x)


def bottleneck_block(x, filters, *, stride=1):
    inputs = x
    for i, (n, k, s) in enumerate([(filters, 1, 1), (filters, 3, stride), (filters * 4, 1, 1)]):
        x = conv_bn(x, n, k, s)
        if i < 2:
            x = layers.Activation("relu", name=None)(x)
    if inputs.shape != x.shape:
        inputs = conv_bn(inputs, filters * 4, 1, stride)
    return layers.Activation(tf.keras.activations.relu)(inputs + x)


def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
    images = tf.keras.Input(input_shape)
    x = layers.ReLU()(conv_bn(images, width, 3))
    strides = [1] + [2] * (len(blocks) - 1)
    for stride, count in zip(strides, blocks):
        for s in [stride] + [1] * (count - 1):
            x = bottleneck_block(x, width, stride=s)
        width *= 2
    x = layers.GlobalAvgPool2D(keepdims=True)(x)
    x = layers.Flatten()(x)
    return tf.keras.Model(images, layers.Softmax()(layers.Dense(num_classes)(x)))
