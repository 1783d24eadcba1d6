"""Keeps the current folder's files from being imported as modules.

`python -m` looks for modules in the current folder first. Typed in a folder with submissions, it would run a
student's numpy.py as part of the grader. nox starts every command with PYTHONSAFEPATH; this is for whoever
types `python -m grader` elsewhere than in the checkout. It imports nothing that such a folder could replace.
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120 - pathlib could be replaced


def ensure() -> None:
    """Starts this command again without the current folder on the path of modules, unless it is the checkout.

    Windows cannot replace a process. No engine isolates there, so other people's code is not graded on it.
    """
    if sys.flags.safe_path or os.name != "posix" or os.path.realpath(os.getcwd()) == ROOT:  # noqa: PTH109
        return
    environment = {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": ROOT}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - no shell
