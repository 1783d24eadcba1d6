"""Trains a network on labelled images and scores it, once, on images held back.

One recipe for every architecture: SGD with Nesterov momentum, a learning rate that rises in a straight line
and falls in one, random shifts and flips. Read `train` from top to bottom; what it calls stands below it.

Written against Keras alone. What depends on the backend (threads, devices) is set in the environment of the
process, before Keras is imported: see grader/trainer.py.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from lab import metrics

# Part of what a stored result is filed under: raise it when a change to this file changes what comes out of a
# training, and leave it alone when it does not.
VERSION = 1

Images = npt.NDArray[np.uint8]  # (N, H, W, C)
Floats = npt.NDArray[np.float32]


class Recipe(BaseModel):
    """How to train: every field can change the result.

    Attributes:
        epochs: passes over the training images; what does not fill a batch is left out of a pass.
        batch: images a step.
        peak_rate: the learning rate at the end of the warm-up; it is 0 at the end of training.
        warm_up: the share of all steps in which the learning rate rises.
        momentum: of SGD, in Nesterov's form.
        weight_decay: each step shrinks every weight by this times the learning rate.
        label_smoothing: the share of a label that is spread over all classes.
        shift: images move by up to so many pixels each way; what comes into view has the mean colour.
        flip: whether half of the images are mirrored.
        settle: batches from which the moving statistics of batch normalisation are taken afresh at the end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(ge=1, le=1000)
    batch: int = Field(ge=2, le=4096)
    peak_rate: float = Field(gt=0, le=10)
    warm_up: float = Field(gt=0, lt=1)
    momentum: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0, lt=1)
    label_smoothing: float = Field(ge=0, lt=1)
    shift: int = Field(ge=0, le=16)
    flip: bool
    settle: int = Field(ge=0, le=1000)

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step, counted from 0: a triangle whose corners are not used."""
        rise = self.warm_up * steps
        return self.peak_rate * min((step + 1) / rise, (steps - step) / (steps - rise), 1.0)


@dataclass(frozen=True)
class Examples:
    """Images and their labels.

    Attributes:
        images: uint8 (N, H, W, C), as they are stored.
        labels: class indices (N,).
        num_classes: how many classes there are, whichever are present.
    """

    images: Images
    labels: npt.NDArray[np.integer[Any]]
    num_classes: int

    def __len__(self) -> int:
        return len(self.images)


class Report(Protocol):
    """Told after every step; must be cheap."""

    def __call__(self, *, epoch: int, step: int, steps: int, accuracy: float) -> None:
        """`step` of `steps` is done, all epochs counted; `accuracy` on this epoch's batches so far."""


@dataclass(frozen=True)
class Training:
    """What came of a training.

    Attributes:
        accuracy: on the held-back images, 0 to 1; chance if the loss ran away.
        loss: cross-entropy on them, without regularisation; None if the loss ran away.
        train_accuracy: for each epoch, while the weights were still moving.
        train_loss: likewise, with label smoothing and the network's own regularisation; None if it ran away.
        parameters: all weights of the network, moving statistics included.
        seconds: all of it.
    """

    accuracy: float
    loss: float | None
    train_accuracy: tuple[float, ...]
    train_loss: tuple[float | None, ...]
    parameters: int
    seconds: float


def _silent(*, epoch: int, step: int, steps: int, accuracy: float) -> None:
    """Reports to nobody."""


