"""On which line of a TOML file a value is, for errors.

No parser says so: tomllib and tomlkit (0.15, which comes with DVC and is not needed to grade) have positions
of syntax errors alone. A search for the key in the text would need a grammar of its own, for dotted and
quoted keys, inline tables and strings over several lines. So the standard parser is asked: a value is in the
last statement of the first beginning of the file that parses and has it. That costs a parse a line, and only
of a wrong file.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def line_of(place: Sequence[str], text: str) -> int:
    """The line, from 1, on which a value begins; that of the table it is missing in, or 1 for the whole file.

    >>> line_of(("late", "grace"), '[late]\\n# so long\\ngrace = "1 h"\\n')
    3
    """
    found, deepest, begins = 1, 0, 1
    for end, beginning in _beginnings(text):
        if (depth := _depth(place, beginning)) > deepest:
            found, deepest = begins, depth
        if deepest == len(place):
            break
        begins = end + 1
    return found


def line_of_fault(error: ValueError, text: str) -> tuple[int, str]:
    """The line of what does not parse, and what is wrong with it."""
    parts = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", str(error), re.DOTALL)
    what = parts[1] if parts else str(error)
    if parts and parts[2]:
        return int(parts[2]), what
    # What has no end, such as an array, began after all that parses.
    ends = [end for end, _ in _beginnings(text)]
    return max(ends, default=0) + 1, what


def _beginnings(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Those that parse, each with its number of lines. In between, values of several lines have not ended."""
    lines = text.replace("\r\n", "\n").split("\n")
    for count in range(1, len(lines) + 1):
        try:
            yield count, tomllib.loads("\n".join(lines[:count]))
        except ValueError:
            continue


def _depth(place: Sequence[str], table: Any) -> int:
    """How many parts of a place are there."""
    for depth, part in enumerate(place):
        if not isinstance(table, Mapping) or part not in table:
            return depth
        table = table[part]
    return len(place)
