"""A class as Canvas hands it out: right in many styles, wrong, hostile, empty, copied, handed in twice.

    made = write(folder, students=200, seed=1)
    made.kinds["10007"]     # "wrong", by the student's key

What right and wrong students hand in comes from bank/, what hostile ones do from tests/hostile/submissions.
The same arguments write the same bytes. Every student's files differ from all others' in a comment, so that
no probe of one is known from another; only a copy is a copy to the byte.
"""

import io
import random
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.config import manifest
from grader.config.manifest import Manifest
from grader.proof import bank
from grader.proof.bank import Entry

ROOT = Path(__file__).parents[2]
Files = dict[str, bytes]  # by their names

# Shares of a class; all others are right. Of 200: 36 wrong ones, 10 that handed in twice, and so on.
SHARES = {
    "wrong": 0.18,
    "copy": 0.06,
    "handed in twice": 0.05,
    "unfinished": 0.05,
    "empty": 0.05,
    "hostile": 0.04,
}
LATE = 0.1  # of all
STYLES = 40  # of right students: combinations of the bank's right submissions

# Each is over within seconds (docs/security.md has those that cost minutes), and each tries another door: the
# terminal, the page, the table, the process tree, the evidence, the judge, the description.
HOSTILE = (
    ("preprocessing", "ansi_in_messages"),
    ("preprocessing", "html_in_messages"),
    ("preprocessing", "formulas_in_messages"),
    ("preprocessing", "kills_everyone"),
    ("preprocessing", "forged_verdict"),
    ("evaluation", "matrix_without_memory"),
    ("evaluation", "edits_the_question"),
    ("alexnet", "odd_layer_names"),
)
EMPTY: tuple[Callable[[], Files], ...] = (
    dict,  # and a text that was typed in
    lambda: {"evaluation.py": b""},
    lambda: {"lab.ipynb": b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'},
    lambda: {"lab.zip": b"PK\x05\x06 cut off"},
    lambda: {"lab.rar": b"Rar!\x1a\x07\x01\x00"},
    lambda: {"report.txt": b"I was ill."},
    lambda: {"lab.zip": _zip({})},
)


@dataclass(frozen=True)
class Made:
    """A class that was written.

    Attributes:
        kinds: by the key of each student, of SHARES or "right".
        mutants: by the key of each wrong student, the bank's mutant.
        files: in the folder.
    """

    kinds: Mapping[str, str]
    mutants: Mapping[str, Entry]
    files: int

    @property
    def counts(self) -> Counter[str]:
        """How many students of each kind."""
        return Counter(self.kinds.values())


def write(folder: Path, *, students: int, seed: int, distinct: int | None = None) -> Made:
    """Writes a class.

    Args:
        folder: is made.
        students: in the class.
        seed: of all that is drawn.
        distinct: how many hand in work of their own; the others' is copied from these. All if None.
    """
    tasks = manifest.load(ROOT / "solutions" / "tasks.toml")
    draw = random.Random(f"{seed} {students} {distinct}")
    own = min(students, distinct or students)
    counts = {kind: max(1, round(share * own)) for kind, share in SHARES.items()}
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    kinds += ["right"] * (own - len(kinds))
    draw.shuffle(kinds)
    kinds = kinds[:own] + ["copy"] * (students - own)
    work = _Work(tasks, draw)
    folder.mkdir(parents=True)
    for number, kind in enumerate(kinds):
        work.hand_in(folder, number, kind)
    keys = [_key(number) for number in range(students)]
    return Made(dict(zip(keys, kinds, strict=True)), work.mutants, sum(1 for _ in folder.iterdir()))


class _Work:
    """What students hand in."""

    def __init__(self, tasks: Manifest, draw: random.Random) -> None:
        self.mutants: dict[str, Entry] = {}
        self._tasks, self._draw = tasks, draw
        self._files = 0  # the number that Canvas gives to each
        self._handed_in: list[Files] = []  # that can be copied
        everything = bank.entries(ROOT, tasks)
        self._right = {
            task.id: [one for one in everything if one.task is task and not one.mutant]
            for task in tasks.tasks
        }
        self._wrong = [one for one in everything if one.mutant]
        draw.shuffle(self._wrong)
        self._cache: dict[str, Files] = {}

    def hand_in(self, folder: Path, number: int, kind: str) -> None:
        """Writes what one student hands in."""
        key, late = _key(number), self._draw.random() < LATE
        if kind == "copy":
            self._store(folder, number, self._copied(key), late)
            return
        style = self._draw.randrange(STYLES)
        if kind == "empty":
            files = EMPTY[number % len(EMPTY)]()
            if not files:
                (folder / f"student{number}_{key}_text.html").write_text("<p>Sorry.</p>", encoding="utf-8")
            self._store(folder, number, files, late)
            return
        files = self._everything_right(style)
        if kind in ("wrong", "handed in twice"):
            wrong = self._with_mistake(key, files)
            if kind == "wrong":
                files = wrong
            else:  # first with the mistake, then without
                first, then = _signed(wrong, f"{key}, first"), _signed(files, key)
                self._store(folder, number, first, late=False, as_zip=True)
                self._store(folder, number, then, late, as_zip=True, again=1)
                return
        elif kind == "unfinished":
            for task in self._draw.sample(self._tasks.tasks, self._draw.randint(1, 4)):
                files[task.module] = (ROOT / "assignment" / task.module).read_bytes()
            if self._draw.random() < 0.5:
                files.pop(self._draw.choice(self._tasks.tasks).module, None)
        elif kind == "hostile":
            task, name = HOSTILE[number % len(HOSTILE)]
            files[f"{task}.py"] = (
                ROOT / "tests" / "hostile" / "submissions" / task / f"{name}.py"
            ).read_bytes()
        files = _signed(files, key)
        self._handed_in.append(files)
        self._store(folder, number, files, late)

    def _copied(self, key: str) -> Files:
        """Another student's, to the byte; where nobody handed in anything yet, what others will copy."""
        if not self._handed_in:
            self._handed_in.append(_signed(self._everything_right(0), key))
        return self._draw.choice(self._handed_in)

    def _everything_right(self, style: int) -> Files:
        files: Files = {}
        for task in self._tasks.tasks:
            choices = self._right[task.id]
            own = self._content(choices[style % len(choices)])
            # Two styles may each have a helpers.py of their own, or bring another task's file.
            if any(name in files or (name in self._modules and name != task.module) for name in own):
                own = self._content(choices[0])
            files |= own
        return files

    def _with_mistake(self, key: str, files: Files) -> Files:
        """The same with one task of the bank's mutants; none comes again before all were handed in."""
        mutant = self._wrong[len(self.mutants) % len(self._wrong)]
        self.mutants[key] = mutant
        return files | self._content(mutant)

    def _content(self, entry: Entry) -> Files:
        if entry.folder not in self._cache:
            self._cache[entry.folder] = _content(entry)
        return self._cache[entry.folder]

    @property
    def _modules(self) -> set[str]:
        return {task.module for task in self._tasks.tasks}

    def _store(
        self, folder: Path, number: int, files: Files, late: bool, *, as_zip: bool = False, again: int = 0
    ) -> None:
        """As Canvas names files: who, whether late, the student's number, the file's, its own name."""
        if as_zip or any("/" in name for name in files):
            files = {"lab.zip": _zip(files)}
        for name, content in sorted(files.items()):
            self._files += 1
            stem, dot, suffix = name.partition(".")
            again_ = f"-{again}" if again else ""
            front = f"student{number}_{'LATE_' if late else ''}{_key(number)}_{90000 + self._files}"
            (folder / f"{front}_{stem}{again_}{dot}{suffix}").write_bytes(content)


def _key(number: int) -> str:
    return str(10000 + number)


def _content(entry: Entry) -> Files:
    """The files of a submission of the bank."""
    if isinstance(entry.source, Path):
        if entry.source.is_file():
            return {entry.task.module: entry.source.read_bytes()}
        return {
            path.relative_to(entry.source).as_posix(): path.read_bytes()
            for path in sorted(entry.source.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts and path.suffix in (".py", ".json")
        }
    solution = (ROOT / "solutions" / entry.task.module).read_text(encoding="utf-8")
    return {entry.task.module: bank.changed(solution, entry.source).encode()}


def _signed(files: Files, who: str) -> Files:
    """The same, with bytes that nobody else has in each source."""
    return {
        name: content + f"\n# {who}\n".encode() if name.endswith(".py") else content
        for name, content in files.items()
    }


def _zip(files: Files) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 20, 10, 0, 0)), content)
    return packed.getvalue()
