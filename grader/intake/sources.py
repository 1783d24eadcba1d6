"""Sources that are not written as Python reads them: UTF-16, as some editors of Windows save."""

import codecs
import re
from pathlib import Path

from grader.text import plain

_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_COOKIE = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+")


def to_utf8(folder: Path, name: str) -> str:
    """Rewrites a file as UTF-8 if it is UTF-16; returns a note if so, or where that cannot be done."""
    path = folder / name
    with path.open("rb") as file:
        start = file.read(2000)
        encoding = next((code for mark, code in _MARKS.items() if start.startswith(mark)), _guess(start))
        if not encoding:
            return ""
        data = start + file.read()
    shown = plain(name, 80)
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        return f"{shown} looks like UTF-16 and cannot be read as such: save it as UTF-8."
    lines = text.split("\n")
    for at, line in enumerate(lines[:2]):  # a line that names the encoding would now be wrong
        if _COOKIE.match(line):
            lines[at] = "#"
    path.write_bytes("\n".join(lines).encode())
    return f"{shown} is UTF-16, and was graded as UTF-8: save it so."


def _guess(start: bytes) -> str:
    """UTF-16 without a mark: of text in Latin letters, every other byte is zero."""
    half = len(start) // 2
    if half and start[1::2].count(0) > 0.9 * half and not start[0::2].count(0):
        return "utf-16-le"
    if half and start[0::2].count(0) > 0.9 * half and not start[1::2].count(0):
        return "utf-16-be"
    return ""
