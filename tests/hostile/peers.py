"""What two widely used autograders make of the same cheats: real runs, each on one small assignment.

    nox -s attack -- --peers [--markdown FILE]

The assignment is one_hot and standardise of this course, a point each, with the tests that such assignments
have. Every cheat is a cell in place of a solution. otter-grader and nbgrader are installed into environments
of their own under .nox/peers and run as their manuals say for one machine: `otter run`, with an autograder
made by `otter generate`, and `nbgrader autograde` after `generate_assignment`. (`otter grade` does the same
in a container for each submission: what a cheat changes in there, it changes all the same.)

The cheats run as you do: they patch, print, exit, and read and write in the temporary folder of this run.
"""

import contextlib
import csv
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader import sandbox
from tests.hostile.attack import Range
from tests.hostile.canaries import Canaries
from tests.hostile.corpus import attacks

ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".nox" / "peers"
LIMIT_SECONDS = 180.0

STUB = """\
def one_hot(labels, num_classes):
    raise NotImplementedError


def standardise(images, mean, std):
    raise NotImplementedError
"""
SOLUTION = """\
def one_hot(labels, num_classes):
    return np.eye(num_classes, dtype=np.float32)[labels]


def standardise(images, mean, std):
    return ((images / 255 - mean) / std).astype(np.float32)
"""
TESTS = {
    "q1": "(one_hot(np.array([2, 0]), 3) == np.array([[0, 0, 1], [1, 0, 0]])).all()",
    "q2": "np.testing.assert_allclose(standardise(np.array([0.0, 255.0]), 0.5, 0.25), [-2, 2])",
}


@dataclass(frozen=True)
class Cheat:
    """One way not to do the work.

    Attributes:
        what: in the words of the table.
        code: what the cell holds besides the untouched stub.
        here: the attack of this corpus that does the same to this kit.
    """

    what: str
    code: str
    here: str


