"""Trains a network on labelled images and scores it, once, on images held back.

One recipe for every architecture: SGD with Nesterov momentum, a learning rate that rises in a straight line
and falls in one, random shifts and flips. Read `train` from top to bottom; what it calls stands below it.

The images live on the device, as they are stored. What a step is fed are integers that say which image it is
and how it is moved; they are drawn by NumPy, so that every backend sees the same pixels, and the device does
the rest, several steps at a time.

Written against Keras alone, for its TensorFlow and its JAX backend. What depends on them (which one, threads,
devices) is set in the environment of the process, before Keras is imported: see grader/training/executors.py.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import Field

from lab import metrics
from lab.checkpoints import Checkpoint, Progress
from lab.strict import Strict

# Part of what a stored result is filed under: raise it when a change of the code that trains changes results,
# and leave it alone when it does not. grader/reference/versions.py lists that code; a test watches it.
VERSION = 3

Images = npt.NDArray[np.uint8]  # (N, H, W, C)
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]  # (N, 6): see `draws`

_STEPS_AT_ONCE = {"cpu": 4, "gpu": 32}  # between two reports; more of them gained nothing
_SCORED_AT_ONCE = 500  # images; fewer where one layer's output for so many would take more than this:
_SCORED_BYTES = 256 * 2**20


class Recipe(Strict):
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
        cutout: the side of a square in each image that is given the mean colour, wherever its centre falls.
        average: the share of all steps, the last ones, over which the weights are averaged: what is scored is
            the network with the mean of its weights after each of them. With 0 it has those of the last step.
        precision: what layers compute in; weights, batch statistics, the last softmax and the loss are
            float32 always.
    """

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
    cutout: int = Field(default=0, ge=0, le=64)
    average: float = Field(default=0.0, ge=0, le=1)
    precision: Literal["float32", "mixed_bfloat16"] = "float32"

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step, counted from 0: a triangle whose corners are not used."""
        rise = self.warm_up * steps
        return self.peak_rate * min((step + 1) / rise, (steps - step) / (steps - rise), 1.0)

    def averaged(self, steps: int) -> int:
        """Over how many of all steps, the last ones, the weights are averaged."""
        return round(self.average * steps)


@dataclass(frozen=True)
class Examples:
    """Images and their labels.

    Attributes:
        images: uint8 (N, H, W, C), as they are stored; or float32, which are used as they are.
        labels: class indices (N,), of which a negative one is no answer's; or, of images to train on,
            float32 rows (N, num_classes).
        num_classes: how many classes there are, whichever are present.
    """

    images: Images | Floats
    labels: npt.NDArray[np.integer[Any]] | Floats
    num_classes: int

    def __len__(self) -> int:
        return len(self.images)


class Report(Protocol):
    """Called every few steps, and at the end of an epoch; must be cheap."""

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
        validation_accuracy: on the validation images after each epoch, scored as at the end; chance where the
            loss ran away, empty without such images.
        validation_loss: likewise, in the terms of `loss`.
        validation_predictions: the most probable class of each validation image at the end, uint8 (M,); None
            if the loss ran away, or without such images.
        parameters: all weights of the network, moving statistics included.
        seconds: all of it.
        cpu_seconds: of all threads of the process, in the same time.
    """

    accuracy: float
    loss: float | None
    train_accuracy: tuple[float, ...]
    train_loss: tuple[float | None, ...]
    validation_accuracy: tuple[float, ...]
    validation_loss: tuple[float | None, ...]
    validation_predictions: npt.NDArray[np.uint8] | None
    parameters: int
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Epoch:
    """An epoch that is over.

    Attributes:
        number: counted from 0.
        train_accuracy, train_loss: as in Training.
        validation_accuracy, validation_loss: as in Training.
        probabilities: what the network says of the validation images, float32 (M, num_classes); None if the
            loss ran away.
    """

    number: int
    train_accuracy: float
    train_loss: float | None
    validation_accuracy: float
    validation_loss: float | None
    probabilities: Floats | None


def _silent(*, epoch: int, step: int, steps: int, accuracy: float) -> None:
    """Reports to nobody."""


