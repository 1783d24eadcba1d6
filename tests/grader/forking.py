"""A process that has imported a library and forks for each program it is given: the library is imported once.

Run as a program with the library's name, it reads the arguments of one program a line from its stdin, as
JSON: the Python file to run comes first. It runs that in a child and prints the child's exit code.
"""

import importlib
import json
import os
import runpy
import subprocess
import sys
import traceback
from typing import NoReturn


class Forking:
    """Runs programs as `python -I -B FILE ARGUMENT...` would, one at a time, with a library imported already.

    All of them share one seed for the hashes of text, which Python draws for each process that it starts.
    """

    def __init__(self, library: str) -> None:
        self._library = library
        self._process: subprocess.Popen[str] | None = None

    def start(self, *arguments: object) -> None:
        """Starts a program; `wait` comes before the next one."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-B", __file__, self._library],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # where TensorFlow speaks of itself
                text=True,
            )
        assert self._process.stdin is not None
        print(json.dumps([str(argument) for argument in arguments]), file=self._process.stdin, flush=True)

    def wait(self) -> int:
        """The exit code of the program that was started."""
        assert self._process is not None
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.communicate()


def serve(library: str) -> NoReturn:
    """Runs what is asked for until stdin is closed."""
    importlib.import_module(library)
    for line in sys.stdin:
        # Importing starts no threads, or a fork would lose them.
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    os._exit(0)  # to take a library down in order can take as long as a test


def _become(arguments: list[str]) -> NoReturn:
    """The whole life of a child; nothing that it prints or reads is the parent's."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    sys.argv = arguments
    sys.orig_argv = [sys.executable, "-I", "-B", *arguments]
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])