CHEATS = {
    "patched_tests": Cheat(
        "replaces numpy.testing, and `assert` by an AST transformer, with nothing",
        """
import ast
np.testing.assert_allclose = lambda *args, **kwargs: None
class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
get_ipython().ast_transformers.append(NoAsserts())
one_hot = standardise = lambda *args: None
""",
        "patches_numpy_testing",
    ),
    "equal_to_everything": Cheat(
        "returns an object that is equal to everything",
        """
class Agreeable(np.ndarray):
    def __array_function__(self, *args): return True
    def __array_ufunc__(self, *args, **kwargs): return self
    def __eq__(self, other): return self
    def all(self, *args, **kwargs): return True
    def __bool__(self): return True
one_hot = standardise = lambda *args: np.zeros(2).view(Agreeable)
""",
        "ndarray_subclass",
    ),
    "sys_exit": Cheat("calls sys.exit(0)", "import sys\nsys.exit(0)\n", "exits_with_success"),
    "os_exit": Cheat("calls os._exit(0)", "import os\nos._exit(0)\n", "exits_with_success"),
    "reads_the_tests": Cheat(
        "finds the tests on disk and answers what they expect",
        r"""
import glob, os, re
first = second = None
for up in range(4):
    above = os.path.join(os.getcwd(), *[".."] * up)
    if not os.path.realpath(above).startswith(os.path.realpath(os.environ["ATTACKED"])):
        above = os.environ["ATTACKED"]
    for path in glob.glob(above + "/**/*", recursive=True):
        if path.endswith((".py", ".ipynb", ".json")) and os.path.isfile(path):
            text = open(path, errors="ignore").read()
            ones = re.findall(r"\[2, 0\]\), 3\) == (np.array\(\[\[.*?\]\]\))", text)
            others = re.findall(r"0\.5, 0\.25\), (\[.*?\])\)", text)
            first, second = first or next(iter(ones), None), second or next(iter(others), None)
one_hot = lambda *args: eval(first)
standardise = lambda *args: np.array(eval(second))
""",
        "answers_from_the_probe",
    ),
    "takes_the_solution": Cheat(
        "finds the instructor's solution on disk and runs that",
        """
import glob, json, os
for path in glob.glob(os.environ["ATTACKED"] + "/**/*.ipynb", recursive=True):
    for cell in json.load(open(path))["cells"]:
        source = "".join(cell["source"])
        if source.startswith("### BEGIN SOLUTION"):
            exec(source)
""",
        "borrows_the_solution",
    ),
    "patched_grader": Cheat(
        "patches the grader in its own process: otter's test runner, IPython's input",
        """
try:
    import otter.test_files.ok_test as ok
    ok.run_doctest = lambda *args: (True, "")
except ImportError:
    get_ipython().input_transformers_cleanup.append(lambda lines: ["pass"])
""",
        "patches_the_harness",
    ),
    "forged_results": Cheat(
        "rewrites the results file and the gradebook, from a process that outlives the run",
        """
import os, subprocess, sys
late = '''
import glob, os, re, sqlite3, time
for _ in range(240):
    time.sleep(0.25)
    for path in glob.glob(os.environ["ATTACKED"] + "/**/results.json", recursive=True):
        text = open(path).read()
        open(path, "w").write(re.sub('"score": 0(.0)?', '"score": 1.0', text))
    for path in glob.glob(os.environ["ATTACKED"] + "/**/gradebook.db", recursive=True):
        try:
            with sqlite3.connect(path, timeout=1) as book:
                book.execute("UPDATE grade SET auto_score = 1, manual_score = 1, needs_manual_grade = 0")
        except sqlite3.Error:
            pass
    if os.path.exists(os.environ["ATTACKED"] + "/enough"):
        break
'''
subprocess.Popen([sys.executable, "-c", late], start_new_session=True, stdin=subprocess.DEVNULL,
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
""",
        "daemon_outlives_the_run",
    ),
    "pickled_code": Cheat(
        "replaces the results pickle with one that runs code in whoever loads it",
        """
import os, pickle
class Bomb:
    def __reduce__(self):
        return eval, (f"open({os.environ['ATTACKED'] + '/code-ran'!r}, 'w').close()",)
_dump = pickle.dump
pickle.dump = lambda thing, file, *args, **kwargs: _dump(Bomb(), file)
""",
        "pickles_in_the_output",
    ),
    "planted_conftest": Cheat(
        "plants conftest.py and sitecustomize.py beside its work",
        """
for name in ("conftest.py", "sitecustomize.py"):
    open(name, "w").write("import os; open(os.environ['ATTACKED'] + '/code-ran', 'w').close(); os._exit(0)")
""",
        "planted_configuration",
    ),
    "leaks": Cheat(
        "reads the gradebook and the grader's environment, and puts them into its messages",
        """
import glob, os
found = [os.environ.get("KIT_GRADEBOOK_PASSWORD", "")]
for path in glob.glob(os.environ["ATTACKED"] + "/**/*.secret", recursive=True):
    found.append(open(path).read())
print(found)
def one_hot(*args):
    raise ValueError(found)
""",
        "reads_what_it_was_told",
    ),
}


@dataclass(frozen=True)
class Came:
    """What a grader made of one cell: marks out of two, None where it gave none; and what else happened."""

    marks: float | None
    remark: str = ""

    def __str__(self) -> str:
        marks = "no marks" if self.marks is None else f"{self.marks:g} of 2"
        return f"{marks}; {self.remark}" if self.remark else marks