def _unobserved(epoch: Epoch) -> None:
    """Nobody looks."""


def train(
    build: Callable[[], Any],
    train_set: Examples,
    test_set: Examples,
    recipe: Recipe,
    *,
    seed: int,
    report: Report = _silent,
    validation: Examples | None = None,
    checkpoint: Checkpoint | None = None,
    observe: Callable[[Epoch], None] = _unobserved,
) -> Training:
    """Builds a network, trains it and scores it; the same seed gives the same numbers on the same machine.

    On a GPU they are the same up to the order in which its threads add numbers up.

    Args:
        build: makes the `keras.Model`, from images to probabilities; called once, after seeding.
        train_set: at least one batch.
        test_set: looked at when training is over, and never before.
        recipe: how to train.
        seed: of the first weights, the order of the images, the augmentation and dropout.
        report: called every few steps.
        validation: scored after each epoch; whether they are changes nothing else that comes out.
        observe: called after each epoch, where there are validation images.
        checkpoint: written after each epoch but the last, and continued from if it is there; whether one is
            changes nothing that comes out but the seconds.

    Raises:
        OSError: a checkpoint cannot be written.
    """
    import keras  # here, because it takes seconds and those who only read recipes need none of it

    began, began_cpu = time.monotonic(), time.process_time()
    keras.utils.set_random_seed(seed)
    network = _in_precision(build, recipe.precision)
    scale = _Scale.of(train_set.images)
    per_epoch = len(train_set) // recipe.batch
    steps = recipe.epochs * per_epoch
    learner, settler, scorer = _models(network, train_set, scale, recipe, steps)
    at_once = _scored_at_once(network)

    def scored(*sets: Examples) -> list[_Score]:
        if train_loss[-1] is None:
            return [_Score.chance(examples) for examples in sets]
        with _kept(network):
            learner.optimizer.take_averages()
            _settle(network, settler, train_set, recipe, seed=seed)
            return [
                _Score.of(scorer.predict(examples.images, at_once, verbose=0), examples) for examples in sets
            ]

    state = [*network.variables, *learner.optimizer.variables]
    done = Progress()
    if checkpoint and (saved := checkpoint.load([tuple(one.shape) for one in state])):
        done = saved[0]
        for variable, value in zip(state, saved[1], strict=True):
            variable.assign(value)
    earlier, earlier_cpu = done.seconds, done.cpu_seconds
    train_accuracy, train_loss = done.train_accuracy, done.train_loss

    def watched(score: _Score) -> None:
        done.validation_accuracy.append(score.accuracy)
        done.validation_loss.append(score.loss)
        observe(score.epoch(len(train_loss) - 1, train_accuracy[-1], train_loss[-1]))

    for epoch in range(done.epochs, recipe.epochs):
        rows = draws(train_set.images.shape, recipe, seed=seed, epoch=epoch)

        def after(batch: int, logs: dict[str, float], epoch: int = epoch) -> None:
            # Keras counts as if the last execution of an epoch were as long as the others.
            step = epoch * per_epoch + min(batch + 1, per_epoch)
            report(epoch=epoch, step=step, steps=steps, accuracy=logs["accuracy"])

        history = learner.fit(
            rows,
            train_set.labels[rows[:, 0]].astype(np.float32 if train_set.labels.ndim == 2 else np.int32),
            batch_size=recipe.batch,
            shuffle=False,  # they come shuffled
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=after)],
        ).history
        train_accuracy.append(float(history["accuracy"][0]))
        train_loss.append(_finite(float(history["loss"][0])))
        if train_loss[-1] is None or epoch + 1 == recipe.epochs:
            break  # weights that are no longer numbers stay so
        if validation is not None:
            watched(*scored(validation))
        if checkpoint:
            done.seconds = earlier + time.monotonic() - began
            done.cpu_seconds = earlier_cpu + time.process_time() - began_cpu
            checkpoint.save(done, [_numpy(one) for one in state])

    score, *last = scored(test_set, *([] if validation is None else [validation]))
    for one in last:
        watched(one)
    return Training(
        accuracy=score.accuracy,
        loss=score.loss,
        train_accuracy=tuple(train_accuracy),
        train_loss=tuple(train_loss),
        validation_accuracy=tuple(done.validation_accuracy),
        validation_loss=tuple(done.validation_loss),
        validation_predictions=last[0].predictions if last else None,
        parameters=int(network.count_params()),
        seconds=earlier + time.monotonic() - began,
        cpu_seconds=earlier_cpu + time.process_time() - began_cpu,
    )


