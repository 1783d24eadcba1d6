"""functools: layers from partial, all of them applied by one reduce over a flat list."""

from functools import partial, reduce
from itertools import chain

import keras
from keras.layers import Activation, BatchNormalization, Conv2D, Dense, Dropout, Flatten, MaxPooling2D

Conv = partial(Conv2D, padding="same", use_bias=False, kernel_initializer="lecun_normal")
Hidden = partial(Dense, use_bias=False, kernel_initializer="lecun_normal")
Norm = partial(BatchNormalization, momentum=0.9)
Pool = partial(MaxPooling2D, pool_size=2)
relu = partial(Activation, "relu")

build_model = lambda image, stack: keras.Model(image, reduce(lambda x, layer: layer(x), stack, image))


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    w = lambda n: max(1, round(n * width))
    conv = lambda n, k: [Conv(w(n), k), Norm(), relu()]
    dense = lambda n: [Hidden(w(n)), Norm(), relu(), Dropout(dropout)]

    stack = chain(
        conv(96, 5), [Pool()],
        conv(256, 5), [Pool()],
        conv(384, 3),
        conv(384, 3),
        conv(256, 3), [Pool(), Flatten()],
        *map(dense, (1024, 1024, 512)),
        [Dense(num_classes), Activation("softmax")],
    )
    return build_model(keras.Input(input_shape), stack)
