"""A table of dataclasses with type hints, from which a generator makes the layers; he_uniform, no biases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import keras
from keras import layers
from keras.initializers import HeUniform


@dataclass(frozen=True, slots=True)
class ConvSpec:
    filters: int
    kernel: int
    pool: bool = False


@dataclass(frozen=True)
class DenseSpec:
    units: int
    tags: list[str] = field(default_factory=list)


CONVOLUTIONS: Final = (
    ConvSpec(96, 5, pool=True),
    ConvSpec(256, 5, pool=True),
    ConvSpec(384, 3),
    ConvSpec(384, 3),
    ConvSpec(256, 3, pool=True),
)
DENSE: Final = (DenseSpec(1024), DenseSpec(1024), DenseSpec(512, ["last"]))


def _layers(num_classes: int, width: float, dropout: float) -> Iterator[layers.Layer]:
    """Yields all layers in the order in which they are applied."""

    def scale(units: int) -> int:
        return max(1, round(width * units))

    for spec in CONVOLUTIONS:
        yield layers.Conv2D(
            scale(spec.filters), spec.kernel, padding="same", use_bias=False, kernel_initializer=HeUniform()
        )
        yield layers.BatchNormalization()
        yield layers.ReLU()
        if spec.pool:
            yield layers.MaxPooling2D(2)
    yield layers.Flatten()
    for spec in DENSE:
        yield layers.Dense(scale(spec.units), use_bias=False, kernel_initializer=HeUniform())
        yield layers.BatchNormalization()
        yield layers.ReLU()
        yield layers.Dropout(dropout)
    yield layers.Dense(num_classes, activation=keras.activations.softmax)


def build_alexnet(
    num_classes: int,
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    width: float = 1.0,
    dropout: float = 0.5,
) -> keras.Model:
    """See the assignment."""
    if num_classes <= 0 or width <= 0:
        raise ValueError("num_classes and width have to be above 0")
    if not 0.0 <= dropout < 1.0:
        raise ValueError("dropout has to be in [0, 1)")
    tensor = image = keras.Input(shape=input_shape)
    for layer in _layers(num_classes, width, dropout):
        tensor = layer(tensor)
    return keras.Model(inputs=image, outputs=tensor, name="AlexNet-CIFAR")
