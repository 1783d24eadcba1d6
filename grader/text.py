"""Text that came from a submission, made fit to be shown anywhere."""

import re
import unicodedata

# Categories that move the cursor, colour the terminal, reorder the line or hide what is there: control,
# format (bidirectional overrides, zero-width), surrogate, private use, unassigned, line and paragraph breaks.
_UNFIT = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def plain(text: object, limit: int = 300) -> str:
    """One line without control characters, at most `limit` characters long.

    >>> plain("ends\\x1b[2J here\\nand there")
    'ends [2J here and there'
    """
    source = str(text)[: 4 * limit]  # bound the work before looking at each character
    kept = "".join(" " if unicodedata.category(c) in _UNFIT else c for c in source)
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def spreadsheet_cell(text: object, limit: int = 300) -> str:
    """Text that no spreadsheet takes for a formula: what starts like one gets a leading apostrophe.

    Full-width signs count as well in East Asian settings, and a semicolon ends a cell in many European ones.

    >>> spreadsheet_cell("=1+1"), spreadsheet_cell("a;=1+1")
    ("'=1+1", 'a, =1+1')
    """
    line = re.sub(r" *; *", ", ", plain(text, limit))
    return "'" + line if line.startswith(_FORMULA) else line


_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
