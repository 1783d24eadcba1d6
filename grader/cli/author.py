"""Commands for the authors of the assignment: what students get, what it is measured by, and how well."""

from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from grader.cli import options
from grader.cli.base import Command
from grader.cli.options import CORES, ROOT
from grader.paths import from_here


@click.command(
    cls=Command,
    prog="nox -s stubs --",
    short_help="Generates assignment/ from solutions/.",
    epilog="""
    examples:
      nox -s stubs
      nox -s stubs -- --check
    """,
)
@click.option("--check", is_flag=True, help="Change nothing; say what differs and exit with 1.")
@click.pass_obj
def stubs(console: Console, check: bool) -> int:
    """Generates assignment/ from solutions/."""
    from grader.handout import stubs

    if check:
        differences = stubs.check(ROOT)
        for line in differences:
            console.print(Text(line))
        console.print("Run: nox -s stubs" if differences else "assignment/ is what solutions/ gives.")
        return 1 if differences else 0
    changed = stubs.generate(ROOT)
    for path in changed:
        console.print(Text(f"wrote {from_here(path)}"))
    console.print("assignment/ is what solutions/ gives." + ("" if changed else " Nothing had changed."))
    return 0


@click.command(
    cls=Command,
    prog="nox -s handout --",
    short_help="The zip that students get: stubs, checks and the lock, no answers.",
    epilog="""
    examples:
      nox -s handout
      nox -s handout -- --to ~/course/assignment.zip
    """,
)
@click.option(
    "--to",
    type=options.Location(),
    default=Path("cifar100-assignment.zip"),
    metavar="FILE",
    help="The zip.",
)
@click.pass_obj
def handout(console: Console, to: Path) -> int:
    """Writes the zip that a student gets: assignment/, lab/, what checks it, and the lock. It works by itself
    once it is unzipped. It has no solutions, no mutants and no hidden images; what is known of right networks
    goes along as digests and accuracies.
    """
    from grader.handout import bundle

    made = bundle.write(ROOT, to)
    console.print(
        Text(f"{made.path}: {made.files} files, {made.size / 1e6:.1f} MB, sha256 {made.digest[:16]}")
    )
    return 0


@click.command(
    cls=Command,
    prog="nox -s prove --",
    short_help="Grades submissions whose marks are known: is the grader right?",
    epilog="""
    examples:
      nox -s prove                                     all mutants and right submissions, about ten minutes
      nox -s prove -- alexnet resnet                   only these tasks
      nox -s prove -- --train --profile cpu            with trainings: an hour or two more the first time

    exit code: 0 the grader was right about all of them, 1 it was not, 2 wrong usage.
    """,
)
@options.tasks("solutions")
@click.option("--train", is_flag=True, help="Train all networks that can be trained as well.")
@options.profile(
    help="offline, cpu or another profile of params.yaml.", shown="cpu if CIFAR-100 is here, else offline"
)
@options.engine(help="What isolates; auto is the first of these that works here.")
@options.seed(1)
@options.workers(min(8, CORES), shown="one a core, 8 at most", help="Probes and trainings at a time.")
@click.pass_obj
def prove(
    console: Console,
    tasks: tuple[str, ...],
    train: bool,
    profile: str | None,
    engine: str,
    seed: int,
    workers: int,
) -> int:
    """Grades the bank: wrong submissions, which must fail the check they name with its hint, and right ones,
    which must have full marks. Compares what mutants and unseen mistakes lose with what raters would take
    off. Writes reference/proof.json, and the tables in README.md and docs/proof.md.
    """
    from grader.proof.prove import Order, prove

    order = Order(tasks=tasks, train=train, profile=profile, engine=engine, seed=seed, workers=workers)
    return prove(ROOT, console, order)


@click.command(
    cls=Command,
    prog="nox -s ratings --",
    short_help="What raters who know no points would take off for each mistake.",
    epilog="""
    examples:
      nox -s ratings                                   how many mutants are rated, and how far raters agree
      nox -s ratings -- --sheets sheets                what three raters read, and what they are asked to do
      nox -s ratings -- --sheets sheets --unrated      only mutants that nobody has rated as they are now
      nox -s ratings -- --take sheets/rater1.csv sheets/rater2.csv sheets/rater3.csv

    bank/ratings.md says who the raters were. nox -s prove compares marks with what they say.
    exit code: 0 done, 1 the bank or the ratings are not as they must be, 2 wrong usage.
    """,
)
@options.tasks("solutions")
@click.option(
    "--sheets", type=options.Location(), metavar="FOLDER", help="Write sheets for raters into a new folder."
)
@click.option("--unrated", is_flag=True, help="On the sheets, only what has no rating of what it is now.")
@click.option(
    "--take",
    type=options.Location(),
    nargs=3,
    metavar="FILE FILE FILE",
    help="Take in what raters 1, 2 and 3 have written. Writes bank/ratings.csv.",
)
@click.pass_obj
def ratings(
    console: Console,
    tasks: tuple[str, ...],
    sheets: Path | None,
    unrated: bool,
    take: tuple[Path, ...] | None,
) -> int:
    """Has the mistakes of the bank rated: sheets for three raters, who see the brief and each mistake and no
    points, and what they have written. Without an option, says what is rated.
    """
    from grader.proof import rate

    order = rate.Order(tasks=tasks, sheets=sheets, unrated=unrated, take=take or ())
    return rate.rate(ROOT, console, order)


