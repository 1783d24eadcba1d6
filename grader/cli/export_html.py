"""`nox -s export -- html`."""

from pathlib import Path
from typing import Literal

import click
from rich.console import Console

from grader.cli import options
from grader.cli.base import Command


@click.command(
    cls=Command,
    name="html",
    prog="nox -s export -- html",
    short_help="Web pages: of the class, and one to hand to each student.",
    epilog="""
    examples:
      nox -s export -- html                             results/pages/index.html
      nox -s export -- html --out results/spring --to ~/spring-pages
      nox -s export -- html --no-similar                does not compare students' files
      nox -s export -- html --release checks            before the deadline
    """,
)
@options.out("results", help="The folder of results, as in grade.")
@click.option(
    "--to",
    type=options.Location(),
    metavar="FOLDER",
    help="Where to write the pages; pages/ in the folder of results unless named.",
)
@click.option(
    "--similar/--no-similar",
    default=None,
    help="Whether to look for similar sources; done for a class of at most 300 unless named.",
)
@click.option(
    "--release",
    type=click.Choice(["checks", "all"]),
    default="all",
    help="What students' pages show: before the deadline only checks that need no hidden images.",
)
@click.pass_obj
def html(
    console: Console, out: Path, to: Path | None, similar: bool | None, release: Literal["checks", "all"]
) -> int:
    """Writes the class as web pages, which need no server and no network: marks and their distribution, what
    each check shows of the class, who needs a look, similar sources, networks, runs. Beside it a page for
    each student, which has nothing of anybody else's.
    """
    from grader.commands import export_html

    return export_html.html(options.ROOT, console, out, to=to, similar=similar, release=release)
