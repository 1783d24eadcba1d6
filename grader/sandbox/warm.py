"""Programs of one's own that were started ahead of time, have imported their libraries and wait to be let go.

    with WarmEngine(folder) as engine:
        engine.run(program)          # the first of its kind starts now, as in the engine `none`
        engine.warm()                # from here on, one of each kind that was run waits
        engine.run(program)          # lets that one go: nothing has to be imported

One is used for one program, so that no run finds anything that another left in it. This is for one's own code
alone, which runs without a sandbox: a program of somebody else's starts in its sandbox, when it is its turn.
"""

import json
import re
import shutil
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from grader.errors import SandboxFault
from grader.sandbox.base import Availability, Limits, Outcome, Program
from grader.sandbox.unisolated import NoneEngine, real_path

_KEPT_READABLE = {"/kit/guest", "/kit/probe.py", "/kit/builder-arguments.json"}
_ARGUMENTS = "/kit/builder-arguments.json"
_KERAS = re.compile(rb"\b(keras|tensorflow)\b")

# The backend, whether the module names Keras, whether it is a second process.
Kind = tuple[str, bool, bool]


class WarmEngine(NoneEngine):
    """The engine `none`, with processes that wait.

    Args:
        folder: the student's files: what their modules import tells one waiting process from another.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Kind, Program] = {}
        self._waiting: dict[Kind, list[_Waiting]] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._home = tempfile.TemporaryDirectory(prefix="kit-warm-", ignore_cleanup_errors=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._home.cleanup()  # who waits there ends
        for waiting in (one for those in self._waiting.values() for one in those):
            waiting.thread.join(timeout=10.0)

    def availability(self) -> Availability:
        """Always usable."""
        return Availability(True)

    def run(self, program: Program) -> Outcome:
        """As of the engine `none`; in a process that waits, if there is one of that kind."""
        kind = _kind(program)
        if kind is None:
            return super().run(program)
        with self._lock:
            self._known.setdefault(kind, program)
            waiting = self._waiting.get(kind, [])
            one = waiting.pop() if waiting else None
        if one is None or not one.thread.is_alive():
            return super().run(program)
        return one.let_go(program)

    def warm(self, at_once: int = 1) -> None:
        """Starts what is missing: processes of each kind that was run, so many of each."""
        for kind, program in list(self._known.items()):
            waiting = [one for one in self._waiting.get(kind, []) if one.thread.is_alive()]
            for _ in range(at_once - len(waiting)):
                home = Path(tempfile.mkdtemp(dir=self._home.name))
                waiting.append(_Waiting(NoneEngine(), self._held(program, home), home))
            with self._lock:
                self._waiting[kind] = waiting

    def _held(self, program: Program, home: Path) -> Program:
        output = home / "output"
        output.mkdir()
        arguments = list(program.arguments)
        place = arguments.index("--builder-arguments")
        arguments[place : place + 2] = ["--wait", "/kit/options.json"]
        if "--later" in arguments:
            arguments.append("--spawned")
        return replace(
            program,
            arguments=tuple(arguments),
            submission=self._folder,
            output=output,
            readable={**program.readable, "/kit/options.json": home / "options.json"},
            limits=Limits(),
            held=home / "options.json",
        )


@dataclass
class _Waiting:
    """A process that waits.

    Attributes:
        engine: what runs it.
        program: what was started.
        home: its folder.
        thread: sees it to its end.
    """

    engine: NoneEngine
    program: Program
    home: Path
    thread: threading.Thread = field(init=False)
    _came: list[Outcome | SandboxFault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, name="warm", daemon=True)
        self.thread.start()

    def let_go(self, program: Program) -> Outcome:
        """Has it run a program, and hands over what that left."""
        real = {"/submission": program.submission, "/output": self.program.output, **program.readable}
        options = [real_path(argument, real) for argument in program.arguments[1:]]
        half = self.home / "options.half"
        half.write_text(json.dumps([*options, *(["--spawned"] if "--later" in options else [])]))
        half.replace(self.home / "options.json")
        self.thread.join()
        for file in self.program.output.iterdir():
            shutil.move(file, program.output / file.name)
        shutil.rmtree(self.home, ignore_errors=True)
        (came,) = self._came
        if isinstance(came, SandboxFault):
            raise came
        return came

    def _run(self) -> None:
        try:
            self._came.append(self.engine.run(self.program))
        except SandboxFault as fault:
            self._came.append(fault)
        except OSError as error:
            self._came.append(SandboxFault(f"a program that waited is gone: {error}"))


def _kind(program: Program) -> Kind | None:
    """What a process must have done to be of use for a program; None if none can be."""
    arguments = program.arguments
    if set(program.readable) != _KEPT_READABLE or "--module" not in arguments or _ARGUMENTS not in arguments:
        return None
    backend = next((a.partition("=")[2] for a in arguments if a.startswith("--backend=")), "tensorflow")
    names_keras = False
    with suppress(OSError):
        module = program.submission / arguments[arguments.index("--module") + 1]
        names_keras = bool(_KERAS.search(module.read_bytes()))
    return backend, names_keras or backend == "numpy", "--later" in arguments
