"""Values in words, as messages have them: what came back, what was expected, how the two differ."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from grader.grading.evidence import Array, Network, Other, Rows


def is_array(value: Any, *, dtype: str | None = None, shape: tuple[int, ...] | None = None) -> bool:
    """Whether a value is an array of this dtype (any, if None) and shape (any, if None)."""
    return (
        isinstance(value, np.ndarray)
        and (dtype is None or value.dtype == dtype)
        and (shape is None or value.shape == shape)
    )


def as_array(value: Any) -> Any:
    """The array that a list of lists or of arrays makes; every other value as it is."""
    if isinstance(value, Rows):
        return value.array
    rows = list(value) if isinstance(value, list | tuple) else []
    arrays = bool(rows) and all(isinstance(row, np.ndarray) for row in rows)
    if arrays and len({row.shape for row in rows}) == 1:
        return np.stack(rows)
    return value


def wrap(value: Any) -> str | None:
    """The hint for a list of lists where an array is expected; None for every other value."""
    if isinstance(value, list | Rows) and isinstance(as_array(value), np.ndarray):
        return "It is a list of rows: np.array(...) of it makes the array that is expected."
    return None


def described(value: Any, *, inside: bool = False) -> str:
    """A value in a few words; what a tuple holds is named, but not what a tuple in a tuple holds."""
    match value:
        case None | bool():
            return str(value)
        case np.ndarray():
            return described_array(str(value.dtype), value.shape)
        case tuple() | list() if not value:
            return f"an empty {type(value).__name__}"
        case tuple() | list():
            whole = f"a {type(value).__name__} of {len(value)}"
            items = ", ".join(described(item, inside=True) for item in value[:4])
            return whole if inside else f"{whole}: {items}{', …' if len(value) > 4 else ''}"
        case int() | float():
            return f"the number {number(value)}"
        case str():
            return f"the text {value[:60]!r}"
        case Rows():
            return f"{_article(value.type)} of {len(value.array)} rows"
        case Network():
            return "a model"
        case Other():
            return f"{_article(value.type)} ({value.reason})" if value.reason else _article(value.type)
        case _:
            return _article(type(value).__name__)


def described_array(dtype: str | None, shape: Iterable[int] | None) -> str:
    """An array in a few words; what is None is left out."""
    kind = "an array" if dtype is None else f"{_article(dtype)} array"
    return kind if shape is None else f"{kind} of shape {tuple(shape)}"


def number(value: float) -> str:
    """A number with three digits that count.

    >>> number(0.123456), number(31), number(float("nan"))
    ('0.123', '31', 'nan')
    """
    if isinstance(value, int) or not math.isfinite(value):
        return str(value)
    return f"{value:.3g}"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th.

    >>> ordinal(2), ordinal(13), ordinal(21)
    ('2nd', '13th', '21st')
    """
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def apart(came: float, expected: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart.

    >>> apart(0.39612, 0.39583), apart(0.5, 0.25)
    (('0.3961', '0.3958'), ('0.5', '0.25'))
    """
    for digits in range(3, 18):
        both = f"{came:.{digits}g}", f"{expected:.{digits}g}"
        if both[0] != both[1]:
            return both
    return number(came), number(expected)


def numbers(values: Iterable[float]) -> str:
    """A few numbers in brackets.

    >>> numbers([0.5, 0.25])
    '(0.5, 0.25)'
    """
    return "(" + ", ".join(number(value) for value in values) + ")"


def likeness(
    came: Array | float, mistakes: Mapping[str, Array | float], *, rtol: float = 0.0, atol: float = 0.0
) -> str:
    """Which well-known wrong answer a value is, in words that follow on it; empty if it is none of them.

    >>> likeness(50.0, {"per cent": 50.0, "a count": 12.0})
    ', which is per cent'
    """
    for name, value in mistakes.items():
        if np.shape(came) == np.shape(value) and np.allclose(came, value, rtol=rtol, atol=atol):
            return f", which is {name}"
    return ""


def _article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"
