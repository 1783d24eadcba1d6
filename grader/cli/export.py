"""Exports of a gradebook, for instructors: the files that platforms take, and what students may see."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import click
from rich.console import Console

from grader.cli import options
from grader.cli.base import Command, Group
from grader.cli.export_html import html
from grader.cli.options import ROOT

PROG = "nox -s export --"

_Function = TypeVar("_Function", bound=Callable[..., Any])

_out = options.out("results", help="The folder of results, as in grade.")


class Points(click.ParamType[float]):
    """Points that there are to earn: a number above 0."""

    name = "points"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; UsageError says what was expected."""
        try:
            points = float(str(value))
        except ValueError:
            points = 0.0
        if not 0 < points < float("inf"):
            self.fail(f"points are a number above 0, not {value}", param, ctx)
        return points


_out_of = click.option(
    "--out-of",
    type=Points(),
    metavar="POINTS",
    show_default="points as they count",
    help="Scale marks to what the platform counts, such as 100.",
)


def _to(default: str) -> Callable[[_Function], _Function]:
    return click.option(
        "--to",
        type=options.Location(),
        metavar="PATH",
        show_default=f"{default} in the folder of results",
        help="Where the export goes.",
    )


@click.command(
    cls=Command,
    name="canvas",
    prog=f"{PROG} canvas",
    short_help="Canvas: its exported gradebook with one column filled in.",
    epilog="""
    examples:
      nox -s export -- canvas --template Grades-CS101.csv
      nox -s export -- canvas --template Grades-CS101.csv --column "Lab 3" --out-of 100

    exit code: 0 everyone who has a mark is in it, 1 somebody is not and is listed, 2 wrong usage.
    """,
)
@click.option(
    "--template",
    type=options.Location(),
    required=True,
    metavar="FILE",
    help="The gradebook as Canvas exported it: Grades, Export, Export Entire Gradebook.",
)
@click.option(
    "--column",
    default="",
    metavar="TITLE",
    show_default="the only assignment there is",
    help="The assignment, or a part of its title that only one has.",
)
@_out_of
@_out
@_to("exports/canvas.csv")
@click.pass_obj
def canvas(
    console: Console, template: Path, column: str, out_of: float | None, out: Path, to: Path | None
) -> int:
    """Fills one assignment's column of a gradebook that Canvas exported: all its rows and ids are kept.

    A row whose student has no mark stays as it is. Who cannot be found in it is listed and not exported.
    """
    from grader.commands import export

    return export.canvas(ROOT, console, export.Order(out, to, out_of), template=template, column=column)


@click.command(
    cls=Command,
    name="moodle",
    prog=f"{PROG} moodle",
    short_help="Moodle: grades to import, or its grading worksheet filled in.",
    epilog="""
    examples:
      nox -s export -- moodle --by email --out-of 100
      nox -s export -- moodle --worksheet Grades-Lab3-10012.csv

    exit code: 0 everyone who has a mark is in it, 1 somebody is not and is listed, 2 wrong usage.
    """,
)
@click.option(
    "--by",
    type=click.Choice(["number", "email", "username"]),
    show_default="what most students have",
    help="How the import finds students: by ID number, e-mail or user name.",
)
@click.option(
    "--worksheet",
    type=options.Location(),
    metavar="FILE",
    help="Fill in this instead: the assignment's View all submissions, Download grading worksheet.",
)
@click.option(
    "--column",
    default="",
    metavar="TITLE",
    show_default="the assignment's title; Grade in a worksheet",
    help="What the column of grades is called.",
)
@_out_of
@_out
@_to("exports/moodle.csv")
@click.pass_obj
def moodle(
    console: Console,
    by: str | None,
    worksheet: Path | None,
    column: str,
    out_of: float | None,
    out: Path,
    to: Path | None,
) -> int:
    """Writes grades that Moodle's gradebook imports, or fills in an assignment's offline grading worksheet.

    Who has no mark is in no row of the one, and stays as they are in the other.
    """
    from grader.commands import export

    if by and worksheet is not None:
        raise click.UsageError("--by is for grades to import: a worksheet has its own ids")
    order = export.Order(out, to, out_of)
    return export.moodle(ROOT, console, order, by=by or "", sheet=worksheet, column=column)


@click.command(
    cls=Command,
    name="gradescope",
    prog=f"{PROG} gradescope",
    short_help="Gradescope: results.json and a report, a folder each; also to hand out.",
    epilog="""
    examples:
      nox -s export -- gradescope --release checks      before the deadline
      nox -s export -- gradescope --release all --to feedback/

    exit code: 0 everyone who has a mark is in it, 1 somebody is not and is listed, 2 wrong usage.
    """,
)
@click.option(
    "--release",
    type=click.Choice(["checks", "all"]),
    default="all",
    help="checks holds back accuracies, totals and all else that hidden images decide, so that nobody "
    "probes them by handing in again; all hands it out, after the deadline.",
)
@_out
@_to("exports/gradescope")
@click.pass_obj
def gradescope(console: Console, release: Literal["checks", "all"], out: Path, to: Path | None) -> int:
    """Writes results.json, as Gradescope reads it, and report.txt for each submission, to hand out."""
    from grader.commands import export

    return export.gradescope(ROOT, console, export.Order(out, to), release=release)


@click.command(
    cls=Command,
    name="csv",
    prog=f"{PROG} csv",
    short_help="One table with everything, for a spreadsheet.",
    epilog="""
    examples:
      nox -s export -- csv
      nox -s export -- csv --to ~/lab3.csv
    """,
)
@_out
@_to("exports/everything.csv")
@click.pass_obj
def everything_csv(console: Console, out: Path, to: Path | None) -> int:
    """Writes one table, a row a student: ids, attempt, lateness, points of each task, what counts and by
    which rule, changes by hand, faults, and what the mark is tied to. UTF-8 with a byte order mark.
    """
    from grader.commands import export

    return export.everything_csv(ROOT, console, export.Order(out, to))


@click.command(
    cls=Command,
    name="junit",
    prog=f"{PROG} junit",
    short_help="The checks as JUnit XML, a suite a student.",
    epilog="""
    examples:
      nox -s export -- junit --to build/marks.xml
    """,
)
@_out
@_to("exports/junit.xml")
@click.pass_obj
def junit(console: Console, out: Path, to: Path | None) -> int:
    """Writes the checks of all students as JUnit XML: failed is a failure, a fault of the machine an error;
    what was not attempted or is blocked is skipped.
    """
    from grader.commands import export

    return export.junit(ROOT, console, export.Order(out, to))


@click.group(
    cls=Group,
    name="export",
    prog=PROG,
    short_help="Marks in the files that platforms take.",
    sections={
        "Platforms": [canvas, moodle, gradescope],
        "Files": [everything_csv, junit],
        "Pages": [html],
    },
    epilog="""
    examples:
      nox -s export -- canvas --template Grades-CS101.csv --column "Lab 3"
      nox -s export -- moodle --by email --out-of 100
      nox -s export -- gradescope --release checks
      nox -s export -- csv
      nox -s export -- html
      nox -s export -- canvas --help
    """,
)
def group() -> None:
    """Marks of the gradebook in the files that platforms take. Nobody is guessed: who cannot be found in a
    template is listed, and a fault of the machine is never a zero. docs/exports.md has the steps on each
    platform.
    """
