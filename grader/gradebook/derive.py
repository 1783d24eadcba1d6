"""marks.csv, and results.json and report.txt of each student, made from the records of a gradebook.

They can be made again at any time and hold nothing of their own. All of them are written into a folder beside
their places first, and then moved there one after the other: whoever reads finds whole files, and a kill
leaves old ones. What cannot be written for one student costs nobody else anything.
"""

import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

from grader import exporters
from grader.errors import GradebookError
from grader.exporters import Registry
from grader.gradebook import kept
from grader.gradebook.reading import Gradebook
from grader.gradebook.standings import Choose, Override, RunSeen, Standing, last
from grader.results import record
from grader.results.record import (
    WHOLE,
    CheckResult,
    Counts,
    Provenance,
    Run,
    Status,
    SubmissionResult,
    TaskResult,
)
from grader.text import plain


def _as_marked(standing: Standing) -> Counts | None:
    return None


@dataclass(frozen=True)
class Rules:
    """The course's own choices.

    Attributes:
        choose: which attempt counts; the last one unless chosen otherwise.
        counts: what a student's mark counts in the end, such as less for lateness; None for the mark itself.
    """

    choose: Choose = last
    counts: Callable[[Standing], Counts | None] = _as_marked


@dataclass
class Derived:
    """What was written.

    Attributes:
        files: that are there now, those of the class last.
        unwritten: why the files of a name could not be written, by that name.
    """

    files: list[Path] = field(default_factory=list)
    unwritten: dict[str, str] = field(default_factory=dict)


def everything(
    book: Gradebook,
    out: Path,
    *,
    names: Collection[str] | None = None,
    rules: Rules = Rules(),
    registry: Registry | None = None,
) -> Derived:
    """Writes the files of each student and the tables of the class, anew.

    Args:
        book: a Writer's, so that nobody else writes here.
        out: the folder of results.
        names: whose files are to be written; None for all. The tables have all students in any case.
        rules: the course's own.
        registry: in which formats; None for those of every run.

    Raises:
        GradebookError: the folder itself, or the table of marks, cannot be written.
    """
    with _staged(out) as staged:
        source = _Source.of(book, rules)
        deriving = _Deriving(out, staged, registry or exporters.registry)
        deriving.each(source, names)
        deriving.class_of(source)
        if names is None:  # whose folder has another name now
            filed = {standing.attempt.said.name for standing in source.standings.values()}
            remove(out, sorted(book.names() - filed), registry)
    return deriving.derived


def of_name(
    book: Gradebook,
    out: Path,
    name: str,
    *,
    rules: Rules = Rules(),
    registry: Registry | None = None,
) -> Derived:
    """Writes the files of one name and no tables, such as when it is decided; else as `everything`."""
    with _staged(out) as staged:
        source = _Source.of(book, rules, about=name)
        deriving = _Deriving(out, staged, registry or exporters.registry)
        deriving.each(source, [name])
    return deriving.derived


def results(book: Gradebook, rules: Rules = Rules()) -> Iterator[tuple[Standing, SubmissionResult]]:
    """What each student's mark is: overrides applied, tied to the gradebook; one at a time, in the order of
    names.
    """
    source = _Source.of(book, rules)
    for standing in source.standings.values():
        yield standing, source.result(standing)


def remove(out: Path, names: Sequence[str], registry: Registry | None = None) -> list[str]:
    """Removes what was derived for names that nobody's results are filed under any more, and the kept files.

    Returns:
        those of which files are left, since somebody else put them there or they cannot be removed.
    """
    left = []
    for name in names:
        folder = _folder(out, name)
        try:
            for path in _written(folder, registry or exporters.registry):
                path.unlink()
            kept.remove(folder)
            if folder.is_dir():
                folder.rmdir()
        except OSError:
            left.append(name)
    return left


@contextmanager
def _staged(out: Path) -> Iterator[Path]:
    """A folder beside the results, to make files in; its errors in words."""
    try:
        for stale in out.glob(f"{kept.STAGING}*"):  # of a run that was killed
            shutil.rmtree(stale, ignore_errors=True)
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=kept.STAGING, dir=out) as folder:
            yield Path(folder)
    except OSError as error:
        raise GradebookError(
            f"{plain(out)} cannot be written: {error.strerror or error}. All marks are in the gradebook",
            fix="Free some space or make it writable, and run the same command again",
        ) from error


