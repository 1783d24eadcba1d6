"""What records come to, without a file: the mark of each student, and what changed between two times."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.gradebook.records import (
    ContentKey,
    Faulted,
    Marked,
    Overridden,
    RunEnded,
    RunStarted,
    StudentId,
    Submitted,
)


@dataclass(frozen=True)
class Entry:
    """A record that was not erased, without the long result of a mark or a fault.

    Attributes:
        number: its place, from 1.
        kind: of records.KINDS.
        at: ISO 8601, UTC.
        run, student, name: empty where it has none.
        body: as of its kind, in records.py.
    """

    number: int
    kind: str
    at: str
    run: str
    student: str
    name: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class RunSeen:
    """A run: ended None and how empty if it was killed or goes on."""

    id: str
    started: str
    about: RunStarted
    ended: str | None = None
    how: str = ""


@dataclass(frozen=True)
class Attempt:
    """What a student handed in, as a run saw it."""

    entry: int
    run: str
    said: Submitted


@dataclass(frozen=True)
class Mark:
    """A mark that was given: entry is its number, at its time, name the folder that it is filed under."""

    entry: int
    at: str
    run: str
    name: str
    said: Marked


@dataclass(frozen=True)
class Failure:
    """A fault of the machine."""

    entry: int
    at: str
    run: str
    name: str
    said: Faulted


@dataclass(frozen=True)
class Override:
    """Points that a person gave."""

    entry: int
    at: str
    said: Overridden


Choose = Callable[[Sequence[tuple[Attempt, Mark | None]]], int]
"""Which attempt counts: the place in the sequence, of attempts by their number with their latest marks."""


@dataclass(frozen=True)
class Standing:
    """Where one student stands.

    Attributes:
        student: who.
        attempt: that counts; its name is the folder that results are filed under.
        mark: the latest of that attempt, or an earlier one that could not be renewed; None without any.
        not_renewed: why `mark` is not that of the attempt; empty if it is.
        why_not: why there is no mark; empty if there is one.
        failure: of the machine, where that is why.
        overrides: by task, those that stand.
        attempts: all of the last run that saw the student, by number, with the latest mark of each.
        marks: all that the student ever had, oldest first.
    """

    student: StudentId
    attempt: Attempt
    mark: Mark | None = None
    not_renewed: str = ""
    why_not: str = ""
    failure: Failure | None = None
    overrides: Mapping[str, Override] = field(default_factory=dict)
    attempts: tuple[tuple[Attempt, Mark | None], ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def points(self) -> dict[str, float]:
        """By task, with overrides; only overrides where there is no mark."""
        given = {task: earned for task, (earned, _) in self.mark.said.points.items()} if self.mark else {}
        return given | {task: one.said.points or 0.0 for task, one in self.overrides.items()}

    @property
    def total(self) -> float | None:
        """Of all tasks; None without a mark."""
        return sum(self.points.values()) if self.mark else None


@dataclass(frozen=True)
class Change:
    """A mark that is not what it was; None where there was or is none."""

    student: StudentId
    before: float | None
    after: float | None
    tasks: Mapping[str, tuple[float | None, float | None]]
    reasons: tuple[str, ...]


@dataclass
class _Seen:
    """What the records say of one student."""

    student: StudentId
    attempts: list[Attempt] = field(default_factory=list)
    overrides: dict[str, Override] = field(default_factory=dict)


def last(attempts: Sequence[tuple[Attempt, Mark | None]]) -> int:
    """The attempt that counts unless a course says otherwise: the one that was handed in last."""
    return len(attempts) - 1


def current(entries: Iterable[Entry], choose: Choose = last) -> dict[str, Standing]:
    """Where each student stands after these entries; by key, in the order of names.

    A mark is a student's if it is of the same files under the same name as one of their attempts.
    """
    seen: dict[str, _Seen] = {}
    marks: dict[tuple[str, str], list[Mark]] = {}
    failures: dict[tuple[str, str], Failure] = {}
    for entry in entries:
        if entry.kind == "submission":
            said = Submitted.model_validate(entry.body)
            one = seen.setdefault(entry.student, _Seen(said.student))
            one.student = said.student
            one.attempts.append(Attempt(entry.number, entry.run, said))
        elif entry.kind == "mark":
            mark = Mark(entry.number, entry.at, entry.run, entry.name, Marked.model_validate(entry.body))
            marks.setdefault((entry.name, mark.said.key.files), []).append(mark)
        elif entry.kind == "fault":
            fault = Failure(entry.number, entry.at, entry.run, entry.name, Faulted.model_validate(entry.body))
            failures[entry.name, fault.said.files] = fault
        elif entry.kind == "override" and entry.student in seen:
            changed = Override(entry.number, entry.at, Overridden.model_validate(entry.body))
            if changed.said.points is None:
                seen[entry.student].overrides.pop(changed.said.task, None)
            else:
                seen[entry.student].overrides[changed.said.task] = changed
    standings = [_standing(one, marks, failures, choose) for one in seen.values()]
    standings.sort(key=lambda one: (one.student.shown.casefold(), one.student.key))
    return {one.student.key: one for one in standings}


def runs(entries: Iterable[Entry]) -> list[RunSeen]:
    """All runs, oldest first."""
    found: dict[str, RunSeen] = {}
    for entry in entries:
        if entry.kind != "run":
            continue
        if entry.body["event"] == "started":
            found[entry.run] = RunSeen(entry.run, entry.at, RunStarted.model_validate(entry.body))
        elif entry.run in found:
            begun = found[entry.run]
            how = RunEnded.model_validate(entry.body).how
            found[entry.run] = RunSeen(begun.id, begun.started, begun.about, entry.at, how)
    return list(found.values())


def changes(before: Mapping[str, Standing], after: Mapping[str, Standing]) -> list[Change]:
    """What is not the same, with its reasons, in the order of `after`; who was forgotten is left out."""
    found = []
    for key, now in after.items():
        was = before.get(key)
        tasks = {
            task: (was.points.get(task) if was else None, now.points.get(task))
            for task in dict.fromkeys([*(was.points if was else ()), *now.points])
        }
        moved = {task: pair for task, pair in tasks.items() if pair[0] != pair[1]}
        newly = bool(now.not_renewed and (was is None or was.not_renewed != now.not_renewed))
        if moved or newly:
            total = was.total if was else None
            found.append(Change(now.student, total, now.total, moved, tuple(_reasons(was, now))))
    return found


def _standing(
    one: _Seen,
    marks: Mapping[tuple[str, str], Sequence[Mark]],
    failures: Mapping[tuple[str, str], Failure],
    choose: Choose,
) -> Standing:
    ever = dict.fromkeys((a.said.name, a.said.files) for a in one.attempts if a.said.files)
    all_marks = sorted((mark for key in ever for mark in marks.get(key, ())), key=lambda mark: mark.entry)
    attempts = _attempts(one.attempts)
    with_marks = [
        (attempt, next(iter(marks.get((attempt.said.name, attempt.said.files), ())[-1:]), None))
        for attempt in attempts
    ]
    attempt, mark = with_marks[choose(with_marks)]
    failure = failures.get((attempt.said.name, attempt.said.files))
    if failure and mark and mark.entry > failure.entry:
        failure = None
    because = ""
    if mark is None or failure:
        because = attempt.said.problem or (failure.said.message if failure else "it has not been graded yet")
    kept = mark or next(iter(all_marks[-1:]), None)
    return Standing(
        student=one.student,
        attempt=attempt,
        mark=kept,
        not_renewed=because if kept else "",
        why_not="" if kept else because,
        failure=failure,
        overrides=dict(one.overrides),
        attempts=tuple(with_marks),
        marks=tuple(all_marks),
    )


def _attempts(seen: Sequence[Attempt]) -> list[Attempt]:
    """Those of the last run in which the student handed in something, by number; each as it was seen last."""
    handed_in = [one for one in seen if one.said.attempt] or list(seen)
    of_last_run = [one for one in handed_in if one.run == handed_in[-1].run]
    return [one for _, one in sorted({one.said.attempt: one for one in of_last_run}.items())]


def _reasons(was: Standing | None, now: Standing) -> Iterable[str]:
    """Why a mark is not what it was."""
    if now.not_renewed:
        yield f"not renewed: {now.not_renewed}"
    if now.mark and (was is None or was.mark is None):
        yield "first mark"
    elif now.mark and was and was.mark and now.mark.entry != was.mark.entry:
        yield from differences(was.mark.said.key, now.mark.said.key)
    earlier = was.overrides if was else {}
    for task in dict.fromkeys([*earlier, *now.overrides]):
        if task not in now.overrides:
            yield f"override of {task} removed"
        elif task not in earlier or earlier[task].entry != now.overrides[task].entry:
            yield f"override of {task}: {now.overrides[task].said.why}"


def differences(was: ContentKey, now: ContentKey) -> Iterable[str]:
    """Why a later mark need not be the earlier one: what it depends on that is another, in words."""
    found = []
    if was.files != now.files:
        found.append("new submission")
    if was.kit != now.kit:
        found.append(f"new kit version, {was.kit} -> {now.kit}")
    if was.seed != now.seed:
        found.append(f"new seed, {was.seed} -> {now.seed}")
    if was.profile != now.profile:
        found.append(f"new profile, {was.profile} -> {now.profile}")
    if was.manifest != now.manifest:
        found.append("new tasks or weights")
    if dict(was.pins) != dict(now.pins):
        found.append("new data or known results")
    return found or ["graded again: same files, kit version and seed"]
