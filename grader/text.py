"""Text that came from a submission, made fit to be shown anywhere."""

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
    """Text that no spreadsheet takes for a formula: what starts like one gets a leading apostrophe."""
    line = plain(text, limit)
    return "'" + line if line.startswith(("=", "+", "-", "@", "\t", "\r")) else line
