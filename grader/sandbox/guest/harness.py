"""Calls a submission's functions and writes down what came of it. Runs in the sandbox, with the submission.

    python -I -B harness.py --module alexnet.py --probe /kit/probe.py --submission /submission
        --output /output --seed 123 [--skip build_alexnet,...] [--builder-arguments FILE] [--later]
        [--seconds 15] [--clock 40] [--backend numpy] [--wait FILE]

With --wait it imports what it needs, waits for that file and takes its options from it (a JSON list): started
ahead of time, a probe need not wait for libraries.

Nothing in here can be trusted once the submission is imported: it shares this process and may change all of
it. That is why nothing in here judges. The inputs are drawn afresh for each run, what is written is read as
data and under caps by grader/grading/evidence.py, and how the process ended is for the sandbox to say. What
this file owes is fairness: for an honest submission everything that works is recorded, and what does not work
is reported in plain words, with the line in its own file.

Only the standard library and NumPy are imported here; Keras only for a module that names it, or where it is
asked for with `--backend numpy` (see numpy_keras.py).
"""

import argparse
import contextlib
import importlib.machinery
import importlib.util
import json
import math
import os
import re
import signal
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any, NoReturn

import numpy as np

FORMAT = 1
STARTED = b"the probe has started\n"  # grader/grading/probing.py looks for it in what was printed
MIB = 1024 * 1024
# What one call may take: of processor time, and by the clock, for a call that waits. Importing may take twice
# as much. Seconds of a call of a right submission: below 2.
CALL_SECONDS, CALL_CLOCK = 15.0, 40.0
WAIT_SECONDS = 1800.0  # that a process which was started ahead of time waits for its options
# The caps of grader/grading/evidence.py, kept here: an honest mistake costs one value, not all evidence.
MAX_FILE_BYTES = 64 * MIB
MAX_TOTAL_BYTES = 256 * MIB
MAX_ARRAYS = 190
MAX_JSON_BYTES = 8 * MIB
MAX_DIMENSIONS = 6
MAX_ITEMS = 16  # of a tuple or list that is no list of numbers
MAX_DEPTH = 4
MAX_REASON = 1500  # characters of why a network cannot be used

IMAGE = (32, 32, 3)  # what builders are asked for by default

Value = dict[str, Any]


def main() -> None:
    """Probes one module of a submission and ends the process, whatever threads it has left behind."""
    options = read_options(sys.argv[1:])
    if options.wait:
        import_keras(options)
        options = read_options(await_options(Path(options.wait)))
    if options.later and not options.spawned and hasattr(os, "posix_spawn"):
        load_module("_kit_later", Path(__file__).with_name("later.py")).go_on_in_another_process()

    # All that is ours happens before the submission's first line: a failure up to here is the machine's.
    source = Path(options.submission) / options.module
    lines = None
    if import_keras(options):
        lines = load_module("_kit_lines", Path(__file__).with_name("lines.py")).Lines()
        lines.watch(options.submission)
    probe = load_module("_kit_probe", Path(options.probe))
    inputs = probe.draw(options.seed)
    if options.builder_arguments:
        inputs["builder_arguments"] = json.loads(Path(options.builder_arguments).read_text(encoding="utf-8"))
    skip = {name for name in options.skip.split(",") if name}
    clock = options.clock or options.seconds * CALL_CLOCK / CALL_SECONDS
    calls = Calls(source, Path(options.output), skip=skip, seconds=options.seconds, clock=clock, lines=lines)
    if options.later:
        load_module("_kit_later", Path(__file__).with_name("later.py")).move_clocks()
    else:
        keep_what_is_printed(calls)
    name_the_folder(source.parent)
    load_module("_kit_readonly", Path(__file__).with_name("readonly.py")).refuse(source.parent, calls.output)
    # The last thing that is ours alone: what follows may remove evidence, but it cannot unsay this.
    os.write(1, STARTED)

    if calls.import_submission():
        (probe.later if options.later else probe.probe)(calls, inputs)
    calls.finish()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(0)


