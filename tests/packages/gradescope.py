"""The autograder zip, in a container laid out like Gradescope's: half a core, 768 MB, no capability more.

    .nox/kit/bin/python -m tests.packages.gradescope [--base IMAGE] [--only CASE] [--release all]

Builds the zip, an image from it as Gradescope does (setup.sh as root), and grades a right submission, a wrong
one, the untouched stubs and hostile ones, each in a container of its own; each once where user namespaces are
allowed (bubblewrap) and once where they are not. Prints what came of each, with seconds and the container's
peak memory, and ends with 1 if anything is not as it should be. Takes some twenty minutes and needs podman as
root: no test of the suite. With `--base localhost/cifar100-course-kit-autograder-test` packages are kept.

pip's own settings on this machine (indexes, certificates) are mounted while setup.sh runs: no image has them.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from grader.config import manifest
from grader.grading.release import Release
from grader.packaging import rules
from grader.sandbox import container_images

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "localhost/cifar100-course-kit-autograder-test"
MEMORY, CORES = "768m", "0.5"
_LIVING = '/^State/ {state=$2} /^Uid/ && $2 >= 900 && state != "Z" {print "left behind", FILENAME}'
# podman as root asks for more than a container may have, unless these options are given.
ULIMITS = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=4096:4096")
MODULES = ("preprocessing", "alexnet", "resnet", "wide_resnet", "evaluation")


def no_namespaces() -> dict[str, Any]:
    """A seccomp profile that refuses new user namespaces."""
    new_user = 0x10000000
    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [
            {"names": ["unshare", "setns", "mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
            {
                "names": ["clone"],
                "action": "SCMP_ACT_ERRNO",
                "errnoRet": 1,
                "args": [{"index": 0, "value": new_user, "valueTwo": new_user, "op": "SCMP_CMP_MASKED_EQ"}],
            },
        ],
    }


@dataclass(frozen=True)
class Case:
    """A submission and what has to come of it.

    Attributes:
        name: shown.
        files: the submission, by file name.
        holds: what has to be true of results.json, with words for it.
    """

    name: str
    files: Mapping[str, str]
    holds: Mapping[str, Callable[[dict[str, Any]], bool]]


def cases(release: Release) -> list[Case]:
    """All submissions, and what comes of each where so much is released."""
    tasks = manifest.load(ROOT / "assignment" / "tasks.toml").tasks
    full = sum(task.worth.structure + (task.worth.training if release == "all" else 0) for task in tasks)
    train = {task.id for task in tasks if any(check.train for check in task.checks)}
    right = {f"{name}.py": (ROOT / "solutions" / f"{name}.py").read_text() for name in MODULES}
    stubs = {f"{name}.py": (ROOT / "assignment" / f"{name}.py").read_text() for name in MODULES}
    relu = "x = keras.layers.ReLU()(_convolution(x, filters, kernel=1))"
    wrong = {**right, "resnet.py": right["resnet.py"].replace(relu, "x = _convolution(x, filters, kernel=1)")}
    assert wrong != right
    on_tensorflow = {**right, "alexnet.py": "import tensorflow as tf\n" + right["alexnet.py"]}
    waits = "import time\ntime.sleep(10**6)\n"
    return [
        Case(
            "right",
            right,
            {
                "full marks": lambda d: d["score"] == full,
                "accuracies are held back, or all there": lambda d: (
                    without_points(d) == (train if release == "checks" else set())
                ),
            },
        ),
        Case(
            "right, on TensorFlow",
            on_tensorflow,
            {"full marks": lambda d: d["score"] == full},
        ),
        Case(
            "wrong",
            wrong,
            {
                "less than full marks, more than half": lambda d: full / 2 < d["score"] < full,
                "it states what is open": lambda d: (
                    without_points(d) == (train if release == "checks" else {"resnet"})
                    and "follows after the deadline" in json.dumps(d)
                ),
                "a check of resnet failed": lambda d: any(
                    t.get("status") == "failed" and t["tags"][0] == "resnet" for t in d["tests"]
                ),
            },
        ),
        Case("untouched", stubs, {"nothing earned": lambda d: d["score"] == 0}),
        Case(
            "nothing of the task",
            {"notes.txt": "hello"},
            {"no score, but words": lambda d: "score" not in d and "tests" not in d and bool(d["output"])},
        ),
        Case(
            "hostile",
            {
                **right,
                "alexnet.py": (Path(__file__).parent / "hostile.txt").read_text() + right["alexnet.py"],
            },
            {
                "it tried, and found nothing": lambda d: "FOUND nothing. Refused: " in json.dumps(d),
                "the other tasks have their marks": lambda d: 0.7 * full < d["score"] < full,
            },
        ),
        Case(
            "takes all memory",
            {**right, "evaluation.py": "data = []\nwhile True:\n    data.append(bytearray(10_000_000))\n"},
            {"the other tasks have their marks": lambda d: full / 2 < d["score"] < full},
        ),
        Case(
            "never ends",
            dict.fromkeys(right, "while True:\n    pass\n"),
            {"graded, within the time": lambda d: d["score"] == 0},
        ),
        Case(
            "only waits",
            {**dict.fromkeys(right, waits), "evaluation.py": right["evaluation.py"]},
            {
                "what does not wait has its marks": lambda d: (
                    d["score"] == next(task.worth.structure for task in tasks if task.id == "evaluation")
                ),
                "it says for how long": lambda d: "Each task has 101 s here" in d["output"],
            },
        ),
    ]


def without_points(document: dict[str, Any]) -> set[str]:
    """The tasks with a check that is held back or left to the class run."""
    return {test["tags"][0] for test in document["tests"] if "score" not in test}


# --- the container ----------------------------------------------------------------------------------------


def build(base: str, folder: Path, release: Release) -> None:
    """Lays the zip out as Gradescope does and runs setup.sh, with this machine's own settings of pip."""
    package = folder / "autograder.zip"
    subprocess.run(
        [
            *(sys.executable, "-m", "grader", "package", "gradescope"),
            *("--to", str(package), "--seed", "7", "--release", release),
        ],
        cwd=ROOT,
        check=True,
    )
    source = folder / "source"
    with zipfile.ZipFile(package) as archive:
        archive.extractall(source)
    podman = container_images.command("podman")
    name = f"kit-autograder-{os.getpid()}"
    mounts = [f"--volume={source}:/zip:ro"]
    for path in (Path("/etc/pip.conf"), Path.home() / ".config" / "pip" / "pip.conf"):
        if path.exists():
            mounts.append(f"--volume={path}:{path}:ro")
    for variable in ("PIP_CERT", "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        if value := os.environ.get(variable):
            mounts.append(f"--env={variable}")
            if Path(value).exists():
                mounts.append(f"--volume={value}:{value}:ro")
    # Indexes and wheels may be folders of this machine.
    said = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    for found in sorted(set(re.findall(r"file://(/[^/'\s]+/[^/'\s]+)", said))):
        mounts.append(f"--volume={found}:{found}:ro")
    script = (
        "mkdir -p /autograder/results /autograder/submission && rm -rf /autograder/source && "
        "cp -r /zip /autograder/source && "
        "cp /autograder/source/run_autograder /autograder/run_autograder && "
        "chmod 755 /autograder/run_autograder && bash /autograder/source/setup.sh"
    )
    began = time.monotonic()
    try:
        subprocess.run(
            [
                *podman,
                "run",
                f"--name={name}",
                "--network=host",
                *ULIMITS,
                *mounts,
                base,
                "bash",
                "-c",
                script,
            ],
            check=True,
        )
        subprocess.run([*podman, "commit", "-q", name, IMAGE], check=True, stdout=subprocess.DEVNULL)
    finally:
        subprocess.run([*podman, "rm", "-f", name], check=False, capture_output=True)
    size = package.stat().st_size
    print(f"setup.sh and the image took {time.monotonic() - began:.0f} s; the zip has {size:,} bytes")


METADATA = {
    "id": 1,
    "created_at": "2026-11-20T10:00:00-08:00",
    "assignment": {"title": "Lab", "total_points": "175.0"},
    "users": [{"name": "A Student", "email": "student@example.edu", "id": 1}],
    "previous_submissions": [],
}


def run(case: Case, folder: Path, *, namespaces: bool) -> tuple[dict[str, Any] | None, float, str]:
    """One submission in a container of its own: results.json, seconds, and what was printed."""
    place = folder / f"{case.name.replace(' ', '-').replace(',', '')}-{namespaces}"
    for name in ("submission", "results"):
        (place / name).mkdir(parents=True)
    for name, text in case.files.items():
        (place / "submission" / name).write_text(text)
    (place / "submission_metadata.json").write_text(json.dumps(METADATA))
    options = ["--security-opt=unmask=ALL", "--security-opt=seccomp=unconfined"] if namespaces else []
    if not namespaces:
        (place / "seccomp.json").write_text(json.dumps(no_namespaces()))
        options = [f"--security-opt=seccomp={place / 'seccomp.json'}"]
    watch = (
        "/autograder/run_autograder; echo exit $?; "
        "cat /sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes 2>/dev/null | "
        "sed 's/^/peak /'; for one in /proc/[0-9]*/status; do "
        f"awk '{_LIVING}' $one; done; "
        "ls -la /autograder/results"
    )
    began = time.monotonic()
    done = subprocess.run(
        [
            *container_images.command("podman"),
            *(
                "run",
                "--rm",
                "--network=none",
                "--env=PLATFORM=a secret of the platform's",
                f"--memory={MEMORY}",
                f"--memory-swap={MEMORY}",
                f"--cpus={CORES}",
                "--cpu-shares=262144",  # half a core is what it has, whatever else this machine does
            ),
            *ULIMITS,
            *options,
            f"--volume={place / 'submission'}:/autograder/submission",
            f"--volume={place / 'results'}:/autograder/results",
            f"--volume={place / 'submission_metadata.json'}:/autograder/submission_metadata.json",
            *(IMAGE, "bash", "-c", watch),
        ],
        cwd=place,  # where memory runs out, podman leaves a file in the folder that it was started in
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    seconds = time.monotonic() - began
    try:
        document = json.loads((place / "results" / "results.json").read_bytes())
    except (OSError, ValueError):
        document = None
    return document, seconds, done.stdout + done.stderr


def main() -> int:
    """Runs all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="localhost/python-base:bookworm", help="The image to build on.")
    parser.add_argument(
        "--only", metavar="CASE", action="append", help="This one, such as 'right*'; again for more."
    )
    parser.add_argument("--release", choices=["checks", "all"], default="checks", help="As of the package.")
    parser.add_argument("--image-is-there", action="store_true", help="Use the image of an earlier run.")
    parser.add_argument("--namespaces", choices=["both", "yes", "no"], default="both")
    parser.add_argument("--verbose", action="store_true", help="Print what the containers printed.")
    asked = parser.parse_args()
    uv = os.environ.get("UV") or shutil.which("uv") or shutil.which("uv", path=ROOT / ".venv" / "bin")
    if shutil.which("podman") is None or os.geteuid() != 0 or uv is None:
        print("Needs podman, as root, and uv on PATH or in .venv.")
        return 2
    os.environ["UV"] = uv
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="kit-gradescope-") as name:
        folder = Path(name)
        if not asked.image_is_there:
            build(asked.base, folder, asked.release)
        ways = {"both": (True, False), "yes": (True,), "no": (False,)}[asked.namespaces]
        for namespaces in ways:
            print(f"user namespaces {'allowed' if namespaces else 'not allowed'}:")
            for case in cases(asked.release):
                if asked.only and not any(fnmatch(case.name, pattern) for pattern in asked.only):
                    continue
                document, seconds, printed = run(case, folder, namespaces=namespaces)
                wrong += show(case, document, seconds, printed, verbose=asked.verbose)
    print("all as it should be" if not wrong else f"{wrong} NOT as it should be")
    return int(bool(wrong))


def show(case: Case, document: dict[str, Any] | None, seconds: float, printed: str, *, verbose: bool) -> int:
    """Prints what came of a case; how much of it is wrong."""
    said = [line for line in printed.splitlines() if line.startswith(("engine ", "peak "))]
    mebibytes = max((int(line.split()[1]) for line in said if line.startswith("peak ")), default=0) / 2**20
    engine = next((line for line in said if line.startswith("engine ") and ":" not in line), "no engine")
    broken = ["there is no results.json"] if document is None else rules.faults(document)
    if document is not None:
        for what, holds in case.holds.items():
            try:
                if not holds(document):
                    broken.append(f"not so: {what}")
            except KeyError as error:
                broken.append(f"not so: {what} (no {error})")
        text = json.dumps(document)
        broken += [
            f"it got away with: {word}" for word in ("WROTE /", "READ /", "SIGNALLED", "ROOT") if word in text
        ]
    broken += [line for line in printed.splitlines() if line.startswith("left behind")]
    score = "no score" if document is None or "score" not in document else f"{document['score']:g}"
    print(f"  {case.name}: {score}, {engine}, {seconds:.0f} s, at most {mebibytes:.0f} MiB with caches")
    for line in broken:
        print(f"    WRONG {line}")
    if verbose or broken:
        print("    | " + ("" if document is None else document.get("output", "")[:1500]))
        print("    | " + printed[-3000:].replace("\n", "\n    | "))
    if case.name in ("hostile", "only waits") and document is not None:
        # What was tried, or what else became of it: of two ways to end, the one that says what was found.
        own = [
            t["output"] for t in document.get("tests", []) if t["tags"][0] == "alexnet" and t.get("output")
        ]
        tried = next((output for output in own if "FOUND" in output), (own or ["nothing shown"])[0])
        print(f"    {tried}")
    return len(broken)


if __name__ == "__main__":
    sys.exit(main())
