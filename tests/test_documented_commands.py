"""Every command of README.md, the docs, the brief and CONTRIBUTING.md, typed into a real shell.

Those that take minutes, a network, another machine or a container engine are in ELSEWHERE, each with what
runs it instead. A command of a page that is in neither table fails.
"""

import csv
import io
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import checkout
from tests.checkout import NOX, ROOT
from tests.documented import everywhere


@dataclass(frozen=True)
class Run:
    """How a command is run here.

    Attributes:
        shown: a pattern of what it prints; across lines, blanks stand for any space.
        typed: what is typed in its place where it stands for several: a file's name, more options.
        at: the folder where it is typed, beside the checkout or in it.
        codes: exit codes that are right; 0 is what pages promise unless they say otherwise.
    """

    shown: str
    typed: str = ""
    at: str = "kit"
    codes: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Elsewhere:
    """Why a command is not run here, and what runs it.

    Attributes:
        why: the reason.
        by: a file that runs it or its parts; "" if nothing does, and then the page says so.
        has: a text of that file that shows it.
    """

    why: str
    by: str
    has: str = ""


COPY = "cp solutions/marking.toml {0} && "
RUN = {
    # Students
    "nox": Run("Next: write split_indices .* Open in all tasks: 12 functions to write"),
    "nox -l": Run("check -> Students: .* grade -> Instructors: .* lint -> "),
    "nox -s check": Run("Next: write split_indices .* Open in all tasks: 12 functions to write"),
    "nox -s check -- alexnet": Run("Next: write build_alexnet in alexnet.py"),
    "nox -s check -- resnet": Run("Next: write bottleneck_block in resnet.py"),
    "nox -s check -- resnet bottleneck_block": Run("to write: bottleneck_block"),
    "nox -s check -- --help": Run("Usage: nox -s check -- "),
    "nox -s hint": Run("split_indices"),
    "nox -s runs": Run("No run yet"),
    "nox -s submit": Run("submission.zip"),
    "nox -s grade -- assignment": Run("0 / 150", typed="nox -s grade -- assignment --out own"),
    # A class
    "nox -s grade": Run("Usage: nox -s grade -- "),
    "nox -s grade -- --help": Run("Usage: nox -s grade -- "),
    "nox -s grade -- submissions/": Run("2 students.* marks.csv"),
    "nox -s grade -- submissions --roster class.csv": Run("2 students.* marks.csv"),
    "nox -s grade -- FILE": Run("alice", typed="nox -s grade -- alice.zip --out one"),
    "nox -s grade -- alice.zip": Run("alice", typed="nox -s grade -- alice.zip --out one"),
    "nox -s grade -- submissions.zip": Run(
        "2 students", typed="nox -s grade -- submissions.zip --out packed"
    ),
    "nox -f ../kit/noxfile.py -s grade -- alice.zip --out marks": Run("marks/alice", at="elsewhere"),
    "nox -s gradebook -- show": Run("Alice .* Bob"),
    "nox -s gradebook -- verify": Run("gradebook"),
    "nox -s gradebook -- override": Run(
        "Bob", typed='nox -s gradebook -- override bob alexnet 5 --why "Shown in the lab that it runs"'
    ),
    "nox -s marking -- --with mine.toml results/": Run(
        "Marks of 2 submissions by mine.toml",
        typed=COPY.format("mine.toml") + "nox -s marking -- --with mine.toml results/",
    ),
    "nox -s marking -- --with my-marking.toml results/": Run(
        "Marks of 2 submissions by my-marking.toml",
        typed=COPY.format("my-marking.toml") + "nox -s marking -- --with my-marking.toml results/",
    ),
    # Exports
    "nox -s export": Run("Usage: nox -s export -- COMMAND"),
    "nox -s export -- canvas": Run(
        "canvas.csv", typed="nox -s export -- canvas --template Grades-CS101.csv --out-of 150"
    ),
    "nox -s export -- canvas --template FILE": Run(
        "canvas.csv", typed="nox -s export -- canvas --template Grades-CS101.csv"
    ),
    'nox -s export -- canvas --template Grades-CS101.csv --column "Lab 3"': Run("canvas.csv"),
    "nox -s export -- moodle --by email --out-of 100": Run("moodle.csv"),
    "nox -s export -- moodle --worksheet Grades-Lab3-10012.csv": Run("Grades|moodle"),
    "nox -s export -- gradescope": Run("gradescope"),
    "nox -s export -- gradescope --release checks": Run("gradescope"),
    "nox -s export -- gradescope --release all": Run("gradescope"),
    "nox -s export -- csv": Run("csv"),
    "nox -s export -- junit": Run("junit"),
    "nox -s export -- html": Run("index.html"),
    # Platforms
    "nox -s package -- gradescope": Run("autograder.zip"),
    "nox -s package -- gradescope --release all": Run("autograder.zip"),
    'python -c "import keras; help(keras.layers.Conv2D)"': Run("2D convolution layer"),
    "nox -s package -- github": Run("template", typed="nox -s package -- github --to template"),
    "nox -s package -- github --to FOLDER": Run("FOLDER"),
    "nox -s package -- github --to lab1-template": Run("lab1-template", at="github"),
    "nox -s collect": Run("Usage: nox -s collect -- "),
    "nox -s collect -- LIST": Run(
        "2 ", typed="nox -s collect -- repositories.txt --to from-list", at="github"
    ),
    "nox -s collect -- repositories.txt --to submissions": Run("2 ", at="github"),
    "nox -s collect -- repositories.txt": Run("2 ", at="github"),
    "nox -s grade -- submissions --layout repositories": Run(
        "2 students", typed="nox -s grade -- submissions --layout repositories --out results", at="github"
    ),
    "nox -s collect -- clones/": Run("2 ", typed="nox -s collect -- clones/ --to from-clones", at="github"),
    "for student in submitted/*/; do mkdir -p class; "
    'cp -r "$student"ps1 "class/$(basename "$student")"; done': Run("^$", at="nbgrader"),
    "nox -s grade -- class/": Run("2 students", typed="nox -s grade -- class/ --out results", at="nbgrader"),
    "nox -s grade -- submitted/": Run(
        "2 students", typed="cp -r class flat && nox -s grade -- flat/ --out flat-results", at="nbgrader"
    ),
    "dvc remote add --default store /a/shared/folder": Run(
        "Setting 'store'", typed="dvc init -q --no-scm && dvc remote add --default store ../store", at="data"
    ),
    "dvc add data grader/hidden": Run("", at="data"),
    "dvc push": Run("2 files pushed|files pushed", at="data"),
    # Operators
    "nox -s doctor": Run("sandbox|engine", codes=(0, 1)),  # 1: something is missing on this machine
    "nox -s certificates": Run("certs|cluster"),
    "nox -s bench -- --list": Run("check"),
    # Authors
    "nox -s stubs": Run("assignment/ is what solutions/ gives"),
    "nox -s handout": Run("cifar100-assignment.zip: .* files"),
    "python -m grader.reference versions": Run(""),
    "python -m grader.reference versions --same-results training": Run(""),
    "python -m grader.reference versions --same-results describe": Run(""),
    "python docs/marking.py": Run(""),
    "dvc metrics show": Run("accuracy"),
    "dvc params diff": Run(""),
    "dvc plots show": Run("html"),
}

