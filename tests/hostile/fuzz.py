"""A million inputs for the readers of what is not trusted: each is answered in bounded time and memory.

    nox -s fuzz -- [--inputs 1000000] [--seconds 3600] [--reader evidence] [--seed 7] [--workers 2]

Inputs are made from valid ones by changing trees, numbers and bytes. What leads to a new answer is kept and
changed further, so that the search goes deeper than chance would. Evidence that is accepted goes on to the
judges, whose only answers are verdicts. A failure is an exception that is not the reader's own, an input that
takes longer than SECONDS, or a process that grows beyond MEMORY; its input is kept in .kit/fuzz/.

Exit code: 0 if there was no failure, 1 if there was one.
"""

import argparse
import hashlib
import io
import json
import multiprocessing
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from grader import blueprint, intake
from grader.blueprint import Budget
from grader.config import manifest
from grader.errors import BlueprintRefused, EvidenceRefused, SubmissionError
from grader.grading import judging
from grader.grading.evidence import Evidence
from grader.intake import Source

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024
SECONDS = 5.0
MEMORY = 1024 * MIB
CHUNK = 5000  # inputs between two looks at the counts
KEPT = 400  # inputs of new answers, to be changed further
BUDGET = Budget(parameters=10**8, flops=10**11, activations=10**8, nodes=300)


@dataclass
class Count:
    """What came of many inputs for one reader.

    Attributes:
        inputs, accepted: how many.
        refused: how often by what was said, numbers and names left out.
        failures: what went wrong, with where the input lies.
        slowest: seconds of one input.
        memory: the largest process.
    """

    inputs: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0
    memory: int = 0

    def add(self, other: "Count") -> None:
        self.inputs += other.inputs
        self.accepted += other.accepted
        self.refused += other.refused
        self.failures += other.failures
        self.slowest = max(self.slowest, other.slowest)
        self.memory = max(self.memory, other.memory)


class TooSlow(BaseException):
    """One input took longer than SECONDS."""


# --- changing things ---------------------------------------------------------------------------------------

NASTY: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63), 10**30, 10**400, 0.0, -0.0, 1e-320, 1e308),
    *(
        float("nan"),
        float("inf"),
        -float("inf"),
        "",
        " ",
        "x" * 3000,
        "\0",
        "\x1b[2J",
        "\u202e",
        "\ud800",
        "=1+1",
    ),
    *("relu", "Conv2D", "__class__", "../a0001.npy", "a0001.npy", [], {}, [[]], [{}], {"": {}}, [0] * 40),
    *({"kind": "none"}, {"kind": "array", "file": "a0002.npy", "type": "t"}, {"kind": "tuple", "items": []}),
]


def changed_tree(tree: Any, rng: random.Random) -> Any:
    """A copy with one place changed: replaced, removed, doubled, moved, wrapped, emptied."""
    tree = json.loads(json.dumps(tree)) if not isinstance(tree, str) else tree
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        places = list(_places(tree, ()))
        place = rng.choice(places)
        value = _at(tree, place)
        match rng.randrange(10):
            case 0 | 1:
                new = rng.choice(NASTY)
            case 2 | 3:
                new = _at(tree, rng.choice(places))
            case 4 | 5 | 6:
                new = _nudged(value, rng)
            case 7:
                new = [value] * rng.choice((1, 2, 33, 201)) if rng.random() < 0.5 else {"x": value}
            case 8:
                tree = _without(tree, place)
                continue
            case _:
                new = _wrapped(value, rng.choice((3, 30, 70)))
        tree = _put(tree, place, new)
    return tree


