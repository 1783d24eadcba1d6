"""The course's own choices (course.toml) on what a gradebook has: which attempt counts, and how much."""

from collections.abc import Mapping, Sequence

from grader.config import course as courses
from grader.config.course import Course
from grader.config.manifest import Manifest
from grader.gradebook import Mark, Standing, StudentId
from grader.gradebook.derive import Rules
from grader.gradebook.standings import Attempt
from grader.grading import lateness
from grader.grading.course import Counted, what_counts
from grader.results.record import Counts

Points = Mapping[str, tuple[float, float]]


def rules(text: str, tasks: Manifest) -> Rules:
    """How marks are made into what counts; of no choices, the last attempt's mark is what it counts.

    Args:
        text: of course.toml, as a run recorded it; empty for none.
        tasks: of the course.

    Raises:
        UsageError: something in it is not allowed.
    """
    if not text:
        return Rules()
    chosen = course(text, tasks)
    worth = {task.id: task.points for task in tasks.tasks}

    def counted(
        attempts: Sequence[tuple[Attempt, Mark | None]],
        marks: Mapping[int, Points],
        earlier: Mapping[int, Points],
    ) -> Counted:
        student = attempts[0][0].said.student
        handed_in = [
            lateness.Attempt(one.said.attempt, one.said.handed_in, one.said.late)
            for one, _ in attempts
            if one.said.attempt
        ]
        return what_counts(chosen, worth, ids(student), handed_in, marks, earlier)

    def choose(attempts: Sequence[tuple[Attempt, Mark | None]]) -> int:
        marks = {one.said.attempt: mark.said.points for one, mark in attempts if mark}
        number = counted(attempts, marks, {}).attempt
        places = [place for place, (one, _) in enumerate(attempts) if one.said.attempt == number]
        return places[0] if places else len(attempts) - 1

    def counts(standing: Standing) -> Counts | None:
        marks = {one.said.attempt: mark.said.points for one, mark in standing.attempts if mark}
        if standing.mark and standing.overrides:
            own = dict(standing.mark.said.points)
            own |= {task: (points, worth[task]) for task, points in standing.points.items() if task in worth}
            marks[standing.attempt.said.attempt] = own
        found = counted(standing.attempts, marks, _before_a_correction(standing))
        return Counts(
            tasks=found.tasks,
            points=found.counts,
            out_of=found.out_of,
            rule="; ".join(filter(None, (found.why, found.rule))),
            look=found.look,
        )

    return Rules(choose, counts)


def ids(student: StudentId) -> tuple[str, ...]:
    """All that a student goes by, for extensions."""
    return (student.key, *student.ids.values())


def course(text: str, tasks: Manifest) -> Course:
    """The choices in a text; those of a course that makes none if it is empty. UsageError as of `rules`."""
    return courses.parse(text, [task.id for task in tasks.tasks]) if text else Course()


def _before_a_correction(standing: Standing) -> dict[int, Points]:
    """Marks that the same files had from an earlier version of the grader, by the number of the attempt."""
    earlier: dict[int, Points] = {}
    for attempt, mark in standing.attempts:
        if mark is None:
            continue
        for one in standing.marks:
            same = one.said.key.files == mark.said.key.files
            if same and one.entry < mark.entry and one.said.key.kit != mark.said.key.kit:
                earlier[attempt.said.attempt] = one.said.points
    return earlier
