"""What a student's page shows: all of their own work, and nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.exporters.terminal import number
from grader.gradebook import Gradebook, Mark, Standing
from grader.gradebook.standings import differences
from grader.pages.private import Private
from grader.pages.trainings import Run, Trainings
from grader.results import hints
from grader.results.record import WHOLE, CheckResult, Drawing, Status, SubmissionResult, TaskResult
from grader.text import plain

SIGNS = {
    Status.PASSED: "✔",
    Status.FAILED: "✘",
    Status.NOT_ATTEMPTED: "○",
    Status.BLOCKED: "⊘",
    Status.FAULT: "!",
    Status.HELD: "…",
}
WORDS = {Status.FAULT: "not graded", Status.BLOCKED: "not looked at"}
_CHANGES = 20  # checks, of one regrade


@dataclass(frozen=True)
class Check:
    """One line of a task.

    Attributes:
        title: of the check.
        status, sign: how it ended, in a word and as a sign.
        points: what it earns of what there is; empty where there is nothing to earn or lose.
        message, consequence, hint: as it was decided; empty where there is nothing to say.
        drawing: what was built beside what was expected; None without one.
    """

    title: str
    status: str
    sign: str
    points: str
    message: str
    consequence: str
    hint: str
    drawing: Drawing | None


@dataclass(frozen=True)
class Learnt:
    """What a network learnt.

    Attributes:
        title: of the labels.
        accuracy, wanted: shares; None where it was not trained.
        known: whether it is the course's own network, so that nothing was trained.
        run: curve and confusions; None where there are none.
    """

    title: str
    accuracy: float | None
    wanted: float | None
    known: bool
    run: Run | None


@dataclass(frozen=True)
class Task:
    """A task: `points` is empty where it was not graded, `override` where no person changed it; `held` is
    whether nothing of it is shown yet.
    """

    id: str
    title: str
    held: bool
    points: str
    out_of: str
    share: float
    override: str
    checks: tuple[Check, ...]
    passed: int
    learnt: tuple[Learnt, ...]


@dataclass(frozen=True)
class Earlier:
    """A mark that was replaced.

    Attributes:
        when: day and time, UTC.
        before, after: points.
        reasons: why it is another.
        tasks: "AlexNet 20 → 45".
        checks: "Pooling: failed → passed".
    """

    when: str
    before: str
    after: str
    reasons: tuple[str, ...]
    tasks: tuple[str, ...]
    checks: tuple[str, ...]


@dataclass(frozen=True)
class StudentPage:
    """The page.

    Attributes:
        name: of the student.
        section: may be empty.
        total, out_of: what counts; total is empty where it is not known.
        share: of all points, 0 to 1.
        rule: how it comes to that, where the course has choices of its own.
        problem: why there is no mark; empty if there is one.
        not_renewed: why it is an earlier mark; empty if it is not.
        provisional: why the marks may change; empty if they are final.
        held_back: what is not shown yet, as a sentence; empty if all is.
        notes: remarks.
        tasks: in the course's order.
        earlier: what regrades changed, newest first.
        about: what the mark is tied to: label and value.
    """

    name: str
    section: str
    total: str
    out_of: str
    share: float
    rule: str
    problem: str
    not_renewed: str
    provisional: str
    held_back: str
    notes: tuple[str, ...]
    tasks: tuple[Task, ...]
    earlier: tuple[Earlier, ...]
    about: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Source:
    """What pages of students are made from."""

    book: Gradebook
    private: Private
    trainings: Trainings
    held_back: str = ""

    def page(self, standing: Standing, result: SubmissionResult) -> StudentPage:
        """The page of one student.

        Args:
            standing: theirs.
            result: of derive.results, with what may be released.
        """
        key, private = standing.student.key, self.private
        marked = result.has_mark and not self.held_back
        return StudentPage(
            name=plain(result.shown),
            section=plain(standing.student.section),
            total=number(result.score) if marked else "",
            out_of=number(result.out_of),
            share=min(1.0, result.score / result.out_of) if marked and result.out_of else 0.0,
            rule=private.remark(result.counts.rule, key) if result.counts and not self.held_back else "",
            problem=private.remark(result.problem, key),
            not_renewed=private.remark(result.not_renewed, key),
            provisional=private.text(result.run.provisional_because),
            held_back=self.held_back,
            notes=tuple(private.remark(note, key) for note in result.notes),
            tasks=tuple(self._task(task, result.run.profile, key) for task in result.tasks),
            earlier=() if self.held_back else tuple(self._earlier(standing)),
            about=tuple(_about(result)),
        )

    def _task(self, task: TaskResult, profile: str, key: str) -> Task:
        override = ""
        if task.override is not None:
            earned = "not graded" if not task.decided else number(task.earned)
            override = (
                f"Set to {number(task.override.points)} on {task.override.at[:10]} by "
                f"{self.private.remark(task.override.who, key)}: "
                f"{self.private.remark(task.override.why, key)} "
                f"(before: {earned})"
            )
        lines = [check for check in task.checks if check.check != WHOLE or check.message]
        return Task(
            id=task.task,
            title=plain(task.title),
            points=number(task.points) if task.decided else "",
            held=not task.max_points and any(check.status is Status.HELD for check in task.checks),
            out_of=number(task.max_points),
            share=task.points / task.max_points if task.decided and task.max_points else 0.0,
            override=override,
            checks=tuple(self._check(check) for check in lines),
            passed=sum(check.status is Status.PASSED for check in lines),
            learnt=tuple(self._learnt(task, profile)),
        )

    def _check(self, check: CheckResult) -> Check:
        lost = check.max_points or check.deduction
        points = f"{number(check.points)} / {number(check.max_points)}" if check.max_points else ""
        if check.status is Status.FAULT:
            points = ""
        elif not check.max_points and check.deduction:
            points = f"−{number(check.deduction)}"
        failed = check.status is Status.FAILED
        return Check(
            title=plain(check.title),
            status=WORDS.get(check.status, check.status.value),
            sign=SIGNS[check.status],
            points=points if lost else "",
            message=self.private.text(check.message, 2000),
            consequence=plain(check.consequence, 500) if failed else "",
            hint=self.private.text(hints.to_show(check)),
            drawing=_plain(check.drawing) if check.drawing and failed else None,
        )

    def _learnt(self, task: TaskResult, profile: str) -> Iterator[Learnt]:
        for check in task.checks:
            said = check.data
            if "accuracies" not in said:
                continue
            labels = str(said.get("label_set") or check.check.rpartition(".")[2])
            yield Learnt(
                title=f"{labels} labels",
                accuracy=said.get("accuracy"),
                wanted=said.get("threshold"),
                known=bool(said.get("known")),
                run=self.trainings.of(profile, f"{plain(task.title)}, {labels} labels", said),
            )

    def _earlier(self, standing: Standing) -> Iterator[Earlier]:
        """What changed from each mark to the next, newest first."""
        pairs = list(zip(standing.marks, standing.marks[1:], strict=False))
        for was, now in reversed(pairs):
            yield self._change(was, now)

    def _change(self, was: Mark, now: Mark) -> Earlier:
        before, after = self.book.result(was.entry), self.book.result(now.entry)
        then = {task.task: task for task in before.tasks} if before else {}
        tasks, checks = [], []
        for task in after.tasks if after else ():
            old = then.get(task.task)
            if old is None:
                continue
            if old.earned != task.earned:
                tasks.append(f"{plain(task.title)} {number(old.earned)} → {number(task.earned)}")
            statuses = {check.check: check.status for check in old.checks}
            checks += [
                f"{plain(task.title)}, {plain(check.title)}: {_in_words(statuses[check.check])} → "
                f"{_in_words(check.status)}"
                for check in task.checks
                if statuses.get(check.check, check.status) is not check.status
            ]
        if len(checks) > _CHANGES:
            checks[_CHANGES:] = [f"and {len(checks) - _CHANGES} more checks"]
        return Earlier(
            when=when(now.at),
            before=_sum(was.said.points),
            after=_sum(now.said.points),
            reasons=tuple(self.private.text(reason) for reason in differences(was.said.key, now.said.key)),
            tasks=tuple(tasks),
            checks=tuple(checks),
        )


def when(at: str) -> str:
    """A time to the minute, UTC; an empty one stays empty."""
    return f"{at[:16].replace('T', ' ')} UTC" if at else ""


def _about(result: SubmissionResult) -> Iterator[tuple[str, str]]:
    tied = result.provenance
    if tied is None:
        return
    late = {True: ", late", False: ", in time", None: ""}[tied.late]
    rows: Sequence[tuple[str, str]] = (
        ("Graded", when(tied.graded)),
        ("Handed in", f"{tied.handed_in[:16].replace('T', ' ')}{late}" if tied.handed_in else late[2:]),
        ("Attempt", str(tied.attempt) if tied.attempt else ""),
        ("Files", tied.files[:16]),
        ("Profile", result.run.profile),
        ("Kit", tied.kit),
        ("Seed", str(tied.seed)),
    )
    yield from ((label, plain(value)) for label, value in rows if value)


def _plain(drawing: Drawing) -> Drawing:
    rows = tuple(
        row.model_copy(update={"found": plain(row.found, 120), "wanted": plain(row.wanted, 120)})
        for row in drawing.rows
    )
    return drawing.model_copy(update={"title": plain(drawing.title, 200), "rows": rows})


def _in_words(status: Status) -> str:
    return WORDS.get(status, status.value)


def _sum(points: Mapping[str, tuple[float, float]]) -> str:
    return number(sum(earned for earned, _ in points.values()))
