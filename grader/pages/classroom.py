"""What the class's page shows."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from grader.exporters.terminal import number
from grader.gradebook import Standing, people
from grader.gradebook.derive import Rules
from grader.gradebook.standings import Entry, RunSeen
from grader.pages import charts
from grader.pages.charts import Chart
from grader.pages.student import when
from grader.results import hints
from grader.results.record import WHOLE, CheckResult, Status, SubmissionResult
from grader.text import plain

_CAUSES = 3  # of each check
_TEACH = 6  # checks to look at first
_SLOW = 8


@dataclass(frozen=True)
class Who:
    """A student on the page: what to call them, and the address of their page."""

    name: str
    page: str


@dataclass(frozen=True)
class Cell:
    """Points: as they are shown, and by what they are sorted; None sorts last."""

    text: str
    value: float | None
    changed: bool = False


@dataclass(frozen=True)
class Row:
    """A student in the table of marks."""

    who: Who
    section: str
    tasks: tuple[Cell, ...]
    score: Cell
    state: str
    look: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """A task: title, points, and the mean share of them."""

    title: str
    out_of: str
    mean: float


@dataclass(frozen=True)
class Cause:
    """Why a check failed: for how many, what was reported to one of them, and the hint."""

    count: int
    hint: str
    consequence: str
    example: str
    who: Who


@dataclass(frozen=True)
class Lesson:
    """A check over the class.

    Attributes:
        task, title: of it.
        passed, failed, blocked, untouched, faults: students.
        rate: of those who passed or failed, the share that passed; None without any.
        causes: most common first.
    """

    task: str
    title: str
    passed: int
    failed: int
    blocked: int
    untouched: int
    faults: int
    rate: float | None
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class Fault:
    """Something that the machine failed on."""

    who: Who
    what: str


@dataclass(frozen=True)
class Slow:
    """A submission that took long, in seconds."""

    who: Who
    seconds: float


@dataclass(frozen=True)
class Group:
    """Students who have something in common: what, and who."""

    what: str
    who: tuple[Who, ...]


@dataclass(frozen=True)
class Network:
    """A network by the digest of what was trained."""

    task: str
    digest: str
    known: bool
    parameters: int | None
    accuracies: str
    who: tuple[Who, ...]


@dataclass(frozen=True)
class RunRow:
    """A run of grading, in words."""

    id: str
    when: str
    took: str
    how: str
    profile: str
    seed: int
    kit: str
    command: str


@dataclass(frozen=True)
class OverrideRow:
    """A change by hand, in words; `now` is whether it counts."""

    when: str
    who: Who
    task: str
    done: str
    by: str
    why: str


@dataclass(frozen=True)
class AlikePart:
    """A file of a pair: what of it is alike, in words."""

    file: str
    share: float
    run: int


@dataclass(frozen=True)
class Alike:
    """Two students whose sources are alike in part, and the page that shows them."""

    first: Who
    second: Who
    share: float
    parts: tuple[AlikePart, ...]
    group: int
    page: str


@dataclass(frozen=True)
class Similar:
    """Similar sources: pairs, or why there are none to show.

    Attributes:
        pairs: strongest first.
        files: how many different ones were compared.
        more: pairs that are not listed.
        left_out: sentences.
        why_not: empty where they were compared.
    """

    pairs: tuple[Alike, ...] = ()
    files: int = 0
    more: int = 0
    left_out: tuple[str, ...] = ()
    why_not: str = ""


@dataclass(frozen=True)
class ClassPage:
    """The page; every tuple may be empty."""

    made: str
    students: int
    graded: int
    mean: str
    median: str
    out_of: str
    looks: int
    profile: str
    provisional: str
    all_provisional: bool
    counts: bool
    sections: bool
    distribution: Chart | None
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    teach: tuple[Lesson, ...]
    lessons: tuple[Lesson, ...]
    faults: tuple[Fault, ...]
    slow: tuple[Slow, ...]
    seconds: float
    identical: tuple[Group, ...]
    similar: Similar
    networks: tuple[Network, ...]
    runs: tuple[RunRow, ...]
    overrides: tuple[OverrideRow, ...]
    head: str


@dataclass
class _Line:
    """A check, counted."""

    task: str
    title: str
    count: Counter[Status] = field(default_factory=Counter)
    causes: dict[tuple[str, str], list[tuple[Who, CheckResult]]] = field(
        default_factory=lambda: defaultdict(list)
    )


class Classroom:
    """Takes in one student after the other, so that a class need not lie in memory, and makes the page.

    Args:
        standings: of the class.
        rules: the course's own.
        pages: the address of each student's page, by key.
    """

    def __init__(self, standings: Mapping[str, Standing], rules: Rules, pages: Mapping[str, str]) -> None:
        labels = people.labels(standings.values())
        self._rules = rules
        self.who = {key: Who(labels[key], pages[key]) for key in standings}
        self._standings = standings
        self._titles: dict[str, tuple[str, float]] = {}
        self._shares: dict[str, list[float]] = defaultdict(list)
        self._results: list[tuple[Standing, SubmissionResult]] = []
        self._rows: list[tuple[Standing, Row, dict[str, Cell]]] = []
        self._scores: list[float] = []
        self._out_of = 0.0
        self._lines: dict[tuple[str, str], _Line] = {}
        self._faults: list[Fault] = []
        self._slow: list[Slow] = []
        self._networks: dict[tuple[str, str], list[tuple[Who, CheckResult]]] = defaultdict(list)
        self._provisional: Counter[str] = Counter()
        self._profiles: Counter[str] = Counter()

    def add(self, standing: Standing, result: SubmissionResult) -> None:
        """Takes in a student's result, as derive.results gives it."""
        who = self.who[standing.student.key]
        look = [plain(one, 500) for one in _look(standing, result)]
        cells: dict[str, Cell] = {}
        counted = result.counts.tasks if result.counts else {}
        for task in result.tasks:
            self._titles.setdefault(task.task, (plain(task.title), task.max_points))
            points = counted.get(task.task, task.points) if task.decided else None
            cells[task.task] = Cell(_points(points), points, task.override is not None)
            if task.decided and task.max_points:
                self._shares[task.task].append(task.points / task.max_points)
            for check in task.checks:
                self._count(who, task.task, plain(task.title), check)
        score = result.score if result.has_mark and result.tasks else None
        if score is not None:
            self._scores.append(score)
            self._out_of = max(self._out_of, result.out_of)
            self._slow.append(Slow(who, result.seconds))
        if result.tasks:
            self._profiles[result.run.profile] += 1
        if result.run.provisional:
            self._provisional[result.run.provisional_because] += 1
        state = "not graded" if score is None else "not renewed" if result.not_renewed else "graded"
        if state == "graded" and result.provenance and result.provenance.late:
            state = "late"
        row = Row(who, plain(standing.student.section), (), Cell(_points(score), score), state, tuple(look))
        self._rows.append((standing, row, cells))

    def page(
        self,
        *,
        made: str,
        runs: Sequence[RunSeen],
        overrides: Iterable[Entry],
        similar: Similar,
        head: str,
    ) -> ClassPage:
        """The page of all that were taken in.

        Args:
            made: when, UTC.
            runs: all, oldest first.
            overrides: all records of that kind, oldest first.
            similar: what came of the search.
            head: of the gradebook.
        """
        missing = Cell("–", None)
        rows = tuple(
            Row(
                one.who, one.section, tuple(cells.get(task, missing) for task in self._titles), one.score,
                one.state, one.look,
            )
            for _, one, cells in self._rows
        )  # fmt: skip
        lessons = tuple(_lesson(line) for line in self._lines.values())
        failed = [one for one in lessons if one.failed]
        seconds = [one.seconds for one in self._slow]
        middle = statistics.median(seconds) if seconds else 0.0
        return ClassPage(
            made=made,
            students=len(rows),
            graded=len(self._scores),
            mean=number(statistics.mean(self._scores)) if self._scores else "–",
            median=number(statistics.median(self._scores)) if self._scores else "–",
            out_of=number(self._out_of),
            looks=sum(bool(row.look) for row in rows),
            profile=", ".join(sorted(self._profiles)),
            provisional=plain("; ".join(self._provisional), 500),
            all_provisional=sum(self._provisional.values()) == len(rows),
            counts=any(self._rules.counts(standing) for standing, _, _ in self._rows),
            sections=any(row.section for row in rows),
            distribution=charts.distribution(self._scores, self._out_of),
            columns=tuple(
                Column(
                    title, number(most), statistics.mean(self._shares[task]) if self._shares[task] else 0.0
                )
                for task, (title, most) in self._titles.items()
            ),
            rows=rows,
            teach=tuple(sorted(failed, key=lambda one: (-one.failed, one.task, one.title))[:_TEACH]),
            lessons=lessons,
            faults=tuple(self._faults),
            slow=tuple(
                one
                for one in sorted(self._slow, key=lambda one: -one.seconds)[:_SLOW]
                if one.seconds > 2 * middle and one.seconds > 1
            ),
            seconds=middle,
            identical=tuple(self._identical()),
            similar=similar,
            networks=tuple(self._by_network()),
            runs=tuple(_run(run) for run in reversed(runs)),
            overrides=tuple(self._override(one) for one in overrides if one.student in self.who),
            head=head,
        )

    def _count(self, who: Who, task: str, title: str, check: CheckResult) -> None:
        if check.status is Status.FAULT:
            self._faults.append(
                Fault(who, plain(f"{title}, {check.title}: {check.message or 'no mark'}", 400))
            )
        if check.check == WHOLE:
            return
        line = self._lines.setdefault((task, check.check), _Line(title, plain(check.title)))
        line.count[check.status] += 1
        if check.status is Status.FAILED:
            line.causes[hints.to_show(check), check.consequence].append((who, check))
        digest = check.data.get("blueprint")
        if isinstance(digest, str) and digest:
            self._networks[title, digest].append((who, check))

    def _identical(self) -> Iterable[Group]:
        """Those who handed in the very same files; members of one group are one."""
        found: dict[str, dict[str, Who]] = defaultdict(dict)
        for standing, row, _ in self._rows:
            if standing.attempt.said.files:
                found[standing.attempt.said.files].setdefault(standing.attempt.said.name, row.who)
        for digest, who in found.items():
            if len(who) > 1:
                yield Group(digest[:12], tuple(who.values()))

    def _by_network(self) -> Iterable[Network]:
        for (task, digest), found in self._networks.items():
            labels: dict[str, float] = {}
            for _, check in found:
                if "accuracy" in check.data:
                    labels[str(check.data.get("label_set", check.check))] = check.data["accuracy"]
            first = found[0][1].data
            yield Network(
                task=task,
                digest=digest[:12],
                known=bool(first.get("known")),
                parameters=first.get("parameters"),
                accuracies=", ".join(f"{name} {100 * value:.1f}%" for name, value in sorted(labels.items())),
                who=tuple(dict.fromkeys(who for who, _ in found)),
            )

    def _override(self, one: Entry) -> OverrideRow:
        points = one.body["points"]
        return OverrideRow(
            when=when(one.at),
            who=self.who[one.student],
            task=plain(one.body["task"]),
            done="taken back" if points is None else f"set to {number(points)}",
            by=plain(one.body["who"]),
            why=plain(one.body["why"], 500),
        )


