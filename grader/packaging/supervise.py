"""Runs in Gradescope's container: has a submission graded, and writes results.json when all of it is dead.

    python -m grader.packaging.supervise

Grading is a process of its own (autograde.py), so that whatever happens to it, out of memory or out of time,
this one is left to say so: an error for the student to read, and no score, for it would be a zero.

Where an ordinary user may make namespaces, the grader runs as the user GRADER, and its sandboxes are
bubblewrap's; else it runs as root and gives each program a user of its own. Either way the submission's code
is neither root nor can it read the kit or the grader's files, and it cannot write the results.

The standard library and rules.py alone are imported.
"""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.packaging import rules

GRADER = "grader"  # the user that setup.sh makes
NO_ENGINE = 3  # autograde.py's exit code
MARGIN = 60  # seconds before the platform's own limit: what it ends has a zero
MOST_BYTES = 8 * 1024 * 1024  # of a document


@dataclass(frozen=True)
class Place:
    """Where things lie in the container.

    Attributes:
        kit: the package's files.
        python: the interpreter that grades.
        submission, results: as Gradescope has them.
    """

    kit: Path = Path("/opt/grader/kit")
    python: Path = Path("/opt/grader/venv/bin/python")
    submission: Path = Path("/autograder/submission")
    results: Path = Path("/autograder/results")


def main(place: Place | None = None) -> int:
    """Always writes a document that holds to the rules; 0 if the submission was graded."""
    place = place or Place()
    began = time.monotonic()
    document: dict[str, Any]
    try:
        settings = json.loads((place.kit / "package.json").read_bytes())
        document = _graded(place, began + 60 * settings["minutes"] - MARGIN)
    except Exception as error:  # whatever it is, the student is to read a sentence and not to get a zero
        print(f"supervise: {type(error).__name__}: {error}", file=sys.stderr)
        document = error_document("the grader could not be started")
    kill_others()
    if broken := rules.faults(document):
        print("results.json breaks Gradescope's rules:", *broken[:5], sep="\n  ", file=sys.stderr)
        document = error_document("what it wrote cannot be read by Gradescope")
    document.setdefault("execution_time", round(time.monotonic() - began))
    write(place.results / "results.json", document)
    return 0 if "score" in document else 1


def error_document(why: str) -> dict[str, Any]:
    """For the student: the grader failed, and no score is given."""
    return {
        "output": "No mark was given, and none is lost.\n\n"
        f"The grader failed, not your work: {why}. Submit again; if it stays, ask your course's staff.",
        "output_format": "text",
        "stdout_visibility": "hidden",
    }


def _graded(place: Place, deadline: float) -> dict[str, Any]:
    """The document that autograde.py wrote, or an error's."""
    why = "no way was found to run a submission's code apart from the grader"
    for engine, user in (("bubblewrap", GRADER), ("another-user", "root")):
        with tempfile.TemporaryDirectory(prefix="kit-autograder-") as folder:
            account = pwd.getpwnam(user)
            os.chown(folder, account.pw_uid, account.pw_gid)
            code = _run(place, engine, account, Path(folder), deadline)
            if code == NO_ENGINE:
                continue
            if code is None:
                why = "the time was up before all was graded"
            elif code:
                why = "it ran out of memory or was killed" if code in (-9, 137) else f"exit code {code}"
            else:
                return read(Path(folder, "results.json"))
        break
    return error_document(why)


def _run(place: Place, engine: str, account: pwd.struct_passwd, folder: Path, deadline: float) -> int | None:
    """Its exit code; None where the time was up."""
    command = [str(place.python), "-P", "-B", "-m", "grader.packaging.autograde"]
    command += [f"--settings={place.kit / 'package.json'}", f"--engine={engine}"]
    command += [f"--to={folder / 'results.json'}", str(place.submission)]
    environment = {
        "PATH": f"{place.python.parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(place.kit),
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder) if engine == "bubblewrap" else tempfile.gettempdir(),
    }
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
    )
    try:
        return process.wait(max(1.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def read(path: Path) -> dict[str, Any]:
    """A document of a bounded size; ValueError if it is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError("it is too large")
    document = json.loads(content)
    if not isinstance(document, dict):
        raise ValueError("it is no object")
    return document


def kill_others(least: int = 1000) -> None:
    """Kills all processes of GRADER and of users who are neither root nor the system's, until there are none.

    A submission's code runs as one of these, always; what Gradescope itself runs here does not.
    """
    deadline = time.monotonic() + 30
    while (left := _others(least)) and time.monotonic() < deadline:
        for process, user in left:
            with suppress(OSError):
                os.kill(process, signal.SIGKILL)
            tool = shutil.which("setpriv")
            if tool:  # all of that user's in one call: none has the time to start another
                become = [tool, "--reuid", str(user), "--clear-groups", "--regid", str(user)]
                subprocess.run([*become, "/bin/sh", "-c", "kill -KILL -1"], check=False, capture_output=True)
        time.sleep(0.02)
    if left:
        print(f"supervise: {len(left)} processes could not be stopped", file=sys.stderr)


def _others(least: int) -> list[tuple[int, int]]:
    """Living processes and their users."""
    found = []
    grader = None
    with suppress(KeyError):
        grader = pwd.getpwnam(GRADER).pw_uid
    for entry in (path.name for path in Path("/proc").iterdir()):
        if not entry.isdecimal() or int(entry) == os.getpid():
            continue
        with suppress(OSError, ValueError, KeyError):
            text = Path("/proc", entry, "status").read_text(errors="replace")
            fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
            user = int(fields["Uid"].split()[0])
            if (user >= least or user == grader) and fields["State"].strip()[:1] not in ("Z", "X"):
                found.append((int(entry), user))
    return found


def write(path: Path, document: dict[str, Any]) -> None:
    """Writes it whole or not at all; a link that somebody may have put there is not followed."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".results-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    Path(name).chmod(0o644)
    Path(name).replace(path)


def _arguments(given: Sequence[str]) -> Place:
    """For tests: --kit, --python, --submission and --results in place of Gradescope's."""
    import argparse

    parser = argparse.ArgumentParser(prog="supervise")
    for name, value in vars(Place()).items():
        parser.add_argument(f"--{name}", type=Path, default=value)
    return Place(**vars(parser.parse_args(given)))


if __name__ == "__main__":
    sys.exit(main(_arguments(sys.argv[1:])))
