"""Everything there is to run, as thin sessions over `python -m lab` and `python -m grader`.

A command runs where nox was called, so that `nox -f ../kit/noxfile.py -s grade -- alice.zip` means the
alice.zip there; what it reads and writes by default, such as assignment/ and results/, is the checkout's.

All sessions share one environment, .nox/kit, installed from uv.lock with hashes and only when that file or
the extras asked for have changed: TensorFlow is too large to install once a session.
"""

import hashlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["check"]
nox.options.default_venv_backend = "none"

ROOT = Path(__file__).parent
KIT = ROOT / ".nox" / "kit"
NEEDS_TENSORFLOW = 3  # an exit code: see grader/cli/base.py
PYTHON = KIT / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


@nox.session
def check(session: nox.Session) -> None:
    """Students: what of assignment/ is right, what is next, and a hint: nox -s check [-- resnet]"""
    run_light(session, "check")


@nox.session
def hint(session: nox.Session) -> None:
    """Students: help with one function, one more step each time: nox -s hint [-- resnet bottleneck_block]"""
    run_light(session, "hint")


@nox.session
def inspect(session: nox.Session) -> None:
    """Students: what your prepare feeds a network, and what is wrong with it: nox -s inspect"""
    install(session)
    run(session, "grader", "inspect", *session.posargs)


@nox.session
def train(session: nox.Session) -> None:
    """Students: train your network, see what it learned: nox -s train -- alexnet [--labels fine]"""
    install(session)
    run(session, "grader", "train", *(session.posargs or ["--help"]))


@nox.session
def runs(session: nox.Session) -> None:
    """Students: your trainings, and how they differ: nox -s runs [-- 3 5]"""
    install(session, tensorflow=False)
    run(session, "grader", "runs", *session.posargs)


@nox.session
def submit(session: nox.Session) -> None:
    """Students: check, then write the zip to hand in: nox -s submit [-- --to FILE]"""
    run_light(session, "submit")


@nox.session
def notebook(session: nox.Session) -> None:
    """Students: open assignment/lab.ipynb in JupyterLab: nox -s notebook"""
    install(session, "student")
    session.run(str(PYTHON), "-m", "jupyterlab", "assignment/lab.ipynb", *session.posargs, external=True)


@nox.session
def data(session: nox.Session) -> None:
    """Instructors: bring CIFAR-100: nox -s data [-- --from cifar-100-python.tar.gz]"""
    install(session, "instructor")
    run(session, "lab", "data", *session.posargs)


@nox.session
def grade(session: nox.Session) -> None:
    """Instructors: mark submissions or a class: nox -s grade -- alice.zip bob/ [--profile offline]"""
    cluster = any(argument.partition("=")[0] == "--scheduler" for argument in session.posargs)
    install(session, *(["cluster"] if cluster else []))
    if not session.posargs or {"-h", "--help"} & set(session.posargs):
        run(session, "grader", "grade", "--help")
        return
    if not any(argument.startswith("--profile") for argument in session.posargs):
        fetch_data_once(session)
    run(session, "grader", "grade", *session.posargs)


@nox.session
def gradebook(session: nox.Session) -> None:
    """Instructors: marks so far, why, and changes by hand: nox -s gradebook -- show [--out results/]"""
    install(session)
    run(session, "grader", "gradebook", *(session.posargs or ["--help"]))


@nox.session
def export(session: nox.Session) -> None:
    """Instructors: marks for Canvas, Moodle and others, or as pages: nox -s export -- html"""
    install(session, *(["similar"] if "html" in session.posargs else []))
    run(session, "grader", "export", *(session.posargs or ["--help"]))


@nox.session
def marking(session: nox.Session) -> None:
    """Instructors: what other weights would do to marks: nox -s marking -- --with mine.toml results/"""
    install(session)
    run(session, "grader", "marking", *(session.posargs or ["--help"]))


@nox.session
def doctor(session: nox.Session) -> None:
    """Instructors: what this machine has and lacks, and the command that fixes it: nox -s doctor"""
    install(session)
    run(session, "grader", "doctor", *session.posargs)


@nox.session
def image(session: nox.Session) -> None:
    """Instructors: build the containers' images: nox -s image [-- --target sandbox --engine podman]"""
    install(session)
    run(session, "grader", "image", *session.posargs)


@nox.session
def package(session: nox.Session) -> None:
    """Instructors: the grader for a platform: nox -s package -- gradescope, or -- github --to FOLDER"""
    install(session)
    os.environ["UV"] = uv()[0]  # reads the lock
    run(session, "grader", "package", *(session.posargs or ["--help"]))


