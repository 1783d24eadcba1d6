"""An average pooling as large as the image and a Flatten instead of global pooling; a while loop, a lot of print."""

import keras
from keras.layers import *


def conv(x, f, k, s):
    return Conv2D(f, k, s, padding="same")(x)


def bottleneck_block(x, filters, *, stride=1):
    print("block", x.shape, filters, stride)

    # main path
    a = conv(x, filters, 1, 1)
    a = BatchNormalization()(a)
    a = ReLU()(a)
    a = conv(a, filters, 3, stride)
    a = BatchNormalization()(a)
    a = ReLU()(a)
    a = conv(a, filters * 4, 1, 1)
    a = BatchNormalization()(a)

    # shortcut
    if a.shape[1] == x.shape[1] and a.shape[2] == x.shape[2] and a.shape[3] == x.shape[3]:
        b = x
    else:
        b = conv(x, filters * 4, 1, stride)
        b = BatchNormalization()(b)

    # together
    c = Add()([a, b])
    c = ReLU()(c)
    return c


def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
    inp = Input(input_shape)
    x = conv(inp, width, 3, 1)
    x = BatchNormalization()(x)
    x = ReLU()(x)

    i = 0
    while i < len(blocks):
        j = 0
        while j < blocks[i]:
            if i != 0 and j == 0:
                x = bottleneck_block(x, width * 2 ** i, stride=2)
            else:
                x = bottleneck_block(x, width * 2 ** i, stride=1)
            j = j + 1
        i = i + 1

    print("before pooling:", x.shape)
    x = AveragePooling2D(pool_size=(x.shape[1], x.shape[2]))(x)
    x = Flatten()(x)
    x = Dense(num_classes)(x)
    x = Activation("softmax")(x)
    model = keras.models.Model(inp, x)
    model.summary()
    return model
