"""What the judges of functions on arrays share."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from grader.grading.evidence import Array
from grader.grading.judging import Blocked, Case, Unmet
from grader.grading.values import ordinal

# As float64 and not as Python's numbers, which NumPy would turn into the float16 they are compared with.
LARGEST = np.float64(np.finfo(np.float32).max)
LARGEST_WHOLE = np.float64(2**53)  # up to here a float64 holds every whole number


@contextmanager
def blocked_by(check: str) -> Iterator[None]:
    """What cannot be looked at in the body is blocked: that check looks at the same, and has its reason."""
    try:
        yield
    except Unmet as unmet:
        raise Blocked(check) from unmet


def finite(values: Array) -> bool:
    """Whether all values are numbers that a float32 can hold: neither NaN nor infinite."""
    return bool((np.abs(values) <= LARGEST).all())


def whole(value: Any) -> Array | None:
    """An array of whole numbers as int64, in whatever dtype it is written; None if it is anything else."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iuf":
        return None
    if value.dtype.kind == "f":
        with np.errstate(invalid="ignore"):  # some NaN complain when they are rounded
            is_whole = (np.abs(value) < LARGEST_WHOLE) & (value == np.rint(value))
        if not is_whole.all():
            return None
    return value.astype(np.int64)


def check_kept(case: Case, given: Mapping[str, Mapping[str, Array]]) -> None:
    """Raises Unmet where a call has changed an array that it was given.

    A call that did not return is reported by its form check: that of `one_hot.uint8` is `one_hot.form`.

    Args:
        case: its calls have kept their inputs.
        given: by call, the arrays among its arguments as the probe drew them, by position.
    """
    for name, before in given.items():
        with blocked_by(f"{name.split('.')[0]}.form"):
            call = case.call(name)
        for position, array in before.items():
            kept = call.inputs_after.get(position)
            if not isinstance(kept, np.ndarray) or not np.array_equal(kept, array):
                raise Unmet(
                    f"{call} changed its {ordinal(int(position) + 1)} argument; "
                    "expected it to stay unchanged."
                )