@nox.session
def collect(session: nox.Session) -> None:
    """Instructors: bring students' repositories, to be graded: nox -s collect -- repositories.txt"""
    install(session)
    run(session, "grader", "collect", *(session.posargs or ["--help"]))


@nox.session
def certificates(session: nox.Session) -> None:
    """Instructors: certificates for a cluster, once: nox -s certificates [-- FOLDER]"""
    install(session, "cluster")
    run(session, "grader", "certificates", *session.posargs)


@nox.session
def scheduler(session: nox.Session) -> None:
    """Instructors: what a cluster's machines connect to: nox -s scheduler [-- --host 10.0.0.5]"""
    install(session, "cluster")
    run(session, "grader", "scheduler", *session.posargs)


@nox.session
def worker(session: nox.Session) -> None:
    """Instructors: join a cluster with this machine: nox -s worker -- tls://10.0.0.5:8786"""
    install(session, "cluster")
    run(session, "grader", "worker", *(session.posargs or ["--help"]))


@nox.session
def stubs(session: nox.Session) -> None:
    """Authors: generate assignment/ from solutions/: nox -s stubs [-- --check]"""
    install(session)
    run(session, "grader", "stubs", *session.posargs)


@nox.session
def handout(session: nox.Session) -> None:
    """Authors: the zip that students get, without any answers: nox -s handout [-- --to FILE]"""
    install(session)
    run(session, "grader", "handout", *session.posargs)


@nox.session
def prove(session: nox.Session) -> None:
    """Authors: is the grader right about submissions whose marks are known: nox -s prove [-- alexnet]"""
    install(session)
    run(session, "grader", "prove", *session.posargs)


