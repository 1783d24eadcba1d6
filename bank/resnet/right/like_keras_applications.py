"""After keras.applications: block and stack functions, names everywhere, conv_shortcut flags, padding of its own."""

from keras import Input, Model, layers

BN_AXIS = 3


def block(x, filters, kernel_size=3, stride=1, conv_shortcut=True, name=None):
    """A residual block.

    Args:
        x: input tensor.
        filters: integer, filters of the bottleneck layer.
        kernel_size: default 3, kernel size of the bottleneck layer.
        stride: default 1, stride of the bottleneck layer.
        conv_shortcut: use convolution shortcut if True, otherwise identity shortcut.
        name: block label.

    Returns:
        Output tensor for the residual block.
    """
    # Layers without a label get Keras's own names.
    label = (lambda suffix: f"{name}_{suffix}") if name else (lambda suffix: None)

    if conv_shortcut:
        shortcut = layers.Conv2D(4 * filters, 1, strides=stride, name=label("0_conv"))(x)
        shortcut = layers.BatchNormalization(axis=BN_AXIS, epsilon=1.001e-5, name=label("0_bn"))(shortcut)
    else:
        shortcut = x

    x = layers.Conv2D(filters, 1, name=label("1_conv"))(x)
    x = layers.BatchNormalization(axis=BN_AXIS, epsilon=1.001e-5, name=label("1_bn"))(x)
    x = layers.Activation("relu", name=label("1_relu"))(x)

    x = layers.ZeroPadding2D(padding=((1, 1), (1, 1)), name=label("2_pad"))(x)
    x = layers.Conv2D(filters, kernel_size, strides=stride, padding="valid", name=label("2_conv"))(x)
    x = layers.BatchNormalization(axis=BN_AXIS, epsilon=1.001e-5, name=label("2_bn"))(x)
    x = layers.Activation("relu", name=label("2_relu"))(x)

    x = layers.Conv2D(4 * filters, 1, name=label("3_conv"))(x)
    x = layers.BatchNormalization(axis=BN_AXIS, epsilon=1.001e-5, name=label("3_bn"))(x)

    x = layers.Add(name=label("add"))([shortcut, x])
    x = layers.Activation("relu", name=label("out"))(x)
    return x


def stack(x, filters, blocks, stride1=2, name=None):
    """A set of stacked residual blocks."""
    x = block(x, filters, stride=stride1, name=name + "_block1")
    for i in range(2, blocks + 1):
        x = block(x, filters, conv_shortcut=False, name=name + "_block" + str(i))
    return x


def bottleneck_block(x, filters, *, stride=1):
    changed = stride != 1 or x.shape[BN_AXIS] != 4 * filters
    return block(x, filters, stride=stride, conv_shortcut=changed)


def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
    img_input = Input(shape=input_shape)

    x = layers.ZeroPadding2D(padding=((1, 1), (1, 1)), name="conv1_pad")(img_input)
    x = layers.Conv2D(width, 3, strides=1, use_bias=True, name="conv1_conv")(x)
    x = layers.BatchNormalization(axis=BN_AXIS, epsilon=1.001e-5, name="conv1_bn")(x)
    x = layers.Activation("relu", name="conv1_relu")(x)

    # stage 0: 64 channels come in and 256 go out, so its first block has a convolution on the shortcut
    for i, n in enumerate(blocks):
        x = stack(x, width * 2**i, n, stride1=1 if i == 0 else 2, name=f"conv{i + 2}")

    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dense(num_classes, activation="softmax", name="predictions")(x)
    return Model(img_input, x, name="resnet")
