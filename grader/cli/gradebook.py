"""The commands on a gradebook, for instructors: marks so far, where they come from, and changes by hand."""

from pathlib import Path

import click
from rich.console import Console

from grader.cli import options
from grader.cli.base import Command, Group

PROG = "nox -s gradebook --"

_out = options.out("results", help="The folder of results, as in grade.")
_student = click.argument(
    "student", metavar="STUDENT", help="A key, a name, or a part of one that only one student has."
)
_who = click.option("--who", metavar="NAME", show_default="your login", help="Who does it, for the record.")


class Points(click.ParamType[float]):
    """Points that a person gives: a number of at least 0."""

    name = "points"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; UsageError says what was expected."""
        try:
            points = float(str(value))
        except ValueError:
            points = -1.0
        if not 0 <= points < float("inf"):
            self.fail(f"points are a number of at least 0, not {value}", param, ctx)
        return points


@click.command(
    cls=Command,
    name="show",
    prog=f"{PROG} show",
    short_help="The marks of the class.",
    epilog="""
    examples:
      nox -s gradebook -- show
      nox -s gradebook -- show --out results/spring      another folder of results
    """,
)
@_out
@click.pass_obj
def show(console: Console, out: Path) -> None:
    """The mark of each student as it counts now, and what needs a look. Works during a run too."""
    from grader.commands import gradebook

    gradebook.show(console, out)


@click.command(
    cls=Command,
    name="explain",
    prog=f"{PROG} explain",
    short_help="Where a mark comes from, and the command that repeats it.",
    epilog="""
    examples:
      nox -s gradebook -- explain alice
      nox -s gradebook -- explain "li wei" --out results/spring
    """,
)
@_student
@_out
@click.pass_obj
def explain(console: Console, student: str, out: Path) -> None:
    """Where a mark comes from: what was called, came back and was expected, the trainings behind each
    accuracy, earlier marks, changes by hand, and the command that grades it again.
    """
    from grader.commands import gradebook

    gradebook.explain(console, out, student)


@click.command(
    cls=Command,
    name="override",
    prog=f"{PROG} override",
    short_help="Changes the points of one task by hand.",
    epilog="""
    examples:
      nox -s gradebook -- override alice alexnet 25 --why "Shown in the lab that it runs"
      nox -s gradebook -- override alice alexnet --remove --why "Was meant for Alice B."
    """,
)
@_student
@click.argument("task", metavar="TASK", help="Such as alexnet.")
@click.argument("points", type=Points(), required=False, metavar="[POINTS]", help="What the task counts.")
@click.option("--remove", is_flag=True, help="Take the change back: what the checks earned counts again.")
@click.option("--why", required=True, metavar="TEXT", help="The reason, which the student's report shows.")
@_who
@_out
@click.pass_obj
def override(
    console: Console,
    student: str,
    task: str,
    points: float | None,
    remove: bool,
    why: str,
    who: str | None,
    out: Path,
) -> None:
    """Changes the points of one task by hand. It stays when the student is graded again; who, why and when
    are recorded, and so is taking it back.
    """
    from grader.commands import gradebook

    if remove == (points is not None):
        raise click.UsageError("name the POINTS, or --remove to take a change back")
    gradebook.override(console, out, student, task, points, why=why, who=who)


@click.command(
    cls=Command,
    name="diff",
    prog=f"{PROG} diff",
    short_help="Which marks changed between two runs, and why.",
    epilog="""
    examples:
      nox -s gradebook -- diff              the last two runs
      nox -s gradebook -- diff 1 3
      nox -s gradebook -- diff 3 now        with what was changed by hand since
    """,
)
@click.argument("runs", nargs=-1, metavar="[RUN RUN]", help="Numbers of runs, as in show; or now.")
@_out
@click.pass_obj
def diff(console: Console, runs: tuple[str, ...], out: Path) -> None:
    """Which marks changed between the ends of two runs, each with its reason."""
    from grader.commands import gradebook

    if len(runs) not in (0, 2):
        raise click.UsageError("name two runs, or none for the last two")
    gradebook.diff(console, out, *runs)


@click.command(
    cls=Command,
    name="verify",
    prog=f"{PROG} verify",
    short_help="Whether a record was changed, removed or put in by hand.",
    epilog="""
    examples:
      nox -s gradebook -- verify

    exit code: 0 the chain of records is unbroken, 1 it is not, 2 wrong usage.
    """,
)
@_out
@click.pass_obj
def verify(console: Console, out: Path) -> int:
    """Whether the records are as they were written; the last line is the verdict. It finds accidents and
    edits of the file, not an owner who rewrites all of it.
    """
    from grader.commands import gradebook

    return gradebook.verify(console, out)


@click.command(
    cls=Command,
    name="backup",
    prog=f"{PROG} backup",
    short_help="Copies the gradebook, also during a run.",
    epilog="""
    examples:
      nox -s gradebook -- backup ~/marks-2026-11-20.db
    """,
)
@click.argument("file", type=options.Location(), metavar="FILE", help="The copy; it must not exist yet.")
@_out
@click.pass_obj
def backup(console: Console, file: Path, out: Path) -> None:
    """Copies the gradebook into one file, whole and checked, also while a run appends to it."""
    from grader.commands import gradebook

    gradebook.backup(console, out, file)


@click.command(
    cls=Command,
    name="forget",
    prog=f"{PROG} forget",
    short_help="Erases what is recorded of a student who left.",
    epilog="""
    examples:
      nox -s gradebook -- forget bob
      nox -s gradebook -- forget bob --yes      without a question
    """,
)
@_student
@_who
@click.option("--yes", is_flag=True, help="Do not ask.")
@_out
@click.pass_obj
def forget(console: Console, student: str, who: str | None, yes: bool, out: Path) -> None:
    """Erases name, marks and reports of a student for good; that somebody was forgotten is recorded, and the
    chain of records stays unbroken. What a group has in common stays for its other members.
    """
    from grader.commands import gradebook

    gradebook.forget(console, out, student, who=who, ask=not yes)


@click.group(
    cls=Group,
    name="gradebook",
    prog=PROG,
    short_help="The marks so far, why, and changes by hand.",
    sections={
        "Look": [show, explain, diff, verify],
        "Change": [override, forget],
        "Keep": [backup],
    },
    epilog="""
    examples:
      nox -s gradebook -- show
      nox -s gradebook -- explain alice
      nox -s gradebook -- override alice alexnet 25 --why "Shown in the lab that it runs"
      nox -s gradebook -- override --help
    """,
)
def group() -> None:
    """The gradebook of a class: gradebook.db in the folder of results, to which each run of grade appends."""
