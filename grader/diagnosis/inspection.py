"""What `prepare` made of images and labels: measured, compared with the originals, and said in words.

`measure` knows what the arrays were made from, so it can undo what was done to them: each prepared image is
found again among the originals, whatever its scale, and with it its right label, the scale that was applied
to it, and whether it is in both parts. `try_out` trains a small network on them. `findings` turns both into
sentences, the most telling first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from grader.diagnosis.trial import BATCH, Learner, Score
from lab.errors import KitError

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]

# An image is found again when the likeness (correlation, channel by channel) to its original is this high.
# Photographs that are not the same seldom come above 0.9; an image with a patch written over it falls to 0.8.
ALIKE = 0.8
SURE = 0.98  # so alike, it is that image and no other: only then is its label looked up
EXACT = 0.999  # nothing but a scale and an offset lies between the two
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


Level = Literal["wrong", "doubtful", "to know"]


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        name: of the diagnosis, for tests and tables.
        level: "wrong" keeps validation from meaning anything; "doubtful" is not what the brief asks for but
            no cause of failure; "to know" is no fault at all.
        what: what is so, in one sentence with its numbers.
        why: what follows from it.
        fix: what to do about it.
    """

    name: str
    level: Level
    what: str
    why: str
    fix: str = ""


# --- measuring ----------------------------------------------------------------------------------------------


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
                f"x_{name} has shape {x.shape} and y_{name} has shape {y.shape}: there is nothing in them",
                fix="Both parts hold images; x_train and x_test have shape (N, H, W, 3).",
            )
        if len(x) != len(y):
            raise PrepareError(
                f"x_{name} has {len(x):,} images but y_{name} has {len(y):,} labels",
                fix="Take images and labels with the same indices: images[train] and labels[train].",
            )
    originals = _Originals.of(images, labels)
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


@dataclass(frozen=True)
class _Originals:
    """The images that went in, ready to be found again.

    Attributes:
        images: float32 (N, H * W, C); labels: (N,).
        likeness: float32 (N, features), unit vectors that a scale and an offset of a channel do not change;
            mirrored: those of the mirror images.
        twin: int64 (N,), for each image the first that equals it: CIFAR-100 has pictures twice.
    """

    images: npt.NDArray[np.float32]
    labels: Ints
    likeness: npt.NDArray[np.float32]
    mirrored: npt.NDArray[np.float32]
    twin: Ints
    shape: tuple[int, ...]

    @classmethod
    def of(cls, images: Array, labels: Array) -> "_Originals":
        _, first, inverse = np.unique(
            images.reshape(len(images), -1), axis=0, return_index=True, return_inverse=True
        )
        values = images.astype(np.float32)
        return cls(
            images=values.reshape(len(values), -1, values.shape[-1]),
            labels=labels.astype(np.int64),
            likeness=_likeness(values),
            mirrored=_likeness(values[:, :, ::-1]),
            twin=first[inverse.reshape(-1)].astype(np.int64),
            shape=images.shape[1:],
        )


