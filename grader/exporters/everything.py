"""A class as one table with all that there is of each student, for a spreadsheet or a script of one's own."""

import csv
import io
from collections.abc import Sequence

from grader.exporters.students import Student, cell, points
from grader.exporters.terminal import in_words, number

_WHO = ("key", "name", "section", "folder")
_ABOUT = ("attempt", "handed in", "late", "status")
_COUNTS = ("points", "of", "counts", "counts of", "rule", "to look at", "changed by hand", "why", "notes")
_LONG = 2000  # characters of a cell
_BEHIND = ("files", "seed", "kit", "graded", "run", "profile", "provisional because")


def table(students: Sequence[Student]) -> str:
    """The CSV, with a byte order mark: without it Excel reads names as another encoding.

    A row a student. Who has no mark has empty cells for it, and says why.
    """
    kinds = list(dict.fromkeys(kind for one in students for kind in one.ids))
    tasks = list({task.task: None for one in students if one.result.has_mark for task in one.result.tasks})
    out = io.StringIO()
    writer = csv.writer(out)
    weighed = [f"{task} counts" for task in tasks]
    writer.writerow(
        [*_WHO, *(f"id {cell(kind)}" for kind in kinds), *_ABOUT, *tasks, *weighed, *_COUNTS, *_BEHIND]
    )
    for one in students:
        who = [one.key, one.name, one.section, one.result.name, *(one.ids.get(kind, "") for kind in kinds)]
        writer.writerow([*map(cell, who), *_about(one), *_marks(one, tasks), *_behind(one)])
    return "\ufeff" + out.getvalue()


def _about(one: Student) -> list[str]:
    tied = one.result.provenance
    late = "" if tied is None or tied.late is None else "yes" if tied.late else "no"
    attempt = str(tied.attempt) if tied is not None else ""
    return [attempt, cell(tied.handed_in if tied else ""), late, status(one)]


def status(one: Student) -> str:
    """In a word or two: what the mark is, or that there is none."""
    if not one.result.has_mark:
        return "not graded"
    if one.result.not_renewed:
        return "not renewed"
    return "provisional" if one.result.run.provisional else "graded"


def _marks(one: Student, tasks: Sequence[str]) -> list[str]:
    result = one.result
    by_task = {task.task: task for task in result.tasks}
    changed = ". ".join(f"{task.task}: {said}" for task in result.tasks if (said := in_words(task)))
    why = result.not_renewed or one.why_not
    remarks = [cell(text, _LONG) for text in (changed, why, ". ".join(result.notes))]
    if not result.has_mark:
        return [*[""] * (2 * len(tasks) + 6), *remarks]
    counts = result.counts
    earned = [points(by_task[task].points) if task in by_task else "" for task in tasks]
    weighed = [
        number(counts.tasks[task]) if counts is not None and task in counts.tasks else earned[place]
        for place, task in enumerate(tasks)
    ]
    totals = [result.points, result.max_points, result.score, result.out_of]
    rule = [counts.rule, ". ".join(counts.look)] if counts is not None else ["", ""]
    return [*earned, *weighed, *map(number, totals), *(cell(text, _LONG) for text in rule), *remarks]


def _behind(one: Student) -> list[str]:
    tied, run = one.result.provenance, one.result.run
    if tied is None:
        return ["", "", "", "", "", cell(run.profile), cell(run.provisional_because)]
    what = [tied.files, tied.seed, tied.kit, tied.graded, tied.run, run.profile, run.provisional_because]
    return [cell(value) for value in what]