def draws(shape: tuple[int, ...], recipe: Recipe, *, seed: int, epoch: int) -> Rows:
    """One epoch of images of that shape (N, H, W, C): full batches in a fresh order, one row an example.

    Returns:
        int32 (steps * batch, 6). The columns are: which image; how far down and how far right the window
        into it is moved, -shift to shift; 1 if the window is mirrored, else 0; the row and the column of the
        window where the blanked square begins, which may lie outside.
    """
    count, height, width = shape[:3]
    draw = np.random.default_rng([seed, epoch])
    order = draw.permutation(count)[: count // recipe.batch * recipe.batch]
    rows = np.zeros((len(order), 6), np.int32)
    rows[:, 0] = order
    for start in range(0, len(order), recipe.batch):
        batch = rows[start : start + recipe.batch]
        batch[:, 1:3] = draw.integers(0, 2 * recipe.shift + 1, (2, recipe.batch)).T - recipe.shift
        batch[:, 3] = draw.random(recipe.batch) < (0.5 if recipe.flip else 0.0)
        if recipe.cutout:
            batch[:, 4:] = draw.integers(0, (height, width), (recipe.batch, 2)) - recipe.cutout // 2
    return rows


@dataclass(frozen=True)
class _Scale:
    """Standardises by the training images' mean and deviation, by channel; floats stay as they are."""

    mean: Floats  # (C,)
    deviation: Floats  # (C,)

    @classmethod
    def of(cls, images: Images | Floats) -> "_Scale":
        if images.dtype != np.uint8:
            channels = images.shape[-1]
            return cls(np.zeros(channels, np.float32), np.ones(channels, np.float32))
        # Sums in integers are exact, in whatever order, and need no float copy of the images.
        count = images[..., 0].size
        total = images.sum((0, 1, 2), dtype=np.int64)
        squares = np.stack([np.square(images[..., c], dtype=np.int64).sum() for c in range(images.shape[-1])])
        mean = total / count
        deviation = np.sqrt(squares / count - mean**2)
        return cls(mean.astype(np.float32), np.maximum(deviation, 1.0).astype(np.float32))

    def __call__(self, images: Any) -> Any:
        """Of tensors of images float32 ones, on the device."""
        from keras import ops

        return (ops.cast(images, "float32") - self.mean) / self.deviation


@dataclass(frozen=True)
class _Score:
    """How a network did on examples: see Training."""

    accuracy: float
    loss: float | None
    predictions: npt.NDArray[np.uint8] | None
    probabilities: Floats | None = None

    def epoch(self, number: int, train_accuracy: float, train_loss: float | None) -> Epoch:
        """As the score of an epoch on its validation images."""
        return Epoch(number, train_accuracy, train_loss, self.accuracy, self.loss, self.probabilities)

    @classmethod
    def of(cls, probabilities: npt.ArrayLike, examples: Examples) -> "_Score":
        found = np.asarray(probabilities, np.float32)
        if not np.isfinite(found).all():
            return cls.chance(examples)
        labels = examples.labels.astype(np.int64)
        known = labels >= 0
        return cls(
            metrics.accuracy(found, labels),
            metrics.cross_entropy(found[known], labels[known]) if known.any() else None,
            found.argmax(axis=1).astype(np.uint8),
            found,
        )

    @classmethod
    def chance(cls, examples: Examples) -> "_Score":
        return cls(1 / examples.num_classes, None, None)


def _in_precision(build: Callable[[], Any], precision: str) -> Any:
    """The network whose layers compute in that precision, its last one in float32."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        network = build()
    finally:
        keras.config.set_dtype_policy(before)
    if precision != "float32":
        last = network
        while hasattr(last, "layers"):
            last = last.layers[-1]
        last.dtype_policy = "float32"
    return network


def _models(
    network: Any, train_set: Examples, scale: _Scale, recipe: Recipe, steps: int
) -> tuple[Any, Any, Any]:
    """Three ways into one network: to learn from rows, to settle on rows, to score images."""
    import keras
    from keras import ops

    height, width, channels = train_set.images.shape[1:]
    averaged = recipe.averaged(steps)
    label_rows = train_set.labels.ndim == 2
    # All that the backend sees; asked for GPUs alone, JAX raises where there is none.
    device = "gpu" if any(name.startswith("gpu") for name in keras.distribution.list_devices()) else "cpu"
    # On a CPU XLA ran at 60% of oneDNN's speed and took 10 s more to compile; JAX has nothing else.
    compiled = {"jit_compile": device == "gpu" or keras.backend.backend() == "jax"}

    class Window(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
        """From rows (B, 6) to the images that they stand for, standardised, float32 (B, H, W, C)."""

        def __init__(self) -> None:
            super().__init__()
            # One pixel an entry, since that is what gets picked.
            pixels = train_set.images.reshape(-1, channels)
            kind = train_set.images.dtype.name
            self.pixels = keras.Variable(pixels, dtype=kind, trainable=False, name="pixels")

        def call(self, rows: Any) -> Any:
            index, top, left, mirror, hole_top, hole_left = ops.split(rows[:, :, None], 6, axis=1)
            down, right = ops.arange(height)[None, :, None], ops.arange(width)[None, None, :]
            y = down + top  # (B, H, 1)
            x = ops.where(mirror > 0, width - 1 - right, right) + left  # (B, 1, W)
            seen = (y >= 0) & (y < height) & (x >= 0) & (x < width)  # (B, H, W)
            if recipe.cutout:
                in_rows = (down >= hole_top) & (down < hole_top + recipe.cutout)
                in_columns = (right >= hole_left) & (right < hole_left + recipe.cutout)
                seen = seen & ~(in_rows & in_columns)
            y, x = ops.clip(y, 0, height - 1), ops.clip(x, 0, width - 1)
            picked = ops.take(self.pixels, (index * height + y) * width + x, axis=0)  # (B, H, W, C)
            return ops.where(seen[..., None], scale(picked), 0.0)  # 0 is the mean colour

    window = Window()

    class Learner(keras.Model):  # type: ignore[misc]
        """What is trained."""

        def __init__(self) -> None:
            super().__init__()
            self.window, self.network = window, network

        def call(self, rows: Any, training: bool = False) -> Any:
            return ops.cast(self.network(self.window(rows), training=training), "float32")

    class Settler(keras.Model):  # type: ignore[misc]
        """`predict` with it updates the moving statistics."""

        def __init__(self) -> None:
            super().__init__()
            self.window, self.network = window, network

        def call(self, rows: Any) -> Any:
            return self.network(self.window(rows), training=True)

    class Scorer(keras.Model):  # type: ignore[misc]
        """From images as they are stored, uint8, to probabilities."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def call(self, images: Any) -> Any:
            return ops.cast(self.network(scale(images), training=False), "float32")

    class Averaging(keras.optimizers.SGD):  # type: ignore[misc]
        """SGD that keeps the mean of the weights after each of the last steps; they are trained as without.

        Keras's own averages (`use_ema`) forget exponentially, begin with the first steps, and `fit` ends by
        writing them into the weights: here the next epoch would go on from there.
        """

        def build(self, variables: Any) -> None:
            super().build(variables)
            self.averages = self.add_optimizer_variables(variables, "average") if averaged else []

        def apply(self, gradients: Any, variables: Any = None) -> None:
            super().apply(gradients, variables)
            if averaged:  # up to the first step that counts, the mean is of that step's weights alone
                share = 1.0 / ops.cast(ops.maximum(self.iterations - (steps - averaged), 1), "float32")
                for average, weight in self.pairs():
                    average.assign(average + (weight - average) * share)

        def take_averages(self) -> None:
            """Gives the network its averaged weights; before the first step that counts, it keeps its own."""
            if int(_numpy(self.iterations)) > steps - averaged:
                for average, weight in self.pairs():
                    weight.assign(average)

        def pairs(self) -> Iterator[tuple[Any, Any]]:
            return zip(self.averages, learner.trainable_variables, strict=True)

    class Triangle(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        """Recipe.rate, step by step."""

        def __init__(self) -> None:
            self.rates = np.array([recipe.rate(step, steps) for step in range(steps)], np.float32)

        def __call__(self, step: Any) -> Any:
            return ops.take(ops.convert_to_tensor(self.rates), ops.cast(step, "int32"))

    def loss(labels: Any, probabilities: Any) -> Any:
        targets = labels
        if not label_rows:
            targets = ops.one_hot(ops.cast(ops.reshape(labels, (-1,)), "int32"), train_set.num_classes)
        return keras.losses.categorical_crossentropy(
            targets, probabilities, label_smoothing=recipe.label_smoothing
        )

    hits = keras.metrics.CategoricalAccuracy if label_rows else keras.metrics.SparseCategoricalAccuracy
    learner, settler, scorer = Learner(), Settler(), Scorer()
    learner.compile(
        Averaging(
            Triangle(), momentum=recipe.momentum, nesterov=True, weight_decay=recipe.weight_decay or None
        ),
        loss,
        metrics=[hits(name="accuracy")],
        steps_per_execution=_STEPS_AT_ONCE[device],
        **compiled,
    )
    # All its variables are there before TensorFlow first traces a step: else it has to trace it again.
    learner.optimizer.build(learner.trainable_variables)
    settler.compile(**compiled)
    scorer.compile(**compiled)
    return learner, settler, scorer


def _scored_at_once(network: Any) -> int:
    """How many images are scored at a time, so that no layer's output is larger than memory has room for."""
    import keras

    largest = 1  # values that one layer puts out for one image
    for layer in getattr(network, "operations", network.layers):
        try:
            outputs = keras.tree.flatten(layer.output)
        except (AttributeError, ValueError):  # of a layer that is no part of a graph
            continue
        largest = max(largest, *(math.prod(size or 1 for size in output.shape[1:]) for output in outputs))
    return max(1, min(_SCORED_AT_ONCE, _SCORED_BYTES // (4 * largest)))


def _settle(network: Any, settler: Any, train_set: Examples, recipe: Recipe, *, seed: int) -> None:
    """Takes the moving statistics of batch normalisation afresh, as plain means over some training batches.

    With momentum 0.99 and a few hundred steps they still hold a part of what the network was long ago, and a
    correct network would be scored on how fast they forget. The weights stay as they are.
    """
    import keras

    normalisations = [
        layer for layer in _layers(network) if isinstance(layer, keras.layers.BatchNormalization)
    ]
    batches = min(recipe.settle, len(train_set) // recipe.batch)
    if not normalisations or not batches:
        return
    statistics = [v for layer in normalisations for v in (layer.moving_mean, layer.moving_variance)]
    for layer in normalisations:
        layer.momentum = 0.0  # after a batch they are that batch's
    plain = recipe.model_copy(update={"shift": 0, "flip": False, "cutout": 0})
    rows = draws(train_set.images.shape, plain, seed=seed, epoch=recipe.epochs)
    sums = [np.zeros(v.shape, np.float64) for v in statistics]
    for start in range(0, batches * recipe.batch, recipe.batch):
        settler.predict_on_batch(rows[start : start + recipe.batch])
        for total, variable in zip(sums, statistics, strict=True):
            total += _numpy(variable)
    for total, variable in zip(sums, statistics, strict=True):
        variable.assign((total / batches).astype(np.float32))


@contextmanager
def _kept(network: Any) -> Iterator[None]:
    """Puts back all that a network holds: weights, moving statistics, the state of dropout's generators."""
    before = [(variable, _numpy(variable)) for variable in network.variables]
    try:
        yield
    finally:
        for variable, value in before:
            variable.assign(value)


def _numpy(variable: Any) -> Any:
    """A copy of a variable's value. Keras's own way makes NumPy 2 warn of TensorFlow's variables."""
    return np.asarray(variable).copy()


def _layers(model: Any) -> Iterator[Any]:
    """All layers, those of nested models too."""
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from _layers(layer)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
