from keras import layers, regularizers

import config


def conv_bn(x, filters, kernel, stride=1):
    x = layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer=config.INITIALIZER,
        kernel_regularizer=regularizers.l2(config.WEIGHT_DECAY),
    )(x)
    return layers.BatchNormalization(momentum=config.MOMENTUM)(x)


def conv_bn_relu(x, filters, kernel, stride=1):
    return layers.ReLU()(conv_bn(x, filters, kernel, stride))
