"""What there is to find in parts and images: what is lost, in order or scaled, and the rule for it."""

from dataclasses import dataclass

import numpy as np

from grader.grading.evidence import Array
from grader.grading.judging import Case
from grader.grading.values import number, numbers

TOLERANCE = 0.02  # of statistics: sums in float32 are right


@dataclass(frozen=True)
class Part:
    """One part that `prepare` returned.

    Attributes:
        name: "training" or "test".
        x: float64 (n, H, W, 3), whatever came back.
        y: float64 (n, num_classes), likewise.
        indices: (n,), which of the images given each row of x is.
    """

    name: str
    x: Array
    y: Array
    indices: Array


Statistics = tuple[Array, Array]  # mean and deviation per channel, (3,) each, of images / 255


def other_part(one: tuple[Part, Part], other: tuple[Part, Part]) -> str:
    """The name of a part that is not the same in both; empty if there is none."""
    for a, b in zip(one, other, strict=True):
        if not (np.array_equal(a.indices, b.indices) and np.array_equal(a.y, b.y)):
            return a.name
    return ""


def used_statistics(case: Case, name: str, part: Part) -> Statistics:
    """The mean and deviation per channel with which a part was standardised, from what came of its pixels."""
    pixels = case.inputs["images"][part.indices].reshape(-1, 3) / 255
    values = part.x.reshape(-1, 3).astype(np.float64)
    centred = pixels - pixels.mean(axis=0)
    # Least squares, channel by channel: values = slope * pixels + offset.
    slope = (centred * values).sum(axis=0) / (centred**2).sum(axis=0)
    offset = values.mean(axis=0) - slope * pixels.mean(axis=0)
    misfit = np.abs(values - slope * pixels - offset).max(axis=0)
    if (slope <= 0).any() or (misfit > 0.01 * slope).any():
        expected = "one mean and one deviation for each channel, for all images and pixels"
        each = scaled_for_each(case, part)
        if not each:
            scaled = "(images / 255 - mean) / std for any three means and deviations"
            came = f"a {part.name} part that is not {scaled}"
            case.fail(name, came, expected)
        came = f"a {part.name} part with a mean and a deviation for each {each}"
        case.fail(name, came, expected, hint=_OF_EACH[each])
    return -offset / slope, 1 / slope


_OF_EACH = {
    "pixel": (
        "axis=0 gives a mean for each pixel. Take mean and std over axis=(0, 1, 2): one for each channel."
    ),
    "image": (
        "axis=(1, 2) and axis=(1, 2, 3) give a mean for each image. Take mean and std over axis=(0, 1, 2): "
        "one for each channel, of all training images."
    ),
}


def scaled_for_each(case: Case, part: Part) -> str:
    """Whether a part was scaled with numbers of their own for each "pixel" or "image"; empty for neither."""
    pixels = case.inputs["images"][part.indices] / 255
    for what, axes in (("pixel", (0,)), ("image", (1, 2))):
        centred = pixels - pixels.mean(axis=axes, keepdims=True)
        values = part.x - part.x.mean(axis=axes, keepdims=True)
        spread = (centred**2).sum(axis=axes, keepdims=True)
        slope = (centred * values).sum(axis=axes, keepdims=True) / np.maximum(spread, 1e-12)
        misfit = np.abs(values - slope * centred)
        # What does not vary, such as a pixel that is dark in all images, says nothing.
        if (misfit <= 0.01 * np.abs(slope) + 1e-6)[np.broadcast_to(spread > 1e-6, misfit.shape)].all():
            return what
    return ""


def mean_and_std(images: Array) -> Statistics:
    return images.mean(axis=(0, 1, 2)) / 255, images.std(axis=(0, 1, 2)) / 255


def same_statistics(one: Statistics, other: Statistics) -> bool:
    return all(np.allclose(a, b, rtol=TOLERANCE, atol=1e-4) for a, b in zip(one, other, strict=True))


