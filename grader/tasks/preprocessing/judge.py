"""Judges preprocessing.py by what must hold of any right answer. Trusted: all it sees is evidence.

How a split is drawn and in what order things are computed is the student's choice, so nothing is compared
with the solution. What `prepare` did is worked out from what it returned: each image is recognised by its
texture, which no scaling changes, and the mean and deviation that were used follow from its pixels.

A dtype is asked for by the form checks alone: all others look at the values. Of an answer in another form
than promised they look at what is meant, where that is plain: masks, labels as numbers, another order. Order
and seed are looked at in a partition alone: parts of one element are in any order and decided by any seed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, TypeGuard, TypeVar

import numpy as np

from grader.grading.evidence import Array
from grader.grading.judging import Blocked, Case, Unmet, described, described_array, likeness, number, numbers
from grader.grading.textures import RECOGNISED, recognise, texture
from grader.results.record import Status
from grader.results.verdict import Verdict
from grader.tasks.arrays import blocked_by, check_kept, finite, whole

DEFAULT_FRACTION = 0.2
TOLERANCE = 0.02  # of statistics: sums in float32 are right
ONE_HOT_CALLS = ("one_hot.uint8", "one_hot.int32", "one_hot.int64")
PREPARE_CALLS = ("prepare", "prepare.other")
SPLIT_CALLS = ("split", "split.other")
INDICES = "two arrays of integers, (train, test)"
MEAN_AND_STD = "two float32 arrays of shape (3,), (mean, std)"
SEED_ALONE = (
    "The seed alone must decide: not the clock, not hash() of a text, not os.urandom, and not what an "
    "earlier call has stored."
)

T = TypeVar("T")


# ------------------------------------------------------------------ split_indices


def split_form(case: Case) -> Verdict:
    """Two arrays of integers come back."""
    for name in ("split", "split.again", "split.other"):
        _split(case, name)
        parts = case.items(name, 2, INDICES)
        if any(part.dtype.kind not in "iu" for part in parts):
            case.fail(name, described(parts), INDICES, rule="unusable")
    return Verdict.passed()


def split_complete(case: Case) -> Verdict:
    """Every index is in exactly one part."""
    for name in SPLIT_CALLS:
        train, test = _parts(case, name)
        fault = _incomplete(train, test, case.inputs["num_examples"])
        if fault:
            rule = _lost(train, test, case.inputs["num_examples"])
            case.fail(name, f"parts in which {fault}", "every index in exactly one part", rule=rule)
    return Verdict.passed()


def split_size(case: Case) -> Verdict:
    """The test part has its share, however that is rounded; without `test_fraction` it is a fifth."""
    count = case.inputs["num_examples"]
    for name, fraction in zip(SPLIT_CALLS, (case.inputs["test_fraction"], DEFAULT_FRACTION), strict=True):
        _, test = _parts(case, name)
        if not _right_size(len(test), count, fraction):
            rule = _wrong_size(len(test), count, fraction, default=name == SPLIT_CALLS[1])
            case.fail(
                name,
                f"a test part of {len(test)}",
                f"{number(fraction * count)}, rounded as you like",
                rule=rule,
            )
    return Verdict.passed()


def split_shuffled(case: Case) -> Verdict:
    """Both parts are in random order, and the test part is drawn from everywhere."""
    for name in SPLIT_CALLS:
        train, test = _partition(case, name)
        block = len(test) > 1 and test.max() - test.min() == len(test) - 1
        rule = "classes_missing" if block else _unordered(train, test)
        for part, which in ((train, "training"), (test, "test")):
            if _in_order(part):
                case.fail(name, f"a {which} part that starts {_start(part)}", "random order", rule=rule)
        if block:
            came = f"a test part of all indices from {test.min()} to {test.max()}"
            case.fail(name, came, "indices from everywhere", rule=rule)
    return Verdict.passed()


def split_seeded(case: Case) -> Verdict:
    """The same seed gives the same split, in another Python process too; another seed gives another one."""
    first, other = (_partition(case, name) for name in SPLIT_CALLS)
    again = _parts(case, "split.again")
    if not all(np.array_equal(a, b) for a, b in zip(first, again, strict=True)):
        case.fail("split.again", "another split than the first time", "the same, for it is the same seed")
    later = _in_second_process(case, "later.split", "split_indices", partial(_split, as_meant=True))
    if not all(np.array_equal(a, b) for a, b in zip(first, later, strict=True)):
        _fail_later(case, "later.split", "split")
    smaller = min(len(np.unique(first[1])), len(np.unique(other[1])))
    common = len(np.intersect1d(first[1], other[1]))
    # Two random parts share about a third; sharing nearly all means that the seed does not decide.
    if smaller and common > 0.9 * smaller:
        case.fail(
            "split.other",
            f"{common} of the test indices that seed={case.inputs['seed']} gives",
            "another split, for it is another seed",
        )
    return Verdict.passed()


# ------------------------------------------------------------------ channel_statistics, standardise, one_hot


def statistics_form(case: Case) -> Verdict:
    """Two float32 arrays of shape (3,) come back."""
    _statistics(case)
    items = case.items("statistics", 2, MEAN_AND_STD)
    if any(item.dtype != np.float32 for item in items):
        case.fail("statistics", described(items), MEAN_AND_STD, rule="dtype")
    return Verdict.passed()


def statistics_values(case: Case) -> Verdict:
    """Mean and deviation per channel, of images / 255, over images, rows and columns."""
    images = case.inputs["images"]
    mistakes = {
        "that of images not divided by 255": tuple(255 * part for part in _mean_and_std(images)),
        "that of images // 255, which are 0 nearly everywhere": tuple(
            255 * part for part in _mean_and_std(images // 255)
        ),
        "that of all channels together": (np.full(3, images.mean() / 255), np.full(3, images.std() / 255)),
        "that of the first image alone": _mean_and_std(images[:1]),
        "the variance": (np.full(3, np.nan), _mean_and_std(images)[1] ** 2),
    }
    with blocked_by("statistics.form"):
        measured = _statistics(case)
    for part, (came, right) in enumerate(zip(measured, _mean_and_std(images), strict=True)):
        if not np.allclose(came, right, rtol=TOLERANCE):
            what = ("mean", "std")[part]
            like = likeness(came, {name: wrong[part] for name, wrong in mistakes.items()}, rtol=TOLERANCE)
            # Within a factor of two of the right ones, images are centred and scaled all the same.
            close = np.allclose(came, right, rtol=0.5)
            case.fail(
                "statistics",
                f"{what} = {numbers(came)}{like}",
                f"{what} = {numbers(right)}",
                rule="close_values" if close else "",
            )
    return Verdict.passed()


def standardise_form(case: Case) -> Verdict:
    """A float32 array of the images' shape comes back."""
    _floats(case, "standardise", case.inputs["images"].shape)
    _float32(case, "standardise")
    return Verdict.passed()