def _places(tree: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    yield path
    if len(path) > 12:
        return
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, item in list(items)[:60]:
        yield from _places(item, (*path, key))


def _at(tree: Any, path: Sequence[Any]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def _put(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[path[0]] = _put(tree[path[0]], path[1:], value)
    return copy


def _without(tree: Any, path: tuple[Any, ...]) -> Any:
    if not path:
        return None
    parent = _at(tree, path[:-1])
    copy = dict(parent) if isinstance(parent, dict) else list(parent)
    del copy[path[-1]]
    return _put(tree, path[:-1], copy)


def _nudged(value: Any, rng: random.Random) -> Any:
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return value + rng.choice((-1, 1, 2, -value, value, 255, 65536)) if abs(value) < 10**9 else 0
    if isinstance(value, float):
        return value * rng.choice((-1.0, 0.5, 2.0, 1e9))
    if isinstance(value, str):
        return value[: rng.randrange(len(value) + 1)] + rng.choice(("", "x", "\n", "9", value))
    return rng.sample(value, len(value)) if isinstance(value, list) else value


def _wrapped(value: Any, times: int) -> Any:
    for _ in range(times):
        value = [value]
    return value


def changed_bytes(data: bytes, rng: random.Random, other: bytes = b"") -> bytes:
    """A copy with a few bytes changed: flipped, set, put in, taken out, doubled, cut off, or another's."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        if not changed:
            break
        place = rng.randrange(len(changed))
        length = rng.choice((1, 1, 2, 4, 16))
        match rng.randrange(8):
            case 0 | 1:
                changed[place] ^= 1 << rng.randrange(8)
            case 2:
                number = rng.choice(
                    (0, 1, 0x7F, 0xFF, 0x7FFFFFFF, 0xFFFFFFFF, len(data), len(changed) - place)
                )
                width = rng.choice((1, 2, 4, 8))
                changed[place : place + width] = (number % (1 << 8 * width)).to_bytes(width, "little")
            case 3:
                changed[place:place] = rng.randbytes(length)
            case 4:
                del changed[place : place + length]
            case 5:
                changed[place:place] = changed[place : place + 8 * length]
            case 6:
                if rng.random() < 0.2:
                    del changed[place:]
            case _:
                if other:
                    start = rng.randrange(len(other))
                    changed[place : place + 8 * length] = other[start : start + 8 * length]
    return bytes(changed)


# --- the readers -------------------------------------------------------------------------------------------


class Reader:
    """What is fuzzed: `make` changes one of the kept inputs, `read` gives an answer in words or raises."""

    seeds: list[Any]

    def make(self, rng: random.Random, kept: Sequence[Any]) -> Any:
        raise NotImplementedError

    def read(self, item: Any, folder: Path) -> str:
        """What was answered; begins with "accepted" if it was. Anything raised is a failure."""
        raise NotImplementedError

    def raw(self, item: Any) -> bytes:
        """The input as it can be kept."""
        return item if isinstance(item, bytes) else repr(item).encode()


class EvidenceReader(Reader):
    """evidence.json, one array beside it, and the judges behind."""

    def __init__(self) -> None:
        tasks = manifest.load(ROOT / "assignment" / "tasks.toml").tasks
        self.cases = [(task, judging.inputs(task, 1, {})) for task in tasks]
        file = io.BytesIO()
        np.save(file, np.arange(12, dtype="<f4").reshape(2, 2, 3))
        self.seeds = [(document, file.getvalue()) for document in _documents()]

    def make(self, rng: random.Random, kept: Sequence[Any]) -> Any:
        document, array = rng.choice(kept)
        if rng.random() < 0.2:
            array = changed_bytes(array, rng, rng.choice(kept)[1])
        elif isinstance(document, bytes):
            document = changed_bytes(document, rng)
        elif rng.random() < 0.2:
            document = changed_bytes(json.dumps(document).encode(), rng)
        else:
            document = changed_tree(document, rng)
        return document, array

    def read(self, item: Any, folder: Path) -> str:
        document, array = item
        content = document if isinstance(document, bytes) else json.dumps(document).encode("utf-8", "replace")
        (folder / "evidence.json").write_bytes(content)
        (folder / "a0001.npy").write_bytes(array)
        try:
            evidence = Evidence.read(folder)
        except EvidenceRefused as error:
            return error.message
        if not evidence.started:
            return "accepted, not started"
        verdicts: Counter[str] = Counter()
        for task, inputs in self.cases:
            case = judging.Case(task, evidence, inputs)
            verdicts.update(str(verdict.status) for verdict in judging.judge(case).values())
        return f"accepted: {dict(verdicts)}"

    def raw(self, item: Any) -> bytes:
        document, array = item
        content = document if isinstance(document, bytes) else json.dumps(document).encode("utf-8", "replace")
        return bytes(content + b"\n--- a0001.npy\n" + array)


class BlueprintReader(Reader):
    """A description of a network."""

    def __init__(self) -> None:
        self.seeds = _networks()

    def make(self, rng: random.Random, kept: Sequence[Any]) -> Any:
        return changed_tree(rng.choice(kept), rng)

    def read(self, item: Any, folder: Path) -> str:
        try:
            network = blueprint.read(item, BUDGET)
        except BlueprintRefused as error:
            return error.message
        assert blueprint.read(network.canonical, BUDGET).digest == network.digest
        assert network.parameters <= BUDGET.parameters
        return f"accepted: {len(network.nodes)} nodes"


class ZipReader(Reader):
    """A zip that was handed in."""

    def __init__(self) -> None:
        self.seeds = list(_zips())

    def make(self, rng: random.Random, kept: Sequence[Any]) -> Any:
        return changed_bytes(rng.choice(kept), rng, rng.choice(kept))

    def read(self, item: Any, folder: Path) -> str:
        (folder / "m.zip").write_bytes(item)
        into = folder / "into"
        into.mkdir()
        try:
            taken = intake.take_in(Source("m", folder / "m.zip"), ("preprocessing.py", "alexnet.py"), into)
        except SubmissionError as error:
            return error.message
        finally:
            entries = list(folder.iterdir())
            shutil.rmtree(into)
        assert sorted(entry.name for entry in entries) == ["into", "m.zip"], "something landed outside"
        return f"accepted: {len(taken.notes)} notes, {len(taken.missing)} missing"


READERS: dict[str, tuple[type[Reader], float]] = {  # with their shares of all inputs
    "evidence": (EvidenceReader, 0.35),
    "blueprint": (BlueprintReader, 0.45),
    "zip": (ZipReader, 0.2),
}


def _documents() -> Iterator[dict[str, Any]]:
    """Evidence as the probes leave it, small."""
    array = {"kind": "array", "file": "a0001.npy", "type": "ndarray"}
    networks = _networks()
    values = {
        "split": {"kind": "tuple", "items": [array, array]},
        "statistics": {"kind": "tuple", "items": [array, array]},
        "standardise": array,
        "one_hot.uint8": array,
        "prepare": {"kind": "tuple", "items": [array] * 4},
        "default": {"kind": "model", "blueprint": networks[1]},
        "small": {"kind": "model", "refused": "it has a Lambda"},
        "block.same": {"kind": "model", "blueprint": networks[2]},
        "shape": {"kind": "other", "type": "set", "reason": "no"},
    }
    call = {
        "arguments": "",
        "status": "returned",
        "exception": None,
        "seconds": 0.1,
        "inputs_after": {"0": array},
    }
    error = {"type": "E", "message": "m", "file": "f.py", "line": 3}
    head = {"format": 1, "started": True, "finished": True, "running": None}
    imported = {"import": {"status": "ok", "exception": None}}
    calls = {name: {**call, "function": name.split(".")[0], "value": value} for name, value in values.items()}
    yield {**head, **imported, "calls": calls}
    for name in calls:
        yield {**head, **imported, "calls": {name: calls[name]}}
    raised = {**call, "function": "one_hot", "status": "raised", "exception": error, "value": None}
    yield {**head, **imported, "running": "one_hot.uint8", "calls": {"one_hot.uint8": raised}}
    yield {**head, "import": {"status": "raised", "exception": error}, "calls": {}}
    deep: dict[str, Any] = {"kind": "number", "value": 1.5, "type": "float"}
    for _ in range(12):
        deep = {"kind": "list", "items": [deep, {"kind": "text", "value": "x"}]}
    yield {**head, **imported, "calls": {"split": {**calls["split"], "value": deep}}}


def _networks() -> list[dict[str, Any]]:
    """Networks with every operation and setting."""

    def network(shape: list[int], *nodes: tuple[Any, ...]) -> dict[str, Any]:
        listed: list[dict[str, Any]] = [{"op": "Input", "settings": {}, "inputs": []}]
        for op, settings, *inputs in nodes:
            place = inputs[0] if inputs else [len(listed) - 1]
            listed.append({"op": op, "settings": settings, "inputs": place, "name": f"n{len(listed)}"})
        return {"format": 1, "input_shape": shape, "nodes": listed, "output": len(listed) - 1}

    normal = {"name": "VarianceScaling", "scale": 2.0, "mode": "fan_in", "distribution": "truncated_normal"}
    conv = {"filters": 8, "kernel_size": [3, 3], "strides": [1, 1], "padding": "same", "use_bias": True,
            "kernel_initializer": normal, "bias_initializer": {"name": "Zeros"}, "kernel_l2": 1e-4,
            "bias_l2": 0.0, "activation": "linear"}  # fmt: skip
    norm = {"momentum": 0.99, "epsilon": 1e-3, "center": True, "scale": True, "beta_l2": 0.0, "gamma_l2": 0.0}
    relu = ("Activation", {"activation": "relu"})
    return [
        network([8], ("Dense", {"units": 3})),
        network(
            [32, 32, 3],
            ("Conv2D", conv),
            ("BatchNormalization", norm),
            relu,
            ("MaxPooling2D", {"pool_size": [2, 2], "strides": None, "padding": "valid"}),
            ("AveragePooling2D", {"pool_size": 2, "strides": 2}),
            ("Dropout", {"rate": 0.5}),
            ("Flatten", {}),
            ("Dense", {"units": 10, "activation": "softmax"}),
        ),
        network(
            [16, 8, 8],
            ("Conv2D", {**conv, "kernel_size": 1}),
            ("BatchNormalization", norm),
            relu,
            ("Conv2D", conv),
            ("Pad", {"widths": [[1, 1], [1, 1], [0, 0]]}),
            (
                "Conv2D",
                {**conv, "padding": "valid", "kernel_initializer": {"name": "Orthogonal", "gain": 1.0}},
            ),
            ("Add", {}, [0, 6]),
            relu,
            ("ZerosLike", {}, [8]),
            ("Concatenate", {}, [8, 9]),
            ("Identity", {}),
            ("GlobalAveragePooling2D", {"keepdims": True}),
            ("GlobalMaxPooling2D", {"keepdims": False}),
            ("Dense", {"units": 5, "kernel_initializer": {"name": "RandomUniform", "limit": 0.1}}),
        ),
    ]


def _zips() -> Iterator[bytes]:
    """Zips of every make, with folders, links, comments and 64-bit sizes."""
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            archive.writestr("hw/preprocessing.py", "import numpy\n" * 20)
            archive.writestr("hw/alexnet.py", b"\xef\xbb\xbfx = 1\r\n")
            archive.writestr("hw/", "")
            link = zipfile.ZipInfo("hw/link")
            link.external_attr = 0o120777 << 16
            archive.writestr(link, "/etc/passwd")
            archive.comment = b"a comment"
            with archive.open(zipfile.ZipInfo("hw\\wide.py"), "w", force_zip64=True) as wide:
                wide.write(b"y = 2\n")
        yield file.getvalue()


# --- the loop ----------------------------------------------------------------------------------------------


def fuzz(name: str, inputs: int, seed: int) -> Count:
    """Tries so many inputs in this process."""
    reader, rng, count = _reader(name), random.Random(seed), Count()
    good, odd, known = list(reader.seeds), list[Any](), set[str]()
    signal.signal(signal.SIGALRM, _too_slow)
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        for _ in range(inputs):
            item = reader.make(rng, odd if odd and rng.random() < 0.25 else good)
            start = time.perf_counter()
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            try:
                answer = reader.read(item, Path(folder))
            except (Exception, TooSlow) as error:
                answer = f"failed: {type(error).__name__}: {str(error)[:200]}"
                count.failures.append(f"{name}: {answer} ({_keep(reader.raw(item))})")
                shutil.rmtree(Path(folder, "into"), ignore_errors=True)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            count.slowest = max(count.slowest, time.perf_counter() - start)
            count.inputs += 1
            words = answer if answer.startswith("accepted") else _without_names(answer)
            if answer.startswith("accepted"):
                count.accepted += 1
            else:
                count.refused[words] += 1
            if words not in known and len(reader.raw(item)) < 20_000:
                known.add(words)
                pool = good if answer.startswith("accepted") else odd
                pool.append(item)
                if len(pool) > KEPT:
                    pool.pop(rng.randrange(KEPT // 2, KEPT))
    count.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if count.memory > MEMORY:
        count.failures.append(f"{name}: the process grew to {count.memory // MIB} MiB (seed {seed})")
    return count


def _without_names(answer: str) -> str:
    return re.sub(r"'[^']*'|\"[^\"]*\"|[0-9]+", "_", answer)[:70]


@cache
def _reader(name: str) -> Reader:
    return READERS[name][0]()


def _too_slow(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlow(f"more than {SECONDS:g} s")


def _keep(content: bytes) -> Path:
    folder = ROOT / ".kit" / "fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(content).hexdigest()[:16]
    path.write_bytes(content)
    return path


def _work(order: tuple[str, int, int]) -> tuple[str, Count]:
    return order[0], fuzz(*order)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="nox -s fuzz --", description=__doc__.split("\n\n")[0])
    parser.add_argument("--inputs", type=int, default=1_000_000, help="in all (default: a million)")
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop after so many (default: an hour)")
    parser.add_argument("--reader", choices=READERS, help="this one alone")
    parser.add_argument("--seed", type=int, default=1, help="of the changes (default: 1)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    orders = _orders(options.inputs, options.reader, options.seed)
    counts = {name: Count() for name, *_ in orders}
    start = time.monotonic()
    try:
        with multiprocessing.get_context("spawn").Pool(options.workers, _ignore_interrupts) as pool:
            done = 0
            for name, count in pool.imap_unordered(_work, orders):
                counts[name].add(count)
                done += count.inputs
                _progress(console, done, options.inputs, start, counts)
                if time.monotonic() - start > options.seconds:
                    console.print("Its time is over.")
                    break
    except KeyboardInterrupt:
        console.print("\nStopped.")
    console.print(_table(counts))
    failures = [failure for count in counts.values() for failure in count.failures]
    for failure in failures[:20]:
        console.print(failure, style="red", markup=False)
    return 1 if failures else 0


def _orders(inputs: int, only: str | None, seed: int) -> list[tuple[str, int, int]]:
    """Pieces of work, the readers in turn."""
    rng = random.Random(seed)
    orders = []
    for name, (_, share) in READERS.items():
        if only in (None, name):
            left = inputs if only else round(inputs * share)
            while left > 0:
                orders.append((name, min(CHUNK, left), rng.randrange(2**32)))
                left -= CHUNK
    rng.shuffle(orders)
    return orders


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _progress(console: Console, done: int, of: int, start: float, counts: dict[str, Count]) -> None:
    failures = sum(len(count.failures) for count in counts.values())
    seconds = time.monotonic() - start
    if console.is_terminal or done % 100_000 < CHUNK:
        line = f"{done:,} of {of:,} inputs, {done / seconds:,.0f} a second, {failures} failures"
        console.print(line, end="\r" if console.is_terminal else "\n")


def _table(counts: dict[str, Count]) -> Table:
    table = Table(
        "reader", "inputs", "accepted", "refused", "reasons", "failures", "slowest", "largest process"
    )
    for name, count in counts.items():
        table.add_row(
            name,
            f"{count.inputs:,}",
            f"{count.accepted:,}",
            f"{count.refused.total():,}",
            f"{len(count.refused)}",
            f"{len(count.failures)}",
            f"{count.slowest * 1000:.0f} ms",
            f"{count.memory // MIB} MiB",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
