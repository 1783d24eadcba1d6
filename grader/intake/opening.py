"""Tells a platform's layout, and opens the archive that a platform gives for a whole class."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from grader import scratch
from grader.errors import SubmissionError, UsageError
from grader.intake import archives, bounds
from grader.intake.layouts import blackboard, brightspace, canvas, gradescope, moodle, plain, repositories
from grader.intake.layouts.base import Layout, Reading
from grader.intake.model import HandedIn
from grader.intake.tree import Node, of_names, opened
from grader.text import plain as shown

# In the order in which they are tried: the most telling form first.
_PLATFORMS: tuple[Layout, ...] = (gradescope, moodle, brightspace, blackboard, canvas, repositories)
BY_NAME = {layout.name: layout for layout in _PLATFORMS}
_MAX_WRAPPERS = 3
_FIX = "Unpack it yourself, and name the folder"


def to_platform(top: Node, layout: str | None) -> tuple[list[Node], Layout | None]:
    """The folders from the one that was named to the one with a platform's layout, and that.

    Args:
        top: the folder that was named.
        layout: to insist; None for whichever most of the entries have the form of.
    """
    way = [top]
    while len(way) <= _MAX_WRAPPERS:
        if (found := _platform(way[-1], layout)) is not None:
            return way, found
        if len(way[-1].folders) != 1 or any(archives.suffix(node.name) for node in way[-1].visible):
            break
        way.append(way[-1].folders[0])
    return [top], None


def sections_of_a_platform(top: Node) -> Layout | None:
    """The platform whose download each of the folders is, if there are two or more."""
    found = {_platform(node, None) for node in top.folders}
    return found.pop() if len(found) == 1 and len(top.folders) > 1 else None


def read_sections_of(platform: Layout, top: Node, reading: Reading) -> list[HandedIn]:
    """What was handed in, of folders that are sections, each a platform's download."""
    found = []
    for node in top.visible:
        if node.kind == "folder":
            below = Reading(
                reading.modules, section=shown(node.name, 100), before=f"{reading.before}{node.name}/"
            )
            below.begin(node)
            found += platform.read(node, below)
            reading.left_out += below.left_out
            reading.files += below.files
        else:
            reading.leave(node, "beside the sections, nobody's work")
    return found


def _platform(top: Node, layout: str | None) -> Layout | None:
    if layout is not None:
        named = BY_NAME.get(layout)
        return named if named is not None and named.count(top) else None
    for platform in _PLATFORMS:
        # Names of one student's own may have a platform's form by chance: most have to.
        if 2 * platform.count(top) >= max(
            1, len([node for node in top.visible if node.name != "index.html"])
        ):
            return platform
    return None


def kind(path: Path) -> str:
    """What kind of archive a file is that somebody named; empty if none."""
    with opened(path, named=True) as file:
        return archives.kind(file)


def is_class(path: Path, modules: Sequence[str]) -> bool:
    """Whether an archive holds a class and not one submission, as far as its names show."""
    try:
        with opened(path, named=True) as file, archives.opened(file, bounds.CLASS) as archive:
            top = of_names(path, [entry.path for entry in archive.entries])
    except (SubmissionError, OSError):
        return False  # taking it in says why
    if to_platform(top, None)[1] is not None:
        return True
    top = plain.way(top, modules, None)[-1]
    return sections_of_a_platform(top) is not None or plain.choose(top, modules, in_archive=True) != "single"


def unpack(path: Path, into: Path) -> tuple[Path, list[str]]:
    """Unpacks an archive of a class into a new folder; returns it, and what was left out.

    Raises:
        UsageError: it cannot be read, or breaks a bound.
        GraderFault: there is no room for it.
    """
    number = sum(1 for _ in into.iterdir())
    target = into / f"{number}" / (archives.stem(path.name) or "class")
    target.mkdir(parents=True)
    notes: list[str] = []
    taken = bounds.Taken(notes, bounds.CLASS)

    def write(name: str, data: BinaryIO, copy: BinaryIO) -> None:
        left = bounds.CLASS.file_bytes
        while chunk := data.read(min(bounds.CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise SubmissionError(
                    f"{shown(name, 80)} is over {bounds.CLASS.file_bytes // bounds.MIB} MiB"
                )
            taken.copy(chunk, copy)

    try:
        with opened(path, named=True) as file, archives.opened(file, bounds.CLASS) as archive:
            wanted = archives.places(archive, archive.entries, target, notes)
            archives.copy_out(archive, wanted, write)
            notes.extend(archive.notes)
            for at in range(0, len(archive.litter), 10):
                named = ", ".join(archive.litter[at : at + 10])
                notes.append(f"{named}: left by systems and tools, nobody's work.")
    except SubmissionError as error:
        raise UsageError(f"{shown(path)} cannot be unpacked: {error.message}", fix=_FIX) from error
    except OSError as error:
        if (fault := scratch.no_room(error)) is not None:
            raise fault from error
        raise UsageError(f"{shown(path)} cannot be unpacked: {error.strerror or error}", fix=_FIX) from error
    return target, notes