def _likeness(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(N, H, W, C) to unit vectors whose scalar product is the mean correlation of the channels.

    Of means of 2x2 pixels where the size is even: a quarter of the work, and a scale stays a scale.
    """
    count, height, width, channels = images.shape
    if height % 2 == 0 and width % 2 == 0:
        images = images.reshape(count, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))
    flat = images.reshape(count, -1, channels)
    centred = flat - flat.mean(axis=1, keepdims=True)
    length = np.sqrt(np.square(centred).sum(axis=1, keepdims=True))
    # One colour is like nothing; its rounding errors are not.
    centred *= np.where(length > 1e-4 * np.abs(flat).max(initial=0), 1 / np.maximum(length, 1e-30), 0)
    unit: npt.NDArray[np.float32] = (centred / np.sqrt(channels)).reshape(count, -1).astype(np.float32)
    return unit


def _clipped(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Each image without values far from its median, so that a patch of another scale does not drown it."""
    median = np.median(images, axis=(1, 2), keepdims=True)
    spread = np.median(np.abs(images - median), axis=(1, 2), keepdims=True)
    return np.clip(images, median - 4 * spread, median + 4 * spread)


def _part(x: Array, y: Array, originals: _Originals, num_classes: int) -> Part:
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
        found, straight, alike = _find(values, originals)
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
        return classes, False, f"rows of which {_percent(wrong.mean())} are not a single 1 among zeros"
    return classes, True, "one-hot rows"


def _find(
    images: npt.NDArray[np.float32], originals: _Originals
) -> tuple[Ints, npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
    """For each image its original or -1, whether it lies as that does (is not mirrored), the likeness."""
    found = np.full(len(images), -1, np.int64)
    straight = np.zeros(len(images), np.bool_)
    alike = np.zeros(len(images), np.float32)
    # What is nothing but scaled is found at the first try; the other tries are for what was changed as well.
    tries: list[tuple[Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]], bool]] = [
        (lambda same: same, False),
        (lambda same: same, True),
        (_clipped, False),
    ]
    for change, mirrored in tries:
        left = np.flatnonzero(alike < EXACT)
        if not len(left):
            break
        products = (
            _likeness(change(images[left])) @ (originals.mirrored if mirrored else originals.likeness).T
        )
        best = products.argmax(axis=1)
        score = products[np.arange(len(left)), best]
        better = score > np.maximum(alike[left], ALIKE)
        found[left[better]], alike[left[better]] = best[better], score[better]
        straight[left[better]] = not mirrored
    return found, straight, alike


