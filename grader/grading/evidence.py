"""Reads what a sandbox left behind. Everything in it may be a lie or an attack; nothing in it is executed.

The sandbox's last process is gone when this is called, so files no longer change. Still only regular files
are opened, without following links, sizes are looked at before contents, and everything has a cap. JSON and
raw array bytes are all that is parsed; EvidenceRefused is all that is raised.
"""

import json
import math
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import ConfigDict, Field, ValidationError

from grader.errors import EvidenceRefused
from grader.text import plain
from lab.strict import Strict, explained

MIB = 1024 * 1024
MAX_FILE_BYTES = 64 * MIB
MAX_TOTAL_BYTES = 256 * MIB
MAX_FILES = 200
MAX_REASON = 1500  # characters of why a network cannot be used
MAX_JSON_BYTES = 8 * MIB
MAX_JSON_DEPTH = 64
MAX_CALLS = 200
MAX_FIELDS = 200  # of any object
MAX_DIMENSIONS = 6
MAX_PRINTED = 2000  # characters of what one call printed
MAX_PLACES = 600  # of layers in the source, for a model
LACKING = "lacking"  # an empty file: see grader/sandbox/guest/numpy_keras.py
ALONE = "alone."  # what the names of calls with a stand-in begin with: grader/sandbox/guest/standing_in.py
LATER = "later."  # what the names of calls in a second process begin with

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Network:
    """A Keras model as the sandbox described it.

    Attributes:
        description: raw data to be read by grader.blueprint.
        refused: why it cannot be used; empty if it can.
        flaw: why it can be looked at, but not trained.
        fixed: whether that is for a layer that is frozen or fixed to one mode.
        made_at: for layers by name, where they were made: "alexnet.py, line 93". For messages: it is what the
            submission's process said.
    """

    description: Any = None
    refused: str = ""
    flaw: str = ""
    fixed: bool = False
    made_at: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Other:
    """A value that was not written down: its type's name and, where there is one, the reason."""

    type: str
    reason: str = ""


@dataclass(frozen=True)
class Rows:
    """A long list of lists or arrays of one length: the outer type, and the array that it makes."""

    type: str
    array: Array


Value = Array | Rows | tuple[Any, ...] | list[Any] | int | float | bool | str | Network | Other | None


@dataclass(frozen=True)
class Raised:
    """An exception; `file` and `line` are the last of the submission's own that was running."""

    type: str
    message: str
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = f" ({self.file}, line {self.line})" if self.file and self.line else ""
        return f"{self.type}: {self.message}{where}" if self.message else f"{self.type}{where}"


Status = Literal["returned", "raised", "not implemented", "missing", "skipped", "timed out", "running"]
ImportStatus = Literal["ok", "missing file", "raised", "timed out", "running"]


@dataclass(frozen=True)
class Call:
    """One call of one of the student's functions.

    Attributes:
        function: its name.
        arguments: what it was given, in short, as it might stand in the source.
        status: how it ended; "running" if the process ended first.
        value: what it returned: arrays are read-only; None unless `status` is "returned".
        exception: what it raised, if it did; of a call that timed out, the message says after which time.
        inputs_after: arrays among its arguments as they were afterwards, by position or keyword.
        defined_at: where the function is: "evaluation.py, line 51"; empty where that is not known.
        made: of a builder that returned no model or raised, the network that it had made until then.
        layers: how many layers it had applied by then.
        completed: whether `made` is all of it, with other layers in the places of those that raised: see
            grader/sandbox/guest/misfits.py.
        aside: what was different about the call, for messages.
        printed: the beginning of what it printed, lines without control characters.
        unprinted: how many characters more it printed.
    """

    function: str
    arguments: str
    status: Status
    value: Value = None
    exception: Raised | None = None
    seconds: float = 0.0
    inputs_after: Mapping[str, Value] = field(default_factory=dict)
    defined_at: str = ""
    made: Network | None = None
    layers: int = 0
    completed: bool = False
    aside: str = ""
    printed: tuple[str, ...] = ()
    unprinted: int = 0

    def __str__(self) -> str:
        return f"{self.function}({self.arguments}){self.aside}"

    @property
    def network(self) -> Network | None:
        """The network that it came to its end with, handed over or not."""
        if self.status != "returned":
            return None
        return self.value if isinstance(self.value, Network) else self.made


