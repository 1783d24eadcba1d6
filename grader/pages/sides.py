"""Two sources beside each other, with the parts that are alike marked."""

from collections.abc import Sequence
from dataclasses import dataclass

from grader.pages.classroom import Who
from grader.similar import Pair, Side, Work
from grader.similar.model import Span
from grader.text import plain

_LINE = 200  # characters of a line that are shown
_LINES = 2000  # of a file


@dataclass(frozen=True)
class Piece:
    """A stretch of a line, marked if the other source has it too."""

    text: str
    marked: bool


@dataclass(frozen=True)
class Listing:
    """One source: whose, which file, and its lines, each of pieces."""

    who: Who
    file: str
    lines: tuple[tuple[Piece, ...], ...]
    cut: int


@dataclass(frozen=True)
class Beside:
    """Two files."""

    left: Listing
    right: Listing
    share: float
    run: int


@dataclass(frozen=True)
class SimilarPage:
    """The page of a pair of students."""

    first: Who
    second: Who
    parts: tuple[Beside, ...]


def page(pair: Pair, works: dict[str, Work], who: dict[str, Who]) -> SimilarPage:
    """The page of a pair.

    Args:
        pair: as it was found.
        works: what was compared, by name.
        who: by the same names.
    """
    parts = []
    for part in pair.parts:
        sides = sorted(part.sides, key=lambda side: side.name != pair.names[0])
        left, right = (_listing(side, works[side.name].files[side.file], who[side.name]) for side in sides)
        parts.append(Beside(left, right, part.share, part.run))
    return SimilarPage(who[pair.names[0]], who[pair.names[1]], tuple(parts))


def _listing(side: Side, text: str, who: Who) -> Listing:
    lines = _lines(text, side.spans)
    return Listing(who, plain(side.file), tuple(lines[:_LINES]), max(0, len(lines) - _LINES))


def _lines(text: str, spans: Sequence[Span]) -> list[tuple[Piece, ...]]:
    """The lines of a text, cut where a marked part begins and ends."""
    found, place, start = [], 0, 0
    for line in text.split("\n"):
        end, pieces, at = start + len(line), [], start
        while place < len(spans) and spans[place][1] <= start:
            place += 1
        for one, other in spans[place:]:
            if one >= end:
                break
            if one > at:
                pieces.append(Piece(_code(text[at:one]), False))
            pieces.append(Piece(_code(text[max(at, one) : min(end, other)]), True))
            at = min(end, other)
        if at < end:
            pieces.append(Piece(_code(text[at:end]), False))
        found.append(_cut([piece for piece in pieces if piece.text]))
        start = end + 1
    return found


def _cut(pieces: list[Piece]) -> tuple[Piece, ...]:
    kept, left = [], _LINE
    for piece in pieces:
        if left <= 0:
            break
        short = piece.text if len(piece.text) <= left else piece.text[:left] + "…"
        kept.append(Piece(short, piece.marked and bool(short.strip())))
        left -= len(piece.text)
    return tuple(kept)


def _code(text: str) -> str:
    """Characters that move, hide or reorder others are shown as a box: what is seen is what is there."""
    return "".join(c if c.isprintable() else "    " if c == "\t" else "□" for c in text)