CI = ".ci/run"
INSTALLS = "needs a package registry"
MINUTES = "takes minutes"
HOURS = "takes hours of two cores"
CONTAINERS = "needs podman or docker, and minutes"
CLUSTER = "waits for other machines until it is stopped"
TASK = Elsewhere("needs the task that the page adds", "tests/test_adding_a_task.py", "adding-a-task.md")
ATTACKS = Elsewhere("takes 15 minutes an engine", "tests/hostile/test_attack.py", "attack")
ELSEWHERE = {
    "python3 -m venv .venv": Elsewhere(INSTALLS, CI, "python3 -m venv .venv"),
    'pip install -q "nox[uv]"': Elsewhere(INSTALLS, CI, '.venv/bin/pip install -q "nox[uv]"'),
    'pip install "nox[uv]"': Elsewhere(INSTALLS, CI, '.venv/bin/pip install -q "nox[uv]"'),
    "uv lock": Elsewhere(INSTALLS, "noxfile.py", '"--locked"'),
    "uv sync --locked": Elsewhere(INSTALLS, "noxfile.py", '"--locked"'),
    "apt-get install --no-install-recommends podman buildah runc uidmap slirp4netns fuse-overlayfs "
    "catatonit netavark debootstrap": Elsewhere(INSTALLS, CI, "podman buildah runc uidmap"),
    "nox -s data": Elsewhere("fetches 160 MB", "tests/lab/test_fetch.py"),
    "nox -s data -- --from cifar-100-python.tar.gz": Elsewhere(
        "needs CIFAR-100", CI, "nox -s data -- --from"
    ),
    # Trainings and whole runs
    "nox -s grade -- solutions --retrain": Elsewhere(MINUTES, CI, "nox -s grade -- solutions --retrain"),
    "nox -s tests": Elsewhere("would run itself", CI, "nox -s tests"),
    "nox -s tests -- --quick": Elsewhere("would run itself", "tests/conftest.py", "--quick"),
    "nox -s lint": Elsewhere("takes a minute", CI, "nox -s lint"),
    "nox -s prove": Elsewhere(MINUTES, CI, "nox -s prove"),
    "nox -s prove -- alexnet evaluation": Elsewhere(MINUTES, "tests/grader/proof/test_prove.py"),
    "nox -s prove -- --train": Elsewhere(HOURS, "tests/grader/proof/test_prove.py", "train"),
    "nox -s prove -- --train --profile cpu": Elsewhere(HOURS, "tests/grader/proof/test_prove.py", "train"),
    "nox -s train -- alexnet": Elsewhere(MINUTES, "tests/grader/commands/test_train.py", '"train"'),
    "nox -s inspect": Elsewhere("takes a minute", "tests/grader/commands/test_inspect.py"),
    "nox -s check -- --watch": Elsewhere(
        "runs until Ctrl-C", "tests/grader/commands/test_check.py", "--watch"
    ),
    "nox -s notebook": Elsewhere("opens a browser", "tests/test_notebook.py", "lab.ipynb"),
    "nox -s architecture": Elsewhere("checked there", "tests/test_architecture.py", "docs/architecture.py"),
    "nox -s reference -- --profile cpu --dry": Elsewhere(
        "needs CIFAR-100", "tests/grader/cli/test_app.py", "--force --dry"
    ),
    "nox -s reference": Elsewhere(HOURS, "tests/test_pipeline.py"),
    "nox -s reference -- --profile study": Elsewhere(HOURS, "tests/grader/reference/test_study.py"),
    "nox -s report -- --profile study": Elsewhere(HOURS, "tests/grader/reference/test_study.py"),
    "nox -s grade -- FOLDER --profile offline --out OUT": Elsewhere(
        "names no folder", "tests/grader/commands/test_grade_notes.py", '"offline"'
    ),
    "nox -s gradebook -- forget": Elsewhere(
        "names nobody", "tests/grader/commands/test_gradebook.py", "forget"
    ),
    "python -m tests.packages.gradescope": Elsewhere(CONTAINERS, "tests/grader/packaging/test_gradescope.py"),
    "nox -s reference -- --profile cpu": Elsewhere(HOURS, "tests/test_pipeline.py"),
    "dvc repro": Elsewhere(HOURS, "tests/test_pipeline.py", "repro"),
    "dvc status": Elsewhere("run there", "tests/test_pipeline.py", "dvc status"),
    "nox -s report": Elsewhere("run there", "tests/grader/reference/test_report.py"),
    "nox -s report -- --profile cpu": Elsewhere("run there", "tests/grader/reference/test_report.py"),
    "python -m grader.reference confirm --profile cpu": Elsewhere(
        HOURS, "tests/grader/reference/test_confirm.py", "confirm.confirm("
    ),
    "python -m grader.reference candidates --profile cpu": Elsewhere(
        HOURS, "tests/grader/reference/test_candidates.py", "candidates"
    ),
    "nox -s bench": Elsewhere(MINUTES, "tests/grader/benchmark/test_bench.py"),
    "nox -s bench -- check same-task": Elsewhere(MINUTES, "tests/grader/benchmark/test_bench.py"),
    "nox -s bench -- --quick --no-before": Elsewhere(MINUTES, "tests/grader/benchmark/test_bench.py"),
    "nox -s bench -- check --out reference/bench.json": Elsewhere(
        MINUTES, "tests/grader/benchmark/test_bench.py"
    ),
    "python bench/pytorch/throughput.py": Elsewhere("needs PyTorch", "grader/benchmark", "throughput.py"),
    "nox -s overnight": Elsewhere("takes half an hour", "tests/overnight/test_a_class.py"),
    "nox -s overnight -- --students 800 --distinct 60": Elsewhere(MINUTES, "tests/overnight/test_a_class.py"),
    "nox -s overnight -- kills": Elsewhere("takes half an hour", "tests/overnight/test_kills.py", "kills"),
    "python -m tests.grader.similar.copies": Elsewhere("takes 30 s", "tests/grader/similar", "copies"),
    # Attacks
    "nox -s attack": ATTACKS,
    "nox -s attack -- --engine <engine>": ATTACKS,
    "nox -s attack -- --fair 10": ATTACKS,
    "nox -s attack -- --cost": ATTACKS,
    "nox -s attack -- --peers": Elsewhere(
        "needs otter-grader", "tests/grader/benchmark/test_peers.py", "Otter"
    ),
    "nox -s fuzz": Elsewhere("takes an hour", "tests/hostile/fuzz.py", "inputs"),
    # Containers
    ".ci/base-image": Elsewhere(CONTAINERS, CI, ".ci/base-image podman"),
    "nox -s image": Elsewhere(CONTAINERS, CI, "nox -s image -- "),
    "nox -s image -- --base localhost/python-base:bookworm --cpu-trainer": Elsewhere(
        CONTAINERS, CI, "--base localhost/python-base:bookworm --cpu-trainer"
    ),
    "nox -s image -- --cpu-trainer": Elsewhere(CONTAINERS, CI, "--cpu-trainer"),
    "nox -s image -- --target sandbox": Elsewhere(CONTAINERS, CI, "nox -s image -- "),
    "nox -s image -- --target trainer": Elsewhere(CONTAINERS, CI, "nox -s image -- "),
    "nox -s image -- --engine docker --base registry.example.edu/python:3.11 --ca-bundle ca.pem": Elsewhere(
        CONTAINERS,
        "tests/grader/cli/test_app.py",
        "--engine docker --base b --cpu-trainer --ca-bundle ca.pem",
    ),
    # Clusters
    "nox -s scheduler": Elsewhere(CLUSTER, "tests/grader/cluster/running.py", '"scheduler", "scheduler"'),
    "nox -s scheduler -- --profile cpu --host 10.0.0.5": Elsewhere(
        CLUSTER, "tests/grader/cluster/running.py", '"scheduler", "scheduler"'
    ),
    "nox -s worker -- tls://HOST:PORT": Elsewhere(
        CLUSTER, "tests/grader/cluster/running.py", '("worker", address'
    ),
    "nox -s worker -- tls://10.0.0.5:8786 --profile cpu": Elsewhere(
        CLUSTER, "tests/grader/cluster/running.py", '("worker", address'
    ),
    "nox -s grade -- CLASS --scheduler tls://HOST:PORT": Elsewhere(
        CLUSTER, "tests/grader/cluster/test_overnight.py", "scheduler="
    ),
    "nox -s grade -- class/ --profile cpu --scheduler tls://10.0.0.5:8786": Elsewhere(
        CLUSTER, "tests/grader/cluster/test_overnight.py", "scheduler="
    ),
    **dict.fromkeys(
        (
            "sbatch --array=1-8 docs/scaling/worker.sbatch tls://10.0.0.5:8786 cpu",
            "sbatch --array=1-4 --gres=gpu:1 docs/scaling/worker.sbatch tls://10.0.0.5:8786 gpu "
            "--trainings-only --workers 1",
        ),
        Elsewhere("needs SLURM", "", "has never run"),
    ),
    **dict.fromkeys(
        (
            "uv export --locked --extra cluster --no-default-groups --no-hashes -o /tmp/packages.txt",
            "uv pip install --python 3.11 --no-deps --target .packages -r /tmp/packages.txt",
            "kubectl create secret generic kit-cluster --from-file=.kit/cluster",
            "kubectl apply -f docs/scaling/kubernetes.yaml",
        ),
        Elsewhere("needs Kubernetes", "", "have ever run on a cluster"),
    ),
    # The page that adds a task
    "nox -s prove -- augmentation": TASK,
    "nox -s check -- augmentation": TASK,
    "nox -s check -- augmentation --folder solutions": TASK,
    "nox -s tests -- tests/grader/proof/test_bank.py tests/grader/handout/test_stubs.py "
    'tests/grader/config/test_manifest.py -q -k "augmentation or This or Shipped"': TASK,
}

