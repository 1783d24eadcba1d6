"""Gradescope, "Export submissions": folders as `submission_1001`, and submission_metadata.yml.

That file says who they are of. It has Ruby's symbols as keys: `:submitters:`, with `:name:`, `:sid:` and
`:email:` of each member of a group. It is read by a loader that makes plain values only.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import yaml

from grader.errors import UsageError
from grader.intake.layouts.base import Reading, Try
from grader.intake.model import HandedIn, Student
from grader.intake.tree import Node, start
from grader.text import plain

name, title = "gradescope", "Gradescope export"
METADATA = "submission_metadata.yml"
_FORM = re.compile(r"submission_(\d+)")
_MOST = 64 * 1024 * 1024


def count(top: Node) -> int:
    """How many entries have Gradescope's form: none without the list of who they are of."""
    if (listed := top.child(METADATA)) is None or listed.kind != "file":
        return 0
    return 1 + sum(_FORM.fullmatch(node.name) is not None for node in top.folders)


def read(top: Node, reading: Reading) -> list[HandedIn]:
    """One for each submission that is a folder, is listed, or both."""
    listed = top.child(METADATA)
    metadata = _metadata(listed) if listed is not None else {}
    found, others = [], []
    folders = {}
    for node in top.visible:
        if node is listed:
            reading.leave(node, "Gradescope's list of who the submissions are of")
        elif node.kind == "folder" and _FORM.fullmatch(node.name):
            folders[node.name] = node
        else:
            others.append(node)
    for key in sorted({*folders, *(key for key in metadata if _FORM.fullmatch(key))}):
        found.append(_handed_in(key, folders.get(key), metadata.get(key), reading))
    return found + reading.others(others, title)


def _handed_in(key: str, folder: Node | None, about: Any, reading: Reading) -> HandedIn:
    about = about if isinstance(about, Mapping) else {}
    students = [
        _student(one, f"{key}-{at}", reading)
        for at, one in enumerate(_list(about.get(":submitters")), 1)
        if isinstance(one, Mapping)
    ]
    notes = []
    if not students:
        students = [Student(reading.key(key), section=reading.section)]
        notes.append(f"{METADATA} does not say who {key} is of.")
    names = [student.name or student.key for student in students]
    label = " and ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    if folder is None:
        problem = f"no task file: {METADATA} lists {key}, and there is no such folder"
        return HandedIn(label, tuple(students), (), tuple(notes), problem)
    when = about.get(":created_at")
    when = when if isinstance(when, datetime) else None
    if when is not None and when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    number = 1 + len(_list(about.get(":history")))
    return reading.handed_in(label, students, [Try([(folder, "")], when, number=number)], notes)


def _student(about: Mapping[str, Any], otherwise: str, reading: Reading) -> Student:
    fields = {kind: plain(about.get(f":{kind}") or "", 200) for kind in ("name", "sid", "email")}
    ids = {kind: fields[kind] for kind in ("sid", "email") if fields[kind]}
    key = fields["sid"] or fields["email"] or otherwise
    return Student(key, fields["name"], ids, reading.section)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _metadata(node: Node) -> dict[str, Any]:
    wrong = UsageError(
        f"{plain(node.path)} is not the list that Gradescope writes",
        fix="Export the submissions again, or name the layout: --layout folders",
    )
    try:
        content = start(node, _MOST + 1)
        if len(content) > _MOST:
            raise wrong
        read = yaml.load(content, Loader=_PlainValues)  # noqa: S506 - a SafeLoader
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise wrong from error
    if not isinstance(read, dict):
        raise wrong
    return {str(key).removeprefix(":"): value for key, value in read.items()}


class _PlainValues(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]
    """Plain values only; what Ruby marks as a kind of its own is read as the text or mapping that it is."""


def _of_ruby(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node)
    return str(node.value)


_PlainValues.add_multi_constructor("!ruby/", _of_ruby)