@click.command(
    cls=Command,
    prog="nox -s bench --",
    short_help="What it all costs here, beside other tools.",
    epilog="""
    examples:
      nox -s bench                                     all figures, some twenty minutes on a quiet machine
      nox -s bench -- check grade-stubs                only these
      nox -s bench -- --quick --no-before              each side once, and not this kit at an earlier commit
      nox -s bench -- --list                           what can be measured

    A run that was stopped goes on where it was. A goal that is missed is shown so and is no error.
    exit code: 0 all was measured, 1 something could not be, 2 wrong usage.
    """,
)
@click.argument("figures", nargs=-1, metavar="[FIGURE]...", help="Only these.")
@click.option("--list", "listed", is_flag=True, help="Only name the figures, with what is aimed at.")
@click.option("--quick", is_flag=True, help="Each side once, and less of what takes long.")
@click.option(
    "--peers/--no-peers", default=True, help="Other tools, in environments of their own below .nox."
)
@click.option("--before/--no-before", default=True, help="This kit at an earlier commit.")
@click.option(
    "--out",
    type=options.Location(),
    metavar="FILE",
    show_default="reference/bench.json for all, else .kit/bench.json",
    help="Where the figures go.",
)
@click.pass_obj
def bench(
    console: Console,
    figures: tuple[str, ...],
    listed: bool,
    quick: bool,
    peers: bool,
    before: bool,
    out: Path | None,
) -> int:
    """Measures what this kit costs on this machine, as whole commands, in turns with other tools that do the
    same. Writes reference/bench.json.
    """
    from grader.benchmark import bench

    if listed:
        console.print(bench.goals(ROOT))
        return 0
    order = bench.Order(names=figures, quick=quick, peers=peers, before=before, out=out)
    return bench.bench(ROOT, console, order)


@click.command(
    cls=Command,
    prog="nox -s reference --",
    short_help="Trains the solutions, sets the thresholds, draws the figures.",
    epilog="""
    examples:
      nox -s reference                                 profile offline: no data needed
      nox -s reference -- --profile cpu --dry          what has changed
      nox -s reference -- --profile cpu                measure that again
      nox -s reference -- train@cpu-alexnet            one stage, and what it needs
      nox -s reference -- failure                      the ResNet that would not learn
    """,
)
@click.argument(
    "targets", nargs=-1, metavar="[STAGE]...", help="Only these stages of dvc.yaml and what they need."
)
@options.profile("offline")
@click.option(
    "--force", is_flag=True, help="Run its stages even if nothing has changed; stored trainings count."
)
@click.option("--dry", is_flag=True, help="Only say which stages would run.")
@options.workers(min(2, CORES), shown="2", help="Trainings at a time, a thread and up to 3 GiB each.")
@click.pass_obj
def reference(
    console: Console, targets: tuple[str, ...], profile: str, force: bool, dry: bool, workers: int
) -> int:
    """Trains the solutions under all reference seeds, sets the thresholds, draws the figures: what has
    changed of it (dvc repro). A run that was stopped goes on where it was.
    """
    from grader.reference.pipeline import Order, reference

    order = Order(profile=profile, targets=targets, force=force, dry=dry, workers=workers)
    return reference(ROOT, console, order)


@click.command(
    cls=Command,
    prog="nox -s report --",
    short_help="What was measured, as a page with figures.",
    epilog="""
    examples:
      nox -s report                                    profile offline
      nox -s report -- --profile cpu --out page/
    """,
)
@options.profile("offline")
@click.option(
    "--out",
    type=options.Location(),
    metavar="PATH",
    show_default=".kit/report/<profile>/",
    help="Where the page goes.",
)
def report(profile: str, out: Path | None) -> int:
    """What the pipeline measured, as one HTML page and as figures. It trains nothing."""
    from grader.reference.report import report

    written, missing = report(profile, root=ROOT, out=out)
    console = Console(soft_wrap=True)
    for one in missing:
        console.print(Text(f"Left out: {one.sentence} {one.command}", style="yellow"))
    console.print(Text(f"Written: {from_here(written)}"))
    return 0


@click.command(
    cls=Command,
    prog="python -m grader.thresholds",
    short_help="Writes thresholds from estimates, where nothing was trained.",
    epilog="""
    examples:
      python -m grader.thresholds reference/gpu
    """,
)
@click.argument(
    "folders",
    type=options.Location(),
    nargs=-1,
    required=True,
    metavar="FOLDER...",
    help="Each with an estimates.yaml: reference/gpu, reference/gpu-full.",
)
@click.pass_obj
def estimates(console: Console, folders: tuple[Path, ...]) -> int:
    """Writes each folder's thresholds.json from its estimates.yaml."""
    from grader.thresholds.estimates import save_estimates

    for folder in folders:
        for one in save_estimates(folder).thresholds:
            console.print(Text(f"{one.task} on {one.labels} labels: {one.threshold:.1%}, an estimate"))
    return 0
