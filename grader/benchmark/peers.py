"""Other tools with the same task: three builders and the arrays of the preprocessing, of one student.

Both grade a notebook whose cells are the student's files; their tests are bench/course/, a function a task,
with the calls that this kit's probes make at seed 1. They run as their manuals say for one machine: `otter
run` with an autograder made by `otter generate`, and `nbgrader autograde` after `nbgrader
generate_assignment`. Neither isolates what it runs. What they install is pinned in
bench/<peer>/requirements.txt.
"""

import ast
import csv
import inspect
import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.benchmark import measuring
from grader.benchmark.measuring import CommandFailed, Sample
from grader.errors import UsageError
from grader.tasks.preprocessing import probe as preprocessing

TASKS = ("preprocessing", "alexnet", "resnet", "wide_resnet")
POINTS = 1  # of each of them
_COPY = "### BEGIN SOLUTION\n{}\n### END SOLUTION"


class Environment:
    """Another tool, in an environment of its own.

    Attributes:
        name: of its folders, bench/<name>/ and .nox/bench-<name>/.
        package: what it is called on PyPI.
        command: how it is used, as it is typed.
    """

    name: str
    package: str
    command: str

    def __init__(self, root: Path) -> None:
        self._root = root
        self.environment = root / ".nox" / f"bench-{self.name}"
        wanted = (root / "bench" / self.name / "requirements.in").read_text(encoding="utf-8")
        found = re.search(rf"^{re.escape(self.package)}==(\S+)$", wanted, re.MULTILINE)
        assert found, self.package
        self.version = found.group(1)

    @property
    def title(self) -> str:
        """For tables: its name and its version."""
        return f"{self.package} {self.version}"

    def program(self, name: str) -> str:
        """A program of its environment; UsageError if that is not there."""
        path = self.environment / "bin" / name
        if not path.exists():
            raise UsageError(f"{self.package} is not in {self.environment}", fix="Run: nox -s bench")
        return str(path)

    def variables(self, home: Path) -> dict[str, str]:
        """All that its commands find of variables: no settings of whoever runs them."""
        return {
            "PATH": os.pathsep.join([str(self.environment / "bin"), "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "-1",
            "JUPYTER_CONFIG_DIR": str(home / ".jupyter"),
            "IPYTHONDIR": str(home / ".ipython"),
        }


class Peer(Environment, ABC):
    """Another grader."""

    @abstractmethod
    def prepare(self, course: Path, students: Mapping[str, Path]) -> None:
        """Lays out the assignment, and what was handed in, in an empty folder; nothing of it is measured.

        Args:
            course: the folder.
            students: their own folders, with the four files of the task, by name.
        """

    @abstractmethod
    def grade(self, course: Path) -> Sample:
        """Grades all that was handed in; CommandFailed unless everybody has all points."""

    def _run(self, course: Path, program: str, *arguments: str) -> Sample:
        return measuring.run(
            [self.program(program), *arguments], cwd=course, environment=self.variables(course)
        )

    def _test(self, task: str) -> tuple[str, str]:
        """The source of a task's test, and the name of the function."""
        source = (self._root / "bench" / "course" / f"{task}.py").read_text(encoding="utf-8")
        function = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
        return ast.get_source_segment(source, function) or "", function.name


class Otter(Peer):
    """otter-grader, without a container: one submission a command."""

    name = "otter"
    package = "otter-grader"
    command = "otter run -a autograder.zip -o out --no-logo alice.ipynb"

    def prepare(self, course: Path, students: Mapping[str, Path]) -> None:
        """As of Peer; for one student."""
        (name,) = students
        _write_notebook(course / f"{name}.ipynb", [(source, None) for source in cells(students[name])])
        (course / "out").mkdir()
        for task in TASKS:
            source, _ = self._test(task)
            test = f"@test_case(points={POINTS}, hidden=True)\n{source}"
            text = f'from otter.test_files import test_case\n\nOK_FORMAT = False\n\nname = "{task}"\n'
            text += f"points = {POINTS}\n\n{_drawing(task)}\n\n{test}\n"
            (course / "tests").mkdir(exist_ok=True)
            (course / "tests" / f"{task}.py").write_text(text, encoding="utf-8")
        options = ["-t", "tests", "-o", "autograder.zip"]
        options += ["--no-requirements", "--no-environment", "--no-config"]
        self._run(course, "otter", "generate", *options)

    def grade(self, course: Path) -> Sample:
        """As of Peer."""
        (notebook,) = course.glob("*.ipynb")
        arguments = ["run", "-a", "autograder.zip", "-o", "out", "--no-logo", notebook.name]
        sample = self._run(course, "otter", *arguments)
        try:
            tests = json.loads((course / "out" / "results.json").read_text(encoding="utf-8"))["tests"]
        except (OSError, ValueError, KeyError) as error:
            raise CommandFailed(f"otter run left no results: {sample.printed[-400:]}") from error
        points = sum(float(test.get("score", 0.0)) for test in tests)
        if points != POINTS * len(TASKS):
            said = "; ".join(str(test.get("output", ""))[-300:] for test in tests)
            raise CommandFailed(f"otter run gave {points:g} of {POINTS * len(TASKS)} points: {said}")
        return sample


class Nbgrader(Peer):
    """nbgrader with its gradebook: a class a command, one notebook after the other."""

    name = "nbgrader"
    package = "nbgrader"
    command = "nbgrader autograde ps1"

    def prepare(self, course: Path, students: Mapping[str, Path]) -> None:
        """As of Peer."""
        (course / "nbgrader_config.py").write_text(
            "c = get_config()\nc.CourseDirectory.course_id = 'course'\nc.ExecutePreprocessor.timeout = 600\n",
            encoding="utf-8",
        )
        first = next(iter(students.values()))
        work, tests = {"grade": False, "solution": True, "locked": False}, []
        for task in TASKS:
            source, name = self._test(task)
            call = f"{name}({', '.join(_arguments(source))})"
            settings = {"grade": True, "solution": False, "locked": True, "points": POINTS}
            tests.append((f"{_drawing(task)}\n\n{source}\n\n{call}", {"grade_id": task, **settings}))
        marked = [
            (_COPY.format(source), {"grade_id": f"work{place}", **work})
            for place, source in enumerate(cells(first))
        ]
        _write_notebook(course / "source" / "ps1" / "work.ipynb", [*marked, *tests])
        self._run(course, "nbgrader", "generate_assignment", "ps1")
        released = json.loads((course / "release" / "ps1" / "work.ipynb").read_text(encoding="utf-8"))
        for student, folder in students.items():
            for place, source in enumerate(cells(folder)):
                released["cells"][place]["source"] = source
            handed_in = course / "submitted" / student / "ps1" / "work.ipynb"
            handed_in.parent.mkdir(parents=True)
            handed_in.write_text(json.dumps(released), encoding="utf-8")

    def grade(self, course: Path) -> Sample:
        """As of Peer."""
        sample = self._run(course, "nbgrader", "autograde", "ps1")
        self._run(course, "nbgrader", "export")
        with (course / "grades.csv").open(encoding="utf-8") as file:
            scores = {row["student_id"]: float(row["score"] or 0) for row in csv.DictReader(file)}
        students = {path.name for path in (course / "submitted").iterdir()}
        short = [name for name in students if scores.get(name) != POINTS * len(TASKS)]
        if short:
            raise CommandFailed(f"nbgrader gave {scores}: {sample.printed[-600:]}")
        return sample


class Pytorch(Environment):
    """PyTorch, with the same networks written in it."""

    name = "pytorch"
    package = "torch"
    command = "python bench/pytorch/throughput.py"

    @property
    def script(self) -> Path:
        """What trains there."""
        return self._root / "bench" / self.name / "throughput.py"


def cells(folder: Path) -> list[str]:
    """A student's four files as the cells of a notebook."""
    found = []
    for task in TASKS:
        source = (folder / f"{task}.py").read_text(encoding="utf-8")
        # In one notebook two helpers cannot have one name, and nbgrader has marks of its own.
        own = re.sub(r"\b_convolution\b", f"_{task}_convolution", source)
        found.append(re.sub(r"^ *# (BEGIN|END) SOLUTION\n", "", own, flags=re.MULTILINE))
    return found


def _drawing(task: str) -> str:
    """What a test draws its inputs with: the probe's own function."""
    if task != "preprocessing":
        return ""
    return f"from typing import Any\n\nimport numpy as np\n\n\n{inspect.getsource(preprocessing.draw)}"


def _arguments(source: str) -> list[str]:
    """The names of the arguments of a function."""
    (function,) = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    return [argument.arg for argument in function.args.args]


def _write_notebook(path: Path, sources: Sequence[tuple[str, Mapping[str, object] | None]]) -> None:
    """A notebook of code cells, each with its source and nbgrader's settings, if it has any."""
    listed = []
    for place, (source, settings) in enumerate(sources):
        metadata = {"nbgrader": {"schema_version": 3, "task": False, **settings}} if settings else {}
        cell = {"cell_type": "code", "id": f"cell{place}", "metadata": metadata, "source": source}
        listed.append({**cell, "outputs": [], "execution_count": None})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    document = {"cells": listed, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