FOUND = everywhere()
WHO = {"alice": ("Alice Abara", "1001"), "bob": ("Bob Brandt", "1002")}
Shell = Callable[[str, str], "subprocess.CompletedProcess[str]"]


class TestTables:
    def test_each_command_is_in_one(self) -> None:
        """Whoever writes a new one says here how it is run."""
        assert len(FOUND) > 100
        missing = {command: pages for command, pages in FOUND.items() if command not in RUN | ELSEWHERE}
        assert missing == {}
        assert not RUN.keys() & ELSEWHERE.keys()

    def test_no_command_that_is_written_nowhere(self) -> None:
        assert sorted((RUN | ELSEWHERE).keys() - FOUND.keys()) == []

    @pytest.mark.parametrize("command", ELSEWHERE)
    def test_what_runs_the_others(self, command: str) -> None:
        """It is there, and names it; or the page says that nobody has run the command."""
        other = ELSEWHERE[command]
        places = [ROOT / other.by] if other.by else [ROOT / page for page in FOUND[command]]
        paths = [path for place in places for path in ([place] if place.is_file() else place.rglob("*.py"))]
        texts = [" ".join(path.read_text(encoding="utf-8").split()) for path in paths]
        assert texts
        assert any(other.has in text for text in texts)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Types a command in a folder beside a prepared checkout, `kit`, or in it.

    There is a class of two, who wrote evaluation.py: Alice's is the solution, Bob sorts the wrong way round.
    """
    place = tmp_path_factory.mktemp("documented")
    kit = checkout.copy(place / "kit", without=("tests/",))
    _class(kit / "submissions")
    shutil.make_archive(str(kit / "submissions"), "zip", kit / "submissions")
    for folder in (kit, place / "elsewhere"):
        folder.mkdir(exist_ok=True)
        shutil.make_archive(str(folder / "alice"), "zip", kit / "submissions" / "alice")
    _lists(kit)
    _class(place / "nbgrader" / "submitted", below="ps1")
    _class(place / "github" / "clones")
    for name in ("alice", "bob"):
        _commit(place / "github" / "clones" / name)
    (place / "github" / "repositories.txt").write_text("alice,clones/alice\nbob,clones/bob\n")
    for name in ("data", "grader/hidden"):
        (place / "data" / name).mkdir(parents=True)
        (place / "data" / name / "images.npy").write_text(f"images of {name}")
    _commit(kit)
    programs = [str(kit / ".nox" / "kit" / "bin"), str(Path(NOX).parent) if NOX else "", os.environ["PATH"]]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DVC"))}

    def typed(command: str, at: str) -> "subprocess.CompletedProcess[str]":
        if at != "kit":
            command = command.replace("nox -s", "nox -f ../kit/noxfile.py -s")
        return subprocess.run(
            ["bash", "-c", command],
            cwd=place / at,
            env={**kept, "PATH": os.pathsep.join(programs), "COLUMNS": "160", "HOME": str(place)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    done = typed("nox -s grade -- submissions --roster class.csv", "kit")
    assert done.returncode == 0, done.stdout + done.stderr
    return typed


@pytest.mark.slow
@pytest.mark.skipif(NOX is None, reason="nox is neither on PATH nor in .venv")
@pytest.mark.parametrize("command", [command for command in RUN if command in FOUND])
def test_runs(command: str, shell: Shell) -> None:
    """It ends as the page says, and does what it is there for."""
    run = RUN[command]
    done = shell(run.typed or command, run.at)
    printed = done.stdout + done.stderr
    assert done.returncode in run.codes, printed
    assert "Traceback" not in printed
    assert re.search(run.shown, " ".join(printed.split())), printed


def _class(folder: Path, *, below: str = "") -> None:
    """Two students' files, each in a folder of its own."""
    solved = (ROOT / "solutions" / "evaluation.py").read_text(encoding="utf-8")
    wrong = solved.replace("np.argsort(-", "np.argsort(")
    assert wrong != solved
    for name, text in {"alice": solved, "bob": wrong}.items():
        (folder / name / below).mkdir(parents=True)
        (folder / name / below / "evaluation.py").write_text(text, encoding="utf-8")


