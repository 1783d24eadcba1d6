"""What `prepare` made of images and labels, measured: by comparison with the originals, and by a training.

`measure` knows what the arrays were made from, so it can undo what was done to them: each prepared image is
found again among the originals, whatever its scale, and with it its right label, the scale that was applied
to it, and whether it is in both parts. `try_out` trains a small network on them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from grader.diagnosis.originals import EXACT, Array, Ints, Originals
from grader.diagnosis.trial import BATCH, Learner, Score
from lab.errors import KitError

SURE = 0.98  # so alike, it is that image and no other: only then is its label looked up
# So much must the scales of two images differ before they count as two scales: beyond what augmentation of
# brightness and contrast does, far below the 60 between standardised images and raw ones.
APART = 1.6
EPOCHS = 8


class PrepareError(KitError):
    """What `prepare` returned cannot be looked at: it is not four arrays of numbers that belong together."""


class Prepared(NamedTuple):
    """What `prepare` returned, arrays of any dtype and shape."""

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array


@dataclass(frozen=True)
class Part:
    """One part, training or validation.

    Attributes:
        count, shape, dtype: how many images, of which shape, as which type.
        low, high, mean, deviation: of each channel, float64 (C,).
        middle: width of the range that holds the middle half of all values.
        finite: whether every value is a number.
        scale, offset: (C,) that took an original's 0 to 255 to these values, the median over the images that
            were found again; None where too few were.
        per_image: whether each image was standardised by itself.
        mixed: share of images that are not on that scale, or hold values that it does not reach.
        found: share of images found again among the originals; `changed`: of these, the share that is more
            than a scale and an offset away from its original.
        originals: int64 (N,), which original each image surely is; -1 for none. Equal pictures count as one.
        one_hot: whether the labels are rows with one 1; `encoding` says what they are.
        classes: int64 (N,), what the labels say.
        agreement: of the images that are surely recognised, the share that have their own label;
            `renumbered`: whether the others have another class's, the same for all of a class.
        missing: classes of the originals that no label of this part names.
        in_order: whether images of a class stand together.
    """

    count: int
    shape: tuple[int, ...]
    dtype: str
    low: Array
    high: Array
    mean: Array
    deviation: Array
    middle: float
    finite: bool
    scale: Array | None
    offset: Array | None
    per_image: bool
    mixed: float
    found: float
    changed: float
    originals: Ints
    one_hot: bool
    encoding: str
    classes: Ints
    agreement: float | None
    renumbered: bool
    missing: int
    in_order: bool


@dataclass(frozen=True)
class Facts:
    """Both parts, and what they have to do with each other.

    Attributes:
        given: how many images went in; `used`: how many different ones came out, in either part.
        overlap: share of the validation images that are training images as well.
        num_classes: how many classes there are.
    """

    train: Part
    test: Part
    given: int
    used: int
    overlap: float
    num_classes: int


@dataclass(frozen=True)
class Trial:
    """A small ResNet, trained for some seconds on the training part.

    Attributes:
        steps: how many; `momentum`: of its batch normalisation.
        in_training: training images with the statistics of their own batch, as during training.
        train: training images in inference mode; `test`: validation images.
        train_settled, test_settled: the same once the moving statistics have caught up.
    """

    steps: int
    momentum: float
    in_training: Score
    train: Score
    test: Score
    train_settled: Score
    test_settled: Score

    @property
    def left(self) -> float:
        """The share of their arbitrary first values that the moving statistics still hold."""
        return self.momentum**self.steps


def measure(prepared: Prepared, images: Array, labels: Array, num_classes: int) -> Facts:
    """Compares what `prepare` returned with what it was given.

    Args:
        prepared: its four arrays.
        images: uint8 (N, H, W, C), what it was given.
        labels: class numbers (N,).
        num_classes: how many classes there are.

    Raises:
        PrepareError: images or labels are missing, or are not as many as each other.
    """
    for name, x, y in (
        ("train", prepared.x_train, prepared.y_train),
        ("test", prepared.x_test, prepared.y_test),
    ):
        if x.ndim == 0 or y.ndim == 0 or not len(x):
            raise PrepareError(
                f"x_{name} has shape {x.shape} and y_{name} has shape {y.shape}: they are empty",
                fix="Both parts must contain images; x_train and x_test have shape (N, H, W, 3).",
            )
        if len(x) != len(y):
            raise PrepareError(
                f"x_{name} has {len(x):,} images but y_{name} has {len(y):,} labels",
                fix="Take images and labels with the same indices: images[train] and labels[train].",
            )
    originals = Originals.of(images, labels)
    train = _part(prepared.x_train, prepared.y_train, originals, num_classes)
    test = _part(prepared.x_test, prepared.y_test, originals, num_classes)
    known = test.originals[test.originals >= 0]
    together = np.concatenate([train.originals, test.originals])
    return Facts(
        train=train,
        test=test,
        given=len(np.unique(originals.twin)),
        used=len(np.unique(together[together >= 0])),
        overlap=float(np.isin(known, train.originals).mean()) if len(known) else 0.0,
        num_classes=num_classes,
    )


def percent(share: float) -> str:
    """A share in words: 12%; with a digit more near nothing and near all, 0.3% and 99.7%."""
    return f"{share:.0%}" if share == 0 or 0.1 <= share <= 0.995 or share == 1 else f"{share:.1%}"


def _part(x: Array, y: Array, originals: Originals, num_classes: int) -> Part:
    values = x.astype(np.float32)
    finite = bool(np.isfinite(values).all())
    channels = values.shape[-1] if values.ndim == 4 else 1
    columns = np.nan_to_num(values, posinf=0, neginf=0).reshape(-1, channels)
    # In float64: float32 sums over millions of values lose the digits that are compared.
    mean = columns.mean(axis=0, dtype=np.float64)
    classes, one_hot, encoding = _classes(y, num_classes)

    found = np.full(len(values), -1, np.int64)
    scale = offset = None
    per_image, mixed, share, changed = False, 0.0, 0.0, 0.0
    agreement, renumbered = None, False
    if finite and values.shape[1:] == originals.shape:
        flat = values.reshape(len(values), -1, channels)
        found, straight, alike = originals.find(values)
        share = float((found >= 0).mean())
        if share:
            changed = float((alike[found >= 0] < EXACT).mean())
        if straight.sum() >= 0.1 * len(values):
            scale, offset, per_image, mixed = _scales(flat, found, straight, originals)
        found[alike < SURE] = -1
        agreement, renumbered = _agreement(classes, found, originals.labels)
        found = np.where(found >= 0, originals.twin[found], -1)
    return Part(
        count=len(values),
        shape=values.shape[1:],
        dtype=str(x.dtype),
        low=columns.min(axis=0).astype(np.float64),
        high=columns.max(axis=0).astype(np.float64),
        mean=mean,
        deviation=columns.std(axis=0, dtype=np.float64),
        middle=float(np.subtract(*np.quantile(columns[::7], (0.75, 0.25)))),
        finite=finite,
        scale=scale,
        offset=offset,
        per_image=per_image,
        mixed=mixed,
        found=share,
        changed=changed,
        originals=found,
        one_hot=one_hot,
        encoding=encoding,
        classes=classes,
        agreement=agreement,
        renumbered=renumbered,
        missing=len(np.setdiff1d(originals.labels, classes)),
        # By chance one neighbour in `num_classes` is of the same class.
        in_order=bool(np.mean(classes[1:] == classes[:-1]) > 0.5) if len(classes) > 1 else False,
    )


def _classes(y: Array, num_classes: int) -> tuple[Ints, bool, str]:
    """The class that each label names, whether labels are one-hot rows, and what they are in words."""
    if y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1):
        return np.nan_to_num(y.reshape(-1)).astype(np.int64), False, "class numbers, not one-hot rows"
    rows = np.nan_to_num(y.reshape(len(y), -1).astype(np.float64))
    classes = rows.argmax(axis=1).astype(np.int64)
    if y.ndim != 2 or y.shape[1] != num_classes:
        return classes, False, f"rows of shape {y.shape[1:]}, not ({num_classes},)"
    wrong = ~(((rows == 0) | (rows == 1)).all(axis=1) & (rows.sum(axis=1) == 1))
    if wrong.any():
        return (
            classes,
            False,
            f"rows, of which {percent(wrong.mean())} are not a single 1 with zeros elsewhere",
        )
    return classes, True, "one-hot rows"


def _scales(
    flat: npt.NDArray[np.float32], found: Ints, straight: npt.NDArray[np.bool_], originals: Originals
) -> tuple[Array, Array, bool, float]:
    """Scale and offset (C,) of most images, whether every image has its own, and the share of exceptions."""
    chosen = np.flatnonzero(straight)
    # Every third pixel is enough for a straight line. (M, P / 3, C)
    x, o = flat[chosen, ::3], originals.images[found[chosen], ::3]
    o_mean, x_mean = o.mean(axis=1), x.mean(axis=1)  # (M, C)
    spread = o.var(axis=1)
    slopes = ((x - x_mean[:, None]) * (o - o_mean[:, None])).mean(axis=1) / np.maximum(spread, 1e-9)
    slopes[spread < 25] = np.nan  # too flat to measure
    scale = np.nan_to_num(np.nanmedian(slopes, axis=0))
    offset = np.median(x_mean - scale * o_mean, axis=0)
    deviations = x.std(axis=1)  # (M, C)
    per_image = bool(
        np.std(deviations) < 0.05 * np.mean(deviations) and np.nanstd(slopes) > 0.1 * np.nanmean(slopes)
    )
    if per_image:
        return scale, offset, True, 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.nanmedian(slopes / scale, axis=1)
        other = np.zeros(len(flat), np.bool_)
        other[chosen] = (ratio > APART) | (ratio < 1 / APART)
    # Values that no original comes to on this scale, with a margin for noise and interpolation.
    ends = np.stack([offset, offset + 255 * scale])
    margin = 0.25 * np.abs(255 * scale)
    beyond = (flat < ends.min(axis=0) - margin) | (flat > ends.max(axis=0) + margin)
    other |= beyond.any(axis=(1, 2))
    return scale, offset, False, float(other.mean())


def _agreement(classes: Ints, found: Ints, labels: Ints) -> tuple[float | None, bool]:
    """The share of images with their own label, and whether classes have only changed their numbers."""
    known = found >= 0
    if known.sum() < max(2 * BATCH, 0.1 * len(found)):
        return None, False  # too few to say
    given, right = classes[known], labels[found[known]]
    agreement = float(np.mean(given == right))
    if agreement > 0.98:
        return agreement, False
    kept = 0
    for one in np.unique(right):
        _, counts = np.unique(given[right == one], return_counts=True)
        kept += counts.max()
    return agreement, bool(kept / len(given) > 0.98)


# --- trying -------------------------------------------------------------------------------------------------


def can_be_tried(facts: Facts) -> bool:
    """Whether a network can be trained on it at all."""
    return (
        facts.train.finite
        and facts.test.finite
        and len(facts.train.shape) == 3
        and min(facts.train.shape[:2]) >= 8
        and facts.train.shape == facts.test.shape
        and min(facts.train.count, facts.test.count) >= 2 * BATCH
        and all(0 <= part.classes.min() <= part.classes.max() for part in (facts.train, facts.test))
        and all(part.classes.max() < facts.num_classes for part in (facts.train, facts.test))
    )


def try_out(
    prepared: Prepared,
    facts: Facts,
    *,
    seed: int,
    momentum: float,
    epochs: int = EPOCHS,
    report: Callable[[int, int], None] = lambda _step, _steps: None,
) -> Trial:
    """Trains a small ResNet on the training part; `report(step, steps)` hears of each step."""
    x_train = prepared.x_train.astype(np.float32)
    x_test = prepared.x_test.astype(np.float32)
    y_train, y_test = facts.train.classes, facts.test.classes
    draw = np.random.default_rng(seed)
    per_epoch = len(x_train) // BATCH
    steps = epochs * per_epoch
    shape = (facts.train.shape[0], facts.train.shape[1], facts.train.shape[2])
    learner = Learner(shape, facts.num_classes, momentum=momentum, seed=seed, steps=steps)
    for epoch in range(epochs):
        order = draw.permutation(len(x_train))
        for step in range(per_epoch):
            chosen = order[step * BATCH : (step + 1) * BATCH]
            learner.step(x_train[chosen], y_train[chosen])
            report(epoch * per_epoch + step + 1, steps)
    # At most so many training images as there is time for, in random order: they may be sorted by class.
    some = draw.permutation(len(x_train))[: max(len(x_test), 2 * BATCH)]
    x_some, y_some = x_train[some], y_train[some]
    train, test = learner.score(x_some, y_some), learner.score(x_test, y_test)
    in_training = learner.settle(x_some, y_some)
    return Trial(
        steps=steps,
        momentum=momentum,
        in_training=in_training,
        train=train,
        test=test,
        train_settled=learner.score(x_some, y_some),
        test_settled=learner.score(x_test, y_test),
    )