def read_options(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser()
    for option in ("--module", "--probe", "--submission", "--output"):
        parser.add_argument(option, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--skip", default="")
    parser.add_argument("--builder-arguments")
    parser.add_argument("--seconds", type=float, default=CALL_SECONDS)
    parser.add_argument("--clock", type=float)
    parser.add_argument("--backend", choices=("numpy", "tensorflow"), default="tensorflow")
    parser.add_argument("--later", action="store_true")
    parser.add_argument("--spawned", action="store_true")
    parser.add_argument("--wait")
    return parser.parse_args(arguments)


def import_keras(options: argparse.Namespace) -> bool:
    """Imports Keras, if the module or the backend needs it; whether it did, now or before.

    This takes seconds, which are not the student's.
    """
    source = Path(options.submission) / options.module
    if options.backend == "numpy":
        if "keras" not in sys.modules:
            light = load_module("_kit_numpy_keras", Path(__file__).with_name("numpy_keras.py"))
            light.import_keras(Path(options.output))
        return True
    if source.is_file() and re.search(rb"\b(keras|tensorflow)\b", source.read_bytes()):
        import keras  # noqa: F401

        return True
    return False


def await_options(file: Path) -> list[str]:
    """Waits for a file of options; ends the process when nobody needs it any more."""
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until and file.parent.is_dir():
        with contextlib.suppress(OSError, ValueError):
            return [str(option) for option in json.loads(file.read_text(encoding="utf-8"))]
        time.sleep(0.01)
    os._exit(0)


def keep_what_is_printed(calls: "Calls") -> None:
    """Has what the submission prints kept with the call, or the import, that prints it."""
    printing = load_module("_kit_printing", Path(__file__).with_name("printing.py"))
    document = calls._document

    def record() -> Any:
        running = document["running"]
        return document["import"] if running == "import" else document["calls"].get(running)

    left = [printing.MOST_IN_ALL]
    sys.stdout = printing.Printing(sys.stdout, record, left)
    sys.stderr = printing.Printing(sys.stderr, record, left)


class Calls:
    """Calls functions of one module and keeps evidence.json up to date, so that a crash loses one call.

    Args:
        source: the module's file, at the top of the submission's folder.
        output: the folder for evidence.json and the arrays.
        skip: functions that are not called, because they have ended the process before.
        seconds: of processor time that one call may take; importing may take twice as much.
        clock: how long one call may take by the clock; importing twice as long.
        lines: where each layer was made (lines.py); None where Keras was not imported.
    """

    def __init__(
        self,
        source: Path,
        output: Path,
        *,
        skip: set[str],
        seconds: float,
        clock: float,
        lines: Any = None,
    ) -> None:
        self._source, self._submission = source, source.parent
        self.output = output
        self._skip, self._seconds, self._clock, self._lines = skip, seconds, clock, lines
        self._module = ModuleType(source.stem)
        self._slow: dict[str, dict[str, Any]] = {}  # what was written down of functions that did not end
        self._made: Any = None  # see made.py
        self._words: dict[type, Any] = {}  # for layers that stand in for something; see standing_in.py
        self._open_as: tuple[int, ...] = ()  # the sizes of images that the builder at hand is asked for
        self._arrays = 0
        self._bytes_left = MAX_TOTAL_BYTES - 2 * MAX_JSON_BYTES
        self._json_left = MAX_JSON_BYTES - MIB
        self._document: dict[str, Any] = {
            "format": FORMAT,
            "started": True,
            "finished": False,
            "running": None,
            "import": {"status": "running", "exception": None},
            "calls": {},
        }
        self._write()

    def import_submission(self) -> bool:
        """Imports the module as if started in its folder; False if that failed, which is recorded."""
        result = self._document["import"]
        if not self._source.is_file():
            result["status"] = "missing file"
            return False
        # Last, so that no file of a submission can stand in for a library: numpy.py would break NumPy itself.
        sys.path.append(str(self._submission))
        sys.argv = [str(self._source)]
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123  (input() then says EOF)
        os.chdir(self._submission)
        self._document["running"] = "import"
        self._write()
        try:
            with time_limit(2 * self._seconds, 2 * self._clock):
                self._module = load_module(self._source.stem, self._source)
            result["status"] = "ok"
        except TimeIsUp as up:
            result["status"] = "timed out"
            result["exception"] = self._exception(up)
        except BaseException as error:
            result["status"] = "raised"
            result["exception"] = self._exception(error)
        self._document["running"] = None
        self._write()
        return bool(result["status"] == "ok")

    def call(
        self,
        name: str,
        function: str,
        /,
        *args: Any,
        then: Callable[[Any], Any] | None = None,
        keep_inputs: bool = False,
        builds: bool = False,
        without: str = "",
        **kwargs: Any,
    ) -> Any:
        """Calls a function of the module once, with copies of the arguments.

        Args:
            name: what the judge finds the call under.
            function: the function's name.
            *args, **kwargs: its arguments.
            then: what is recorded is `then(result)` instead of the result.
            keep_inputs: record arrays among the arguments as they are afterwards, by position or keyword.
            builds: it builds a network: what it makes is recorded where it does not return a model.
            without: another function of the module, in whose place a stand-in is called (standing_in.py).

        Returns:
            what the function returned, for use in a later call; None if it did not return.
        """
        args, kwargs = fresh(args), fresh(kwargs)
        record: dict[str, Any] = {
            "function": function,
            "arguments": in_source([*map(shown, args), *(f"{k}={shown(v)}" for k, v in kwargs.items())]),
            "status": "running",
            "exception": None,
            "file": None,
            "line": None,
            "seconds": 0.0,
            "value": None,
            "inputs_after": None,
            "made": None,
            "layers": 0,
            "completed": False,
        }
        self._document["calls"][name] = record
        self._open_as = tuple(kwargs.get("input_shape", IMAGE))
        if function in self._skip:
            record["status"] = "skipped"
            return None
        if function in self._slow:  # once is enough: the sandbox's own limit is for all calls together
            record["status"], record["exception"] = "timed out", self._slow[function]
            return None
        self._document["running"] = name
        self._write()
        result = None
        made = self._watch() if builds else None
        start = time.monotonic()
        try:
            with (
                time_limit(self._seconds, self._clock),
                made.during() if made else contextlib.nullcontext(),
                self._stand_in(without) if without else contextlib.nullcontext(),
            ):
                target = getattr(self._module, function, None)
                if target is None:
                    record["status"] = "missing"
                else:
                    record["file"], record["line"] = self._defined(target)
                    result = target(*args, **kwargs)
                    record["value"] = self._result(result, then)
                    record["status"] = "returned"
                    if keep_inputs:
                        every = {**{str(i): a for i, a in enumerate(args)}, **kwargs}
                        arrays = {key: a for key, a in every.items() if isinstance(a, np.ndarray)}
                        record["inputs_after"] = {key: self._describe(a) for key, a in arrays.items()}
        except TimeIsUp as up:
            record["status"] = "timed out"
            record["exception"] = self._slow[function] = self._exception(up)
        except BaseException as error:  # SystemExit, KeyboardInterrupt and MemoryError among them
            record["status"] = "not implemented" if self._is_stub(error, function) else "raised"
            record["exception"] = self._exception(error)
        if made is not None:
            self._keep_made(made, record, result)
            if record["status"] == "raised":
                self._complete(made, record, without, partial(self._again, function, args, kwargs))
        record["seconds"] = round(time.monotonic() - start, 3)
        self._document["running"] = None
        self._write()
        return result

    def gave_network(self, name: str) -> bool:
        """Whether a call came to its end with a network that could be written down, handed over or not."""
        record = self._document["calls"].get(name, {})
        found = record.get("made") or record.get("value") or {}
        return record.get("status") == "returned" and "blueprint" in found

    def finish(self) -> None:
        """Says that nothing is missing from the evidence."""
        self._document["finished"] = True
        self._write()

    def _write(self) -> None:
        """Replaces evidence.json in one step: whoever reads it finds the old or the new, never a half."""
        half = self.output / "evidence.json.tmp"
        half.write_text(json.dumps(self._document), encoding="utf-8")
        half.replace(self.output / "evidence.json")

    def _result(self, result: Any, then: Callable[[Any], Any] | None) -> Value:
        if then is not None:
            try:
                result = then(result)
            except Exception as error:
                return other(result, f"{type(error).__name__}: {plain(error, 200)}")
        value = self._describe(result)
        size = len(json.dumps(value))
        if size > self._json_left:
            return other(result, "too large to be written down")
        self._json_left -= size
        return value

    def _describe(self, value: Any, depth: int = 0) -> Value:
        """A value as data; arrays go to files of their own."""
        kind = type(value).__name__
        if value is None:
            return {"kind": "none"}
        if isinstance(value, bool | np.bool_):
            return {"kind": "bool", "value": bool(value)}
        if isinstance(value, int | np.integer):
            whole = int(value)
            if abs(whole) >= 2**63:
                return other(value, "too large a number")
            return {"kind": "number", "value": whole, "type": kind}
        if isinstance(value, float | np.floating):
            return {"kind": "number", "value": float(value), "type": kind}
        if isinstance(value, str):
            return {"kind": "text", "value": plain(value, 200)}
        if isinstance(value, list | tuple):
            if value and all(isinstance(item, int | float | np.number) for item in value):
                return self._array(np.asarray(value), value)
            if len(value) > MAX_ITEMS and (rows := self._rows(value)):
                return rows
            if len(value) > MAX_ITEMS or depth >= MAX_DEPTH:
                return other(value, f"of {len(value)} items")
            items = [self._describe(item, depth + 1) for item in value]
            return {"kind": "tuple" if isinstance(value, tuple) else "list", "items": items}
        keras = sys.modules.get("keras")
        if keras is not None and isinstance(value, keras.Model):
            return self._model(value)
        if hasattr(value, "__array__"):
            try:
                return self._array(np.asarray(value), value)
            except Exception as error:  # a symbolic tensor has no values
                return other(value, f"{type(error).__name__}: {plain(error, 200)}")
        return other(value)

    def _rows(self, value: Any) -> Value | None:
        """A long list of lists or arrays of one length as the array that it makes; None if it makes none."""
        try:
            array = np.asarray(value)
        except Exception:
            return None
        if array.dtype.kind not in "biuf" or array.ndim < 2:
            return None
        made = self._array(array, value)
        return {**made, "rows": True} if made["kind"] == "array" else None

    def _array(self, array: Any, value: Any) -> Value:
        if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
            return other(value, f"of {array.dtype} values")
        if array.ndim > MAX_DIMENSIONS:
            return other(value, f"of {array.ndim} dimensions")
        size = array.nbytes + 1024  # with the header
        if size > min(MAX_FILE_BYTES, self._bytes_left) or self._arrays == MAX_ARRAYS:
            return other(value, f"{array.dtype} of shape {array.shape}: too large to be looked at")
        self._bytes_left -= size
        self._arrays += 1
        name = f"a{self._arrays:04d}.npy"
        np.save(self.output / name, array, allow_pickle=False)
        return {"kind": "array", "file": name, "type": type(value).__name__}

    def _model(self, model: Any, *known: str) -> Value:
        """A network as data; `known` are flaws that it is known to have."""
        description = load_module("_kit_describe", Path(__file__).with_name("describe.py"))
        flaws = [description.Flaw(reason) for reason in known]
        try:
            blueprint = description.describe(model, self._words, flaws, self._open_as)
            value = {"kind": "model", "blueprint": blueprint, "lines": self._places(model)}
            if flaws:
                reasons = description.together(flaws, self._places(model))
                value |= {"refused": plain(reasons, MAX_REASON), "fixed": flaws[0].fixed}
            return value
        except description.Refused as refused:
            reasons = description.together([description.Flaw(str(refused))], self._places(model))
            return {"kind": "model", "refused": plain(reasons, MAX_REASON)}
        except Exception as error:  # a model whose own parts raise when they are looked at
            fault = f"{type(error).__name__}: {plain(error, 300)}"
            return {"kind": "model", "refused": f"it cannot be written down: {fault}"}

    def _watch(self) -> Any:
        """What remembers the layers that a call makes; None where Keras was not imported."""
        if self._made is None and "keras" in sys.modules:
            self._made = load_module("_kit_made", Path(__file__).with_name("made.py")).Made()
        return self._made

    def _keep_made(self, made: Any, record: dict[str, Any], result: Any) -> None:
        """Writes down the network that a call has made, where it ended without returning one."""
        handed_over = record["value"] is not None and record["value"]["kind"] == "model"
        try:
            if record["status"] in ("returned", "raised") and not handed_over:
                with time_limit(self._seconds, self._clock):
                    network = made.network(result)
                    value = None if network is None else self._result(network, None)
                    if value is not None and value["kind"] == "model":
                        record["made"], record["layers"] = value, min(made.layers(), 10**6)
        except BaseException:  # an honest one is described without; then there is nothing to add to its fault
            record["made"] = None
        made.forget()

    def _again(self, function: str, args: Any, kwargs: Any) -> Any:
        return getattr(self._module, function)(*fresh(args), **fresh(kwargs))

    def _complete(self, made: Any, record: dict[str, Any], without: str, call: Callable[[], Any]) -> None:
        """Writes down what a call that raised makes where layers that raise are passed over."""
        misfits = load_module("_kit_misfits", Path(__file__).with_name("misfits.py"))
        self._words = {**self._words, **misfits.WORDS}
        try:
            with (
                time_limit(self._seconds, self._clock),
                made.during(),
                self._stand_in(without) if without else contextlib.nullcontext(),
                misfits.passed_over(self._words) as reasons,
            ):
                result = call()
                network = made.network(result)
                if reasons and network is not None:
                    value = self._model(network, f"one of its layers raises: {reasons[0]}")
                    size = len(json.dumps(value))
                    if "blueprint" in value and size <= self._json_left:
                        self._json_left -= size
                        record["made"], record["completed"] = value, True
        except BaseException:  # noqa: S110  (for another reason as well: what was made until then has to do)
            pass
        made.forget()

    @contextlib.contextmanager
    def _stand_in(self, function: str) -> Iterator[None]:
        """Has a stand-in be called in place of a function of the module."""
        stand_in = load_module("_kit_standing_in", Path(__file__).with_name("standing_in.py"))
        kept = vars(self._module).get(function)
        setattr(self._module, function, stand_in.block)
        self._words = {**self._words, **stand_in.WORDS}
        try:
            yield
        finally:
            setattr(self._module, function, kept)

    def _defined(self, function: Any) -> tuple[str | None, int | None]:
        """The file and line in which a function begins, if it is the submission's own."""
        code = getattr(function, "__code__", None)
        if isinstance(code, CodeType) and self._is_own(code.co_filename):
            file = str(Path(code.co_filename).relative_to(self._submission))
            if re.fullmatch(r"[A-Za-z0-9_./ -]{1,80}", file) and code.co_firstlineno > 0:
                return file, code.co_firstlineno
        return None, None

    def _places(self, model: Any) -> list[Any]:
        """Where its layers were made; a message can do without, so whatever goes wrong here costs nothing."""
        try:
            return list(self._lines.of(model)) if self._lines else []
        except Exception:
            return []

    def _exception(self, error: BaseException) -> dict[str, Any]:
        """What was raised, and the last line of the submission's own that was running."""
        file, line = None, None
        if isinstance(error, SyntaxError) and self._is_own(error.filename or ""):
            file, line = error.filename, error.lineno
        step = error.__traceback__
        while step is not None:
            if self._is_own(step.tb_frame.f_code.co_filename):
                file, line = step.tb_frame.f_code.co_filename, step.tb_lineno
            step = step.tb_next
        message = self._worded(error)
        return {
            "type": type(error).__name__[:100],
            "message": message,
            "file": plain(Path(file).relative_to(self._submission), 200) if file else None,
            "line": line,
        }

    def _worded(self, error: BaseException) -> str:
        """What an exception says, for its reader; one that cannot even be printed says so."""
        if isinstance(error, SyntaxError):
            return plain(f"{error.msg}: {plain(error.text, 100)}" if error.text else error.msg, 500)
        wording = load_module("_kit_wording", Path(__file__).with_name("wording.py"))
        try:
            text = wording.of_exception(error, f"{self._submission}{os.sep}")
        except Exception as fault:
            text = f"(no text: {type(fault).__name__})"
        return str(wording.cut(plain(text, 4000), 500))

    def _is_own(self, file: str) -> bool:
        return file.startswith(f"{self._submission}{os.sep}")

    def _is_stub(self, error: BaseException, function: str) -> bool:
        """Whether it was the function itself that said it is not written, and not one that it called."""
        step = error.__traceback__
        while step is not None and step.tb_next is not None:
            step = step.tb_next
        if step is None or not isinstance(error, NotImplementedError):
            return False
        code = step.tb_frame.f_code
        return code.co_name == function and code.co_filename == str(self._source)


class TimeIsUp(BaseException):
    """Raised in the submission's code by an alarm; no Exception, so that `except Exception` lets it pass.

    The message says which time it was: "15 s of processor time". Of the two kinds probing.py knows
    the names: what other programs on the machine have a part in is tried again.
    """


class ProcessorTimeIsUp(TimeIsUp):
    """The process has computed for too long."""


class ClockTimeIsUp(TimeIsUp):
    """Too much time has gone by: it waited, or the machine had no time for it."""


@contextlib.contextmanager
def time_limit(seconds: float, clock: float) -> Iterator[None]:
    """Raises TimeIsUp in the body when its time is up, and again each second for a body that catches it.

    Args:
        seconds: of processor time, user and system, of all threads of this process.
        clock: by the clock.
    """
    if not hasattr(signal, "setitimer"):  # Windows: the sandbox's own limit has to do
        yield
        return

    def ring(number: int, _frame: FrameType | None) -> NoReturn:
        if number == signal.SIGPROF:
            raise ProcessorTimeIsUp(f"{seconds:g} s of processor time")
        raise ClockTimeIsUp(f"{clock:g} s")

    signal.signal(signal.SIGPROF, ring)
    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds, 1.0)
    signal.setitimer(signal.ITIMER_REAL, clock, 1.0)
    try:
        with killed_after(seconds * 4 / 3):
            yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextlib.contextmanager
def killed_after(seconds: float) -> Iterator[None]:
    """Has the system end a process whose body computes on in C, where no handler of Python's runs.

    Without it the first such function would take what the functions after it need: SIGXCPU ends this run, and
    the next one leaves the function out.
    """
    import resource  # not on Windows

    before = resource.getrlimit(resource.RLIMIT_CPU)
    at = math.ceil(time.process_time() + seconds)
    with contextlib.suppress(OSError, ValueError):  # a sandbox that does not let its limits be changed
        known = [limit for limit in before if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_CPU, (min([at, *known]), before[1]))
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CPU, before)


