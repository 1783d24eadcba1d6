"""No platform's names: one submission, a folder or archive a student, or those in sections."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from grader.errors import UsageError
from grader.intake import archives
from grader.intake.layouts.base import Reading, Try
from grader.intake.model import HandedIn, Part, Student
from grader.intake.naming import is_task_like
from grader.intake.tree import Node, direct_tasks, has_work, is_archive, is_results, tasks
from grader.text import plain

TITLES = {"folders": "one folder a student", "sections": "sections", "single": "one submission"}
# Names that say nothing about whose work it is.
GENERIC = {"assignment", "submission", "src", "work"}
# Folders of one student's own, with the same task file in each.
_VERSIONS = {"old", "new", "backup", "final", "draft", "copy", "v1", "v2", "stub", "original", "solution"}


def choose(top: Node, modules: Sequence[str], *, in_archive: bool = False) -> str:
    """Which of the plain layouts a folder has: "single", "folders" or "sections".

    Args:
        top: the folder.
        modules: the names of the task files.
        in_archive: it is what an archive would unpack to: one student's, unless much says otherwise.

    Raises:
        UsageError: there are two sensible readings.
    """
    here = tasks(top, modules)
    students = [node for node in top.folders if not is_results(node, modules)]
    packed = [node for node in top.visible if is_archive(node)]
    same = _same(students, modules)
    if here:
        stray = max((same[name] for name in here), default=0)
        if stray > 1 and len(here) == 1:
            return "folders"
        if stray > 1 or len(packed) > 2:
            raise _two_readings(
                top,
                f"one submission, whose task files are {', '.join(here)}",
                f"a class of {max(stray, len(packed))}, with {', '.join(here)} left beside it",
                "single",
                "folders",
            )
        return "single"
    within = _sections(students, modules)
    direct = [node for node in students if direct_tasks(node, modules)]
    if in_archive:
        versions = {node.name.casefold() for node in direct} & _VERSIONS
        if (max(same.values(), default=0) < 2 or versions) and len(packed) < 2 and not within:
            return "single"
    if _only_way_in(top) is not None:
        return "single"
    if not packed and within and not any(_is_one_students(node, modules) for node in students):
        repeated = [name for name, count in Counter(within).items() if count > 1]
        if repeated:
            raise _two_readings(
                top,
                f"{len(students)} sections, each with the folder {plain(repeated[0], 60)} of a student",
                f"{len(students)} students, each with several folders of work",
                "sections",
                "folders",
            )
        return "sections"
    return "folders"


def way(top: Node, modules: Sequence[str], layout: str | None) -> list[Node]:
    """The folders from the one that was named to the one that holds the class."""
    found = [top]
    while layout in (None, "folders") and len(found) < 3:
        here = [node for node in found[-1].visible if node.kind != "file" or is_archive(node)]
        if len(here) != 1 or tasks(found[-1], modules) or not _sections(here, modules):
            break
        found.append(here[0])
    return found


def may_be_work(node: Node, modules: Sequence[str]) -> bool:
    """Whether an entry may be somebody's: a folder with work, an archive, a task file, a link."""
    if node.kind == "link" or is_archive(node) or node.name in modules:
        return True
    return node.kind == "folder" and not is_results(node, modules) and has_work(node, modules)


def _only_way_in(top: Node) -> Node | None:
    """The only entry, where it is a folder, or a link, whose name says nothing about whose it is."""
    entries = [node for node in top.visible if node.kind != "file" or is_archive(node)]
    if len(entries) == 1 and entries[0].name in GENERIC and entries[0].kind in ("folder", "link"):
        return entries[0]
    return None


def _is_one_students(node: Node, modules: Sequence[str]) -> bool:
    """Whether a folder is a student's and no section: with a task file at its top, or in an `assignment`."""
    return bool(
        direct_tasks(node, modules) and (len(node.folders) != 1 or node.folders[0].name in GENERIC)
    ) or any(child.kind == "file" and is_task_like(child.name, modules) for child in node.visible)


def _same(students: Sequence[Node], modules: Sequence[str]) -> "Counter[str]":
    """In how many folders each task file is."""
    return Counter(name for node in students for name in set(direct_tasks(node, modules)))


def _sections(folders: Sequence[Node], modules: Sequence[str]) -> list[str]:
    """The names of the students in sections; none where the folders are no sections.

    Some section has two students: two folders with the same task file, or two archives.
    """
    names: list[str] = []
    sure = False
    for section in folders:
        students = [node for node in section.folders if direct_tasks(node, modules)]
        same = Counter(name for node in students for name in set(direct_tasks(node, modules)))
        packed = [node for node in section.visible if is_archive(node)]
        stems = {archives.stem(node.name) for node in packed}
        tasks_of_one = {module.removesuffix(".py") for module in modules} & {
            stem.casefold() for stem in stems
        }
        two = max(same.values(), default=0) > 1 or (len(packed) > 1 and not tasks_of_one)
        two = two and not {node.name.casefold() for node in students} & _VERSIONS
        sure = sure or two
        names += [node.name for node in students] + sorted(stems)
    return names if sure else []


