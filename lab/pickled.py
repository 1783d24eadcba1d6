"""Pickle read as data: nothing in it is called, and what it can ask for is bounded before it is made.

A pickle is a program. The one of CIFAR-100, and those that Python 2 and 3 make of the same dictionaries, need
the few instructions below, and of functions four, which are carried out here: encoding a text as latin1, an
array's element type, an empty array, an array around bytes. The rest of the language is refused.
"""

import codecs
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

# The published train part has 0.25 million instructions, and 0.7 with Python 3's detours for byte strings.
MAX_STEPS = 2_000_000
MAX_LINE = 1_000  # of a number or a name; texts are as long as they are


class Refused(Exception):
    """The pickle asks for something that no such archive needs."""


@dataclass
class Array:
    """A NumPy array of unsigned bytes, as its pickle describes it: the shape may not fit the content."""

    shape: object = None
    fortran: bool = False
    content: bytes = b""


class _Known(Enum):
    """What a pickle may name, and the two things without content that it may make of them."""

    ENCODE = auto()
    DTYPE = auto()
    NDARRAY = auto()
    RECONSTRUCT = auto()
    FROM_BUFFER = auto()
    UNSIGNED_BYTES = auto()


_NAMES = {
    ("_codecs", "encode"): _Known.ENCODE,
    ("numpy", "dtype"): _Known.DTYPE,
    ("numpy", "ndarray"): _Known.NDARRAY,
    ("numpy.core.multiarray", "_reconstruct"): _Known.RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _Known.RECONSTRUCT,
    ("numpy.core.numeric", "_frombuffer"): _Known.FROM_BUFFER,
    ("numpy._core.numeric", "_frombuffer"): _Known.FROM_BUFFER,
}


def load(content: bytes) -> dict[str, Any]:
    """The dictionary that a pickle describes: of numbers, texts, byte strings, Array, and lists and the like.

    Keys are texts, whatever Python wrote them. Takes a few times the memory of `content` at most, and a time
    that grows with its length alone.

    Raises:
        Refused: it asks for something else.
        IndexError, TypeError, ValueError, LookupError: it is malformed.
    """
    result = _Reader(content).run()
    if not isinstance(result, dict):
        raise Refused("it does not hold a dictionary")
    return result


