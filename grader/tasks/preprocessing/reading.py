"""What the functions of preprocessing.py returned, in a form to reason about; Unmet where that cannot be.

Values are read whatever their dtype, and with `as_meant` in another form than promised, where it is plain
what is meant.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeGuard, TypeVar

import numpy as np

from grader.grading.evidence import Array
from grader.grading.judging import Blocked, Case, Unmet
from grader.grading.textures import RECOGNISED, recognise, texture
from grader.grading.values import as_array, described, described_array, numbers, wrap
from grader.tasks.arrays import blocked_by, finite, whole
from grader.tasks.preprocessing.findings import Part, Statistics, incomplete

INDICES = "two arrays of integers, (train, test)"
MEAN_AND_STD = "two float32 arrays of shape (3,), (mean, std)"
SEED_ALONE = (
    "The seed alone must decide. Do not use the clock, hash() of a text, os.urandom, or anything that an "
    "earlier call has stored."
)

T = TypeVar("T")


def two_parts(case: Case, name: str, *, as_meant: bool = False) -> tuple[Array, Array]:
    """The two parts, in whatever dtype whole numbers are written; Unmet if they cannot be looked at.

    With `as_meant` masks of all examples are the indices where they are True.
    """
    parts = case.items(name, 2, INDICES)
    if as_meant and all(is_mask(part, case.inputs["num_examples"]) for part in parts):
        parts = tuple(np.flatnonzero(part) for part in parts)
    train, test = (whole(part) for part in parts)
    if train is None or test is None or train.ndim != 1 or test.ndim != 1:
        case.fail(name, described(parts), INDICES)
    for part in (train, test):
        if not 0 < len(part) <= 2 * case.inputs["num_examples"]:
            case.fail(name, f"a part of {len(part)} indices", INDICES)
    return train, test


def split_parts(case: Case, name: str) -> tuple[Array, Array]:
    """The two parts, for every check but that of their form."""
    with blocked_by("split.form"):
        return two_parts(case, name, as_meant=True)


def is_mask(part: Any, count: int) -> bool:
    return isinstance(part, np.ndarray) and part.dtype == bool and part.shape == (count,)


def split_partition(case: Case, name: str) -> tuple[Array, Array]:
    """The two parts, which hold every index once: of others neither order nor seed is looked at."""
    train, test = split_parts(case, name)
    if incomplete(train, test, case.inputs["num_examples"]):
        raise Blocked("split.complete")
    return train, test


def in_second_process(case: Case, name: str, function: str, read: Callable[[Case, str], T]) -> T:
    """What a call of the second process gave; Unmet says of it that it was there."""
    if name not in case.evidence.calls:
        how = case.ended.get("later", "it left no results").rstrip(".")
        raise Unmet(
            f"{function} was to be called with the same seed in a second Python process, but {how}.", hint=""
        )
    try:
        return read(case, name)
    except Unmet as unmet:
        raise Unmet(f"In a second Python process {unmet}", hint=unmet.verdict.hint) from unmet


def fail_later(case: Case, name: str, what: str) -> NoReturn:
    came = f"another {what} in a second Python process than in the first"
    case.fail(name, came, "the same, because the seed is the same", hint=SEED_ALONE)


def statistics_of(case: Case, name: str = "statistics", *, as_meant: bool = False) -> Statistics:
    """Mean and deviation as float64 (3,), with `as_meant` of any shape; Unmet if they cannot be looked at."""
    items = case.items(name, 2, MEAN_AND_STD)
    if all(is_numbers(item) and item.size == 3 for item in items):
        if not as_meant and any(item.shape != (3,) for item in items):
            case.fail(name, described(items), MEAN_AND_STD, rule="form")
        items = tuple(item.reshape(3) for item in items)
    else:
        case.fail(name, described(items), MEAN_AND_STD)
    for what, item in zip(("a mean", "a deviation"), items, strict=True):
        if not finite(item):
            case.fail(name, f"{what} of {numbers(item)}", "finite numbers")
    return items[0].astype(np.float64), items[1].astype(np.float64)


def float_array(case: Case, name: str, shape: tuple[int, ...], *, as_meant: bool = False) -> Array:
    """The array of numbers that a call returned, as float64; Unmet if it cannot be looked at.

    With `as_meant` a list of rows is the array that it makes.
    """
    came = case.value(name)
    if as_meant:
        came = as_array(came)
    if not is_numbers(came) or came.shape != shape:
        case.fail(name, described(came), described_array("float32", shape), hint=wrap(came))
    if not finite(came):
        case.fail(name, "an array with values that are not finite", "finite numbers")
    return came.astype(np.float64)


def one_hot_rows(case: Case, name: str, *, as_meant: bool = False) -> Array:
    """The rows as float64; with `as_meant` columns that are missing at the end are zeros."""
    shape = (len(case.inputs["class_numbers"]), case.inputs["num_labels"])
    came = as_array(case.value(name)) if as_meant else case.value(name)
    if (
        as_meant
        and is_numbers(came)
        and came.ndim == 2
        and len(came) == shape[0]
        and 1 < came.shape[1] < shape[1]
    ):
        rows = float_array(case, name, came.shape, as_meant=True)
        return np.pad(rows, ((0, 0), (0, shape[1] - came.shape[1])))
    return float_array(case, name, shape, as_meant=as_meant)


def four_arrays(case: Case) -> str:
    """What `prepare` is expected to return, in words."""
    shape = ", ".join(map(str, case.inputs["images"].shape[1:]))
    return (
        f"(x_train, y_train, x_test, y_test), float32 arrays of shapes (n, {shape}) and "
        f"(n, {case.inputs['num_classes']})"
    )


def usable_arrays(case: Case, name: str, *, as_meant: bool = False) -> list[Array]:
    """The four arrays, float64, whatever images they show; Unmet if no network could be trained on them.

    With `as_meant` images and labels may come in another order, images as rows, labels as numbers or with
    columns that no class has.
    """
    images = case.inputs["images"]
    shape, columns = images.shape[1:], case.inputs["num_classes"]
    expected = four_arrays(case)
    items = case.items(name, 4, expected)
    if as_meant and all(map(is_numbers, items)):
        items = rearranged(items, shape, columns)
    for x, y in (items[:2], items[2:]):
        if not (
            is_numbers(x)
            and is_numbers(y)
            and x.shape == (len(y), *shape)
            and y.shape == (len(x), columns)
            and 0 < len(x) <= len(images)
        ):
            case.fail(name, described(items), expected)
        for what, array in (("images", x), ("labels", y)):
            if not finite(array):
                case.fail(name, f"{what} with values that are not finite", "finite numbers")
    return [item.astype(np.float64) for item in items]


def prepared_parts(case: Case, name: str, *, as_meant: bool = False) -> tuple[Part, Part]:
    """The two parts, in whatever dtype they are written; Unmet if they cannot be looked at."""
    x_train, y_train, x_test, y_test = usable_arrays(case, name, as_meant=as_meant)
    train = Part("training", x_train, y_train, recognised(case, name, x_train))
    test = Part("test", x_test, y_test, recognised(case, name, x_test))
    return train, test


def prepared_partition(case: Case, name: str) -> tuple[Part, Part]:
    """The two parts, which hold every image once: of others no other promise is looked at."""
    with blocked_by("prepare.form"):
        train, test = prepared_parts(case, name, as_meant=True)
    if incomplete(train.indices, test.indices, len(case.inputs["images"])):
        raise Blocked("prepare.complete")
    return train, test


def rearranged(items: Sequence[Array], shape: tuple[int, ...], columns: int) -> tuple[Array, ...]:
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
        if place % 2 and ordered[place].ndim == 2 and ordered[place].shape[1] != size:
            ordered[place] = _as_wide(ordered[place], columns)
    return tuple(ordered)


def _as_wide(labels: Array, columns: int) -> Array:
    """One-hot labels with a column for each class: what is missing or too many has no 1 in it."""
    if labels.shape[1] > columns and not labels[:, columns:].any():
        return labels[:, :columns]
    if 1 < labels.shape[1] < columns:
        return np.pad(labels, ((0, 0), (0, columns - labels.shape[1])))
    return labels


def is_numbers(value: object) -> TypeGuard[Array]:
    """Whether a value is an array with dimensions, of numbers or truth values."""
    return isinstance(value, np.ndarray) and value.ndim > 0


def recognised(case: Case, name: str, x: Array) -> Array:
    """For each row of x, (n, H, W, 3), which of the images given it is; Unmet if it is none of them."""
    found, similar = recognise(x, texture(case.inputs["images"]))
    if similar.min() < RECOGNISED:
        row = int(similar.argmin())
        case.fail(name, f"an image (row {row}) that is none of those given", "the images given, standardised")
    return found


def require_float32(case: Case, name: str) -> None:
    """Raises Unmet if an array that has the right shape and values is of another dtype."""
    came = case.array(name)
    if came.dtype != np.float32:
        case.fail(name, described(came), described_array("float32", came.shape), rule="dtype")
