"""Which student is meant by what a person typed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from grader.errors import UsageError
from grader.gradebook.standings import Standing
from grader.text import plain

_SHOWN = 10  # candidates


def find(standings: Mapping[str, Standing], typed: str) -> Standing:
    """The student whose key, name, id or folder it is, or who is the only one with it as a part of these.

    Args:
        standings: of the class, by key.
        typed: case does not matter.

    Raises:
        UsageError: nobody is meant by it, or several are; they are listed.
    """
    if typed in standings:
        return standings[typed]
    wanted = typed.strip().casefold()
    whole = [one for one in standings.values() if wanted in _names(one)]
    found = whole or [one for one in standings.values() if any(wanted in name for name in _names(one))]
    if len(found) == 1 and wanted:
        return found[0]
    if not found or not wanted:
        raise UsageError(
            f"there is no student {plain(typed, 80)!r} in this gradebook",
            fix="nox -s gradebook -- show lists all; a part of a name or key is enough",
        )
    shown = ", ".join(described(one) for one in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise UsageError(
        f"{plain(typed, 80)!r} may be any of {len(found)} students: {shown}{more}",
        fix="Name the key, in brackets",
    )


def labels(standings: Iterable[Standing]) -> dict[str, str]:
    """What to call each student, by key: the name, with the key where another one has the same."""
    everybody = list(standings)
    count = Counter(one.student.shown.casefold() for one in everybody)
    return {
        one.student.key: described(one)
        if count[one.student.shown.casefold()] > 1
        else plain(one.student.shown)
        for one in everybody
    }


def described(standing: Standing) -> str:
    """Name and key."""
    student = standing.student
    return plain(
        f"{student.name} [{student.key}]" if student.name != student.key else f"[{student.key}]", 100
    )


def _names(standing: Standing) -> Iterator[str]:
    student = standing.student
    for text in (student.key, student.name, standing.attempt.said.name, *student.ids.values()):
        if text:
            yield text.casefold()
