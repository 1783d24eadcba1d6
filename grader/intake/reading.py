"""From the paths that somebody names to students: each of them once, and what belongs to nobody in a line."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from grader.errors import UsageError
from grader.intake import archives, opening, rosters
from grader.intake.layouts import plain
from grader.intake.layouts.base import Reading
from grader.intake.model import Attempt, Class, HandedIn, Source, Student
from grader.intake.tree import Node, is_archive, of_path
from grader.text import plain as shown

LAYOUTS = (*opening.BY_NAME, *plain.TITLES)
# What lies beside the submissions' folders in results/: the files of a class that exporters write.
RESERVED = {
    *("marks.csv", "index.html", "exports", "pages", "students"),
    *("gradebook.db", "gradebook.db-wal", "gradebook.db-shm", "gradebook.lock"),
}
# Names that Windows keeps for devices.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(10))}


@dataclass(frozen=True)
class _Read:
    """What one of the given paths holds."""

    layout: str
    title: str
    handed_in: list[HandedIn]
    left_out: list[str]
    files: int = 0


def read(
    paths: Sequence[Path],
    modules: Sequence[str],
    *,
    layout: str | None = None,
    roster: Path | None = None,
    scratch: Path | None = None,
) -> Class:
    """Reads what was handed in as a class: nothing of anybody's is opened, and no link is followed.

    Args:
        paths: folders and archives; links may be among them, since somebody named them.
        modules: the names of the task files.
        layout: one of LAYOUTS, to insist; None to tell by the form of the names.
        roster: a CSV of the class.
        scratch: a folder in which an archive of a whole class is unpacked, to be kept as long as the result
            is used; without one, an archive is one submission.

    Raises:
        UsageError: a path does not exist, is neither folder nor archive, holds nothing that could be graded,
            has two sensible readings, or not the layout that is insisted on; the roster is none.
    """
    if layout is not None and layout not in LAYOUTS:
        raise UsageError(f"there is no layout {layout!r}", fix="Layouts are: " + ", ".join(LAYOUTS))
    found = []
    for path in paths:
        if not path.exists():
            raise UsageError(
                f"there is no {shown(path)}",
                fix="Name a folder or a zip, such as: nox -s grade -- solutions",
            )
        found.append(_read_path(path, modules, layout, scratch))
    handed_in = _with_distinct_keys([one for read in found for one in read.handed_in])
    absent: list[Student] = []
    if roster is not None:
        handed_in, absent = rosters.matched(handed_in, rosters.read(roster), found[0].layout if found else "")
    handed_in = _with_distinct_names(handed_in)
    layouts = {read.layout for read in found}
    return Class(
        layout=layouts.pop() if len(layouts) == 1 else "several",
        said=_said(found, len(absent)),
        handed_in=tuple(handed_in),
        left_out=tuple(line for read in found for line in read.left_out),
        absent=tuple(absent),
    )


def find(paths: Sequence[Path], modules: Sequence[str]) -> list[Source]:
    """The submissions that the given paths hold, of each student the last attempt, in order of name.

    Raises:
        UsageError: as `read` does.
    """
    return [one.attempts[-1].source for one in read(paths, modules).handed_in if one.attempts]


def _read_path(path: Path, modules: Sequence[str], layout: str | None, scratch: Path | None) -> _Read:
    if path.is_file():
        return _read_archive(path, modules, layout, scratch)
    top = of_path(path)
    only = [node for node in top.visible if is_archive(node) and node.kind == "file"]
    if len(only) == 1 and layout != "single" and scratch is not None:
        # What the platform gave, unopened, in a folder.
        beside = [node for node in top.visible if node is not only[0]]
        if not any(plain.may_be_work(node, modules) for node in beside) and opening.is_class(
            only[0].path, modules
        ):
            read = _read_archive(only[0].path, modules, layout, scratch)
            reading = Reading(modules)
            reading.begin(top)
            for node in beside:
                reading.leave(node, "beside the archive of the class, nobody's work")
            return replace(read, left_out=[*reading.left_out, *read.left_out])
    return _read_folder(top, path, modules, layout)


def _read_archive(path: Path, modules: Sequence[str], layout: str | None, scratch: Path | None) -> _Read:
    try:
        what = opening.kind(path)
    except OSError as error:
        raise UsageError(f"{shown(path)} cannot be read: {error.strerror or error}") from error
    if what in archives.REFUSED.values():
        raise UsageError(f"{shown(path)} is {what}, which is not read", fix="Unpack it and name the folder")
    if not what:
        raise UsageError(
            f"{shown(path)} is neither a folder nor a zip",
            fix="Name the folder that holds " + ", ".join(modules),
        )
    if scratch is not None and layout != "single" and (layout or opening.is_class(path, modules)):
        folder, left_out = opening.unpack(path, scratch)
        read = _read_folder(of_path(folder), path, modules, layout)
        return replace(read, left_out=[*left_out, *read.left_out])
    label = archives.stem(path.name)
    source = Source(label, path)
    one = HandedIn(label, (Student(shown(label, 200)),), (Attempt(1, source),))
    return _Read("single", plain.TITLES["single"], [one], [])


def _read_folder(top: Node, path: Path, modules: Sequence[str], layout: str | None) -> _Read:
    """A folder, or what an archive of a class was unpacked to; `path` is how it was named."""
    way, platform = opening.to_platform(top, layout)
    if platform is None:
        if layout is not None and layout not in plain.TITLES:
            raise UsageError(
                f"{shown(path)} is no {opening.BY_NAME[layout].title}: nothing in it is named so",
                fix="Leave --layout out, or name another: " + ", ".join(LAYOUTS),
            )
        way = plain.way(top, modules, layout)
    reading = Reading(modules)
    reading.begin(top)
    for outer, inner in pairwise(way):
        for node in outer.visible:
            if node is not inner:
                reading.leave(node, "beside the folder of the class, nobody's work")
        reading.before += f"{inner.name}/"
        reading.begin(inner)
    within = (
        opening.sections_of_a_platform(way[-1]) if platform is None and layout in (None, "sections") else None
    )
    if platform is not None:
        chosen, title = platform.name, platform.title
        handed_in = platform.read(way[-1], reading)
    elif within is not None:
        chosen, title = within.name, f"{within.title} in sections"
        handed_in = opening.read_sections_of(within, way[-1], reading)
    else:
        chosen = layout or plain.choose(way[-1], modules)
        title = plain.TITLES[chosen]
        handed_in = plain.read(chosen, way[-1], reading)
    if chosen == "single":
        handed_in = [_named(one, path) for one in handed_in]
    elif not handed_in:
        raise UsageError(
            f"{shown(path)} holds no submission: none of {', '.join(modules)}, no folder and no zip",
            fix="Name a submission's folder or zip, or a folder that holds those of a class",
        )
    return _Read(chosen, title, handed_in, reading.left_out, reading.files)


def _named(one: HandedIn, path: Path) -> HandedIn:
    """One submission that somebody named: called as its folder is, or the one above if that says nothing."""
    resolved = path.resolve()
    label = resolved.parent.name if resolved.name in plain.GENERIC - {"assignment"} else resolved.name
    (attempt,) = one.attempts
    named = attempt.source.path == path  # the only way in may itself be a link: that is then what is refused
    source = replace(attempt.source, named=named)
    return replace(
        one,
        name=label,
        students=(replace(one.students[0], key=shown(label, 200) or "unnamed"),),
        attempts=(replace(attempt, source=source),),
    )


def _said(found: Sequence[_Read], absent: int) -> str:
    """How all of it was read, in one line."""
    lines = []
    for title in dict.fromkeys(read.title for read in found):
        alike = [read for read in found if read.title == title]
        handed_in = [one for read in alike for one in read.handed_in]
        words = [counted(sum(max(1, len(one.students)) for one in handed_in), "student")]
        if sections := len({s.section for one in handed_in for s in one.students if s.section}):
            words.append(counted(sections, "section"))
        if groups := sum(len(one.students) > 1 for one in handed_in):
            words.append(counted(groups, "group"))
        if files := sum(read.files for read in alike):
            words.append(counted(files, "file"))
        if again := sum(len(one.attempts) > 1 for one in handed_in):
            words.append(f"{again:,} more than once")
        if late := sum(bool(one.attempts and one.attempts[-1].late) for one in handed_in):
            words.append(f"{late:,} late")
        if problems := sum(bool(one.problem) for one in handed_in):
            words.append(f"{problems:,} with nothing to grade")
        lines.append(f"{title}: {', '.join(words)}")
    said = "; ".join(lines)
    said = said[0].upper() + said[1:]
    return said + (f"; {absent:,} of the roster handed in nothing" if absent else "")


def _with_distinct_keys(found: list[HandedIn]) -> list[HandedIn]:
    """No two students have one key: the second of two gets a number, and a note says so."""
    seen: set[str] = set()
    distinct = []
    for one in found:
        students, notes = [], list(one.notes)
        for student in one.students:
            key, count = student.key, 1
            while key in seen:
                count += 1
                key = f"{student.key} ({count})"
            seen.add(key)
            if count > 1:
                notes.append(f"{student.key} handed in more than one submission: this one is {key}'s.")
            students.append(replace(student, key=key))
        distinct.append(replace(one, students=tuple(students), notes=tuple(notes)))
    return distinct


def _with_distinct_names(found: list[HandedIn]) -> list[HandedIn]:
    """Results are filed under these names, so no two may be alike, on a disk that folds case either."""
    wanted = [folder_name(one.name) for one in found]
    alike = Counter(name.casefold() for name in wanted)
    seen = {name.casefold() for name in RESERVED}
    distinct = []
    for one, base in zip(found, wanted, strict=True):
        if alike[base.casefold()] > 1 and len(one.students) == 1 and one.students[0].key != one.name:
            # A platform's own number says who it is whoever else is in the class.
            key = one.students[0].key
            base = folder_name(key if key.endswith(f"/{one.name}") else f"{base[:150]} {key}")
        name, count = base, 1
        while name.casefold() in seen:
            count += 1
            name = f"{base} ({count})"
        seen.add(name.casefold())
        attempts = tuple(replace(a, source=replace(a.source, name=name)) for a in one.attempts)
        distinct.append(replace(one, name=name, attempts=attempts))
    return distinct


def folder_name(name: str) -> str:
    """A name that results can be filed under: nothing that climbs out or hides, or that a shell or Windows
    takes for something else.
    """
    name = (
        "".join(c if c.isalnum() or c in " ._-()" else "_" for c in shown(name, 80)).strip(" .") or "unnamed"
    )
    name = name.encode()[:200].decode(errors="ignore")  # a disk takes 255 bytes, the number included
    return f"{name}_" if name.split(".")[0].casefold() in _DEVICES else name


def counted(number: int, what: str) -> str:
    """A number and the word for what it counts, in the plural if it is not one."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
