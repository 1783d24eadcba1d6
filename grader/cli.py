"""The command line: `python -m grader check|grade|stubs|...`, started by the sessions of noxfile.py.

Exit codes: 0, every submission was graded, whatever its mark; 1, one could not be; 2, wrong usage.
"""

import argparse
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader.errors import UsageError
from lab.errors import KitError

ROOT = Path(__file__).resolve().parent.parent
_GRADE_EXAMPLES = """
examples:
  nox -s grade -- solutions                        the solutions: full marks
  nox -s grade -- assignment --profile offline     your own work, in two minutes, without CIFAR-100
  nox -s grade -- class/ --profile cpu             each folder and zip in class/ is a submission
  nox -s grade -- alice.zip bob/ --seed 7          two of them, with the probe inputs of seed 7
  nox -s grade -- work/ --trust --engine none      code you trust, where there is no sandbox

exit code: 0 every submission was graded, 1 one could not be, 2 wrong usage. A low mark is no error.
"""
_PROVE_EXAMPLES = """
examples:
  nox -s prove                                     every mutant and every right submission, about ten minutes
  nox -s prove -- alexnet resnet                   only these tasks
  nox -s prove -- --train --profile cpu            with trainings: about 45 minutes more the first time

exit code: 0 the grader was right about all of them, 1 it was not, 2 wrong usage.
"""
_REFERENCE_EXAMPLES = """
examples:
  nox -s reference                                 profile offline: no data needed
  nox -s reference -- --profile cpu --dry          what has changed
  nox -s reference -- --profile cpu                measure that again
  nox -s reference -- train@cpu-alexnet            one stage, and what it needs
  nox -s reference -- failure                      the ResNet that would not learn
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; a KitError becomes its one clear line."""
    options = _parser().parse_args(arguments)
    console = Console(soft_wrap=False, width=None if sys.stdout.isatty() else 110)
    try:
        return int(options.command(options, console))
    except KitError as error:
        console.print(Text(f"nox -s {options.name}: {error}", style="red"))
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        console.print(
            "\nStopped. Networks that were trained to the end are kept: the same command goes on from there."
        )
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m grader", description=__doc__.split("\n\n")[0])
    commands = parser.add_subparsers(required=True, dest="name")

    check = commands.add_parser(
        "check",
        prog="nox -s check --",
        description="What of your assignment/ is right, what is next, and a hint. No data, no training. "
        "Other folders run in a sandbox, as in grade.",
        epilog="examples:\n  nox -s check\n  nox -s check -- resnet\n  nox -s check -- --seed 7\n"
        "  nox -s check -- --folder bob/           somebody else's files, in a sandbox\n"
        "  nox -s check -- --folder work/ --trust  files you trust, where there is no sandbox",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("tasks", nargs="*", metavar="TASK", help="only these tasks, such as alexnet")
    check.add_argument(
        "--folder", type=Path, default=ROOT / "assignment", help="where your files are (assignment/)"
    )
    check.add_argument("--seed", type=_seed, help="draw the inputs from this seed instead of a fresh one")
    _add_trust(check)
    check.set_defaults(command=_check)

    inspect = commands.add_parser(
        "inspect",
        prog="nox -s inspect --",
        description="What your prepare feeds a network: ranges, statistics, labels, overlap, and what a "
        "small ResNet makes of it in some seconds; says in words what is wrong. Other folders than "
        "assignment/ run in a sandbox, as in grade.",
        epilog="examples:\n  nox -s inspect\n  nox -s inspect -- --profile offline\n"
        "  nox -s inspect -- --momentum 0.9          batch normalisation that follows faster\n"
        "  nox -s inspect -- --folder bob/           somebody else's files, in a sandbox\n"
        "  nox -s inspect -- --folder work/ --trust  files you trust, where there is no sandbox",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    inspect.add_argument(
        "--folder", type=Path, default=ROOT / "assignment", help="where your files are (assignment/)"
    )
    inspect.add_argument(
        "--profile", help="offline, cpu: whose images (default: CIFAR-100 if it is here, else drawn ones)"
    )
    inspect.add_argument("--seed", type=_seed, default=0, help="handed to prepare, and of the training (0)")
    inspect.add_argument(
        "--momentum",
        type=_share,
        default=0.99,
        help="of the small network's batch normalisation (0.99, as in Keras)",
    )
    _add_trust(inspect)
    inspect.set_defaults(command=_inspect)

    grade = commands.add_parser(
        "grade",
        prog="nox -s grade --",
        description="Marks submissions: probes them in a sandbox, trains what they built, writes results.",
        epilog=_GRADE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    grade.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="folders or zips: submissions, or a class"
    )
    grade.add_argument("--profile", help="offline, cpu (default: cpu if CIFAR-100 is here, else offline)")
    grade.add_argument(
        "--engine",
        default="auto",
        help="auto, bubblewrap, podman, docker, none (default: auto, the first of these that works here); "
        "with podman and docker, networks train in a container too",
    )
    grade.add_argument(
        "--seed", type=_seed, help="of the probe inputs (default: a fresh one, which is shown)"
    )
    grade.add_argument("--out", type=Path, default=ROOT / "results", help="where results go (results/)")
    grade.add_argument(
        "--workers",
        type=int,
        choices=range(1, 65),
        metavar="N",
        default=min(8, os.cpu_count() or 1),
        help="probes and trainings at a time, a thread and up to 3 GiB each (default: one a core, 8 at most)",
    )
    _add_trust(grade)
    grade.set_defaults(command=_grade)

    stubs = commands.add_parser(
        "stubs", prog="nox -s stubs --", description="Generates assignment/ from solutions/."
    )
    stubs.add_argument(
        "--check", action="store_true", help="change nothing; say what differs and exit with 1"
    )
    stubs.set_defaults(command=_stubs)

    prove = commands.add_parser(
        "prove",
        prog="nox -s prove --",
        description="Grades the bank: wrong submissions, which must fail the check they name with its hint, "
        "and right ones, which must have full marks. Writes reference/proof.json and the table in README.md.",
        epilog=_PROVE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    prove.add_argument("tasks", nargs="*", metavar="TASK", help="only these tasks, such as alexnet")
    prove.add_argument(
        "--train", action="store_true", help="train what passes the checks of the structure as well"
    )
    prove.add_argument("--profile", help="offline, cpu (default: cpu if CIFAR-100 is here, else offline)")
    prove.add_argument("--engine", default="auto", help="auto, bubblewrap, podman, docker, none (auto)")
    prove.add_argument("--seed", type=_seed, default=1, help="of the probe inputs (1)")
    prove.add_argument(
        "--workers",
        type=int,
        choices=range(1, 65),
        metavar="N",
        default=min(8, os.cpu_count() or 1),
        help="probes and trainings at a time (default: one a core, 8 at most)",
    )
    prove.set_defaults(command=_prove)

    reference = commands.add_parser(
        "reference",
        prog="nox -s reference --",
        description="Trains the solutions under all reference seeds, sets the thresholds, draws the figures: "
        "what has changed of it (dvc repro). A run that was stopped goes on where it was.",
        epilog=_REFERENCE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    reference.add_argument(
        "targets", nargs="*", metavar="STAGE", help="only these stages of dvc.yaml and what they need"
    )
    reference.add_argument("--profile", default="offline", help="a profile of params.yaml (default: offline)")
    reference.add_argument(
        "--force",
        action="store_true",
        help="run its stages even if nothing has changed; stored trainings count",
    )
    reference.add_argument("--dry", action="store_true", help="only say which stages would run")
    reference.add_argument(
        "--workers",
        type=int,
        choices=range(1, 65),
        metavar="N",
        default=min(2, os.cpu_count() or 1),
        help="trainings at a time, a thread and up to 3 GiB each (default: 2)",
    )
    reference.set_defaults(command=_reference)

    image = commands.add_parser(
        "image",
        prog="nox -s image --",
        description="Builds the containers' images; in seconds where nothing has changed.",
    )
    image.add_argument("--target", choices=["sandbox", "trainer", "all"], default="all")
    image.add_argument("--engine", choices=["auto", "podman", "docker"], default="auto")
    image.add_argument("--base", metavar="IMAGE", help="instead of the published one of the Dockerfile")
    image.add_argument(
        "--cpu-trainer", action="store_true", help="leave CUDA out of the trainer: several GB less"
    )
    image.add_argument(
        "--ca-bundle",
        type=Path,
        metavar="FILE",
        help="certificates to fetch packages with (default: $SSL_CERT_FILE, $PIP_CERT, $REQUESTS_CA_BUNDLE)",
    )
    image.set_defaults(command=_image)

    doctor = commands.add_parser(
        "doctor",
        prog="nox -s doctor --",
        description="What this machine has: Python, packages, devices, engines and the limits they enforce, "
        "images, data, disk. All of it tried, in about half a minute.",
    )
    doctor.set_defaults(command=_doctor)
    return parser


def _add_trust(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--trust", action="store_true", help="this code is yours: it may run without a sandbox"
    )


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError(f"from 0 to below 1, not {text}")
    return share


def _seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed < 2**31:
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0 to {2**31 - 1}, not {text}")
    return seed


# The commands are imported where they are needed: `--help` should not wait for what grading takes.


def _check(options: argparse.Namespace, console: Console) -> int:
    from grader.commands.check import check

    return check(
        ROOT,
        console,
        folder=options.folder,
        tasks=options.tasks,
        seed=_drawn(options.seed),
        trust=options.trust,
    )


def _inspect(options: argparse.Namespace, console: Console) -> int:
    from grader.commands.inspect import inspect

    return inspect(
        ROOT,
        console,
        folder=options.folder,
        profile=options.profile,
        seed=options.seed,
        momentum=options.momentum,
        trust=options.trust,
    )


def _grade(options: argparse.Namespace, console: Console) -> int:
    from grader.commands.grade import Order, grade

    order = Order(
        paths=options.paths,
        profile=options.profile,
        engine=options.engine,
        seed=_drawn(options.seed),
        out=options.out,
        trust=options.trust,
        workers=options.workers,
    )
    return grade(ROOT, console, order)


def _stubs(options: argparse.Namespace, console: Console) -> int:
    from grader.handout import stubs

    if options.check:
        differences = stubs.check(ROOT)
        for line in differences:
            console.print(Text(line))
        console.print("Run: nox -s stubs" if differences else "assignment/ is what solutions/ gives.")
        return 1 if differences else 0
    changed = stubs.generate(ROOT)
    for path in changed:
        console.print(Text(f"wrote {path.relative_to(ROOT)}"))
    console.print("assignment/ is what solutions/ gives." + ("" if changed else " Nothing had changed."))
    return 0


def _prove(options: argparse.Namespace, console: Console) -> int:
    from grader.proof.prove import Order, prove

    order = Order(
        tasks=[name.removesuffix(".py") for name in options.tasks],
        train=options.train,
        profile=options.profile,
        engine=options.engine,
        seed=options.seed,
        workers=options.workers,
    )
    return prove(ROOT, console, order)


def _reference(options: argparse.Namespace, console: Console) -> int:
    from grader.reference.pipeline import Order, reference

    order = Order(
        profile=options.profile,
        targets=options.targets,
        force=options.force,
        dry=options.dry,
        workers=options.workers,
    )
    return reference(ROOT, console, order)


def _doctor(_options: argparse.Namespace, console: Console) -> int:
    from grader.commands.doctor import doctor

    return doctor(ROOT, console)


def _image(options: argparse.Namespace, console: Console) -> int:
    from grader.commands.image import image
    from grader.sandbox import container_images

    return image(
        console,
        targets=container_images.TARGETS if options.target == "all" else (options.target,),
        engine=options.engine,
        base=options.base,
        tensorflow="cpu" if options.cpu_trainer else "gpu",
        ca_bundle=options.ca_bundle,
    )


def _drawn(seed: int | None) -> int:
    """A fresh seed where none was given: nobody can prepare for inputs that are drawn when the run starts."""
    return secrets.randbelow(2**31) if seed is None else seed