def _scales(
    flat: npt.NDArray[np.float32], found: Ints, straight: npt.NDArray[np.bool_], originals: _Originals
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


# --- saying -------------------------------------------------------------------------------------------------


def findings(facts: Facts, trial: Trial | None) -> tuple[Finding, ...]:
    """What is wrong, most telling first; empty, or "to know" alone, where nothing is."""
    found = [finding for rule in _RULES if (finding := rule(facts, trial)) is not None]
    # One fault shows in many ways: its consequences are not told as faults of their own.
    explained = {name for finding in found for name in _EXPLAINS.get(finding.name, ())}
    kept = [finding for finding in found if finding.name not in explained]
    levels: tuple[Level, ...] = ("wrong", "doubtful", "to know")
    return tuple(sorted(kept, key=lambda finding: levels.index(finding.level)))


def span(part: Part) -> str:
    """The values of a part: "-1.9 to 2.1"."""
    return f"{_short(part.low.min())} to {_short(part.high.max())}"


def _shape(facts: Facts, _trial: Trial | None) -> Finding | None:
    wrong = [part for part in (facts.train, facts.test) if len(part.shape) != 3 or part.shape[-1] != 3]
    if not wrong and facts.train.shape == facts.test.shape:
        return None
    return Finding(
        "shape",
        "wrong",
        f"training images have shape {facts.train.shape}, validation images {facts.test.shape}",
        "A convolutional network takes images of shape (H, W, 3), the same in both parts.",
        "Leave the images' shape as it is: standardise returns (N, H, W, 3).",
    )


def _not_finite(facts: Facts, _trial: Trial | None) -> Finding | None:
    bad = [name for name, part in _named(facts) if not part.finite]
    if not bad:
        return None
    return Finding(
        "not a number",
        "wrong",
        f"{' and '.join(bad)} images hold values that are no numbers (NaN or infinite)",
        "One of them makes every weight of a network NaN at the first step.",
        "Look for a division by zero: is `std` above 0 in each channel?",
    )


def _empty(facts: Facts, _trial: Trial | None) -> Finding | None:
    """Integer division and casts to whole numbers leave two or three different values."""
    bad = [
        f"{name} images"
        for name, part in _named(facts)
        if part.found < 0.5
        and part.finite
        and float((part.high - part.low).max()) <= 1.0 + 1e-6
        # A few pixels of full white are left of `images // 255`; clean images spread far more.
        and float(part.deviation.max()) < 0.25
    ]
    if not bad:
        return None
    return Finding(
        "nothing left",
        "wrong",
        f"nothing is left of the pictures: {' and '.join(bad)} run from {span(facts.train)} "
        "and are almost all one value",
        "Whole numbers were divided or cut off: 200 // 255 is 0, and so is uint8 of 0.78.",
        "Make the images float32 before you divide: images.astype(np.float32) / 255.",
    )


def _mixed(facts: Facts, trial: Trial | None) -> Finding | None:
    for name, part in _named(facts):
        other = facts.test if part is facts.train else facts.train
        # Where too much was written over to recognise any image: most values are as in the other part, and
        # some go many times as far.
        reach = float((part.high - part.low).max()) / max(float((other.high - other.low).max()), 1e-9)
        unrecognised = part.scale is None and other.scale is not None and reach > 5
        if unrecognised and other.middle / APART < part.middle < other.middle * APART:
            share = "many"
        elif part.mixed >= 0.02:
            share = _percent(part.mixed)
        else:
            continue
        return Finding(
            "mixed scales",
            "wrong",
            f"{share} of the {name} images hold values of another scale than the rest: "
            f"{name} images run from {span(part)}, "
            f"{'validation' if part is facts.train else 'training'} images from {span(other)}",
            "Something writes raw 0 to 255 pixels into images that are standardised already: augmentation, a "
            "border, a patch. Batch normalisation then takes its statistics from the raw ones, and the "
            f"others look all alike to the network.{_seen(trial)}",
            "Change images first and standardise them last, and take what you write into an image from the "
            "standardised images.",
        )
    return None


def _scale(facts: Facts, trial: Trial | None) -> Finding | None:
    train, test = facts.train, facts.test
    if train.per_image and test.per_image:
        return None
    if (
        train.scale is not None
        and train.offset is not None
        and test.scale is not None
        and test.offset is not None
    ):
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.nan_to_num(test.scale / train.scale, nan=1.0, posinf=1e9)
        # How far apart the two put the same pixel, in units of the training images' range.
        apart = np.abs(
            np.stack(
                [test.offset - train.offset, test.offset - train.offset + 255 * (test.scale - train.scale)]
            )
        ) / np.maximum(np.abs(255 * train.scale), 1e-9)
        differ = bool((ratio > APART).any() or (ratio < 1 / APART).any() or (apart > 0.3).any())
    else:
        spread = test.deviation.mean() / max(float(train.deviation.mean()), 1e-9)
        moved = abs(float(test.mean.mean() - train.mean.mean())) / max(float(train.deviation.mean()), 1e-9)
        ratio = np.array([spread])
        differ = bool(spread > 3 or spread < 1 / 3 or moved > 2)
    if not differ:
        return None
    larger = float(np.median(ratio)) > 1
    factor = float(np.median(ratio)) if larger else 1 / max(float(np.median(ratio)), 1e-9)
    behind = "validation" if _rawness(test) > _rawness(train) else "training"
    return Finding(
        "scales differ",
        "wrong",
        f"validation images run from {span(test)}, training images from {span(train)}",
        (
            f"The same picture comes out {factor:,.0f} times as {'large' if larger else 'small'} in "
            "validation as in training. "
            if factor > APART
            else "The same picture comes out elsewhere in validation than in training. "
        )
        + "Batch normalisation has learned the training images' scale and keeps to it: to the network "
        + (
            "validation images are all off their place, and so are its answers"
            if factor <= APART
            else f"validation images are all {'blinding' if larger else 'one grey'}, and it gives "
            "(nearly) all of them the same class"
        )
        + f".{_seen(trial)}",
        f"It is the {behind} images that were left out: put both parts through the same function with the "
        "same numbers, standardise(images[train], mean, std) and standardise(images[test], mean, std).",
    )


def _labels(facts: Facts, trial: Trial | None) -> Finding | None:
    bad = [(n, part) for n, part in _named(facts) if part.agreement is not None and part.agreement < 0.98]
    if not bad:
        return None
    shares = " and ".join(
        f"{_percent(part.agreement or 0.0)} of the {name} images have their own label" for name, part in bad
    )
    if all(part.renumbered for _, part in bad):
        return Finding(
            "labels renumbered",
            "wrong",
            f"the classes have other numbers than they came with: {shares}",
            "The labels still belong together, but class 3 is no longer called 3 "
            + (
                "in either part, so nobody who knows the classes' names can use the network."
                if len(bad) == 2
                else f"in the {bad[0][0]} part, while it is in the other."
            ),
            "Row i of one_hot(labels) has its 1 in column labels[i], counted from 0.",
        )
    only = (
        "" if len(bad) == 2 else f" Those of the {'validation' if bad[0][0] == 'training' else 'training'} "
    )
    return Finding(
        "labels wrong",
        "wrong",
        f"labels do not belong to their images: {shares}; by chance it would be "
        f"{_percent(1 / facts.num_classes)}",
        (
            "A network can then learn nothing that holds for other images"
            if bad[0][0] == "training"
            else "Whatever the network learns counts as wrong"
        )
        + f": accuracy is at chance, with a loss near ln({facts.num_classes}) = "
        f"{np.log(facts.num_classes):.1f}, never in the tens.{only + 'images are right.' if only else ''}"
        f"{_seen(trial)}",
        "Take images and labels with the same indices, or shuffle both with one permutation.",
    )


def _missing(facts: Facts, trial: Trial | None) -> Finding | None:
    if not facts.train.missing and not facts.test.missing:
        return None
    return Finding(
        "classes missing",
        "wrong",
        f"of {facts.num_classes} classes the training part lacks {facts.train.missing}, the validation part "
        f"{facts.test.missing}",
        "The images come class by class. A split that cuts them in two without shuffling tests on classes "
        f"that were never trained.{_seen(trial)}",
        "Draw the indices of both parts from one permutation: np.random.default_rng(seed).permutation(n).",
    )


def _overlap(facts: Facts, _trial: Trial | None) -> Finding | None:
    if facts.overlap < 0.002:
        return None
    return Finding(
        "parts overlap",
        "wrong",
        f"{_percent(facts.overlap)} of the validation images are training images as well",
        "Validation accuracy then rewards what was learned by heart.",
        "Every index belongs to exactly one part: test = order[:n], train = order[n:].",
    )


def _encoding(facts: Facts, _trial: Trial | None) -> Finding | None:
    bad = [(name, part.encoding) for name, part in _named(facts) if not part.one_hot]
    if not bad:
        return None
    return Finding(
        "labels not one-hot",
        "wrong",
        "; ".join(f"{name} labels are {encoding}" for name, encoding in bad),
        f"Categorical cross-entropy wants rows of {facts.num_classes} numbers, a single 1 among zeros.",
        "one_hot(labels, num_classes) gives them: np.eye(num_classes, dtype=np.float32)[labels].",
    )


def _unknown(facts: Facts, trial: Trial | None) -> Finding | None:
    bad = [(name, part) for name, part in _named(facts) if part.found < 0.9]
    if not bad or facts.train.shape != facts.test.shape:
        return None
    shares = " and ".join(f"{_percent(1 - part.found)} of the {name} images" for name, part in bad)
    return Finding(
        "images not recognised",
        "wrong" if max(1 - part.found for _, part in bad) > 0.5 else "doubtful",
        f"{shares} are like none of the images that went in",
        "More was done to them than a scale and an offset; their labels could not be looked up."
        f"{_seen(trial)}",
        "Look at one: plt.imshow((x_train[0] - x_train.min()) / (x_train.max() - x_train.min())). A reshape "
        "in place of a transpose and a subtraction in uint8 (where 3 - 5 is 254) look like this.",
    )


def _changed(facts: Facts, _trial: Trial | None) -> Finding | None:
    bad = [(n, part) for n, part in _named(facts) if part.changed > 0.5 and not part.per_image]
    if not bad:
        return None
    return Finding(
        "more than a scale",
        "doubtful",
        f"to {' and '.join(f'{_percent(part.changed)} of the {n} images' for n, part in bad)} more was done "
        "than one scale and one offset for each channel",
        "Means and deviations over axis 0 alone, one for each pixel, look like this; so do noise, blur and "
        "patches. A network can learn from it.",
        "Take mean and std over axis=(0, 1, 2): three numbers each.",
    )


def _incomplete(facts: Facts, _trial: Trial | None) -> Finding | None:
    lost = 1 - facts.used / facts.given
    sure = [float((part.originals >= 0).mean()) for _, part in _named(facts)]
    if lost < 0.005 or min(sure) < 0.98:
        return None
    return Finding(
        "images lost",
        "doubtful",
        f"{_percent(lost)} of the images are in neither part",
        "There is less to learn from; validation still means what it should.",
        "The two parts together hold every index once.",
    )


def _unscaled(facts: Facts, _trial: Trial | None) -> Finding | None:
    train = facts.train
    centred = np.abs(train.mean) < 0.15
    spread = (train.deviation > 0.8) & (train.deviation < 1.25)
    if (centred & spread).all():
        return None
    return Finding(
        "not standardised",
        "doubtful",
        f"training images run from {span(train)}, with mean {_short(train.mean.mean())} and deviation "
        f"{_short(train.deviation.mean())}",
        "Standardised images have mean 0 and deviation 1 in each channel. Both parts are alike, so a network "
        "with batch normalisation copes; one without learns slowly or not at all.",
        "(images / 255 - mean) / std, with mean and std of images / 255.",
    )


def _own_statistics(facts: Facts, _trial: Trial | None) -> Finding | None:
    train, test = facts.train, facts.test
    if train.scale is None or train.offset is None or test.scale is None or test.offset is None:
        return None
    if train.per_image or train.changed > 0.5:
        return None
    if np.allclose(train.scale, test.scale, rtol=1e-3) and np.allclose(
        train.offset, test.offset, atol=2e-3 * float(np.abs(255 * train.scale).max())
    ):
        return None
    return Finding(
        "two scales",
        "doubtful",
        "validation images were standardised with other numbers than training images: scales "
        f"{_numbers(255 * test.scale)} and {_numbers(255 * train.scale)}",
        "The difference is small and does little harm here, but the same picture should come out the same, "
        "and a single image could not be standardised at all.",
        "Use the training part's mean and std for both.",
    )


def _per_image(facts: Facts, _trial: Trial | None) -> Finding | None:
    if not (facts.train.per_image or facts.test.per_image):
        return None
    return Finding(
        "each image by itself",
        "doubtful" if facts.train.per_image == facts.test.per_image else "wrong",
        "each image was standardised by its own mean and deviation",
        "It works, but bright and dark pictures become alike; the brief asks for one mean and one deviation "
        "a channel, of all training images.",
        "Take mean and std over axis=(0, 1, 2).",
    )


def _sorted(facts: Facts, _trial: Trial | None) -> Finding | None:
    bad = [name for name, part in _named(facts) if part.in_order]
    if not bad:
        return None
    return Finding(
        "in class order",
        "doubtful",
        f"{' and '.join(bad)} images stand class by class",
        "`model.fit` shuffles training images by itself, but the first thousand of them are of few classes.",
        "Keep the random order of the permutation in both parts.",
    )


def _lag(_facts: Facts, trial: Trial | None) -> Finding | None:
    """Inference mode is clearly worse than with statistics that have caught up."""
    if trial is None:
        return None
    gap = trial.train_settled.accuracy - trial.train.accuracy
    if gap < 0.03 and trial.train.loss - trial.train_settled.loss < 0.5:
        return None
    return Finding(
        "statistics lag",
        "to know",
        f"the moving statistics of batch normalisation have not caught up: after {trial.steps} steps with "
        f"momentum {trial.momentum:g} they hold {_percent(trial.left)} of where they began, and lag behind "
        f"weights that move; training images in inference mode give {_percent(trial.train.accuracy)} (loss "
        f"{trial.train.loss:.1f}), with settled statistics {_percent(trial.train_settled.accuracy)} (loss "
        f"{trial.train_settled.loss:.1f})",
        "This is no fault of `prepare` and fades over some hundred steps. It is what a validation accuracy "
        "at chance means in the first epochs, and at no later time.",
        "Train longer before you judge, or give BatchNormalization(momentum=0.9).",
    )


_RULES: tuple[Callable[[Facts, Trial | None], Finding | None], ...] = (
    _shape,
    _not_finite,
    _empty,
    _mixed,
    _scale,
    _labels,
    _missing,
    _unknown,
    _overlap,
    _encoding,
    _per_image,
    _unscaled,
    _own_statistics,
    _changed,
    _incomplete,
    _sorted,
    _lag,
)
_DATA_FAULTS = ("not standardised", "two scales", "statistics lag")
# What a finding explains is not told again.
_EXPLAINS: dict[str, tuple[str, ...]] = {
    "shape": ("images not recognised", "not standardised", "scales differ", "images lost"),
    "not a number": ("images not recognised", "images lost", "scales differ", *_DATA_FAULTS),
    "nothing left": (
        "more than a scale",
        "images not recognised",
        "images lost",
        "scales differ",
        *_DATA_FAULTS,
    ),
    "mixed scales": (
        "scales differ",
        "more than a scale",
        "images not recognised",
        "images lost",
        *_DATA_FAULTS,
    ),
    "scales differ": _DATA_FAULTS,
    "classes missing": ("in class order", "statistics lag"),
    "labels wrong": ("classes missing", "in class order", "statistics lag"),
    "labels renumbered": ("classes missing", "labels not one-hot", "statistics lag"),
    "labels not one-hot": ("statistics lag",),
    "images not recognised": ("more than a scale", "not standardised", "images lost", "statistics lag"),
    "each image by itself": ("not standardised", "two scales"),
    "not standardised": ("two scales",),
}


def _named(facts: Facts) -> tuple[tuple[str, Part], tuple[str, Part]]:
    return ("training", facts.train), ("validation", facts.test)


def _seen(trial: Trial | None) -> str:
    """What the small network did, as a sentence."""
    if trial is None:
        return ""
    return (
        f" A small network trained on it gets {_percent(trial.in_training.accuracy)} of the training images "
        f"right in training mode, {_percent(trial.train.accuracy)} in inference mode, and "
        f"{_percent(trial.test.accuracy)} of the validation images, with a loss of {trial.test.loss:,.1f} "
        f"and {trial.test.predicted} different answer{'s' * (trial.test.predicted != 1)}."
    )


def _rawness(part: Part) -> float:
    """How far from standardised: of two parts the larger is the one that was left out."""
    return float(np.abs(part.mean).mean() + np.abs(np.log(np.maximum(part.deviation, 1e-9))).mean())


def _numbers(values: Array) -> str:
    return "(" + ", ".join(f"{value:.4g}" for value in values) + ")"


def _short(value: float) -> str:
    """255, 2.1, 0.004: no more digits than tell it apart."""
    number = float(value)
    if abs(number) < 1e-4:
        return "0"
    if abs(number) >= 10:
        return f"{number:,.0f}"
    return f"{number:.1f}".removesuffix(".0") if abs(number) >= 0.95 else f"{number:.2g}"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share == 0 or 0.1 <= share <= 0.995 or share == 1 else f"{share:.1%}"