def _two_readings(top: Node, one: str, other: str, layout: str, other_layout: str) -> UsageError:
    return UsageError(
        f"{plain(top.path)} can be read in two ways: {one} (--layout {layout}), "
        f"or {other} (--layout {other_layout})",
        fix="Say which it is with --layout, or move what does not belong there",
    )


def read(layout: str, top: Node, reading: Reading) -> list[HandedIn]:
    """What was handed in, of a folder with one of the plain layouts."""
    return {"single": _read_single, "folders": _read_folders, "sections": _read_sections}[layout](
        top, reading
    )


def _read_folders(top: Node, reading: Reading) -> list[HandedIn]:
    """Every folder and archive is a student's, an empty one too, and so is a link to either or to nothing."""
    found: dict[str, HandedIn] = {}
    for node in top.visible:
        is_link = node.kind == "link" and (node.path.is_dir() or not node.path.is_file() or is_archive(node))
        if node.name.startswith("."):
            reading.leave(node, "hidden, nobody's work")
        elif is_results(node, reading.modules):
            reading.leave(node, "results of a grading, nobody's work")
        elif node.kind == "folder" or is_archive(node) or is_link:
            label = node.name if node.kind == "folder" or not is_archive(node) else archives.stem(node.name)
            one = _student(label, node, reading)
            found[label] = _joined(found[label], one) if label in found else one
        elif node.kind == "link":
            reading.leave(node, "a link to a file, nobody's work")
        elif node.name in reading.modules:
            reading.leave(node, "a task file beside the students' folders, and it is not known whose")
        else:
            reading.leave(node, "a file beside the students' folders, nobody's work")
    notes = _suspicious(top, reading.modules)
    return [
        replace(one, notes=(*one.notes, notes[label])) if label in notes else one
        for label, one in found.items()
    ]


def _read_sections(top: Node, reading: Reading) -> list[HandedIn]:
    """The folders are sections, and what is in them is students'; one with a task file is a student's."""
    found = []
    for node in top.visible:
        if node.kind != "folder" or is_results(node, reading.modules) or node.name.startswith("."):
            alone = Node(top.name, top.path, "folder", {node.name: node})
            found += _read_folders(alone, reading)
        elif _is_one_students(node, reading.modules):
            found.append(_student(node.name, node, reading))
        else:
            below = Reading(
                reading.modules, section=plain(node.name, 100), before=f"{reading.before}{node.name}/"
            )
            below.begin(node)
            if students := _read_folders(node, below):
                found += students
                reading.left_out += below.left_out
            else:  # nobody's section: a student may have handed in nothing
                found.append(_student(node.name, node, reading))
    return found


def _read_single(top: Node, reading: Reading) -> list[HandedIn]:
    """All of it is one submission."""
    only = _only_way_in(top)
    node = only if only is not None and only.kind == "link" else top
    return [_student(top.name, node, reading)]


def _student(label: str, node: Node, reading: Reading) -> HandedIn:
    return reading.handed_in(
        label, [Student(reading.key(label), section=reading.section)], [Try([(node, "")])]
    )


def _joined(one: HandedIn, other: HandedIn) -> HandedIn:
    """A folder and an archive of one name, or two archives, are one student's."""
    parts = []
    for handed_in in (one, other):
        (attempt,) = handed_in.attempts
        source = attempt.source
        parts += list(source.parts) or [Part(source.path, "" if source.path.is_dir() else source.path.name)]
    source = replace(one.attempts[0].source, path=parts[0].path.parent, parts=tuple(parts))
    names = " and ".join(plain(part.path.name, 80) for part in parts)
    return replace(
        one,
        attempts=(replace(one.attempts[0], source=source),),
        notes=(f"{names} are read as one student's.",),
        problem="" if not (one.problem and other.problem) else one.problem,
    )


def _suspicious(top: Node, modules: Sequence[str]) -> dict[str, str]:
    """Of folders that are read as students', those that may be sections: by name, a note."""
    notes = {}
    for node in top.folders:
        if names := _sections([node], modules):
            notes[node.name] = (
                f"{plain(node.name, 80)} holds the same task file in {len(names)} folders: "
                f"{plain(', '.join(names[:4]), 100)}. Read as one student's: "
                "with --layout sections each would be a student's."
            )
    return notes
