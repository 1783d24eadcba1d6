"""Plain classes with __call__ for blocks and stages, as one writes them in PyTorch, but no Layer subclasses."""

from dataclasses import dataclass

import keras
from keras import initializers, layers, regularizers


@dataclass
class ConvBN:
    filters: int
    kernel: int = 1
    stride: int = 1
    relu: bool = True

    def __call__(self, x):
        x = layers.Conv2D(
            self.filters,
            self.kernel,
            self.stride,
            padding="same",
            use_bias=False,
            kernel_initializer=initializers.VarianceScaling(2.0, mode="fan_out", distribution="truncated_normal"),
            kernel_regularizer=regularizers.L2(1e-4),
        )(x)
        x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
        if self.relu:
            x = layers.Activation("relu")(x)
        return x


class Bottleneck:
    expansion = 4

    def __init__(self, in_planes, planes, stride=1):
        self.conv1 = ConvBN(planes)
        self.conv2 = ConvBN(planes, 3, stride)
        self.conv3 = ConvBN(self.expansion * planes, relu=False)
        self.downsample = None
        if stride != 1 or in_planes != self.expansion * planes:
            self.downsample = ConvBN(self.expansion * planes, stride=stride, relu=False)

    def forward(self, x):
        identity = x
        out = self.conv1(x)
        out = self.conv2(out)
        out = self.conv3(out)
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return layers.Activation("relu")(out)

    __call__ = forward


class ResNet:
    def __init__(self, layers_per_stage, num_classes, width):
        self.in_planes = width
        self.conv1 = ConvBN(width, 3)
        self.stages = [
            self._make_layer(width * 2**i, n, stride=min(i, 1) + 1) for i, n in enumerate(layers_per_stage)
        ]
        self.fc = layers.Dense(num_classes, activation="softmax")

    def _make_layer(self, planes, blocks, stride):
        made = [Bottleneck(self.in_planes, planes, stride)]
        self.in_planes = planes * Bottleneck.expansion
        for _ in range(1, blocks):
            made.append(Bottleneck(self.in_planes, planes))
        return made

    def __call__(self, x):
        x = self.conv1(x)
        for stage in self.stages:
            for block in stage:
                x = block(x)
        x = layers.GlobalAveragePooling2D()(x)
        return self.fc(x)


def bottleneck_block(x, filters, *, stride=1):
    return Bottleneck(x.shape[-1], filters, stride)(x)


def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
    inputs = keras.Input(shape=input_shape)
    return keras.Model(inputs, ResNet(blocks, num_classes, width)(inputs))
