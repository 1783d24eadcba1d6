"""Blackboard, "Download assignment": one flat folder, each attempt's files and a text with the form's data.

`Lab 1_jdoe_attempt_2026-11-20-10-00-00_evaluation.py`, and `Lab 1_jdoe_attempt_2026-11-20-10-00-00.txt`.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from grader.intake.layouts.base import Reading, Try, after_shared
from grader.intake.model import HandedIn, Student
from grader.intake.tree import Node, start
from grader.text import plain

name, title = "blackboard", "Blackboard download"
_FORM = re.compile(r"(?P<before>.+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|(?P<form>\.txt))")
_NAME = re.compile(r"^Name:[ \t]*(?P<name>.*?)[ \t]*\((?P<login>[^()]+)\)[ \t]*\r?$", re.MULTILINE)
_MOST = 64 * 1024  # of a form's text
FORM = "blackboard.txt"


@dataclass(frozen=True)
class _File:
    node: Node
    time: str
    own: str  # the student's own name of it; that of the form's data is FORM


def count(top: Node) -> int:
    """How many files have Blackboard's form."""
    return sum(_match(node) is not None for node in top.visible)


def read(top: Node, reading: Reading) -> list[HandedIn]:
    """One for each login."""
    parsed, others = [], []
    for node in top.visible:
        if (match := _match(node)) is None:
            others.append(node)
        else:
            parsed.append((match, node))
            reading.files += match["form"] is None
    logins = _logins([match["before"] for match, _ in parsed])
    by_login: dict[str, list[_File]] = {}
    for match, node in parsed:
        file = _File(node, match["time"], match["file"] or FORM)
        by_login.setdefault(logins[match["before"]], []).append(file)
    found = [_handed_in(who, files, reading) for who, files in by_login.items()]
    return found + reading.others(others, title)


def _match(node: Node) -> "re.Match[str] | None":
    return _FORM.fullmatch(node.name) if node.kind != "folder" else None


def _logins(before: list[str]) -> dict[str, str]:
    """Takes the assignment's name off, which all have before the login; either may have underscores."""
    distinct = set(before)
    if len(distinct) == 1:
        return {one: one.rpartition("_")[2] for one in distinct}
    return after_shared(before, "_")


def _handed_in(login: str, files: list[_File], reading: Reading) -> HandedIn:
    written, notes = "", []
    by_time: dict[str, list[_File]] = {}
    for file in files:
        by_time.setdefault(file.time, []).append(file)
        if file.own == FORM and (match := _NAME.search(_text(file.node))) and match["login"].strip() == login:
            written = plain(match["name"], 200)
    times = sorted(by_time)
    if len(times) > 1:
        notes.append(f"Handed in {len(times)} times: {', '.join(times)}.")
    attempts = [
        Try([(file.node, file.own) for file in by_time[time]], handed_in=_when(time)) for time in times
    ]
    ids = {"login": login}
    return reading.handed_in(login, [Student(login, written, ids, reading.section)], attempts, notes)


def _when(time: str) -> datetime | None:
    """In the server's time: Blackboard names no zone."""
    try:
        return datetime.strptime(time, "%Y-%m-%d-%H-%M-%S")
    except ValueError:
        return None


def _text(node: Node) -> str:
    try:
        return start(node, _MOST).decode("utf-8", "replace")
    except OSError:
        return ""
