"""Commands for instructors: marks for a class, and what this machine needs to give them."""

from pathlib import Path

import click
from rich.console import Console

from grader.cli import cluster, options
from grader.cli.base import Command
from grader.cli.options import CORES, ROOT


@click.command(
    cls=Command,
    prog="nox -s grade --",
    short_help="Marks submissions, or a whole class.",
    epilog="""
    examples:
      nox -s grade -- solutions                        the solutions: full marks, in seconds
      nox -s grade -- solutions --retrain              the same, with every network trained here: some minutes
      nox -s grade -- assignment --profile offline     your own work, in two minutes, without CIFAR-100
      nox -s grade -- class/ --profile cpu             a class: a platform's download, or a folder each
      nox -s grade -- submissions.zip --roster class.csv --dry-run    who would be graded, and who is missing
      nox -s grade -- alice.zip bob/ --seed 7          two of them, with the probe inputs of seed 7
      nox -s grade -- work/ --trust --engine none      code you trust, where there is no sandbox
      nox -s grade -- class/ --scheduler tls://10.0.0.5:8786    on a cluster (docs/scaling.md)

    exit code: 0 every submission was graded, 1 one could not be, 2 wrong usage. A low mark is not an error.
    """,
)
@click.argument(
    "paths",
    type=options.Location(),
    nargs=-1,
    required=True,
    metavar="PATH...",
    help="Folders or zips: submissions, or a class.",
)
@options.profile(
    help="offline, cpu or another profile of params.yaml.", shown="cpu if CIFAR-100 is here, else offline"
)
@options.engine(
    help="What isolates; auto is the first of these that works here. With podman and docker, networks train "
    "in a container too."
)
@click.option(
    "--seed",
    type=options.Whole("a seed", 0, options.MAX_SEED),
    metavar="N",
    show_default="that of the class, or a fresh one",
    help="Of the probe inputs.",
)
@click.option("--new-seed", is_flag=True, help="Draw another seed, the class's from here on.")
@options.out("results", help="Where results go, and the gradebook.")
@click.option(
    "--layout",
    metavar="NAME",
    show_default="recognised by its form",
    help="How it was handed in: canvas, moodle, gradescope, blackboard, brightspace, repositories, "
    "sections, folders or single.",
)
@click.option(
    "--roster",
    type=options.Location(),
    metavar="FILE",
    help="A CSV of the class: adds names, and who is missing.",
)
@click.option(
    "--course",
    type=options.Location(),
    metavar="FILE",
    show_default="course.toml, if there is one",
    help="Due date, lateness, weights: docs/course.md.",
)
@click.option(
    "--dry-run", is_flag=True, help="Show who would be graded and how long it takes, and do nothing."
)
@options.workers(
    min(8, CORES),
    shown="one a core, 8 at most",
    help="Probes and trainings at a time, a thread and up to 3 GiB each.",
)
@options.trust
@click.option(
    "--retrain",
    is_flag=True,
    help="Grade again what has a mark, and train networks that are known; results in .kit/trainings count.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Probe and train on the cluster of this scheduler, such as tls://10.0.0.5:8786.",
)
@cluster.certificates_option
@click.pass_obj
def grade(
    console: Console,
    paths: tuple[Path, ...],
    profile: str | None,
    engine: str,
    seed: int | None,
    new_seed: bool,
    out: Path,
    layout: str | None,
    roster: Path | None,
    course: Path | None,
    dry_run: bool,
    workers: int,
    trust: bool,
    retrain: bool,
    scheduler: str | None,
    certificates: Path,
) -> int:
    """Marks submissions: probes them in a sandbox, trains what they built, writes results."""
    from grader.commands.grade import Order, grade

    order = Order(
        paths=paths,
        profile=profile,
        engine=engine,
        seed=seed,
        new_seed=new_seed,
        out=out,
        layout=layout,
        roster=roster,
        course=course,
        dry_run=dry_run,
        trust=trust,
        workers=workers,
        retrain=retrain,
        scheduler=scheduler,
        certificates=certificates if scheduler else None,
    )
    return grade(ROOT, console, order)


@click.command(
    cls=Command,
    prog="nox -s marking --",
    short_help="What other weights would do to marks that were given.",
    epilog="""
    examples:
      cp solutions/marking.toml mine.toml              change the copy, then:
      nox -s marking -- --with mine.toml results/      the marks of a class by it, nothing graded again
      nox -s marking -- --with mine.toml results/ --table changes.csv

    exit code: 0 done, 1 a result could not be read, 2 wrong usage.
    """,
)
@click.argument(
    "results",
    type=options.Location(),
    nargs=-1,
    required=True,
    metavar="RESULTS...",
    help="Folders that `grade` wrote, or the folder of a class.",
)
@click.option(
    "--with",
    "weights",
    type=options.Location(),
    required=True,
    metavar="FILE",
    help="A marking.toml: weights and rules to try.",
)
@click.option(
    "--table", type=options.Location(), metavar="FILE", help="Write all marks, before and after, as CSV."
)
@click.pass_obj
def marking(console: Console, results: tuple[Path, ...], weights: Path, table: Path | None) -> int:
    """What other weights and rules would do to a class's marks; nothing is changed or graded again."""
    from grader.commands.marking import Order, try_marking

    return try_marking(ROOT, console, Order(weights=weights, results=results, table=table))


@click.command(
    cls=Command,
    prog="nox -s doctor --",
    short_help="What this machine has and lacks, tried and not assumed.",
    epilog="""
    examples:
      nox -s doctor

    exit code: 0 submissions can be graded here in a sandbox, 1 they cannot, 2 wrong usage.
    """,
)
@click.pass_obj
def doctor(console: Console) -> int:
    """What this machine has: Python, packages, devices, engines and the limits they enforce, images, data,
    disk. All of it tried, in about half a minute.
    """
    from grader.commands.doctor import doctor

    return doctor(ROOT, console)


@click.command(
    cls=Command,
    prog="nox -s image --",
    short_help="Builds the containers' images.",
    epilog="""
    examples:
      nox -s image -- --target sandbox
      nox -s image -- --cpu-trainer
      nox -s image -- --engine docker --base registry.example.edu/python:3.11 --ca-bundle ca.pem
    """,
)
@click.option(
    "--target", type=click.Choice(["sandbox", "trainer", "all"]), default="all", help="Which image."
)
@options.engine(("auto", "podman", "docker"), help="What builds; auto is podman if it is here.")
@click.option("--base", metavar="IMAGE", help="Instead of the published one of the Dockerfile.")
@click.option("--cpu-trainer", is_flag=True, help="Leave CUDA out of the trainer: several GB less.")
@click.option(
    "--ca-bundle",
    type=options.Location(),
    metavar="FILE",
    show_default="$SSL_CERT_FILE, $PIP_CERT, $REQUESTS_CA_BUNDLE",
    help="Certificates to fetch packages with.",
)
@click.pass_obj
def image(
    console: Console, target: str, engine: str, base: str | None, cpu_trainer: bool, ca_bundle: Path | None
) -> int:
    """Builds the containers' images; in seconds where nothing has changed."""
    from grader.commands.image import image
    from grader.sandbox import container_images

    return image(
        console,
        targets=[one for one in container_images.TARGETS if target in (one, "all")],
        engine=engine,
        base=base,
        tensorflow="cpu" if cpu_trainer else "gpu",
        ca_bundle=ca_bundle,
    )