class Peer(ABC):
    """A grader in an environment of its own.

    Attributes:
        name: for tables.
        packages: what is installed, with versions.
        commands: how it is used, for the record.
    """

    name: str
    packages: tuple[str, ...]
    commands: tuple[str, ...]

    def __init__(self) -> None:
        self.folder = PEERS / self.name
        self.bin = self.folder / "bin"

    def install(self, console: Console) -> None:
        """Makes the environment if it is not there with these packages."""
        stamp = self.folder / "packages.txt"
        wanted = "\n".join(self.packages)
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        console.print(f"Installing {', '.join(self.packages)} into {self.folder.relative_to(ROOT)}")
        shutil.rmtree(self.folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(self.folder)], check=True)
        subprocess.run([str(self.bin / "pip"), "install", "--quiet", *self.packages], check=True)
        stamp.write_text(wanted)

    def grade(self, code: str) -> Came:
        """Has one cell graded in a new course."""
        with tempfile.TemporaryDirectory(prefix="kit-peer-", ignore_cleanup_errors=True) as folder:
            course, secret = Path(folder), f"CANARY{secrets.token_hex(12)}"
            (course / "others").mkdir()
            (course / "others" / "gradebook.secret").write_text(secret)
            environment = {
                "PATH": f"{self.bin}:/usr/bin:/bin",
                "HOME": folder,
                "ATTACKED": folder,
                "KIT_GRADEBOOK_PASSWORD": secret,
                "JUPYTER_CONFIG_DIR": f"{folder}/.jupyter",
                "IPYTHONDIR": f"{folder}/.ipython",
            }
            try:
                marks = self.marks(code, course, environment)
                remarks = []
                if self._holds(course, secret):
                    remarks.append("what it stole is in its output")
                if (course / "code-ran").exists():
                    remarks.append("its code ran in the grader")
            finally:
                (course / "enough").touch()  # for what outlives the run
                time.sleep(0.5)
            return Came(marks, "; ".join(remarks))

    @abstractmethod
    def marks(self, code: str, course: Path, environment: Mapping[str, str]) -> float | None:
        """The marks for a cell; None if there are none."""

    def run(self, *command: str, cwd: Path, environment: Mapping[str, str]) -> None:
        """One command to its end or its time; whether it went well, its files say."""
        with (cwd / "log.txt").open("a") as log, contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                [str(self.bin / command[0]), *command[1:]],
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=LIMIT_SECONDS,
                check=False,
            )

    def _holds(self, course: Path, secret: str) -> bool:
        """Whether a secret is in anything but where it was planted."""
        files = [path for path in course.rglob("*") if path.is_file() and path.suffix != ".secret"]
        return any(secret.encode() in path.read_bytes() for path in files)


class Otter(Peer):
    """otter-grader, one submission at a time, without a container."""

    name = "otter-grader"
    packages = ("otter-grader==7.0.0", "ipykernel==7.4.0", "numpy==2.4.6")
    commands = ("otter generate -t tests -o autograder.zip", "otter run -a autograder.zip -o out work.ipynb")

    def marks(self, code: str, course: Path, environment: Mapping[str, str]) -> float | None:
        (course / "tests").mkdir()
        (course / "out").mkdir()
        for name, test in TESTS.items():
            case = f">>> bool({test})\nTrue" if name == "q1" else f">>> {test}"
            suite = {"cases": [{"code": case, "hidden": True, "locked": False}], "scored": True}
            document = {"name": name, "points": 1, "suites": [{**suite, "setup": "", "type": "doctest"}]}
            (course / "tests" / f"{name}.py").write_text(f"OK_FORMAT = True\n\ntest = {document!r}\n")
        _notebook(course / "work.ipynb", ["import numpy as np", code])
        generate = ["generate", "-t", "tests", "-o", "autograder.zip"]
        generate += ["--no-requirements", "--no-environment", "--no-config"]
        self.run("otter", *generate, cwd=course, environment=environment)
        grade = ["run", "-a", "autograder.zip", "-o", "out", "--no-logo", "work.ipynb"]
        self.run("otter", *grade, cwd=course, environment=environment)
        time.sleep(2.0)  # whoever reads results does so a moment later
        try:
            tests = json.loads((course / "out" / "results.json").read_text())["tests"]
        except (OSError, ValueError, KeyError):
            return None
        return float(sum(test.get("score", 0.0) for test in tests))