@dataclass(frozen=True)
class Evidence:
    """What the functions of one module of one submission did.

    Attributes:
        started: whether the probe came as far as the submission; if not, the machine is at fault.
        finished: whether the probe came to its end.
        running: "import" or the name of the call during which the process ended.
        imported: how importing the module ended.
        import_error: what the import raised, if it did.
        calls: by the name that the probe gave them.
        lacking: whether something was asked for that is left out where Keras runs on NumPy.
        printed: the beginning of what the import printed.
        left: the files that it was read from, as they were; `of` reads them again.
    """

    started: bool
    finished: bool
    running: str | None
    imported: ImportStatus
    import_error: Raised | None
    calls: Mapping[str, Call]
    lacking: bool = False
    printed: tuple[str, ...] = ()
    left: Mapping[str, bytes] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def nothing(cls) -> "Evidence":
        """The evidence of a probe that never started."""
        return cls(False, False, None, "running", None, {})

    @property
    def running_function(self) -> str | None:
        """The function during whose call the process ended, if it was a call."""
        call = self.calls.get(self.running) if self.running is not None else None
        return call.function if call else None

    def with_later(self, later: "Evidence | None") -> "Evidence":
        """With the calls of the second process: theirs alone are the names that begin with "later."."""
        calls = {name: call for name, call in self.calls.items() if not name.startswith(LATER)}
        if later is not None:
            calls |= {name: call for name, call in later.calls.items() if name.startswith(LATER)}
        return replace(self, calls=calls)

    @classmethod
    def read(cls, folder: Path) -> "Evidence":
        """Reads evidence.json and the arrays it names; without evidence.json, the probe never started.

        Raises:
            EvidenceRefused: something breaks a rule of kind, size, number or form. Nothing else.
        """
        return cls._of(_Files(folder))

    @classmethod
    def of(cls, left: Mapping[str, bytes]) -> "Evidence":
        """Reads what was left of evidence that was read before; EvidenceRefused as for `read`."""
        return cls._of(_Left(left))

    @classmethod
    def _of(cls, files: "_Files | _Left") -> "Evidence":
        if "evidence.json" not in files.sizes:
            return cls.nothing()
        document, called = _parse(files.read("evidence.json", MAX_JSON_BYTES))
        reader = _Values(files)
        calls = {
            plain(name, 100): Call(
                function=plain(call.function, 100),
                arguments=plain(call.arguments, 200),
                status=call.status,
                value=reader.value(call.value) if call.status == "returned" else None,
                exception=_raised(call.exception),
                seconds=call.seconds,
                inputs_after={plain(k, 100): reader.value(v) for k, v in (call.inputs_after or {}).items()},
                defined_at=f"{call.file}, line {call.line}" if call.file and call.line else "",
                made=reader.network(call.made) if call.made is not None else None,
                layers=call.layers,
                completed=call.completed,
                printed=_lines(call.printed),
                unprinted=_more(call.printed),
            )
            for name, call in called.items()
        }
        return cls(
            started=document.started,
            finished=document.finished,
            running=document.running,
            imported=document.import_.status,
            import_error=_raised(document.import_.exception),
            printed=_lines(document.import_.printed),
            calls=calls,
            lacking=LACKING in files.sizes,
            left={**files.used, **({LACKING: b""} if LACKING in files.sizes else {})},
        )


# ------------------------------------------------------------------ the form of evidence.json


class _Form(Strict):
    """Nothing is converted; a number may be NaN or infinite, as what a submission returned."""

    model_config = ConfigDict(strict=True, allow_inf_nan=True)


_Text = Annotated[str, Field(max_length=2000)]


class _Exception(_Form):
    type: _Text
    message: _Text
    file: _Text | None
    line: Annotated[int, Field(ge=0, le=10**7)] | None


class _ArrayValue(_Form):
    kind: Literal["array"]
    file: Annotated[str, Field(pattern=r"^a[0-9]{4}\.npy$")]
    type: _Text
    rows: bool = False


class _SequenceValue(_Form):
    kind: Literal["tuple", "list"]
    items: Annotated[list["_Value"], Field(max_length=32, fail_fast=True)]


class _NumberValue(_Form):
    kind: Literal["number"]
    value: Annotated[int, Field(ge=-(2**63), le=2**64)] | float
    type: _Text


class _BoolValue(_Form):
    kind: Literal["bool"]
    value: bool


class _TextValue(_Form):
    kind: Literal["text"]
    value: _Text


class _NoneValue(_Form):
    kind: Literal["none"]


_File = Annotated[str, Field(pattern=r"^[A-Za-z0-9_./ -]{1,80}$")]
_Line = Annotated[int, Field(ge=1, le=10**6)]


class _Place(_Form):
    name: _Text
    file: _File
    lines: Annotated[list[_Line], Field(min_length=1, max_length=3)]


class _ModelValue(_Form):
    kind: Literal["model"]
    blueprint: Any = None
    refused: _Text = ""
    fixed: bool = False
    lines: list[_Place] = Field(default_factory=list, max_length=MAX_PLACES, fail_fast=True)


