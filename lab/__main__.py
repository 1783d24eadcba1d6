"""`python -m lab data` brings the data; `nox -s data` is the same."""

import argparse
import signal
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent

EXAMPLES = """\
examples:
  nox -s data                                       from a DVC remote if there is one, else from the network
  nox -s data -- --from ~/cifar-100-python.tar.gz   from an archive (.tar.gz, .tar.xz)
  nox -s data -- --from ~/cifar-100-python          from the folder that the archive unpacks to
  nox -s data -- --from ../another-checkout         from the canonical files there

to share it with a class through DVC, once it is in place:
  dvc remote add --default store /path/to/a/folder
  dvc add data grader/hidden && dvc push
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; 0 when it did what it says, 1 when it could not, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m lab", description="Data for the course.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    data = commands.add_parser(
        "data",
        help="bring CIFAR-100 into data/ and grader/hidden/",
        description="Brings the course set into data/ and the hidden set into grader/hidden/, checked to the "
        "byte. Tried in turn: what is there already, a DVC remote, --from PATH or else the official archive.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="PATH",
        help="an archive, the folder it unpacks to, or a folder with the canonical files",
    )
    asked = parser.parse_args(arguments)
    if asked.source is not None and not asked.source.exists():
        data.error(f"--from: there is no file or folder {asked.source}")
    return _data(asked.source)


def _data(source: Path | None) -> int:
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


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