def name_the_folder(submission: Path) -> None:
    """Makes the submission's folder the package `assignment`, where it has nothing of that name itself.

    At home the files lie in a folder called so, and editors write `from assignment.helpers import count`.
    """
    if not any((submission / own).exists() for own in ("assignment", "assignment.py")):
        spec = importlib.machinery.ModuleSpec("assignment", None, is_package=True)
        spec.submodule_search_locations = [str(submission)]
        sys.modules["assignment"] = importlib.util.module_from_spec(spec)


def load_module(name: str, path: Path) -> ModuleType:
    """Imports a file under a name, wherever it lies; a BOM and CRLF line ends are as good as none."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def fresh(value: Any) -> Any:
    """A copy of arrays in lists, tuples and dictionaries; everything else, such as a tensor, as it is."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list):
        return [fresh(item) for item in value]
    if type(value) is tuple:
        return tuple(fresh(item) for item in value)
    if isinstance(value, dict):
        return {key: fresh(item) for key, item in value.items()}
    return value


def shown(value: Any) -> str:
    """An argument as it might stand in the source, in short."""
    if isinstance(value, np.ndarray):
        if value.size <= 6 and value.ndim == 1:
            return "[" + ", ".join(f"{item:.4g}" for item in value.tolist()) + "]"
        return f"{value.dtype} {value.shape}"
    if type(value).__name__ == "KerasTensor":
        return f"keras.Input({tuple(value.shape[1:])})"
    return plain(repr(value), 60)


def in_source(arguments: list[str]) -> str:
    """Arguments between commas, bounded."""
    return plain(", ".join(arguments), 200)


def other(value: Any, reason: str = "") -> Value:
    """A value that is not written down, only named."""
    return {"kind": "other", "type": plain(type(value).__name__, 100), "reason": reason}


def plain(text: object, limit: int) -> str:
    """One line without control characters; an object that cannot even be printed says so."""
    try:
        source = str(text)[: 4 * limit]
    except Exception as error:
        source = f"(no text: {type(error).__name__})"
    kept = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in source)
    return " ".join(kept.split())[:limit]


if __name__ == "__main__":
    main()
