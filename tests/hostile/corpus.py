"""The hostile submissions: where each comes from, what it claims, what it is laid over.

    submissions/preprocessing/NAME.py   handed in as preprocessing.py, and nothing else
    submissions/alexnet/NAME.py         as alexnet.py; those of the other tasks likewise
    submissions/folders/NAME/           a folder; the ending .txt of a file is dropped, so that a planted
                                        conftest.py or numpy.py does nothing to this checkout
    generated/                          zips and folders that no repository can hold, made when they are run

The first line of a docstring is the claim: "Tries ...; gains nothing because ...". Lines of the form
"Key: value" may follow:

    Baseline: 4     the points of an honest submission of the kind; without it 0, as for the untouched stubs
    Without: resnet: stem (argument), learns.coarse
                    the same, as the mark of a task in which these checks fail, by that rule or their own, and
                    nothing is trained: an honest submission with the same visible faults has no more
    Beside: why     the honest submission is graded in the same class at the same time, and not after it
    Silent: why     it prints nothing by which to see that it ran, for this reason

A submission prints a line that begins with "attack:", so that it is seen to have run, and "attack: took ..."
where it got hold of something that it should not have: the range counts that as a leak.
"""

import ast
import inspect
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from grader.config import manifest
from grader.grading import marking
from grader.results.verdict import Verdict
from tests.hostile import generated

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MODULES = ("preprocessing", "alexnet", "resnet", "wide_resnet", "evaluation")
_KEY = re.compile(r"^(Baseline|Without|Beside|Silent): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Attack:
    """One hostile submission.

    Attributes:
        name: of its file or folder; unique.
        claim: what it tries, and why it gains nothing.
        baseline: points of an honest submission.
        silent: why nothing is printed that begins with "attack:"; every other attack says so that it ran,
            so that one with a slip of the pen does not count as held off.
        build: writes it: (folder to put it into, what it may aim at) -> its folder or zip.
        beside: why the honest submission is graded at the same time; empty if it is graded afterwards.
    """

    name: str
    claim: str
    baseline: float
    silent: str
    build: Callable[[Path, Mapping[str, Any]], Path]
    beside: str = ""


def attacks() -> list[Attack]:
    """All of them; an assertion says which breaks the form above."""
    found = [*_files(), *_folders(), *_generated()]
    names = [attack.name for attack in found]
    doubled = {name for name in names if names.count(name) > 1}
    assert not doubled, f"two attacks are called {doubled}"
    return found


def _files() -> Iterator[Attack]:
    for module in MODULES:
        for file in sorted((HERE / "submissions" / module).glob("*.py")):
            yield _attack(file.stem, _docstring(file), _file_builder(file, module))


def _folders() -> Iterator[Attack]:
    for folder in sorted((HERE / "submissions" / "folders").iterdir()):
        if folder.is_dir():
            (described,) = [file for file in folder.glob("*.py") if "Tries " in file.read_text()[:400]]
            yield _attack(folder.name, _docstring(described), _folder_builder(folder))


def _generated() -> Iterator[Attack]:
    for name, function in generated.BUILDERS.items():
        yield _attack(name, inspect.getdoc(function) or "", function)


def _attack(name: str, text: str, build: Callable[[Path, Mapping[str, Any]], Path]) -> Attack:
    keys = dict(_KEY.findall(text))
    claim = " ".join(_KEY.sub("", text).split("\n\n")[0].split())
    assert re.match(r"Tries .+; gains nothing because .+\.$", claim), f"{name} states no claim: {claim}"
    baseline = _left(keys["Without"]) if "Without" in keys else float(keys.get("Baseline", 0))
    return Attack(name, claim, baseline, keys.get("Silent", ""), build, keys.get("Beside", ""))


def _left(without: str) -> float:
    """The mark of a task in which some checks fail for an honest fault, from "task: check, check (rule)".

    Checks without a rule fail by their own. Those that train fail for the network's cost: it was not trained.
    """
    task_id, _, checks = without.partition(": ")
    task = _manifest().task(task_id)
    there = {check.id: check for check in task.checks}
    found = {check.id: Verdict.passed() for check in task.checks}
    for one in checks.split(","):
        name, _, rule = one.strip().removesuffix(")").partition(" (")
        assert name in there, f"{task_id} has no check {name}"
        found[name] = Verdict.failed("It does not hold.", rule=rule, in_share=bool(there[name].train))
    return sum(line.points for line in marking.mark(task, found, _manifest()))


@cache
def _manifest() -> manifest.Manifest:
    return manifest.load(ROOT / "assignment" / "tasks.toml")


def _docstring(file: Path) -> str:
    """Read as text where the file is none that compiles."""
    source = file.read_text(encoding="utf-8")
    try:
        return ast.get_docstring(ast.parse(source)) or ""
    except (SyntaxError, ValueError):
        return source.split('"""')[1]


def _file_builder(file: Path, module: str) -> Callable[[Path, Mapping[str, Any]], Path]:
    def build(into: Path, _targets: Mapping[str, Any]) -> Path:
        shutil.copy(file, into / f"{module}.py")
        return into

    return build


def _folder_builder(folder: Path) -> Callable[[Path, Mapping[str, Any]], Path]:
    def build(into: Path, _targets: Mapping[str, Any]) -> Path:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                target = into / str(path.relative_to(folder)).removesuffix(".txt")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
        return into

    return build
