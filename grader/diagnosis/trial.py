"""A small ResNet that is trained for seconds and watched closely: what it does with what it is fed.

`nox -s inspect` trains it on what a student's `prepare` returned; grader/reference/failure.py feeds it every
known cause of a validation accuracy that stays at chance. Unlike lab/training.py it takes images as the
network is to see them, whatever is wrong with them, and looks at batch normalisation from both sides.
"""

import os
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]  # (N, H, W, C)
Classes = npt.NDArray[np.int64]  # (N,)

BATCH = 32
PEAK_RATE = 0.05
MOMENTUM = 0.9  # of SGD
_CHUNK = 250  # images a prediction


@dataclass(frozen=True)
class Score:
    """How a network does on some images.

    Attributes:
        accuracy: 0 to 1.
        loss: the mean cross-entropy, in nats, from logits: without the ceiling of 16.1 that clipped
            probabilities put on it. Infinite where the logits are not numbers.
        predicted: how many different classes it predicts.
    """

    accuracy: float
    loss: float
    predicted: int


class Learner:
    """A residual network of 8 convolutions (about 20,000 parameters at 32x32x3) with its optimiser.

    Args:
        shape: (H, W, C) of an image.
        num_classes: outputs.
        momentum: of batch normalisation: how much of its moving statistics a step keeps.
        seed: of the first weights.
        steps: of the whole training: the learning rate then rises for a tenth of them and falls to 0 in the
            others. Without it the rate is the same throughout, as where nobody has thought of it.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        num_classes: int,
        *,
        momentum: float,
        seed: int,
        steps: int | None = None,
    ) -> None:
        _import_quietly()
        import keras

        keras.utils.set_random_seed(seed)
        self._model = _network(shape, num_classes, momentum)
        self._optimizer = keras.optimizers.SGD(PEAK_RATE, momentum=MOMENTUM, nesterov=True)
        self._model.compile(
            self._optimizer,
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=False,
        )
        self._steps, self._step = steps, 0
        self._normalisations = [
            layer for layer in self._model.layers if isinstance(layer, keras.layers.BatchNormalization)
        ]

    def step(self, x: Floats, labels: Classes) -> Score:
        """One step on one batch; its score is of before the step, in training mode."""
        if self._steps is not None:
            rise = 0.1 * self._steps
            self._optimizer.learning_rate = PEAK_RATE * min(
                1.0, (self._step + 1) / rise, (self._steps - self._step) / (self._steps - rise)
            )
        self._step += 1
        logs = self._model.train_on_batch(x, labels, return_dict=True)
        return Score(float(logs["accuracy"]), float(logs["loss"]), 0)

    def score(self, x: Floats, labels: Classes) -> Score:
        """In inference mode: batch normalisation uses its moving statistics."""
        chunks = [
            np.asarray(self._model.predict_on_batch(x[start : start + _CHUNK]))
            for start in range(0, len(x), _CHUNK)
        ]
        return _score(np.concatenate(chunks), labels)

    def settle(self, x: Floats, labels: Classes) -> Score:
        """Scores in training mode: batch normalisation uses the statistics of each batch of BATCH images.

        The moving statistics become the plain means over these batches; `score` then says what inference
        mode gives once they have caught up. `restore` undoes that.
        """
        kept = [layer.momentum for layer in self._normalisations]
        chunks = []
        for done, start in enumerate(range(0, len(x) - BATCH + 1, BATCH)):
            for layer in self._normalisations:
                layer.momentum = done / (done + 1)
            chunks.append(np.asarray(self._model(x[start : start + BATCH], training=True)))
        for layer, momentum in zip(self._normalisations, kept, strict=True):
            layer.momentum = momentum
        logits = np.concatenate(chunks)
        return _score(logits, labels[: len(logits)])

    def moving_statistics(self) -> list[npt.NDArray[np.float32]]:
        """The moving means and variances, as they are now."""
        # Not np.array(value): Keras's variables cannot be asked for a copy yet, and NumPy 2 warns.
        return [
            np.asarray(value).copy()
            for layer in self._normalisations
            for value in (layer.moving_mean, layer.moving_variance)
        ]

    def restore(self, statistics: list[npt.NDArray[np.float32]]) -> None:
        """Puts back what `moving_statistics` returned."""
        variables = [v for layer in self._normalisations for v in (layer.moving_mean, layer.moving_variance)]
        for variable, value in zip(variables, statistics, strict=True):
            variable.assign(value)


def _import_quietly() -> None:
    """Imports Keras, which takes seconds and is needed by nobody who only looks at arrays.

    TensorFlow writes four lines about its own log and oneDNN to the terminal, past Python, whatever log level
    it is given; a student would look there for what is wrong. An import that fails still says so.
    """
    if "keras" in sys.modules:
        return
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 2)
        import keras  # noqa: F401
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def _network(shape: tuple[int, int, int], num_classes: int, momentum: float) -> Any:
    """Stem, three residual blocks of two 3x3 convolutions, pooling, logits."""
    import keras

    def convolution(x: Any, filters: int, stride: int, kernel: int = 3) -> Any:
        x = keras.layers.Conv2D(
            filters,
            kernel,
            strides=stride,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
        )(x)
        return keras.layers.BatchNormalization(momentum=momentum)(x)

    inputs = keras.Input(shape)
    x = keras.layers.ReLU()(convolution(inputs, 8, 1))
    for filters in (8, 16, 32):
        stride = 1 if filters == 8 else 2
        shortcut = x if stride == 1 else convolution(x, filters, stride, kernel=1)
        x = keras.layers.ReLU()(convolution(x, filters, stride))
        x = keras.layers.ReLU()(keras.layers.Add()([convolution(x, filters, 1), shortcut]))
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(num_classes)(x))


def _score(logits: npt.NDArray[np.float32], labels: Classes) -> Score:
    exact = logits.astype(np.float64)
    if not np.isfinite(exact).all():
        return Score(float(np.mean(exact.argmax(1) == labels)), float("inf"), len(np.unique(exact.argmax(1))))
    top = exact.max(axis=1, keepdims=True)
    log_sum = top[:, 0] + np.log(np.exp(exact - top).sum(axis=1))
    chosen = exact.argmax(axis=1)
    return Score(
        accuracy=float(np.mean(chosen == labels)),
        loss=float((log_sum - exact[np.arange(len(labels)), labels]).mean()),
        predicted=len(np.unique(chosen)),
    )