def incomplete(train: Array, test: Array, count: int) -> str:
    """What keeps two parts from holding each of `count` indices once; empty if nothing does."""
    both = np.concatenate([train, test])
    outside = int(((both < 0) | (both >= count)).sum())
    missing = count - len(np.unique(both[(both >= 0) & (both < count)]))
    shared = len(np.intersect1d(train, test))
    twice = len(train) - len(np.unique(train)) + len(test) - len(np.unique(test))
    faults = [(outside, "do not exist"), (shared, "are in both"), (missing, "are in neither")]
    faults.append((twice, "are in one part twice"))
    return " and ".join(f"{number} {fault}" for number, fault in faults if number)


def repeated(part: Array) -> tuple[int, int]:
    """What is there most often in a part, and how often, if that is half of it; (0, 0) otherwise."""
    known, times = np.unique(part, return_counts=True)
    most = int(times.argmax())
    if len(part) < 4 or 2 * times[most] < len(part):
        return 0, 0
    return int(known[most]), int(times[most])


def run_of(part: Array, count: int) -> str:
    """Which part of what is stored a part is, if it has just the first or last, or some in a row: "the last
    41"; empty otherwise."""
    first, last = int(part.min()), int(part.max())
    if len(part) < 2 or len(np.unique(part)) != len(part) or last - first != len(part) - 1:
        return ""
    if last == count - 1:
        return f"the last {len(part)}"
    return f"the first {len(part)}" if first == 0 else f"number {first} to {last}"


def loss_rule(train: Array, test: Array, count: int) -> str:
    """The rule by which parts are charged that do not hold every index once."""
    if len(np.setdiff1d([*train, *test], np.arange(count))):
        return "leak"
    both = len(np.intersect1d(train, test))
    spare = len(test) - len(np.unique(test))
    if both + spare > 0.25 * len(test):
        return "no_test"
    return "leak" if both else "few_lost"


def size_rule(size: int, count: int, fraction: float, *, default: bool) -> str:
    """The rule by which a test part of another size is charged."""
    if right_size(size, count, 1 - fraction):
        return "swapped"
    return "default" if default else "argument"


def order_rule(train: Array, test: Array) -> str:
    return "order" if in_order(train) and in_order(test) else "one_order"


def renamed(y: Array, labels: Array) -> bool:
    """Whether all images of a class have one label, though not that of their class."""
    return all(len(np.unique(y[labels == label], axis=0)) == 1 for label in np.unique(labels))


def look_alike(one: Statistics, other: Statistics) -> bool:
    """Whether images standardised with either look alike: no mean is off by more than a deviation."""
    shift = np.abs(one[0] - other[0]) / np.minimum(np.abs(one[1]), np.abs(other[1]))
    scale = np.maximum(one[1] / other[1], other[1] / one[1])
    return bool((shift < 1).all() and (scale < 2).all())


def right_size(size: int, count: int, fraction: float) -> bool:
    return abs(size - fraction * count) <= 1


def in_order(indices: Array) -> bool:
    """Whether nearly all steps go up, or nearly all down. In a random order half of them go up: of the 18
    images that the smallest part here has, more than nine in ten go one way once in ten million times."""
    rising = float((np.diff(indices) > 0).mean()) if len(indices) > 1 else 0.5
    return not 0.1 <= rising <= 0.9


def start_of(indices: Array) -> str:
    return ", ".join(str(index) for index in indices[:5].tolist()) + ", …"


def ones_of(row: Array) -> str:
    """The columns of a row that are not 0."""
    columns = np.flatnonzero(row)
    if not len(columns):
        return "0 everywhere"
    if len(columns) > 3:
        return f"{len(columns)} values that are not 0"
    return " and ".join(f"{number(float(row[column]))} in column {column}" for column in columns)


def in_words(statistics: Statistics) -> str:
    return f"mean {numbers(statistics[0])} and std {numbers(statistics[1])}"