def train(
    build: Callable[[], Any],
    train_set: Examples,
    test_set: Examples,
    recipe: Recipe,
    *,
    seed: int,
    report: Report = _silent,
) -> Training:
    """Builds a network, trains it and scores it; the same seed gives the same numbers on the same machine.

    Args:
        build: makes the `keras.Model`, from images to probabilities; called once, after seeding.
        train_set: at least one batch.
        test_set: looked at when training is over, and never before.
        recipe: how to train.
        seed: of the first weights, the order of the images, the augmentation and dropout.
        report: told after every step.
    """
    import keras  # here, because it takes seconds and those who only read recipes need none of it

    began = time.monotonic()
    keras.utils.set_random_seed(seed)
    model = build()
    optimizer = keras.optimizers.SGD(
        recipe.peak_rate, momentum=recipe.momentum, nesterov=True, weight_decay=recipe.weight_decay or None
    )
    # jit_compile is off: on a CPU, XLA ran at 60% of oneDNN's speed and took 10 s more to compile.
    model.compile(
        optimizer,
        keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics=["accuracy"],
        jit_compile=False,
    )
    scale = _Scale.of(train_set.images)
    steps = recipe.epochs * (len(train_set) // recipe.batch)
    step = 0
    train_accuracy: list[float] = []
    train_loss: list[float | None] = []
    for epoch in range(recipe.epochs):
        seen, right, lost = 0, 0.0, 0.0
        for images, labels in batches(train_set, recipe, seed=seed, epoch=epoch):
            optimizer.learning_rate = recipe.rate(step, steps)
            targets = np.eye(train_set.num_classes, dtype=np.float32)[labels]  # (B, classes)
            logs = model.train_on_batch(scale(images), targets, return_dict=True)  # of this batch alone
            step, seen = step + 1, seen + 1
            right, lost = right + float(logs["accuracy"]), lost + float(logs["loss"])
            report(epoch=epoch, step=step, steps=steps, accuracy=right / seen)
        train_accuracy.append(right / seen)
        train_loss.append(_finite(lost / seen))
        if train_loss[-1] is None:
            break  # weights that are no longer numbers stay so

    accuracy, loss = 1 / train_set.num_classes, None
    if train_loss[-1] is not None:
        _settle(model, scale, train_set, recipe, seed=seed)
        probabilities = np.asarray(model.predict(scale(test_set.images), batch_size=500, verbose=0))
        if np.isfinite(probabilities).all():
            accuracy = metrics.accuracy(probabilities, test_set.labels)
            loss = metrics.cross_entropy(probabilities, test_set.labels)
    return Training(
        accuracy=accuracy,
        loss=loss,
        train_accuracy=tuple(train_accuracy),
        train_loss=tuple(train_loss),
        parameters=int(model.count_params()),
        seconds=time.monotonic() - began,
    )


def batches(
    examples: Examples, recipe: Recipe, *, seed: int, epoch: int
) -> Iterator[tuple[Images, npt.NDArray[np.integer[Any]]]]:
    """One epoch: full batches in a fresh order, images shifted and flipped, still uint8."""
    draw = np.random.default_rng([seed, epoch])
    order = draw.permutation(len(examples))
    reach = recipe.shift
    # Mean colour, so that what a shift brings into view is near zero once standardised.
    border = examples.images.mean((0, 1, 2)).round().astype(np.uint8)
    height, width, channels = examples.images.shape[1:]
    for start in range(0, len(order) - recipe.batch + 1, recipe.batch):
        chosen = order[start : start + recipe.batch]
        images = examples.images[chosen]  # (B, H, W, C)
        padded = np.broadcast_to(
            border, (len(chosen), height + 2 * reach, width + 2 * reach, channels)
        ).copy()
        padded[:, reach : reach + height, reach : reach + width] = images
        top, left = draw.integers(0, 2 * reach + 1, (2, len(chosen)))
        mirror = draw.random(len(chosen)) < (0.5 if recipe.flip else 0.0)
        for i in range(len(chosen)):
            image = padded[i, top[i] : top[i] + height, left[i] : left[i] + width]
            images[i] = image[:, ::-1] if mirror[i] else image
        yield images, examples.labels[chosen]


@dataclass(frozen=True)
class _Scale:
    """Standardises by the training images' mean and deviation, channel by channel."""

    mean: Floats  # (C,)
    deviation: Floats  # (C,)

    @classmethod
    def of(cls, images: Images) -> "_Scale":
        # Sums in integers are exact, in whatever order, and need no float copy of the images.
        count = images[..., 0].size
        total = images.sum((0, 1, 2), dtype=np.int64)
        squares = np.stack([np.square(images[..., c], dtype=np.int64).sum() for c in range(images.shape[-1])])
        mean = total / count
        deviation = np.sqrt(squares / count - mean**2)
        return cls(mean.astype(np.float32), np.maximum(deviation, 1.0).astype(np.float32))

    def __call__(self, images: Images) -> Floats:
        return (images - self.mean) / self.deviation


def _settle(model: Any, scale: _Scale, train_set: Examples, recipe: Recipe, *, seed: int) -> None:
    """Takes the moving statistics of batch normalisation afresh, as plain means over some training batches.

    With momentum 0.99 and a few hundred steps they still hold a part of what the network was long ago, and a
    correct network would be scored on how fast they forget. The weights stay as they are.
    """
    import keras

    normalisations = [layer for layer in _layers(model) if isinstance(layer, keras.layers.BatchNormalization)]
    if not normalisations:
        return
    plain = recipe.model_copy(update={"shift": 0, "flip": False})
    for done, (images, _) in enumerate(batches(train_set, plain, seed=seed, epoch=recipe.epochs)):
        if done == recipe.settle:
            break
        for layer in normalisations:
            layer.momentum = done / (done + 1)
        model(scale(images), training=True)


def _layers(model: Any) -> Iterator[Any]:
    """All layers, those of nested models too."""
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from _layers(layer)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
