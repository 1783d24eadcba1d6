"""Brightspace, "Download": folders as `50001-7001 - Jane Doe - Nov 20, 2026 1000 AM`, and an index.html."""

import re
from datetime import datetime

from grader.intake.layouts.base import Reading, Try
from grader.intake.model import HandedIn, Student
from grader.intake.tree import Node

name, title = "brightspace", "Brightspace download"
_FORM = re.compile(
    r"(?P<user>\d+)-\d+ ?- ?(?P<who>.+?) ?- ?"
    r"(?P<time>(?P<month>\w{3,9})\.? (?P<day>\d{1,2}), (?P<year>\d{4})"
    r" (?P<clock>\d{3,4})(?: ?(?P<half>[AP]M))?)"
)


def count(top: Node) -> int:
    """How many entries have Brightspace's form."""
    return sum(_FORM.fullmatch(node.name) is not None for node in top.folders)


def read(top: Node, reading: Reading) -> list[HandedIn]:
    """One for each user, each folder an attempt."""
    by_user: dict[str, list[tuple[re.Match[str], Node]]] = {}
    others = []
    for node in top.visible:
        match = _FORM.fullmatch(node.name) if node.kind == "folder" else None
        if match:
            by_user.setdefault(match["user"], []).append((match, node))
        elif node.name == "index.html":
            reading.leave(node, "Brightspace's own list of what is in the folder")
        else:
            others.append(node)
    found = []
    for user, entries in by_user.items():
        who = entries[0][0]["who"].strip()
        # Where a time cannot be read, names are in the order that Brightspace gave them.
        entries.sort(key=lambda entry: (_when(entry[0]) or datetime.min, entry[1].name))
        notes = [f"Handed in {len(entries)} times: {'; '.join(m['time'] for m, _ in entries)}."]
        attempts = [Try([(node, "")], handed_in=_when(match)) for match, node in entries]
        student = Student(user, who, {"brightspace": user}, reading.section)
        found.append(reading.handed_in(who, [student], attempts, notes if len(entries) > 1 else ()))
    return found + reading.others(others, title)


def _when(match: "re.Match[str]") -> datetime | None:
    """In the server's time: Brightspace names no zone."""
    clock = f"{int(match['clock']):04}"
    text = f"{match['month'][:3]} {match['day']} {match['year']} {clock[:2]}:{clock[2:]}"
    try:
        if match["half"]:
            return datetime.strptime(f"{text} {match['half']}", "%b %d %Y %I:%M %p")
        return datetime.strptime(text, "%b %d %Y %H:%M")
    except ValueError:
        return None