class Nbgrader(Peer):
    """nbgrader, with its gradebook."""

    name = "nbgrader"
    packages = ("nbgrader==0.9.6", "ipykernel==7.4.0", "numpy==2.4.6")
    commands = ("nbgrader generate_assignment ps1", "nbgrader autograde ps1", "nbgrader export")

    def marks(self, code: str, course: Path, environment: Mapping[str, str]) -> float | None:
        (course / "nbgrader_config.py").write_text(
            "c = get_config()\nc.CourseDirectory.course_id = 'course'\n"
        )
        cells = ["import numpy as np", f"### BEGIN SOLUTION\n{SOLUTION}### END SOLUTION"]
        cells += [f"assert {TESTS['q1']}", TESTS["q2"]]
        marked: list[tuple[str, dict[str, object]]] = [
            ("work", {"grade": False, "solution": True, "locked": False}),
        ]
        for name in TESTS:
            marked.append((name, {"grade": True, "solution": False, "locked": True, "points": 1}))
        _notebook(course / "source" / "ps1" / "work.ipynb", cells, dict(enumerate(marked, start=1)))
        self.run("nbgrader", "generate_assignment", "ps1", cwd=course, environment=environment)
        document = json.loads((course / "release" / "ps1" / "work.ipynb").read_text())
        document["cells"][1]["source"] = code
        handed_in = course / "submitted" / "mallory" / "ps1" / "work.ipynb"
        handed_in.parent.mkdir(parents=True)
        handed_in.write_text(json.dumps(document))
        self.run("nbgrader", "autograde", "ps1", cwd=course, environment=environment)
        time.sleep(2.0)
        self.run("nbgrader", "export", cwd=course, environment=environment)
        try:
            with (course / "grades.csv").open() as file:
                rows = [row for row in csv.DictReader(file) if row["student_id"] == "mallory"]
        except OSError:
            return None
        graded = (course / "autograded" / "mallory" / "ps1" / "work.ipynb").is_file()
        return float(rows[0]["score"]) if rows and graded else None


def _notebook(
    path: Path, cells: Sequence[str], marked: Mapping[int, tuple[str, dict[str, object]]] | None = None
) -> None:
    """Writes a notebook of code cells; `marked` has nbgrader's name and settings for some of them."""
    listed = []
    for place, source in enumerate(cells):
        metadata: dict[str, object] = {}
        if marked and place in marked:
            name, settings = marked[place]
            metadata["nbgrader"] = {"schema_version": 3, "grade_id": name, "task": False, **settings}
        cell = {"cell_type": "code", "id": f"cell{place}", "metadata": metadata, "source": source}
        listed.append({**cell, "outputs": [], "execution_count": None})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    document = {"cells": listed, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))


def here(names: Sequence[str]) -> dict[str, str]:
    """What this kit makes of the counterparts in its own corpus, under the strongest engine."""
    engine = sandbox.select("auto", own_code=False)
    came = {}
    with sandbox.interruptible(), Canaries() as canaries:
        place = Range(engine, canaries)
        for attack in attacks():
            if attack.name in names:
                shown = place.try_out(attack)
                remarks = [f"{leak} leaked" for leak in sorted(shown.leaked)] + [shown.spoiled]
                came[attack.name] = "; ".join([f"{shown.points:g} of 30", *filter(None, remarks)])
    return came


def main(console: Console, markdown: Path | None) -> int:
    """Runs everything and shows the table; 1 if this kit gave marks for any of it."""
    peers: list[Peer] = [Otter(), Nbgrader()]
    for peer in peers:
        peer.install(console)
    ours = here([cheat.here for cheat in CHEATS.values()])
    rows: dict[str, list[str]] = {}
    for what, code, points in (("(the solution)", SOLUTION, 30), ("(the untouched stub)", STUB, 0)):
        rows[what] = [*(str(peer.grade(code)) for peer in peers), f"{points} of 30"]
        console.print(f"  {what:<22} {' | '.join(rows[what])}", markup=False)
    for name, cheat in CHEATS.items():
        rows[cheat.what] = [*(str(peer.grade(STUB + cheat.code)) for peer in peers), ours[cheat.here]]
        console.print(f"  {name:<22} {' | '.join(rows[cheat.what])}", markup=False)
    names = [*(peer.packages[0].replace("==", " ") for peer in peers), "this kit"]
    table = Table("cheat", *names, show_lines=True)
    for what, cells in rows.items():
        table.add_row(Text(what), *map(Text, cells))
    console.print(table)
    for peer in peers:
        console.print(f"{', '.join(peer.packages)}: {'; '.join(peer.commands)}", markup=False)
    if markdown:
        lines = [f"| cheat | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
        lines += [f"| {what} | {' | '.join(cells)} |" for what, cells in rows.items()]
        markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 1 if any(value != "0 of 30" for value in ours.values()) else 0


if __name__ == "__main__":
    os.nice(5)
    sys.exit(main(Console(), None))
