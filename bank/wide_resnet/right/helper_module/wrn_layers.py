"""Building blocks of the wide ResNet."""

from keras import layers, ops, regularizers

BN = {"scale": False, "center": False, "epsilon": 1e-5, "momentum": 0.95}


def blocks_per_stage(depth):
    """
    >>> blocks_per_stage(20)
    3
    """
    if depth < 8 or (depth - 2) % 6 != 0:
        raise ValueError("depth must be 6n + 2")
    return (depth - 2) // 6


def conv(x, filters, kernel=3, stride=1):
    return layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        kernel_regularizer=regularizers.l2(1e-4),
    )(x)


def bn_relu_conv(x, filters, kernel=3, stride=1):
    x = layers.BatchNormalization(**BN)(x)
    x = layers.Activation("relu")(x)
    return conv(x, filters, kernel, stride)


def stem(x, filters):
    x = layers.BatchNormalization(epsilon=1e-5)(x)
    return conv(x, filters)


def stage(x, filters, n, downsample):
    for i in range(n):
        if i == 0 and downsample:
            y = bn_relu_conv(x, filters, stride=2)
            y = bn_relu_conv(y, filters)
            shortcut = layers.AveragePooling2D(3, 2, "same")(x)
            zeros = ops.zeros_like(shortcut)
            shortcut = layers.Concatenate(axis=-1)([zeros, shortcut])
        else:
            y = bn_relu_conv(x, filters)
            y = bn_relu_conv(y, filters)
            shortcut = x
        x = layers.Add()([shortcut, y])
    return x


def tail(x, num_classes):
    x = bn_relu_conv(x, num_classes, kernel=1)
    x = layers.BatchNormalization(**BN)(x)
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Activation("softmax")(x)


if __name__ == "__main__":
    import doctest

    print(doctest.testmod())