def _lesson(line: _Line) -> Lesson:
    passed, failed = line.count[Status.PASSED], line.count[Status.FAILED]
    causes = sorted(line.causes.items(), key=lambda one: -len(one[1]))[:_CAUSES]
    return Lesson(
        task=line.task,
        title=line.title,
        passed=passed,
        failed=failed,
        blocked=line.count[Status.BLOCKED],
        untouched=line.count[Status.NOT_ATTEMPTED],
        faults=line.count[Status.FAULT],
        rate=passed / (passed + failed) if passed + failed else None,
        causes=tuple(
            Cause(
                count=len(found),
                hint=plain(hint, 500),
                consequence=plain(consequence, 300),
                example=plain(min((check.message for _, check in found), key=len), 400),
                who=min(found, key=lambda one: len(one[1].message))[0],
            )
            for (hint, consequence), found in causes
        ),
    )


def _look(standing: Standing, result: SubmissionResult) -> list[str]:
    """Why an instructor should look at a student; empty if nothing is out of the ordinary."""
    found = list(result.counts.look) if result.counts else []
    if standing.mark is None and not result.has_mark:
        found.insert(0, f"not graded: {standing.why_not or result.problem}")
    elif standing.not_renewed:
        found.insert(0, f"an earlier mark, not renewed: {standing.not_renewed}")
    return found


def _run(run: RunSeen) -> RunRow:
    about = run.about.about
    took = ""
    if run.ended:
        seconds = (datetime.fromisoformat(run.ended) - datetime.fromisoformat(run.started)).total_seconds()
        took = f"{seconds / 60:.1f} min" if seconds >= 90 else f"{seconds:.0f} s"
    return RunRow(
        id=run.id,
        when=when(run.started),
        took=took,
        how=plain(run.how or "did not end, or goes on"),
        profile=plain(about.profile),
        seed=about.seed,
        kit=plain(run.about.kit),
        command=plain(run.about.command, 300),
    )


def _points(points: float | None) -> str:
    return "–" if points is None else number(points)
