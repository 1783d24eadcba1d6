"""`python -m lab data` brings the data; `nox -s data` is the same."""

import inspect
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

ROOT = Path(__file__).resolve().parent.parent
PROG = "nox -s data --"


class _Data(click.Command):
    """Its examples keep their lines, which click would fill up."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(PROG, " ".join(self.collect_usage_pieces(ctx)))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(f"\n{inspect.cleandoc(self.epilog or '')}\n")


class _Source(click.ParamType[Path]):
    """A file or folder that is there."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if not Path(value).exists():
            self.fail(f"there is no file or folder {value}", param, ctx)
        return Path(value)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def commands() -> None:
    """Data for the course."""


@commands.command(
    cls=_Data,
    short_help="Brings CIFAR-100 into data/ and grader/hidden/.",
    epilog="""
    examples:
      nox -s data                                       from a DVC remote if there is one, else fetched
      nox -s data -- --from ~/cifar-100-python.tar.gz   from an archive (.tar.gz, .tar.xz)
      nox -s data -- --from ~/cifar-100-python          from the folder that the archive unpacks to
      nox -s data -- --from ../another-checkout         from the canonical files there

    to share it with a class through DVC, once it is in place:
      dvc remote add --default store /path/to/a/folder
      dvc add data grader/hidden && dvc push
    """,
)
@click.option(
    "--from",
    "source",
    type=_Source(),
    metavar="PATH",
    help="An archive, the folder it unpacks to, or a folder with the canonical files.",
)
def data(source: Path | None) -> int:
    """Brings the course set into data/ and the hidden set into grader/hidden/, checked to the byte. Tried in
    turn: what is there already, a DVC remote, --from PATH or else the official archive.
    """
    signal.signal(signal.SIGTERM, _interrupt)  # cleaned up after like Ctrl-C
    try:
        print(f"Bringing CIFAR-100 into {ROOT / 'data'} and {ROOT / 'grader' / 'hidden'}.", flush=True)
        # Imported late, so that Ctrl-C is answered with one line from the start.
        from lab.errors import DataError
        from lab.fetch import bring

        try:
            bring(ROOT, source, lambda line: print(line, flush=True))
        except DataError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        print("interrupted: nothing half-written was left in place", file=sys.stderr)
        return 130
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; 0 when it did what it says, 1 when it could not, 2 for wrong usage."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with commands.make_context("python -m lab", given) as context:
            return int(commands.invoke(context))
    except click.exceptions.Exit as end:  # --help has been shown
        return end.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        print(f"nox -s data: {error.format_message()}", file=sys.stderr)
        if not isinstance(error, click.BadParameter):  # that says itself what was expected
            print(f"  {PROG} --help shows what it takes.", file=sys.stderr)
        return error.exit_code


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
