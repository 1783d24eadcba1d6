"""results.json as Gradescope reads it (gradescope-autograders.readthedocs.io, "Autograder specifications").

What stands behind each mark (accuracies, thresholds, digests, seeds, versions) is in `extra_data`, which
Gradescope keeps and shows to instructors.
"""

import json
from pathlib import Path
from typing import Any

from grader.exporters import drawing
from grader.exporters.base import Exporter
from grader.exporters.terminal import as_text, in_words, number, submission
from grader.results import hints
from grader.results.record import CheckResult, Status, SubmissionResult, TaskResult
from lab.files import write_atomically


class Gradescope(Exporter):
    """results.json; or, where there is no mark, not-graded.json, which no gradebook takes in."""

    name = "gradescope"
    files = ("results.json", "not-graded.json")

    def write_submission(self, result: SubmissionResult, folder: Path) -> list[Path]:
        """Writes the one and removes the other."""
        names = ("results.json", "not-graded.json")
        path = folder / names[not result.has_mark]
        content = results(result) if result.has_mark else extra_data(result)
        (folder / names[result.has_mark]).unlink(missing_ok=True)
        write_atomically(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        return [path]


def results(result: SubmissionResult) -> dict[str, Any]:
    """The whole file, for a submission that was graded.

    Raises:
        ValueError: a check ended in a grader fault. There is no mark to hand on then, least of all a zero.
    """
    if not result.graded or not result.tasks:
        raise ValueError(f"{result.name} was not graded")
    return {
        "score": round(result.score, 4),
        "execution_time": round(result.seconds),
        "output": as_text([submission(result)]),
        "output_format": "text",
        "test_output_format": "text",
        "stdout_visibility": "hidden",
        "tests": [
            test
            for i, task in enumerate(result.tasks, 1)
            for test in (
                *(_test(task, check, f"{i}.{j}") for j, check in enumerate(task.checks, 1)),
                *_override(task, f"{i}.{len(task.checks) + 1}"),
            )
        ],
        "extra_data": extra_data(result),
    }


def extra_data(result: SubmissionResult) -> dict[str, Any]:
    """Everything that was recorded, to defend the mark with: also what is written when there is no mark."""
    return {"provisional": result.run.provisional, **result.model_dump(mode="json")}


def _override(task: TaskResult, position: str) -> list[dict[str, Any]]:
    """What a person added or took away, as a test of its own: so the score stays the sum of the tests."""
    if task.override is None:
        return []
    return [
        {
            "name": f"{task.title}: changed by hand",
            "number": position,
            "score": round(task.points - task.earned, 4),
            "max_score": 0,
            "status": "passed",
            "output": in_words(task),
            "tags": [task.task, "override"],
            "visibility": "visible",
            "extra_data": task.override.model_dump(mode="json"),
        }
    ]


def _test(task: TaskResult, check: CheckResult, position: str) -> dict[str, Any]:
    output = check.message
    if check.deduction:
        output = f"{output}\nCosts {number(check.deduction)}: {check.consequence}."
    if hint := hints.to_show(check):
        output = f"{output}\nHint: {hint}"
    if check.drawing and check.status is Status.FAILED:
        output = f"{output}\n\n{as_text([drawing.table(check.drawing)])}".rstrip()
    if check.status not in (Status.PASSED, Status.FAILED):
        output = f"{check.status.value}: {output}" if output else check.status.value
    # Without a score and a status it is neither passed nor failed: Gradescope shows the text alone.
    mark = {
        "score": round(check.points, 4),
        "max_score": check.max_points,
        "status": "passed" if check.status is Status.PASSED else "failed",
    }
    return {
        "name": f"{task.title}: {check.title}",
        "number": position,
        **({} if check.status is Status.HELD else mark),
        "output": output or f"{number(check.points)} of {number(check.max_points)} points",
        "tags": [task.task, check.check],
        "visibility": "visible",
        "extra_data": {"status": check.status.value, **check.data},
    }