class _OtherValue(_Form):
    kind: Literal["other"]
    type: _Text
    reason: _Text = ""


_Value = Annotated[
    _ArrayValue
    | _SequenceValue
    | _NumberValue
    | _BoolValue
    | _TextValue
    | _NoneValue
    | _ModelValue
    | _OtherValue,
    Field(discriminator="kind"),
]


class _Printed(_Form):
    text: Annotated[str, Field(max_length=MAX_PRINTED)]
    characters: Annotated[int, Field(ge=0, le=10**9)]


class _Call(_Form):
    function: _Text
    arguments: _Text
    status: Status
    exception: _Exception | None
    file: _File | None = None
    line: _Line | None = None
    seconds: Annotated[float, Field(ge=0, le=10**6)]
    value: _Value | None
    inputs_after: Annotated[dict[str, _Value], Field(max_length=32)] | None
    made: _ModelValue | None = None
    layers: Annotated[int, Field(ge=0, le=10**6)] = 0
    completed: bool = False
    printed: _Printed | None = None


class _Import(_Form):
    status: ImportStatus
    exception: _Exception | None
    printed: _Printed | None = None


class _Document(_Form):
    format: Literal[1]
    started: bool
    finished: bool
    running: _Text | None
    import_: Annotated[_Import, Field(alias="import")]
    calls: Annotated[dict[str, Any], Field(max_length=MAX_CALLS)]  # each to be validated by itself


def _parse(content: bytes) -> tuple[_Document, dict[str, _Call]]:
    text = content.decode("utf-8", errors="replace")
    if _depth(text) > MAX_JSON_DEPTH:
        raise EvidenceRefused("evidence.json is nested too deeply")
    try:
        data = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise EvidenceRefused(f"evidence.json is not JSON: {plain(error, 200)}") from error
    # One after the other: a list of all that is wrong with eight megabytes would take four gigabytes.
    document = _valid(_Document, data, "")
    return document, {name: _valid(_Call, call, f"calls.{name}") for name, call in document.calls.items()}


_FormT = TypeVar("_FormT", bound=_Form)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_FIELDS:
        raise EvidenceRefused(f"evidence.json has an object of {len(pairs):,} fields")
    return dict(pairs)


def _valid(form: type[_FormT], data: object, place: str) -> _FormT:
    try:
        return form.model_validate(data)
    except ValidationError as error:
        fault = explained(error, within=place, trusted=False)
        raise EvidenceRefused(f"evidence.json: {plain(fault, 300)}") from error


def _depth(text: str) -> int:
    """How deep brackets nest; json's own recursion limit is Python's, which is far too high for the rest."""
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", _JSON_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


# One that does not end reaches to the end of the text: else every quote in it would be tried as a beginning,
# and eight megabytes of them would take days.
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)


def _raised(exception: _Exception | None) -> Raised | None:
    if exception is None:
        return None
    file = None if exception.file is None else plain(exception.file, 200)
    return Raised(plain(exception.type, 100), plain(exception.message, 500), file, exception.line)


def _lines(printed: _Printed | None) -> tuple[str, ...]:
    """What was printed as lines that can be shown anywhere, without empty ones at the end."""
    if printed is None:
        return ()
    return tuple(_indented(line) for line in printed.text.rstrip().splitlines())


def _indented(line: str) -> str:
    """A line that can be shown anywhere; its indentation is kept, as far as it is one of blanks."""
    blanks = len(line) - len(line.lstrip(" "))
    return " " * min(blanks, 20) + plain(line, 200)


def _more(printed: _Printed | None) -> int:
    return 0 if printed is None else max(0, printed.characters - len(printed.text))


class _Values:
    """Turns the values of evidence.json into Python's own, with the arrays they name."""

    def __init__(self, files: "_Files | _Left") -> None:
        self._files = files
        self._arrays: dict[str, Array] = {}

    def value(self, value: Any) -> Value:
        match value:
            case _ArrayValue():
                if value.file not in self._arrays:
                    self._arrays[value.file] = read_array(self._files.read(value.file, MAX_FILE_BYTES))
                array = self._arrays[value.file]
                return Rows(plain(value.type, 100), array) if value.rows and array.ndim else array
            case _SequenceValue():
                items = [self.value(item) for item in value.items]
                return tuple(items) if value.kind == "tuple" else items
            case _NumberValue() | _BoolValue():
                return value.value
            case _TextValue():
                return plain(value.value)
            case _ModelValue():
                return self.network(value)
            case _OtherValue():
                return Other(plain(value.type, 100), plain(value.reason))
            case _:
                return None

    def network(self, value: _ModelValue) -> Network:
        """A model as it was described."""
        made_at = {place.name: _said(place) for place in value.lines}
        return Network(value.blueprint, plain(value.refused, MAX_REASON), fixed=value.fixed, made_at=made_at)