class _Reader:
    """The machine that a pickle is a program for: a stack, marks in it, and a memo."""

    def __init__(self, content: bytes) -> None:
        self.content, self.place = content, 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.may_encode = len(content)  # bytes: each text is written once, and encoded once

    def run(self) -> object:
        for _ in range(MAX_STEPS):
            code = self.take(1)
            if code == b".":
                return self.stack.pop()
            try:
                step = _STEPS[code]
            except KeyError:
                raise Refused(f"it has the instruction {code!r}") from None
            step(self)
        raise Refused(f"it has more than {MAX_STEPS:,} instructions")

    def take(self, size: int) -> bytes:
        end = self.place + size
        if not self.place <= end <= len(self.content):
            raise ValueError("it ends too early")
        taken = self.content[self.place : end]
        self.place = end
        return taken

    def line(self, most: int | None = MAX_LINE) -> bytes:
        end = self.content.index(b"\n", self.place, None if most is None else self.place + most)
        taken = self.take(end - self.place)
        self.place += 1
        return taken

    def number(self, form: str) -> int:
        (value,) = struct.unpack(form, self.take(struct.calcsize(form)))
        return int(value)

    def sized(self, form: str) -> bytes:
        return self.take(self.number(form))

    def push(self, value: object) -> None:
        self.stack.append(value)

    def since_mark(self) -> list[Any]:
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def last(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise IndexError("there is too little to take")
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    # --- steps that are more than a line ---

    def integer(self) -> None:
        digits = self.line(30).rstrip(b"L")
        self.push(digits == b"01" if digits in (b"00", b"01") else int(digits))

    def short_long(self) -> None:
        size = self.number("<B")
        if size > 8:
            raise Refused("a number of more than eight bytes")
        self.push(int.from_bytes(self.take(size), "little", signed=True))

    def quoted(self) -> None:
        line = self.line(None)
        if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
            raise ValueError("a byte string without quotes")
        self.push(codecs.escape_decode(line[1:-1])[0])

    def extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise TypeError("what is extended is no list")
        target.extend(items)

    def update(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise TypeError("what is filled is no dictionary")
        target.update(_dictionary(items))

    def name(self, module: object, name: object) -> None:
        # Nothing is shown but texts: lists in lists, each twice, would take for ever.
        if not isinstance(module, str) or not isinstance(name, str):
            raise Refused("a name that is no text")
        known = _NAMES.get((module, name))
        if known is None:
            raise Refused(f"it asks for {f'{module[:60]}.{name[:60]}'[:60]!r}")
        self.push(known)

    def call(self) -> None:
        function, arguments = self.last(2)
        if function is _Known.ENCODE:
            text, encoding = arguments
            if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
                raise Refused("it asks for an encoding")
            self.may_encode -= len(text)
            if self.may_encode < 0:
                raise Refused("it makes more bytes than it has")
            self.push(text.encode("latin1"))
        elif function is _Known.DTYPE:
            if arguments[0] not in ("u1", "|u1", b"u1", b"|u1"):
                raise Refused("an array of something else in place of bytes")
            self.push(_Known.UNSIGNED_BYTES)
        elif function is _Known.RECONSTRUCT:
            self.push(Array())
        elif function is _Known.FROM_BUFFER:
            content, dtype, shape, order, *others = arguments
            if order not in ("C", "F") or any(others):
                raise Refused("an array in an unusual order")
            self.push(_array(shape, dtype, order == "F", content))
        else:
            raise Refused("it calls what is no function")

    def build(self) -> None:
        target, state = self.last(2)
        if isinstance(target, Array):
            _, shape, dtype, fortran, content = state
            built = _array(shape, dtype, bool(fortran), content)
            target.shape, target.fortran, target.content = built.shape, built.fortran, built.content
        elif (
            target is not _Known.UNSIGNED_BYTES
        ):  # of which the state is byte order and fields: it has neither
            raise Refused("it changes what it should not")
        self.push(target)


def _array(shape: object, dtype: object, fortran: bool, content: object) -> Array:
    if dtype is not _Known.UNSIGNED_BYTES or not isinstance(content, bytes):
        raise Refused("an array that is not bytes")
    return Array(shape, fortran, content)


def _dictionary(items: list[Any]) -> dict[str, Any]:
    # Texts alone as keys: to hash a tuple of tuples of tuples takes the whole stack of the processor.
    keys = [key.decode("latin1") if isinstance(key, bytes) else key for key in items[::2]]
    if not all(isinstance(key, str) for key in keys):
        raise Refused("a dictionary with keys that are no texts")
    return dict(zip(keys, items[1::2], strict=True))


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogatepass")


_STEPS: dict[bytes, Callable[[_Reader], Any]] = {
    # frames and versions say nothing that is needed
    b"\x80": lambda r: r.take(1),
    b"\x95": lambda r: r.take(8),
    # numbers
    b"N": lambda r: r.push(None),
    b"\x88": lambda r: r.push(True),
    b"\x89": lambda r: r.push(False),
    b"I": _Reader.integer,
    b"L": _Reader.integer,
    b"J": lambda r: r.push(r.number("<i")),
    b"K": lambda r: r.push(r.number("<B")),
    b"M": lambda r: r.push(r.number("<H")),
    b"\x8a": _Reader.short_long,
    # byte strings: Python 2's, then Python 3's
    b"S": _Reader.quoted,
    b"T": lambda r: r.push(r.sized("<i")),
    b"U": lambda r: r.push(r.sized("<B")),
    b"C": lambda r: r.push(r.sized("<B")),
    b"B": lambda r: r.push(r.sized("<I")),
    b"\x8e": lambda r: r.push(r.sized("<Q")),
    b"\x96": lambda r: r.push(r.sized("<Q")),
    # texts
    b"V": lambda r: r.push(r.line(None).decode("raw-unicode-escape")),
    b"\x8c": lambda r: r.push(_text(r.sized("<B"))),
    b"X": lambda r: r.push(_text(r.sized("<I"))),
    b"\x8d": lambda r: r.push(_text(r.sized("<Q"))),
    # what holds others
    b"(": lambda r: r.marks.append(len(r.stack)),
    b")": lambda r: r.push(()),
    b"\x85": lambda r: r.push(tuple(r.last(1))),
    b"\x86": lambda r: r.push(tuple(r.last(2))),
    b"\x87": lambda r: r.push(tuple(r.last(3))),
    b"t": lambda r: r.push(tuple(r.since_mark())),
    b"]": lambda r: r.push([]),
    b"l": lambda r: r.push(r.since_mark()),
    b"a": lambda r: r.extend(r.last(1)),
    b"e": lambda r: r.extend(r.since_mark()),
    b"}": lambda r: r.push({}),
    b"d": lambda r: r.push(_dictionary(r.since_mark())),
    b"s": lambda r: r.update(r.last(2)),
    b"u": lambda r: r.update(r.since_mark()),
    # the memo
    b"p": lambda r: r.memo.__setitem__(int(r.line(30)), r.stack[-1]),
    b"q": lambda r: r.memo.__setitem__(r.number("<B"), r.stack[-1]),
    b"r": lambda r: r.memo.__setitem__(r.number("<I"), r.stack[-1]),
    b"\x94": lambda r: r.memo.__setitem__(len(r.memo), r.stack[-1]),
    b"g": lambda r: r.push(r.memo[int(r.line(30))]),
    b"h": lambda r: r.push(r.memo[r.number("<B")]),
    b"j": lambda r: r.push(r.memo[r.number("<I")]),
    # functions
    b"c": lambda r: r.name(_text(r.line()), _text(r.line())),
    b"\x93": lambda r: r.name(*r.last(2)),
    b"R": _Reader.call,
    b"b": _Reader.build,
}
