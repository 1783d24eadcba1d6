"""Canvas, "Download submissions": one flat folder.

`doejane_12345_67890_evaluation.py`, `doejane_LATE_12345_67890_evaluation.py`: the student's name (a group's,
for group work), their id, the file's id, the file's own name. What is handed in again under the name of an
earlier file gets `-1`, `-2` before its suffix. A text is `doejane_12345_text.html`.
"""

import re
from collections import Counter
from dataclasses import dataclass, replace

from grader.intake import archives
from grader.intake.layouts.base import Reading, Try
from grader.intake.model import HandedIn, Student
from grader.intake.tree import Node

name, title = "canvas", "Canvas download"
_FORM = re.compile(
    r"(?P<who>.+?)_(?P<late>LATE_)?(?P<user>\d+)_(?:\d+_(?P<file>.+)|(?P<text>(?:text|link|url)\.html))"
)
_ANONYMOUS = re.compile(
    r"(?P<who>anon(?:ymous)?)_(?P<user>[A-Za-z0-9]{5})_(?P<late>LATE_)?\d+_(?:\d+_)?(?P<file>.+)(?P<text>)"
)
_AGAIN = re.compile(r"(?P<stem>.+)-(?P<number>\d{1,3})")


@dataclass(frozen=True)
class _File:
    node: Node
    who: str
    user: str
    late: bool
    own: str  # the student's own name of it
    again: int  # how often it was handed in before


def count(top: Node) -> int:
    """How many files have Canvas's form."""
    return sum(_parsed(node) is not None for node in top.visible)


def read(top: Node, reading: Reading) -> list[HandedIn]:
    """One for each id."""
    by_user: dict[str, list[_File]] = {}
    others = []
    for node in top.visible:
        if (file := _parsed(node)) is None:
            others.append(node)
        else:
            by_user.setdefault(file.user, []).append(file)
            reading.files += 1
    found = [_handed_in(files, reading) for files in by_user.values()]
    return found + reading.others(others, title)


def _parsed(node: Node) -> _File | None:
    if node.kind == "folder":
        return None
    match = _ANONYMOUS.fullmatch(node.name) or _FORM.fullmatch(node.name)
    if match is None:
        return None
    own = match["file"] or match["text"]
    suffix = archives.suffix(own) or (f".{own.rpartition('.')[2]}" if "." in own else "")
    again = _AGAIN.fullmatch(own[: len(own) - len(suffix)])
    own, number = (again["stem"] + suffix, int(again["number"])) if again else (own, 0)
    return _File(node, match["who"], match["user"], bool(match["late"]), own, number)


def _handed_in(files: list[_File], reading: Reading) -> HandedIn:
    who, user = files[0].who, files[0].user
    notes = []
    by_name: dict[str, list[_File]] = {}
    unnumbered = {file.own.casefold() for file in files if not file.again}
    numbered = Counter(file.own.casefold() for file in files)
    for file in files:
        # A number means "again" where the name is there without one: lab-1.zip and lab-2.zip may be two labs.
        if file.again and file.own.casefold() not in unnumbered and numbered[file.own.casefold()] > 1:
            file = replace(file, own=_under(file, whole=True), again=0)
        by_name.setdefault(file.own.casefold(), []).append(file)
    rounds = max(len(same) for same in by_name.values())
    tries: list[list[_File]] = [[] for _ in range(rounds)]
    for same in by_name.values():
        for at, file in enumerate(sorted(same, key=lambda file: file.again)):
            # What is there once belongs to the latest round that has its number, or to the first.
            tries[at if len(same) > 1 else min(file.again, rounds - 1)].append(file)
    if rounds > 1:
        last = {file.own.casefold() for file in tries[-1]}
        notes.append(
            f"Handed in {rounds} times: "
            + ", then ".join(" and ".join(file.node.name for file in one) for one in tries)
            + "."
        )
        if only_before := [
            file.node.name for one in tries[:-1] for file in one if file.own.casefold() not in last
        ]:
            notes.append(f"Not in the last attempt: {', '.join(only_before)}.")
    attempts = [
        Try([(file.node, _under(file)) for file in one], late=any(file.late for file in one)) for one in tries
    ]
    student = Student(user, ids={"canvas": user}, section=reading.section)
    return reading.handed_in(who, [student], attempts, notes)


def _under(file: _File, *, whole: bool = False) -> str:
    """The name in the submission: a source is imported by its name, so that what Canvas added comes off."""
    if (file.own.lower().endswith(".py") and not whole) or not file.again:
        return file.own
    suffix = archives.suffix(file.own) or f".{file.own.rpartition('.')[2]}"
    return f"{file.own[: len(file.own) - len(suffix)]}-{file.again}{suffix}"