def _said(place: _Place) -> str:
    """Where a layer was made, for a message: the line that asked for it, and a helper's that made it."""
    return f"{place.file}, line " + ", which calls line ".join(map(str, reversed(place.lines)))


# ------------------------------------------------------------------ files and arrays


class _Files:
    """The regular files of one folder, counted and weighed before any of them is opened."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.sizes: dict[str, int] = {}
        self.used: dict[str, bytes] = {}  # what was read of them
        try:
            with os.scandir(folder) as entries:
                for number, entry in enumerate(entries, start=1):
                    if number > MAX_FILES:
                        raise EvidenceRefused(f"more than {MAX_FILES} files were left behind")
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        self.sizes[entry.name] = status.st_size
        except OSError as error:
            raise EvidenceRefused(f"the evidence cannot be read: {error.strerror}") from error
        if sum(self.sizes.values()) > MAX_TOTAL_BYTES:
            raise EvidenceRefused(f"more than {MAX_TOTAL_BYTES // MIB} MiB were left behind")

    def read(self, name: str, limit: int) -> bytes:
        """A regular file's content, no more than `limit` bytes."""
        if name not in self.sizes:
            raise EvidenceRefused(f"{name} is not there, or is not a regular file")
        try:
            # O_NONBLOCK: opening a pipe that has no writer would wait for ever.
            handle = os.open(
                self._folder / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            )
            with os.fdopen(handle, "rb") as file:
                status = os.fstat(handle)
                if not stat.S_ISREG(status.st_mode):
                    raise EvidenceRefused(f"{name} is not a regular file")
                if status.st_size > limit:
                    raise EvidenceRefused(f"{name} has {status.st_size:,} bytes, more than {limit:,}")
                self.used[name] = file.read(limit)
                return self.used[name]
        except OSError as error:
            raise EvidenceRefused(f"{name} cannot be read: {error.strerror}") from error


class _Left:
    """The same files, read before."""

    def __init__(self, used: Mapping[str, bytes]) -> None:
        self.used = used
        self.sizes = {name: len(content) for name, content in used.items()}

    def read(self, name: str, limit: int) -> bytes:
        """See _Files."""
        if name not in self.used:
            raise EvidenceRefused(f"{name} is not there, or is not a regular file")
        if len(self.used[name]) > limit:
            raise EvidenceRefused(f"{name} has {len(self.used[name]):,} bytes, more than {limit:,}")
        return self.used[name]


# The one way in which numpy.save writes plain numbers (format 1.0). numpy.load is not used: it evaluates the
# header as Python and can unpickle.
_NPY = re.compile(
    rb"\x93NUMPY\x01\x00(?P<length>..)"
    rb"\{'descr': '(?P<dtype>[<>|][biuf][1248])', 'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>(?:[0-9]{1,12}, ?)*(?:[0-9]{1,12})?)\), \} *\n",
    re.DOTALL,
)


def read_array(content: bytes) -> Array:
    """The array in an .npy file's bytes, read-only and in native byte order.

    Raises:
        EvidenceRefused: it is not what numpy.save writes for an array of numbers, or its size does not
            match its header.
    """
    header = _NPY.match(content)
    if header is None or int.from_bytes(header["length"], "little") + 10 != header.end():
        raise EvidenceRefused("an array's file is not an .npy file of numbers")
    shape = tuple(int(size) for size in re.findall(rb"[0-9]+", header["shape"]))
    try:
        dtype = np.dtype(header["dtype"].decode())
    except TypeError as error:
        raise EvidenceRefused(f"an array's file has an unknown type {header['dtype'].decode()}") from error
    # Compared before anything is allocated: a header of a few bytes may claim a million gigabytes.
    if len(shape) > MAX_DIMENSIONS or math.prod(shape) * dtype.itemsize != len(content) - header.end():
        raise EvidenceRefused(f"an array's file does not hold what its header says, {dtype} {shape}")
    order: Literal["F", "C"] = "F" if header["fortran"] == b"True" else "C"
    try:
        flat = np.frombuffer(content, dtype, offset=header.end())
        if dtype.kind == "b":
            flat = flat.view(np.uint8) != 0  # a byte of 2 is neither True nor False to NumPy
        array = flat.reshape(shape, order=order).astype(dtype.newbyteorder("="), copy=False)
    except ValueError as error:  # no elements, but sizes beyond what NumPy can count
        raise EvidenceRefused(f"an array of impossible shape {shape}") from error
    array.flags.writeable = False
    return array
