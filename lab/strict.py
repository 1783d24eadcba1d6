"""What every validated record is made from, and how its errors are shown."""

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails


class Strict(BaseModel):
    """A record that is frozen and refuses unknown fields and numbers that are NaN or infinite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


# Errors whose message is complete without the input: there is none, or it is a whole record or file.
_WITHOUT_INPUT = ("missing", "value_error", "json_invalid")


def faults(error: ValidationError) -> list[ErrorDetails]:
    """All faults of a record that may be trusted to be shown, each with its place and what was received."""
    return error.errors(include_url=False)


def explained(error: ValidationError, *, within: str = "", trusted: bool = True) -> str:
    """The first fault of a record on one line: where it is, what is wrong, what was received.

    Args:
        error: what pydantic raised.
        within: what the record is a part of, put before the place; for one of several in a file.
        trusted: whether what was received may be shown; where it came from a submission it is left out.

    >>> class Point(Strict):
    ...     x: float
    >>> try:
    ...     Point(x="left")
    ... except ValidationError as error:
    ...     print(explained(error, within="points.0"))
    points.0.x: Input should be a valid number, unable to parse string as a number. Received: 'left'
    """
    first = error.errors(include_url=False, include_input=trusted)[0]
    where = ".".join(str(part) for part in (*([within] if within else []), *first["loc"])) or "the file"
    message = f"{where}: {first['msg'].removeprefix('Value error, ')}"
    if not trusted or first["type"] in _WITHOUT_INPUT:
        return message
    return f"{message}. Received: {first['input']!r:.80}"