class _Deriving:
    """One time that files are made: into `staged` first."""

    def __init__(self, out: Path, staged: Path, registry: Registry) -> None:
        self._out = out
        self._staged = staged
        self._registry = registry
        self.derived = Derived()

    def each(self, source: "_Source", names: Collection[str] | None) -> None:
        """The files of each name, all made before the first is moved to its place."""
        groups: dict[str, list[Standing]] = {}
        for standing in source.standings.values():
            groups.setdefault(standing.attempt.said.name, []).append(standing)
        for name, group in groups.items():
            if names is None or name in names:
                self._make(name, [(standing, source.result(standing)) for standing in group])
        for path in sorted((self._staged / "each").glob("*")):
            self._place(path.name)

    def _make(self, name: str, group: Sequence[tuple[Standing, SubmissionResult]]) -> None:
        folder = _folder(self._staged / "each", name)
        try:
            self._registry.write_submission(_of_all(group), self._staged / "each")
        except (OSError, ValueError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            self.derived.unwritten[name] = f"{plain(self._out / name)} cannot be written: {error}"

    def class_of(self, source: "_Source") -> None:
        """The files of the class."""
        for path in self._registry.write_class(_Rows(source, self.derived.unwritten), self._staged / "class"):
            place = self._out / path.relative_to(self._staged / "class")
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
            self.derived.files.append(place)

    def _place(self, name: str) -> None:
        """Moves a submission's files to their place, and removes those that are out of date."""
        target = _folder(self._out, name)
        try:
            target.mkdir(parents=True, exist_ok=True)
            ready = sorted((self._staged / "each" / name).iterdir())
            for path in ready:
                path.replace(target / path.name)
                self.derived.files.append(target / path.name)
            for path in _written(target, self._registry):
                if path.name not in {one.name for one in ready}:
                    path.unlink()
        except OSError as error:
            self.derived.unwritten[name] = f"{plain(target)} cannot be written: {error.strerror or error}"


class _Rows(Sequence[SubmissionResult]):
    """The results of a class, each read when it is asked for: thousands do not lie in memory at once."""

    def __init__(self, source: "_Source", unwritten: Mapping[str, str]) -> None:
        self._source = source
        self._standings = list(source.standings.values())
        self._unwritten = unwritten

    def __len__(self) -> int:
        return len(self._standings)

    @overload
    def __getitem__(self, place: int) -> SubmissionResult: ...
    @overload
    def __getitem__(self, place: slice) -> list[SubmissionResult]: ...
    def __getitem__(self, place: int | slice) -> SubmissionResult | list[SubmissionResult]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        result = self._source.result(self._standings[place])
        why = self._unwritten.get(result.name)
        return result if why is None else result.model_copy(update={"notes": (*result.notes, why)})


@dataclass
class _Source:
    """What results are made from, all of one state of the gradebook."""

    book: Gradebook
    standings: Mapping[str, Standing]
    runs: Mapping[str, RunSeen]
    head: str
    rules: Rules
    tasks: tuple[TaskResult, ...] = ()  # of any mark, for those who have none

    @classmethod
    def of(cls, book: Gradebook, rules: Rules, *, about: str | None = None) -> "_Source":
        """The state of now; with `about`, only of whoever is filed under that name."""
        with book.unchanging():
            standings = book.current(choose=rules.choose, about=about)
            source = cls(book, standings, {one.id: one for one in book.runs()}, book.head(), rules)
            marks = [one.mark for one in standings.values() if one.mark]
            if marks:
                result = book.result(max(marks, key=lambda mark: mark.entry).entry)
                source.tasks = result.tasks if result else ()
        return source

    def result(self, standing: Standing) -> SubmissionResult:
        """The mark of a student as it counts now; without one, why not."""
        recorded = self._recorded(standing)
        overrides = {task: _override(one) for task, one in standing.overrides.items()}
        tasks = recorded.tasks or (_without_marks(self.tasks) if overrides else ())
        result = recorded.model_copy(
            update={
                "name": standing.attempt.said.name,
                "notes": tuple(dict.fromkeys([*recorded.notes, *standing.attempt.said.notes])),
                "student": standing.student.shown,
                "key": standing.student.key,
                "not_renewed": standing.not_renewed,
                "provenance": self._provenance(standing),
                "counts": self.rules.counts(standing),
                "tasks": tuple(one.model_copy(update={"override": overrides.get(one.task)}) for one in tasks),
            }
        )
        if result.problem and result.tasks and result.graded:  # a person gave all points
            notes = (*result.notes, result.problem)
            result = result.model_copy(update={"problem": "", "notes": notes})
        return result

    def _recorded(self, standing: Standing) -> SubmissionResult:
        said = standing.attempt.said
        entry = standing.mark or standing.failure
        result = self.book.result(entry.entry) if entry else None
        if result is None:
            about = self.runs[standing.attempt.run].about.about
            return SubmissionResult(
                name=said.name, run=about, tasks=(), seconds=0.0, problem=standing.why_not, notes=said.notes
            )
        if standing.mark is None and not result.problem:
            result = result.model_copy(update={"problem": standing.why_not})
        return result

    def _provenance(self, standing: Standing) -> Provenance:
        """Of the mark; of what was handed in where there is none."""
        attempt, mark = standing.attempt.said, standing.mark
        run = self.runs[mark.run if mark else standing.attempt.run]
        about: Run = run.about.about
        same = mark is None or mark.said.key.files == attempt.files
        return Provenance(
            files=mark.said.key.files if mark else attempt.files,
            graded=mark.at if mark else (standing.failure.at if standing.failure else run.started),
            kit=mark.said.key.kit if mark else run.about.kit,
            seed=mark.said.key.seed if mark else about.seed,
            run=run.id,
            head=self.head,
            attempt=mark.said.attempt if mark else attempt.attempt,
            handed_in=attempt.handed_in.isoformat() if same and attempt.handed_in else "",
            late=attempt.late if same else None,
        )


def _folder(out: Path, name: str) -> Path:
    """Where a name's files are; GradebookError for one that leads elsewhere, which intake never gives."""
    if Path(name).name != name:
        raise GradebookError(f"the gradebook has a name that is no folder's: {plain(name)}")
    return out / name


def _of_all(group: Sequence[tuple[Standing, SubmissionResult]]) -> SubmissionResult:
    """What stands in the folder of a group: the mark that its members have in common, and who differs."""
    _, first = group[0]
    if len(group) == 1:
        return first
    own = [[task.override for task in result.tasks] for _, result in group]
    counts = [result.counts for _, result in group]
    notes = [f"Group of {', '.join(one.student.shown for one, _ in group)}", *first.notes]
    if any(one != own[0] for one in own):
        for standing, _ in group:
            for task, one in standing.overrides.items():
                notes.append(f"{standing.student.shown}: {task} set to {one.said.points:g}: {one.said.why}")
        first = first.model_copy(
            update={"tasks": tuple(task.model_copy(update={"override": None}) for task in first.tasks)}
        )
    if any(one != counts[0] for one in counts):
        notes += [f"{standing.student.shown}: {one.counts.rule}" for standing, one in group if one.counts]
        first = first.model_copy(update={"counts": None})
    return first.model_copy(update={"student": "", "key": "", "notes": tuple(notes)})


def _without_marks(tasks: Sequence[TaskResult]) -> tuple[TaskResult, ...]:
    """The tasks of a course for a student who has no mark: nothing is decided."""
    return tuple(
        TaskResult(
            task=task.task,
            title=task.title,
            checks=(
                CheckResult(
                    check=WHOLE,
                    title="All of it together",
                    status=Status.FAULT,
                    points=0.0,
                    max_points=task.max_points,
                ),
            ),
        )
        for task in tasks
    )


def _override(one: Override) -> record.Override:
    return record.Override(points=one.said.points or 0.0, who=one.said.who, why=one.said.why, at=one.at)


def _written(folder: Path, registry: Registry) -> list[Path]:
    """The files of a submission that were derived."""
    return sorted({path for pattern in registry.files for path in folder.glob(pattern)})
