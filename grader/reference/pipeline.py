"""`nox -s reference`: `dvc repro` of one profile, with a word on what it will do and how long that takes."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader.config import profiles
from grader.errors import GraderFault, UsageError
from grader.reference import WORKERS, matrix, stages
from grader.reference.stages import Place
from grader.reference.study.cells import PROFILE as STUDY

# Profiles that train on a GPU have a dvc.yaml of their own: `dvc repro` without arguments leaves them alone.
_FOLDERS = {"cpu": Path(), "gpu": Path("reference") / "gpu"}
_STUDY = Path("reference") / STUDY  # and so has the study, which trains for hours


@dataclass(frozen=True)
class Order:
    """What is asked for on the command line.

    Attributes:
        profile: which one.
        targets: stages of dvc.yaml by name; empty for all of the profile.
        force: whether to run stages that have not changed.
        dry: whether only to say which would run.
        workers: trainings at a time.
    """

    profile: str
    targets: Sequence[str] = ()
    force: bool = False
    dry: bool = False
    workers: int = 2


def reference(root: Path, console: Console, order: Order) -> int:
    """Runs the stages of a profile whose inputs have changed.

    Returns:
        0 when all is up to date, 1 if a stage failed, 130 after Ctrl-C.

    Raises:
        UsageError: there is no such profile, or no DVC.
        DataError: the profile needs CIFAR-100, which is not here.
    """
    profile = profiles.load(root / "params.yaml").profile(order.profile)
    stages.require_data(root, profile)
    if profile.name == STUDY:
        return _study(root, console, order)
    folder = _FOLDERS[profile.device]
    described = [f"describe@{profile.name}-{task}" for task in _place(root, console, order).task_ids()]
    if not order.targets:
        console.print(Text(headline(_place(root, console, order)), style="bold"))
    targets = order.targets or [f"figures@{profile.name}"]
    options = [*(["--force"] if order.force else []), *(["--dry"] if order.dry else [])]
    # What the solutions build is looked at first: only then is it known how much there is to train.
    code = 0
    if not order.targets and not order.dry:
        code = _dvc(root, order, ["repro", "--quiet", *_in(folder, described)])
        if code == 0:
            console.print(Text(outlook(_place(root, console, order))))
    if code == 0:
        code = _dvc(root, order, ["repro", *options, *_in(folder, targets)])
    if code == 0 and not order.dry:
        console.print(
            f"reference/{profile.name}/ is up to date. dvc metrics show, dvc plots show and "
            f"nox -s report -- --profile {profile.name} show it.",
            highlight=False,
        )
    return code


def _study(root: Path, console: Console, order: Order) -> int:
    """The same for the study: its cells train side by side; then DVC, one stage at a time, files them."""
    place = _place(root, console, order)
    code = 0
    if not order.dry:
        described = [f"describe@{task}" for task in place.task_ids()]
        code = _dvc(root, order, ["repro", "--quiet", *_in(_STUDY, described)])
        cells = [f"cell@{name}" for name in place.session.params.study]
        wanted = [name for name in cells if not order.targets or name in order.targets]
        stale = wanted if order.force else [name for name in wanted if name in _stale(root, order)]
        if code == 0 and stale:
            stages.study(place, [name.partition("@")[2] for name in stale])
    if code == 0:
        options = [*(["--force"] if order.force else []), *(["--dry"] if order.dry else [])]
        targets = _in(_STUDY, order.targets) if order.targets else [f"{_STUDY.as_posix()}/dvc.yaml"]
        code = _dvc(root, order, ["repro", *options, *targets])
    if code == 0 and not order.dry:
        console.print(
            f"reference/{STUDY}/ is up to date. nox -s report -- --profile {STUDY} shows it.", highlight=False
        )
    return code


def _stale(root: Path, order: Order) -> set[str]:
    """The stages of the study that DVC would run.

    Raises:
        GraderFault: DVC cannot tell.
    """
    file = f"{_STUDY.as_posix()}/dvc.yaml"
    command = [sys.executable, "-m", "dvc", "status", "--json", file]
    done = subprocess.run(
        command, cwd=root, env=_environment(root, order), capture_output=True, text=True, check=False
    )
    try:
        return {name.rpartition(":")[2] for name in json.loads(done.stdout)}
    except ValueError:
        raise GraderFault(f"dvc status failed: {done.stderr.strip()[-500:]}") from None


def headline(place: Place) -> str:
    """What runs on what."""
    profile = place.profile
    seeds, backend = len(profile.reference_seeds), place.session.executor.backend
    return (
        f"Reference runs · profile {profile.name} · "
        f"{'CIFAR-100' if profile.data == 'cifar-100' else 'the embedded set'}, {profile.train:,} images · "
        f"{', '.join(place.task_ids())} · {seeds} seeds · {backend}, {place.workers} at a time"
    )


def outlook(place: Place) -> str:
    """How many trainings there are, are stored and are to do, and how long these take."""
    shares = stages.survey(place, place.session.pin, place.session.executor)
    wanted, done = sum(one.wanted for one in shares.values()), sum(one.done for one in shares.values())
    left = matrix.remaining(shares, place.workers)
    time = (
        "time unknown until the first is done"
        if left is None
        else f"about {matrix.clock(left)} if all are needed"
    )
    return f"At most {wanted} trainings: {done} stored, {wanted - done} to do, {time}"


def _place(root: Path, console: Console, order: Order) -> Place:
    return Place.of(root, order.profile, console, order.workers)


def _in(folder: Path, names: Sequence[str]) -> list[str]:
    return [f"{folder.as_posix()}/dvc.yaml:{name}" if folder.parts else name for name in names]


def _dvc(root: Path, order: Order, arguments: Sequence[str]) -> int:
    """Runs DVC to its end; after Ctrl-C, which it gets as well, with the time to put things away."""
    if importlib.util.find_spec("dvc") is None:
        raise UsageError(
            "DVC is not installed", fix="Run: nox -s reference (it installs it), or pip install dvc"
        )
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", *arguments], cwd=root, env=_environment(root, order)
    )
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.wait()
        return 130
    except BaseException:
        process.send_signal(signal.SIGTERM)  # the stage sees that DVC is gone, and goes too
        raise
    return 130 if code == 130 else int(code != 0)


def _environment(root: Path, order: Order) -> dict[str, str]:
    """In which DVC runs."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        WORKERS: str(order.workers),
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(root / ".kit" / "dvc"),  # else in /var/tmp
    }