def _lists(kit: Path) -> None:
    """A roster, Canvas's gradebook and Moodle's worksheet."""
    people = [(key, name, number, f"{key}@example.edu") for key, (name, number) in WHO.items()]
    tables = {
        "class.csv": [
            ("Name", "Email", "Login", "Student ID"),
            *((name, email, key, number) for key, name, number, email in people),
        ],
        "Grades-CS101.csv": [
            ("Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Lab 3 (4711)"),
            ("    Points Possible", "", "", "", "", "150.0"),
            *((name, f"7{number}", number, email, "A", "") for _, name, number, email in people),
        ],
        "Grades-Lab3-10012.csv": [
            (
                "Identifier",
                "Full name",
                "ID number",
                "Email address",
                "Status",
                "Grade",
                "Maximum grade",
                "Grade can be changed",
                "Last modified (grade)",
                "Feedback comments",
            ),
            *(
                (
                    f"Participant 9{number}",
                    name,
                    number,
                    email,
                    "Submitted for grading",
                    "",
                    "150.00",
                    "Yes",
                    "-",
                    "",
                )
                for _, name, number, email in people
            ),
        ],
    }
    for name, rows in tables.items():
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(rows)
        (kit / name).write_text(out.getvalue(), encoding="utf-8")


def _commit(folder: Path) -> None:
    """Makes it a repository with one commit."""
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.edu", "-c", "init.defaultBranch=main"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "work"]):
        subprocess.run([*git, *arguments], cwd=folder, check=True, capture_output=True)
