"""Moodle, "Download all submissions": a folder a student, or flat with the folder's name before each file.

`Jane Doe_12345_assignsubmission_file_/evaluation.py` (newer: without the last underscore), a text that was
typed in beside it in `..._assignsubmission_onlinetext_/`. The number is the participant's.
"""

import re

from grader.intake.layouts.base import Reading, Try
from grader.intake.model import HandedIn, Student
from grader.intake.tree import Node

name, title = "moodle", "Moodle download"
_FORM = re.compile(r"(?P<who>.+)_(?P<id>\d+)_assignsubmission_(?P<plugin>[a-z]+)_?(?P<file>.*)", re.DOTALL)


def count(top: Node) -> int:
    """How many entries have Moodle's form."""
    return sum(_FORM.fullmatch(node.name) is not None for node in top.visible)


def read(top: Node, reading: Reading) -> list[HandedIn]:
    """One for each participant."""
    by_id: dict[str, list[tuple[re.Match[str], Node]]] = {}
    others = []
    for node in top.visible:
        if match := _FORM.fullmatch(node.name):
            by_id.setdefault(match["id"], []).append((match, node))
        else:
            others.append(node)
    found = [_handed_in(number, entries, reading) for number, entries in by_id.items()]
    return found + reading.others(others, title)


def _handed_in(number: str, entries: list[tuple[re.Match[str], Node]], reading: Reading) -> HandedIn:
    who = entries[0][0]["who"].strip()
    parts, notes = [], []
    for match, node in sorted(entries, key=lambda entry: entry[0]["plugin"] != "file"):
        plugin, own = match["plugin"], match["file"]
        reading.files += node.kind != "folder"
        if plugin == "file":
            parts.append((node, own if node.kind != "folder" else ""))
        else:
            # A text that was typed in is no source: it is kept beside, and mentioned.
            parts.append((node, f"{plugin}/{own}" if node.kind != "folder" and own else plugin))
            notes.append(f"There is a text typed into Moodle as well: {node.name}.")
    student = Student(number, who, {"moodle": number}, reading.section)
    return reading.handed_in(who, [student], [Try(parts)], notes)
