"""Paths as the person at the terminal sees them."""

from pathlib import Path


def from_here(path: Path) -> Path:
    """The path relative to the current folder if it lies below it, else absolute: it can be copied and used.

    >>> from_here(Path.cwd() / "results").as_posix()
    'results'
    """
    whole = path.absolute()
    try:
        return whole.relative_to(Path.cwd())
    except ValueError:
        return whole
