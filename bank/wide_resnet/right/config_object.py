"""A frozen dataclass with cached properties as configuration, layers from partial, ops.average_pool and ops.mean."""

from dataclasses import dataclass
from functools import cached_property, partial

import keras
from keras import initializers, layers, ops, regularizers


@dataclass(frozen=True)
class Config:
    num_classes: int
    input_shape: tuple
    depth: int
    width: int
    epsilon: float = 1e-5
    weight_decay: float = 1e-4

    def __post_init__(self):
        if self.num_classes < 1 or self.width < 1:
            raise ValueError("num_classes and width must be at least 1")
        if self.depth % 6 != 2 or self.depth < 8:
            raise ValueError("depth must be 6 * n + 2")

    @cached_property
    def blocks(self):
        return self.depth // 6

    @cached_property
    def stages(self):
        return tuple(16 * self.width * m for m in (1, 2, 4))

    @property
    def conv(self):
        return partial(
            layers.Conv2D,
            padding="same",
            use_bias=False,
            kernel_initializer=initializers.HeNormal(),
            kernel_regularizer=regularizers.L2(self.weight_decay),
        )

    @property
    def norm(self):
        return partial(layers.BatchNormalization, epsilon=self.epsilon, scale=False, center=False)


def _shrink(x, channels):
    x = ops.average_pool(x, pool_size=(3, 3), strides=(2, 2), padding="same")
    return ops.pad(x, pad_width=((0, 0), (0, 0), (0, 0), (0, channels - x.shape[-1])))


def _block(config, x, channels, stride):
    y = x
    for s in (stride, 1):
        y = ops.relu(config.norm()(y))
        y = config.conv(channels, 3, strides=s)(y)
    return ops.add(y, x if stride == 1 else _shrink(x, channels))


def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
    config = Config(num_classes, tuple(input_shape), depth, width)
    image = x = keras.Input(config.input_shape)
    x = layers.BatchNormalization(epsilon=config.epsilon)(x)
    x = config.conv(config.stages[0], 3)(x)
    for index, channels in enumerate(config.stages):
        for number in range(config.blocks):
            x = _block(config, x, channels, 2 if index > 0 and number == 0 else 1)
    x = ops.relu(config.norm()(x))
    x = config.conv(num_classes, 1)(x)
    x = config.norm()(x)
    x = ops.mean(x, axis=[-3, -2])
    return keras.Model(image, ops.softmax(x, axis=-1))