def standardise_values(case: Case) -> Verdict:
    """Every pixel is (pixel / 255 - mean) / std, with the statistics that were handed in."""
    images, mean, std = (case.inputs[name] for name in ("images", "mean", "std"))
    with blocked_by("standardise.form"):
        came = _floats(case, "standardise", images.shape)
    expected = (images / 255 - mean) / std
    wrong = np.argwhere(~np.isclose(came, expected, rtol=1e-3, atol=1e-3))
    if len(wrong):
        at = tuple(wrong[0])
        own = _mean_and_std(images)
        mistakes = {
            "(pixel - mean) / std, without the division by 255": (images - mean) / std,
            "(pixel // 255 - mean) / std, with whole numbers": (images // 255 - mean) / std,
            "standardised with the mean and std of the images": (images / 255 - own[0]) / own[1],
            "pixel / 255 - mean, not divided by std": images / 255 - mean,
            "pixel / 255 / std, with no mean subtracted": images / 255 / std,
            "standardised twice": (expected - mean) / std,
        }
        like = likeness(came, mistakes, rtol=1e-3, atol=1e-3)
        # Of so many pixels that differ hardly any two are alike when they are right.
        levels = len(np.unique(np.round(came[..., 0], 6))) / len(np.unique(images[..., 0]))
        rule = "information" if levels < 0.1 else ""
        case.fail(
            "standardise",
            f"{number(float(came[at]))} for a pixel of {images[at]} in channel {at[-1]}{like}",
            f"({images[at]} / 255 - {number(float(mean[at[-1]]))}) / {number(float(std[at[-1]]))} "
            f"= {number(float(expected[at]))}",
            rule=rule,
        )
    return Verdict.passed()


def one_hot_form(case: Case) -> Verdict:
    """A float32 array (N, num_classes) comes back, whatever integers go in."""
    for name in ONE_HOT_CALLS:
        _one_hot(case, name)
        _float32(case, name)
    return Verdict.passed()


def one_hot_values(case: Case) -> Verdict:
    """Each row has its 1 in its label's column and 0 elsewhere."""
    labels = case.inputs["class_numbers"]
    for name in ONE_HOT_CALLS:
        with blocked_by("one_hot.form"):
            came = _one_hot(case, name, as_meant=True)
        wrong = np.flatnonzero((came != np.eye(came.shape[1])[labels]).any(axis=1))
        if len(wrong):
            row, label = came[wrong[0]], labels[wrong[0]]
            classes = np.eye(came.shape[1])
            mistakes = {
                "one column too early": classes[labels - 1],
                "one too late": classes[labels - len(classes) + 1],
            }
            like = likeness(came, mistakes)
            case.fail(
                name, f"for the label {label} a row with {_ones(row)}{like}", f"a 1 in column {label} alone"
            )
    return Verdict.passed()


# ------------------------------------------------------------------ prepare


def prepare_form(case: Case) -> Verdict:
    """Four float32 arrays come back, whose rows are images and one-hot labels that went in."""
    for name in PREPARE_CALLS:
        _prepared(case, name)
        expected = _four_arrays(case)
        items = case.items(name, 4, expected)
        if any(item.dtype != np.float32 for item in items):
            case.fail(name, described(items), expected, rule="dtype")
    return Verdict.passed()


def prepare_complete(case: Case) -> Verdict:
    """Promise 1: every image is in exactly one part, and the test part has its share."""
    count = len(case.inputs["images"])
    for name, fraction in zip(PREPARE_CALLS, (case.inputs["test_fraction"], DEFAULT_FRACTION), strict=True):
        with blocked_by("prepare.form"):
            train, test = _prepared(case, name, as_meant=True)
        fault = _incomplete(train.indices, test.indices, count)
        if fault:
            rule = _lost(train.indices, test.indices, count)
            case.fail(name, f"parts in which {fault}", "every image in exactly one part", rule=rule)
        if not _right_size(len(test.x), count, fraction):
            expected = f"{number(fraction * count)}, rounded as you like"
            rule = _wrong_size(len(test.x), count, fraction, default=name == PREPARE_CALLS[1])
            case.fail(name, f"a test part of {len(test.x)} images", expected, rule=rule)
    return Verdict.passed()


def prepare_pairs(case: Case) -> Verdict:
    """Promise 2: every image keeps its label."""
    labels = case.inputs["labels"]
    for name in PREPARE_CALLS:
        for part in _prepared_partition(case, name):
            expected = np.eye(part.y.shape[1])[labels[part.indices]]
            wrong = np.flatnonzero((part.y != expected).any(axis=1))
            if len(wrong):
                row, label = part.y[wrong[0]], labels[part.indices[wrong[0]]]
                case.fail(
                    name,
                    f"wrong labels for {len(wrong)} of {len(part.y)} images in the {part.name} part, "
                    f"such as {_ones(row)} for an image of class {label}",
                    "each image's own label",
                    rule="renamed" if _renamed(part.y, labels[part.indices]) else "",
                )
    return Verdict.passed()


def prepare_shuffled(case: Case) -> Verdict:
    """Promise 3: both parts are in random order."""
    for name in PREPARE_CALLS:
        for part in _prepared_partition(case, name):
            if _in_order(part.indices):
                case.fail(
                    name, f"a {part.name} part that starts with images {_start(part.indices)}", "random order"
                )
    return Verdict.passed()


def prepare_seeded(case: Case) -> Verdict:
    """Promise 3: the seed alone decides."""
    first, other = (_prepared_partition(case, name) for name in PREPARE_CALLS)
    again = _prepared(case, "prepare.again", as_meant=True)
    if fault := _other_part(first, again):
        came = f"another {fault} part than the first time"
        case.fail("prepare.again", came, "the same, for it is the same seed")
    later = _in_second_process(case, "later.prepare", "prepare", partial(_prepared, as_meant=True))
    if fault := _other_part(first, later):
        _fail_later(case, "later.prepare", f"{fault} part")
    smaller = min(len(np.unique(first[1].indices)), len(np.unique(other[1].indices)))
    common = len(np.intersect1d(first[1].indices, other[1].indices))
    if smaller and common > 0.9 * smaller:
        came = f"{common} of the test images that seed={case.inputs['seed']} gives"
        case.fail("prepare.other", came, "others, for it is another seed")
    return Verdict.passed()


def prepare_train_statistics(case: Case) -> Verdict:
    """Promise 4: the training part is standardised with its own statistics, not those of all images."""
    images = case.inputs["images"]
    for name in PREPARE_CALLS:
        train, test = _prepared_partition(case, name)
        used = _used(case, name, train)
        right = _mean_and_std(images[train.indices])
        if not _same(used, right):
            rule = "" if _alike(used, _used(case, name, test)) else "unlike"
            if _same(used, _mean_and_std(images)):
                rule = "statistics_leak"
            others = {"of all images": images, "of the test part": images[test.indices]}
            whose = [f" ({what})" for what, some in others.items() if _same(used, _mean_and_std(some))]
            case.fail(
                name,
                f"a training part standardised with {_said(used)}{whose[0] if whose else ''}",
                f"{_said(right)}, those of the training part",
                rule=rule,
            )
    return Verdict.passed()


def prepare_test_statistics(case: Case) -> Verdict:
    """Promise 5: the test part is standardised with the very numbers that the training part was."""
    images = case.inputs["images"]
    for name in PREPARE_CALLS:
        train, test = _prepared_partition(case, name)
        used, right = _used(case, name, test), _used(case, name, train)
        if np.allclose(used[0], 0, atol=0.01):
            mean = numbers(_mean_and_std(images[train.indices])[0])
            came = "a test part from which no mean was subtracted"
            case.fail(name, came, f"the training part's, {mean}", rule="unlike")
        if not _same(used, right):
            whose = " (its own)" if _same(used, _mean_and_std(images[test.indices])) else ""
            case.fail(
                name,
                f"a test part standardised with {_said(used)}{whose}",
                f"{_said(right)}, as the training part was",
                rule="" if _alike(used, right) else "unlike",
            )
    return Verdict.passed()


def inputs_kept(case: Case) -> Verdict:
    """No function changes the arrays it is given."""
    images, labels, numbers_ = (case.inputs[name] for name in ("images", "labels", "class_numbers"))
    given: dict[str, dict[str, Array]] = {
        "statistics": {"0": images},
        "standardise": {"0": images, "1": case.inputs["mean"], "2": case.inputs["std"]},
        **{name: {"0": numbers_} for name in ONE_HOT_CALLS},
        "prepare": {"0": images, "1": labels},
    }
    check_kept(case, given)
    return Verdict.passed()


def prepared(case: Case, verdicts: Mapping[str, Verdict]) -> Verdict | None:
    """What `prepare.learns` comes to where nothing has to be trained; None where a training decides.

    A right `prepare` has nothing to show by a training: its arrays were looked at value by value. One whose
    arrays no network takes has none to be trained.

    Args:
        case: of the probe.
        verdicts: of all other checks.
    """
    about = [verdict for check, verdict in verdicts.items() if check.startswith("prepare.")]
    if all(verdict.status is Status.PASSED for verdict in about) and _keeps_inputs(case):
        return Verdict.passed(
            "The arrays that prepare returned were verified, value by value: what they come to in a training "
            "is known, and none was needed."
        )
    try:
        for name in PREPARE_CALLS:
            _usable(case, name)
    except Unmet as unmet:
        return Verdict(
            status=Status.BLOCKED,
            message=f"No network can be trained on this: {unmet}",
            in_share=_would_be_usable(case) or _is_followed("prepare.form", case, verdicts),
        )
    return None


def _would_be_usable(case: Case) -> bool:
    """Whether a network could be trained on the arrays if they came in the form that was promised."""
    try:
        for name in PREPARE_CALLS:
            _usable(case, name, as_meant=True)
    except Unmet:
        return False
    return True


def _is_followed(check: str, case: Case, verdicts: Mapping[str, Verdict]) -> bool:
    """Whether a check fails because of a mistake that another one has reported."""
    (follows,) = (one.follows for one in case.task.checks if one.id == check)
    return any(verdicts[cause].status is Status.FAILED for cause in follows if cause in verdicts)


def _keeps_inputs(case: Case) -> bool:
    try:
        check_kept(case, {"prepare": {"0": case.inputs["images"], "1": case.inputs["labels"]}})
    except (Unmet, Blocked):
        return False
    return True


CHECKS: dict[str, Callable[[Case], Verdict]] = {
    "split.form": split_form,
    "split.complete": split_complete,
    "split.size": split_size,
    "split.shuffled": split_shuffled,
    "split.seeded": split_seeded,
    "statistics.form": statistics_form,
    "statistics.values": statistics_values,
    "standardise.form": standardise_form,
    "standardise.values": standardise_values,
    "one_hot.form": one_hot_form,
    "one_hot.values": one_hot_values,
    "prepare.form": prepare_form,
    "prepare.complete": prepare_complete,
    "prepare.pairs": prepare_pairs,
    "prepare.shuffled": prepare_shuffled,
    "prepare.seeded": prepare_seeded,
    "prepare.train_statistics": prepare_train_statistics,
    "prepare.test_statistics": prepare_test_statistics,
    "inputs.kept": inputs_kept,
}


# ------------------------------------------------------------------ what came back, in a form to reason about


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


def _split(case: Case, name: str, *, as_meant: bool = False) -> tuple[Array, Array]:
    """The two parts, in whatever dtype whole numbers are written; Unmet if they cannot be looked at.

    With `as_meant` masks of all examples are the indices where they are True.
    """
    parts = case.items(name, 2, INDICES)
    if as_meant and all(_is_mask(part, case.inputs["num_examples"]) for part in parts):
        parts = tuple(np.flatnonzero(part) for part in parts)
    train, test = (whole(part) for part in parts)
    if train is None or test is None or train.ndim != 1 or test.ndim != 1:
        case.fail(name, described(parts), INDICES)
    for part in (train, test):
        if not 0 < len(part) <= 2 * case.inputs["num_examples"]:
            case.fail(name, f"a part of {len(part)} indices", INDICES)
    return train, test


def _parts(case: Case, name: str) -> tuple[Array, Array]:
    """The two parts, for every check but that of their form."""
    with blocked_by("split.form"):
        return _split(case, name, as_meant=True)


def _is_mask(part: Any, count: int) -> bool:
    return isinstance(part, np.ndarray) and part.dtype == bool and part.shape == (count,)


def _partition(case: Case, name: str) -> tuple[Array, Array]:
    """The two parts, which hold every index once: of others neither order nor seed is looked at."""
    train, test = _parts(case, name)
    if _incomplete(train, test, case.inputs["num_examples"]):
        raise Blocked("split.complete")
    return train, test


def _in_second_process(case: Case, name: str, function: str, read: Callable[[Case, str], T]) -> T:
    """What a call of the second process gave; Unmet says of it that it was there."""
    if name not in case.evidence.calls:
        how = case.ended.get("later", "it left nothing behind").rstrip(".")
        raise Unmet(
            f"{function} was to be called with the same seed in a second Python process, but {how}.", hint=""
        )
    try:
        return read(case, name)
    except Unmet as unmet:
        raise Unmet(f"In a second Python process {unmet}", hint=unmet.verdict.hint) from unmet


def _fail_later(case: Case, name: str, what: str) -> NoReturn:
    came = f"another {what} in a second Python process than in the first"
    case.fail(name, came, "the same, for it is the same seed", hint=SEED_ALONE)


def _statistics(case: Case) -> Statistics:
    """Mean and deviation as float64 (3,); Unmet if they cannot be looked at."""
    items = case.items("statistics", 2, MEAN_AND_STD)
    if not all(_is_numbers(item) and item.shape == (3,) for item in items):
        case.fail("statistics", described(items), MEAN_AND_STD)
    for what, item in zip(("a mean", "a deviation"), items, strict=True):
        if not finite(item):
            case.fail("statistics", f"{what} of {numbers(item)}", "finite numbers")
    return items[0].astype(np.float64), items[1].astype(np.float64)


def _floats(case: Case, name: str, shape: tuple[int, ...]) -> Array:
    """The array of numbers that a call returned, as float64; Unmet if it cannot be looked at."""
    came = case.value(name)
    if not _is_numbers(came) or came.shape != shape:
        case.fail(name, described(came), described_array("float32", shape))
    if not finite(came):
        case.fail(name, "an array with values that are not finite", "finite numbers")
    return came.astype(np.float64)


def _one_hot(case: Case, name: str, *, as_meant: bool = False) -> Array:
    """The rows as float64; with `as_meant` columns that are missing at the end are zeros."""
    shape = (len(case.inputs["class_numbers"]), case.inputs["num_labels"])
    came = case.value(name)
    if (
        as_meant
        and _is_numbers(came)
        and came.ndim == 2
        and len(came) == shape[0]
        and 1 < came.shape[1] < shape[1]
    ):
        rows = _floats(case, name, came.shape)
        return np.pad(rows, ((0, 0), (0, shape[1] - came.shape[1])))
    return _floats(case, name, shape)


def _four_arrays(case: Case) -> str:
    """What `prepare` is expected to return, in words."""
    shape = ", ".join(map(str, case.inputs["images"].shape[1:]))
    return (
        f"(x_train, y_train, x_test, y_test), float32 arrays of shapes (n, {shape}) and "
        f"(n, {case.inputs['num_classes']})"
    )


def _usable(case: Case, name: str, *, as_meant: bool = False) -> list[Array]:
    """The four arrays, float64, whatever images they show; Unmet if no network could be trained on them.

    With `as_meant` images and labels may come in another order, images as rows and labels as numbers.
    """
    images = case.inputs["images"]
    shape, columns = images.shape[1:], case.inputs["num_classes"]
    expected = _four_arrays(case)
    items = case.items(name, 4, expected)
    if as_meant and all(map(_is_numbers, items)):
        items = _as_meant(items, shape, columns)
    for x, y in (items[:2], items[2:]):
        if not (
            _is_numbers(x)
            and _is_numbers(y)
            and x.shape == (len(y), *shape)
            and y.shape == (len(x), columns)
            and 0 < len(x) <= len(images)
        ):
            case.fail(name, described(items), expected)
        for what, array in (("images", x), ("labels", y)):
            if not finite(array):
                case.fail(name, f"{what} with values that are not finite", "finite numbers")
    return [item.astype(np.float64) for item in items]


def _prepared(case: Case, name: str, *, as_meant: bool = False) -> tuple[Part, Part]:
    """The two parts, in whatever dtype they are written; Unmet if they cannot be looked at."""
    x_train, y_train, x_test, y_test = _usable(case, name, as_meant=as_meant)
    train = Part("training", x_train, y_train, _recognise(case, name, x_train))
    test = Part("test", x_test, y_test, _recognise(case, name, x_test))
    return train, test


def _prepared_partition(case: Case, name: str) -> tuple[Part, Part]:
    """The two parts, which hold every image once: of others no other promise is looked at."""
    with blocked_by("prepare.form"):
        train, test = _prepared(case, name, as_meant=True)
    if _incomplete(train.indices, test.indices, len(case.inputs["images"])):
        raise Blocked("prepare.complete")
    return train, test


def _as_meant(items: Sequence[Array], shape: tuple[int, ...], columns: int) -> tuple[Array, ...]:
    """Images, labels, images, labels, as (n, *shape) and (n, columns), as far as it is plain what is what."""
    size = math.prod(shape)
    ordered = list(items)
    if len(items[0]) != len(items[1]) and len(items[0]) == len(items[2]):
        ordered = [items[0], items[2], items[1], items[3]]
    for place, item in enumerate(ordered):
        if item.ndim == 2 and item.shape[1] == size != columns:
            ordered[place] = item.reshape(len(item), *shape)
        numbers_ = whole(item) if item.ndim == 1 else None
        if numbers_ is not None and len(numbers_) and 0 <= numbers_.min() <= numbers_.max() < columns:
            ordered[place] = np.eye(columns)[numbers_]
    return tuple(ordered)


def _other_part(one: tuple[Part, Part], other: tuple[Part, Part]) -> str:
    """The name of a part that is not the same in both; empty if there is none."""
    for a, b in zip(one, other, strict=True):
        if not (np.array_equal(a.indices, b.indices) and np.array_equal(a.y, b.y)):
            return a.name
    return ""


def _is_numbers(value: object) -> TypeGuard[Array]:
    """Whether a value is an array with dimensions, of numbers or truth values."""
    return isinstance(value, np.ndarray) and value.ndim > 0


def _recognise(case: Case, name: str, x: Array) -> Array:
    """For each row of x, (n, H, W, 3), which of the images given it is; Unmet if it is none of them."""
    found, similar = recognise(x, texture(case.inputs["images"]))
    if similar.min() < RECOGNISED:
        row = int(similar.argmin())
        case.fail(name, f"an image (row {row}) that is none of those given", "the images given, standardised")
    return found


def _used(case: Case, name: str, part: Part) -> Statistics:
    """The mean and deviation per channel with which a part was standardised, from what came of its pixels."""
    pixels = case.inputs["images"][part.indices].reshape(-1, 3) / 255
    values = part.x.reshape(-1, 3).astype(np.float64)
    centred = pixels - pixels.mean(axis=0)
    # Least squares, channel by channel: values = slope * pixels + offset.
    slope = (centred * values).sum(axis=0) / (centred**2).sum(axis=0)
    offset = values.mean(axis=0) - slope * pixels.mean(axis=0)
    misfit = np.abs(values - slope * pixels - offset).max(axis=0)
    if (slope <= 0).any() or (misfit > 0.01 * slope).any():
        case.fail(
            name,
            f"a {part.name} part that is not (images / 255 - mean) / std for any three means and deviations",
            "one mean and one deviation for each channel, for all images and pixels",
        )
    return -offset / slope, 1 / slope


def _mean_and_std(images: Array) -> Statistics:
    return images.mean(axis=(0, 1, 2)) / 255, images.std(axis=(0, 1, 2)) / 255


def _same(one: Statistics, other: Statistics) -> bool:
    return all(np.allclose(a, b, rtol=TOLERANCE, atol=1e-4) for a, b in zip(one, other, strict=True))


def _incomplete(train: Array, test: Array, count: int) -> str:
    """What keeps two parts from holding each of `count` indices once; empty if nothing does."""
    both = np.concatenate([train, test])
    outside = int(((both < 0) | (both >= count)).sum())
    missing = count - len(np.unique(both[(both >= 0) & (both < count)]))
    shared = len(np.intersect1d(train, test))
    twice = len(train) - len(np.unique(train)) + len(test) - len(np.unique(test))
    faults = [(outside, "do not exist"), (shared, "are in both"), (missing, "are in neither")]
    faults.append((twice, "are in one part twice"))
    return " and ".join(f"{number} {fault}" for number, fault in faults if number)


def _lost(train: Array, test: Array, count: int) -> str:
    """The rule by which parts are charged that do not hold every index once."""
    if len(np.setdiff1d([*train, *test], np.arange(count))):
        return "leak"
    both = len(np.intersect1d(train, test))
    spare = len(test) - len(np.unique(test))
    if both + spare > 0.25 * len(test):
        return "no_test"
    return "leak" if both else "few_lost"


def _wrong_size(size: int, count: int, fraction: float, *, default: bool) -> str:
    """The rule by which a test part of another size is charged."""
    if _right_size(size, count, 1 - fraction):
        return "swapped"
    return "default" if default else "argument"


def _unordered(train: Array, test: Array) -> str:
    return "order" if _in_order(train) and _in_order(test) else "one_order"


def _renamed(y: Array, labels: Array) -> bool:
    """Whether all images of a class have one label, though not that of their class."""
    return all(len(np.unique(y[labels == label], axis=0)) == 1 for label in np.unique(labels))


def _float32(case: Case, name: str) -> None:
    """Raises Unmet if an array that has the right shape and values is of another dtype."""
    came = case.array(name)
    if came.dtype != np.float32:
        case.fail(name, described(came), described_array("float32", came.shape), rule="dtype")


def _alike(one: Statistics, other: Statistics) -> bool:
    """Whether images standardised with either look alike: no mean is off by more than a deviation."""
    shift = np.abs(one[0] - other[0]) / np.minimum(np.abs(one[1]), np.abs(other[1]))
    scale = np.maximum(one[1] / other[1], other[1] / one[1])
    return bool((shift < 1).all() and (scale < 2).all())


def _right_size(size: int, count: int, fraction: float) -> bool:
    return abs(size - fraction * count) <= 1


def _in_order(indices: Array) -> bool:
    """Whether nearly all steps go up, or nearly all down. In a random order half of them go up: of the 18
    images that the smallest part here has, more than nine in ten go one way once in ten million times."""
    rising = float((np.diff(indices) > 0).mean()) if len(indices) > 1 else 0.5
    return not 0.1 <= rising <= 0.9


def _start(indices: Array) -> str:
    return ", ".join(str(index) for index in indices[:5].tolist()) + ", …"


def _ones(row: Array) -> str:
    """The columns of a row that are not 0."""
    columns = np.flatnonzero(row)
    if not len(columns):
        return "0 everywhere"
    if len(columns) > 3:
        return f"{len(columns)} values that are not 0"
    return " and ".join(f"{number(float(row[column]))} in column {column}" for column in columns)


def _said(statistics: Statistics) -> str:
    return f"mean {numbers(statistics[0])} and std {numbers(statistics[1])}"
