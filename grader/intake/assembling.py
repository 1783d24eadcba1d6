"""The folder that is graded, from all that was copied: task files at its top, under their own names.

A file under a near name or in another folder is used where there is no doubt, and a note says so. Where there
is doubt it is not used, and the note on the missing file names all that it could be.
"""

import difflib
import filecmp
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.errors import SubmissionError
from grader.intake import archives
from grader.intake.naming import NOTEBOOK, near
from grader.text import plain


class NoTaskFile(SubmissionError):
    """There is nothing that could be a task file."""


@dataclass(frozen=True)
class Found:
    """A file that is, or stands for, a task's."""

    path: PurePosixPath
    sure: bool = True


def assemble(raw: Path, modules: Sequence[str], notes: list[str]) -> tuple[Path, dict[str, str]]:
    """Chooses the folder of the task files and brings those that lie elsewhere to its top.

    Args:
        raw: what was copied.
        modules: the names of the task files.
        notes: gets what is not as it was handed in.

    Returns:
        the folder, and for each task file that is not in it a sentence that says so.

    Raises:
        NoTaskFile: there is nothing that could be one.
    """
    files = all_files(raw)
    exact = {module: [Found(f) for f in files if f.name == module] for module in modules}
    by_name: dict[str, list[Found]] = {module: [] for module in modules}
    for file in files:
        if found := near(file.name, modules):
            by_name[found[0]].append(Found(file, found[1]))
    top = _top(files, exact, by_name)
    if top is None:
        raise nothing(files, notes)
    missing: dict[str, str] = {}
    for module in modules:
        _place(raw, top, module, exact[module], by_name[module], _ranks(exact), notes, missing)
    others = sorted(f.name for f in files if f.parent == top and f.name not in modules)
    for module, said in missing.items():
        if not said:
            close = difflib.get_close_matches(module, others, n=1, cutoff=0.6)
            also = f" There is {plain(close[0], 60)!r}: rename it." if close else ""
            missing[module] = f"The file {module} is missing.{also}"
    return raw / top, missing


def all_files(folder: Path) -> list[PurePosixPath]:
    """The files below a folder of the grader's own, shallow ones first."""
    found = [
        PurePosixPath(Path(where, name).relative_to(folder).as_posix())
        for where, _, names in os.walk(folder)
        for name in names
    ]
    return sorted(found, key=lambda path: (len(path.parts), path.parts))


def nothing(files: Sequence[PurePosixPath], notes: Sequence[str] = ()) -> NoTaskFile:
    """Why nothing of these files can be graded; notes say what else there was."""
    if notes:
        there = plain(", ".join(file.name for file in files[:3]), 100) or "nothing"
        more = f" {len(notes) - 1:,} more such notes." if len(notes) > 1 else ""
        return NoTaskFile(f"no task file: there is {there}. {plain(notes[0], 300)}{more}")
    if not files:
        return NoTaskFile("no task file: nothing was handed in, the folder is empty")
    for file in files:
        if what := archives.REFUSED.get(archives.suffix(file.name)):
            return NoTaskFile("no task file: " + archives.refusal(file.name, what))
    named = plain(", ".join(file.name for file in files[:3]), 100)
    more = f" and {len(files) - 3:,} more" if len(files) > 3 else ""
    notebooks = [file for file in files if file.suffix.lower() == NOTEBOOK]
    if notebooks:
        only = "a notebook only" if len(notebooks) == len(files) else "a notebook"
        return NoTaskFile(
            f"no task file: {only} ({plain(notebooks[0].name, 80)})",
            fix="Ask for the .py files: a notebook is not graded",
        )
    return NoTaskFile(f"no task file: there is {named}{more}")


def _ranks(exact: dict[str, list[Found]]) -> dict[PurePosixPath, int]:
    """How many task files each folder holds."""
    counts: dict[PurePosixPath, int] = {}
    for found in exact.values():
        for one in found:
            counts[one.path.parent] = counts.get(one.path.parent, 0) + 1
    return counts


def _top(
    files: Sequence[PurePosixPath], exact: dict[str, list[Found]], by_name: dict[str, list[Found]]
) -> PurePosixPath | None:
    """The shallowest folder with a task file; the one with most of them where several are as shallow."""
    for listed in (exact, by_name):
        ranked = sorted(_ranks(listed).items(), key=lambda one: (len(one[0].parts), -one[1], one[0].parts))
        if ranked:
            return ranked[0][0]
    return None


def _place(
    raw: Path,
    top: PurePosixPath,
    module: str,
    exact: Sequence[Found],
    by_name: Sequence[Found],
    ranks: dict[PurePosixPath, int],
    notes: list[str],
    missing: dict[str, str],
) -> None:
    """Has one task file at the top, if that can be; notes what was done, or says what is missing."""
    target = raw / top / module
    if target.is_file():
        others = [f for f in (*exact, *by_name) if f.sure and f.path != top / module]
        differing = [f for f in others if not filecmp.cmp(raw / f.path, target, shallow=False)]
        equal_rank = [
            f
            for f in differing
            if f.path.name == module
            and len(f.path.parent.parts) == len(top.parts)
            and ranks[f.path.parent] == ranks[top]
        ]
        if equal_rank:
            missing[module] = _doubt(module, [Found(top / module), *equal_rank])
            return
        notes.extend(
            f"{plain(f.path, 80)} differs from {plain(top / module, 80)}, which was graded."
            for f in differing
        )
        return
    for candidates in (
        [f for f in by_name if f.sure and f.path.parent == top],
        exact,
        [f for f in by_name if f.sure],
    ):
        if not candidates:
            continue
        first = candidates[0]
        if any(not filecmp.cmp(raw / f.path, raw / first.path, shallow=False) for f in candidates[1:]):
            missing[module] = _doubt(module, candidates)
            return
        _bring(raw, first.path, target, top, notes)
        return
    unsure = [f for f in by_name if not f.sure]
    missing[module] = ""
    if unsure:
        named = " and ".join(repr(plain(f.path, 60)) for f in unsure[:4])
        missing[module] = (
            f"The file {module} is missing. There is {named}, which may be another: rename it if not."
        )


def _doubt(module: str, candidates: Sequence[Found]) -> str:
    named = " and ".join(repr(plain(f.path, 60)) for f in candidates[:4])
    more = f" and {len(candidates) - 4} more" if len(candidates) > 4 else ""
    return f"{module} could be {named}{more}, and they differ: none was graded. Hand in one {module}."


def _bring(raw: Path, found: PurePosixPath, target: Path, top: PurePosixPath, notes: list[str]) -> None:
    """Copies a task file to the top, and with it what lies beside it and may be imported."""
    shutil.copyfile(raw / found, target)
    notes.append(f"{plain(found, 80)} was graded as {target.name}.")
    if found.parent == top:
        return
    folder = raw / found.parent
    above = not folder.is_relative_to(raw / top)  # then what is at the top already lies below it as well
    for file in all_files(folder):
        source, copy = folder / file, raw / top / file
        if source == raw / found or (above and source.is_relative_to(raw / top)):
            continue
        if copy.exists() or any((raw / top / parent).is_file() for parent in file.parents):
            if not copy.is_file() or not filecmp.cmp(source, copy, shallow=False):
                notes.append(
                    f"{plain(found.parent / file, 80)} was not put beside {target.name}: another is there."
                )
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