@nox.session
def ratings(session: nox.Session) -> None:
    """Authors: what raters who know no points would take off: nox -s ratings [-- --sheets FOLDER]"""
    install(session)
    run(session, "grader", "ratings", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Authors: what it all costs here, beside other tools: nox -s bench [-- --quick check class]"""
    install(session)
    if not {"-h", "--help", "--list", "--no-peers"} & set(session.posargs):
        install_peers(session)
    run(session, "grader", "bench", *session.posargs)


@nox.session
def reference(session: nox.Session) -> None:
    """Authors: train the solutions, set the thresholds: nox -s reference -- --profile cpu [--dry]"""
    install(session, "instructor")
    run(session, "grader", "reference", *session.posargs)


@nox.session
def report(session: nox.Session) -> None:
    """Authors: what was measured, as a page with figures: nox -s report -- --profile cpu"""
    install(session)
    run(session, "grader", "report", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Authors: run the tests, side by side: nox -s tests [-- [--quick] [-n 0] PYTEST ARGUMENTS...]"""
    install(session, "dev")
    session.run(str(PYTHON), "-m", "pytest", "--numprocesses=auto", *session.posargs, external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Authors: style, types and who imports whom: nox -s lint"""
    install(session, "dev")
    imports = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    for arguments in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        session.run(str(PYTHON), "-m", *arguments, external=True)
    session.run(str(PYTHON), "-c", imports, "--no-cache", external=True)


@nox.session
def architecture(session: nox.Session) -> None:
    """Authors: draw docs/architecture.md's picture: nox -s architecture [-- --check]"""
    install(session, "dev")
    session.run(str(PYTHON), "docs/architecture.py", *session.posargs, external=True)


@nox.session
def attack(session: nox.Session) -> None:
    """Authors: tests/hostile gains nothing, leaks nothing: nox -s attack [-- --engine bubblewrap]"""
    install(session)
    run(session, "tests.hostile.attack", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Authors: a million inputs for the readers of what is not trusted: nox -s fuzz [-- --inputs 1000]"""
    install(session)
    run(session, "tests.hostile.fuzz", *session.posargs)


@nox.session
def overnight(session: nox.Session) -> None:
    """Authors: grade a class of 200 and measure it, or kill it often: nox -s overnight [-- kills]"""
    install(session)
    what = "kills" if session.posargs[:1] == ["kills"] else "run"
    run(session, f"tests.overnight.{what}", *session.posargs[what == "kills" :])


def install(session: nox.Session, *extras: str, tensorflow: bool = True) -> None:
    """Brings .nox/kit to what uv.lock says for these extras and what it already has.

    Args:
        extras: of pyproject.toml.
        tensorflow: whether it is needed: it takes longer to install than all the rest.
    """
    stamp = KIT / "kit-stamp.json"
    lock = hashlib.sha256((ROOT / "uv.lock").read_bytes()).hexdigest()
    try:
        held = json.loads(stamp.read_text())
    except (OSError, ValueError):
        held = {"lock": None, "extras": []}
    tensorflow = tensorflow or held.get("tensorflow", held["lock"] is not None)
    enough = set(extras) <= set(held["extras"]) and held.get("tensorflow", True) >= tensorflow
    if held["lock"] == lock and enough and PYTHON.exists():
        return
    wanted = sorted({*extras, *held["extras"]})
    what = "TensorFlow and the locked packages" if tensorflow else "The locked packages but TensorFlow"
    session.log(f"{what} are installed into .nox/kit{' for ' + ', '.join(wanted) if wanted else ''}")
    session.run(
        *uv(),
        "sync",
        "--locked",
        "--no-python-downloads",
        f"--python={sys.executable}",
        # A sandbox sees the packages read-only and could not compile them: every probe would, again.
        "--compile-bytecode",
        *(f"--extra={extra}" for extra in wanted),
        *(() if tensorflow else ("--no-group=cpu",)),
        env={"UV_PROJECT_ENVIRONMENT": str(KIT), "VIRTUAL_ENV": ""},
        external=True,
    )
    stamp.write_text(json.dumps({"lock": lock, "extras": wanted, "tensorflow": tensorflow}))


def install_peers(session: nox.Session) -> None:
    """Brings .nox/bench-<peer> to what bench/<peer>/requirements.txt says, hashes included."""
    for wanted in sorted((ROOT / "bench").glob("*/requirements.txt")):
        place = ROOT / ".nox" / f"bench-{wanted.parent.name}"
        stamp = place / "peer-stamp.txt"
        digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
        if stamp.exists() and stamp.read_text() == digest:
            continue
        session.log(f"Installing {wanted.parent.name} into {place.relative_to(ROOT)}, this once")
        python = place / PYTHON.relative_to(KIT)
        session.run(str(PYTHON), "-m", "venv", "--clear", str(place), external=True)
        # pip, which reads what a machine has set about indexes; docs/performance.md says what PyTorch needs.
        pip = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--retries=1",
        ]
        session.run(*pip, "--require-hashes", "-r", str(wanted), external=True)
        stamp.write_text(digest)


def uv() -> list[str]:
    """uv from nox's own environment (`pip install nox[uv]`), or from PATH."""
    try:
        from uv import find_uv_bin

        return [find_uv_bin()]
    except (ImportError, FileNotFoundError):
        return ["uv"]


def fetch_data_once(session: nox.Session) -> None:
    """On the first run only, CIFAR-100 if it can be had: grading itself never uses the network."""
    tried = ROOT / ".kit" / "data-tried"
    if tried.exists() or (ROOT / "data" / "images.npy").exists():
        return
    session.log("CIFAR-100 is not here: trying to fetch it, this once (160 MB)")
    run(session, "lab", "data", success_codes=(0, 1))
    tried.parent.mkdir(exist_ok=True)
    tried.touch()


def run_light(session: nox.Session, command: str) -> None:
    """A command that begins without TensorFlow, which is installed if the student's code needs it."""
    install(session, tensorflow=False)
    if run(session, "grader", command, *session.posargs, success_codes=(0, NEEDS_TENSORFLOW)):
        install(session)
        run(session, "grader", command, *session.posargs)


def run(session: nox.Session, module: str, *arguments: str, success_codes: tuple[int, ...] = (0,)) -> int:
    """`python -m module ...` in .nox/kit, from where nox was called; its exit code.

    nox turns every failure into exit code 1; here the command's own code is passed on, since `grade` means
    something by 1 and by 2.
    """
    session.log(f"python -m {module} {shlex.join(arguments)}")
    environment = {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        # Modules are this checkout's and .nox/kit's alone: where nox was called, a submission may lie with a
        # numpy.py of its own, and an entry of somebody's own PYTHONPATH may be that folder as well.
        "PYTHONPATH": str(ROOT),
        "PYTHONSAFEPATH": "1",
    }
    process = subprocess.Popen([PYTHON, "-m", module, *arguments], cwd=session.invoked_from, env=environment)
    try:
        code = process.wait()
    except KeyboardInterrupt:
        # The terminal has sent Ctrl-C to the command as well: give it the time to put things away.
        try:
            code = process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
    if code not in success_codes:
        raise SystemExit(code if code > 0 else 128 - code)
    return code
