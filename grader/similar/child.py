"""The process that compares: `python -m grader.similar.child`, a Question on stdin, a Found on stdout.

Files of one name are compared with one another, each content once. compare50's two ways of looking are used:
*structure*, without comments, names and numbers, finds what was renamed and reordered; *text*, with the
names, finds a passage that was taken over word for word. What was handed out is left aside by both.

Nothing here runs what it reads: it is split into tokens by Pygments. A file on which that takes too long, or
a pair, is left out and named.
"""

import itertools
import signal
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import compare50
from compare50 import comparators, passes, preprocessors

from grader.similar.model import Found, Pair, Part, Question, Side, Span

MOST_TOKENS = 40_000  # of a file
FEWEST_TOKENS = 40  # of one's own code: below that, what is alike means nothing
CANDIDATES = 6  # pairs that are looked at closely, for each file
_TOGETHER = 60  # pairs that are compared together, each file split into tokens once
_K, _T = 15, 20  # tokens that two files must share in a row to be noticed at all; see docs/similar.md


Matches = dict[tuple[int, int], tuple[list[Span], list[Span]]]
"""The parts that two files have in common, of the one and of the other, by their numbers."""


class TooLong(Exception):
    """Something took longer than it may."""


class WordForWord(passes.text):  # type: ignore[misc]  # it has no types
    """As compare50's `text`, without comments: a passage that has the same names too."""

    __WordForWord__register = False
    preprocessors: ClassVar = [
        preprocessors.strip_comments,
        preprocessors.split_on_whitespace,
        preprocessors.strip_whitespace,
    ]


@dataclass
class Document:
    """One content, and who has it.

    Attributes:
        file: its name.
        text: of it.
        owners: `Work.name` of all who have it.
        tokens: of its own code, by structure; each is (from, up to).
    """

    file: str
    text: str
    owners: list[str]
    tokens: list[Span] = field(default_factory=list)


def answer(question: Question) -> Found:
    """Which students have files that are alike.

    Raises:
        TooLong: only what is not bound to one file; the process's own limits end it before.
    """
    left_out: list[str] = []
    parts: dict[tuple[str, str], list[Part]] = defaultdict(list)
    compared = 0
    with tempfile.TemporaryDirectory(prefix="kit-similar-") as folder:
        for number, (file, documents) in enumerate(_documents(question).items()):
            base = [question.base[file]] if file in question.base else list(question.base.values())
            looked = _Alike(Path(folder) / str(number), documents, base, question, left_out)
            compared += len(looked.documents)
            for part in looked.parts():
                first, second = sorted((part.sides[0].name, part.sides[1].name))
                parts[first, second].append(part)
    pairs = [
        Pair(names=names, parts=tuple(sorted(found, key=lambda one: (-one.share, -one.run))))
        for names, found in parts.items()
    ]
    pairs.sort(key=lambda pair: (pair.strength, pair.names), reverse=True)
    pairs = _in_turns(pairs)
    return Found(
        pairs=tuple(pairs[: question.most]),
        files=compared,
        left_out=tuple(left_out),
        more=max(0, len(pairs) - question.most),
    )


def _in_turns(pairs: Sequence[Pair]) -> list[Pair]:
    """The strongest pair of each group first, then the second of each, and so on.

    A group is all who are joined by pairs. Where thirty have one and the same source, they are 435 pairs, and
    must not bury two others who have something in common.
    """
    group: dict[str, set[str]] = {}
    for pair in pairs:
        one, other = (group.setdefault(name, {name}) for name in pair.names)
        if one is not other:
            one |= other
            for name in other:
                group[name] = one
    turns: Counter[int] = Counter()
    placed = []
    for place, pair in enumerate(pairs):
        members = group[pair.names[0]]
        placed.append((turns[id(members)], place, pair.model_copy(update={"group": len(members)})))
        turns[id(members)] += 1
    return [pair for _, _, pair in sorted(placed, key=lambda one: one[:2])]


def _documents(question: Question) -> dict[str, list[Document]]:
    """The different contents under each name of a file; what is as it was handed out is nobody's."""
    found: dict[str, dict[str, Document]] = defaultdict(dict)
    for work in question.works:
        for file, text in work.files.items():
            if text.strip() and text != question.base.get(file):
                found[file].setdefault(text, Document(file, text, [])).owners.append(work.name)
    return {file: list(contents.values()) for file, contents in sorted(found.items())}


class _Alike:
    """The files of one name, compared."""

    def __init__(
        self,
        folder: Path,
        documents: Sequence[Document],
        base: Sequence[str],
        question: Question,
        left_out: list[str],
    ) -> None:
        self._folder, self._question, self._left_out = folder, question, left_out
        self._base = base
        self._structure = _Look(folder / "structure", passes.structure, base)
        self._text = _Look(folder / "text", WordForWord, base)
        self.documents = [one for one in documents if self._is_fit(one)]

    def parts(self) -> Iterator[Part]:
        """What is listed, for each two students."""
        for one in self.documents:
            for first, second in itertools.combinations(one.owners, 2):
                whole = ((0, len(one.text)),)
                sides = tuple(
                    Side(name=name, file=one.file, spans=whole, tokens=len(one.tokens))
                    for name in (first, second)
                )
                yield Part(sides=(sides[0], sides[1]), share=1.0, run=len(one.tokens))
        shares: Matches = {}
        runs: Matches = {}
        for look, found in ((self._structure, shares), (self._text, runs)):
            pairs = sorted(look.candidates(CANDIDATES * len(self.documents) + 50))
            for at in range(0, len(pairs), _TOGETHER):
                found |= self._compared(look, pairs[at : at + _TOGETHER])
        for a, b in sorted({*shares, *runs}):
            part = self._part(a, b, shares.get((a, b), ([], [])), runs.get((a, b), ([], [])))
            if part.share >= self._question.share or part.run >= self._question.run:
                for first, second in itertools.product(self.documents[a].owners, self.documents[b].owners):
                    if first != second:
                        sides = (
                            part.sides[0].model_copy(update={"name": first}),
                            part.sides[1].model_copy(update={"name": second}),
                        )
                        yield part.model_copy(update={"sides": sides})

    def _compared(self, look: "_Look", pairs: Sequence[tuple[int, int]]) -> Matches:
        """What pairs have in common: together, which is faster; where that takes too long, each alone."""
        try:
            with _no_longer_than(self._question.seconds * (2 if len(pairs) > 1 else 1)):
                return look.compare(pairs)
        except (TooLong, RecursionError, MemoryError):
            if len(pairs) > 1:
                return {key: one for pair in pairs for key, one in self._compared(look, [pair]).items()}
        names = " and ".join(self._named(number) for number in pairs[0])
        self._left_out.append(f"{names}: comparing the two took too long")
        return {}

    def _part(
        self, a: int, b: int, alike: tuple[list[Span], list[Span]], same: tuple[list[Span], list[Span]]
    ) -> Part:
        one, other = self.documents[a], self.documents[b]
        shorter, spans = min(((one, alike[0]), (other, alike[1])), key=lambda pair: len(pair[0].tokens))
        run = min(_longest(same[0], one.tokens), _longest(same[1], other.tokens))
        worth_showing = [
            [span for span in spans if _inside([span], document.tokens) >= _K]
            for document, spans in ((one, same[0]), (other, same[1]))
        ]
        sides = tuple(
            Side(name="", file=document.file, spans=_merged([*spans, *more]), tokens=len(document.tokens))
            for document, spans, more in (
                (one, alike[0], worth_showing[0]),
                (other, alike[1], worth_showing[1]),
            )
        )
        share = _inside(spans, shorter.tokens) / max(1, len(shorter.tokens))
        return Part(sides=(sides[0], sides[1]), share=share, run=run)

    def _is_fit(self, document: Document) -> bool:
        """Whether a file can be split into tokens in time, and has enough of its own."""
        try:
            with _no_longer_than(self._question.seconds):
                number = self._structure.add(document.text)
                tokens = self._structure.own(number)
                if len(tokens) > MOST_TOKENS:
                    raise TooLong
                document.tokens = tokens
                if len(tokens) >= FEWEST_TOKENS:
                    self._text.add(document.text)
                    return True
                self._structure.drop()
        except (TooLong, RecursionError, MemoryError):
            self._structure.drop()
            who = ", ".join(document.owners)
            self._left_out.append(f"{who}, {document.file}: splitting it into tokens took too long")
        return False

    def _named(self, number: int) -> str:
        document = self.documents[number]
        return f"{document.owners[0]}, {document.file}"


class _Look:
    """One of compare50's ways of looking at texts, which are numbered as they are added."""

    def __init__(self, folder: Path, way: Any, base: Sequence[str]) -> None:
        self._folder = folder
        self._comparator = comparators.Winnowing(k=_K, t=_T)
        own = {"_Look__register": False, "comparator": self._comparator}
        self._pass: Any = type("Look", (way,), own)
        self._preprocessor = compare50._data.Preprocessor(way.preprocessors)
        self._base = [file for number, text in enumerate(base) for file in self._made(f"base-{number}", text)]
        self._ignored = compare50.comparators._winnowing.CompareIndex(_K)
        for file in self._base:
            self._ignored.include(file)
        self._texts: list[Any] = []
        self._added = 0

    def add(self, text: str) -> int:
        """Adds a text; returns its number."""
        self._added += 1
        self._texts.append(self._made(str(self._added), text))
        return len(self._texts) - 1

    def drop(self) -> None:
        """Takes back the text that was added last, if there is one that was not kept."""
        if self._texts:
            self._texts.pop()

    def own(self, number: int) -> list[Span]:
        """The tokens of a text that are not of what was handed out."""
        (file,) = self._texts[number].files
        lists = self._ignored.unignored_tokens(file, tokens=file.tokens())
        return [(token.start, token.end) for tokens in lists for token in tokens]

    def candidates(self, most: int) -> list[tuple[int, int]]:
        """The pairs that share most of what few have, at most so many; none without two texts."""
        if len(self._texts) < 2:
            return []
        number = {text.id: place for place, text in enumerate(self._texts)}
        scores = compare50.rank(self._texts, [], self._base, self._pass, n=most)
        pairs = ((number[one.sub_a.id], number[one.sub_b.id]) for one in scores)
        return [(min(pair), max(pair)) for pair in pairs]

    def compare(self, pairs: Sequence[tuple[int, int]]) -> Matches:
        """The parts of both of each pair that the other one has too."""
        scores = [compare50.Score(self._texts[a], self._texts[b], 1) for a, b in pairs]
        compared = self._comparator.compare(scores, self._base)
        found = {}
        for pair, comparison in zip(pairs, compared, strict=True):
            sides: tuple[list[Span], list[Span]] = ([], [])
            for one, other in comparison.span_matches:
                sides[0].append((one.start, one.end))
                sides[1].append((other.start, other.end))
            found[pair] = sides
        return found

    def _made(self, name: str, text: str) -> Any:
        folder = self._folder / name
        folder.mkdir(parents=True)
        (folder / "code.py").write_text(text, encoding="utf-8", newline="\n")
        return compare50.Submission(folder, ["code.py"], preprocessor=self._preprocessor)


def _inside(spans: Iterable[Span], tokens: Sequence[Span]) -> int:
    """How many tokens lie in any of the spans."""
    merged = _merged(spans)
    place = count = 0
    for start, end in tokens:
        while place < len(merged) and merged[place][1] < end:
            place += 1
        if place < len(merged) and merged[place][0] <= start:
            count += 1
    return count


def _longest(spans: Iterable[Span], tokens: Sequence[Span]) -> int:
    """Tokens of the longest of the spans."""
    return max((_inside([span], tokens) for span in set(spans)), default=0)


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in order, with those that touch joined."""
    found: list[list[int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1][1] = max(found[-1][1], end)
        else:
            found.append([start, end])
    return tuple((start, end) for start, end in found)


@contextmanager
def _no_longer_than(seconds: float) -> Iterator[None]:
    """TooLong where what is within takes longer, on systems that can interrupt it."""

    def end(*_: object) -> None:
        raise TooLong

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _here(*_: object, **__: Mapping[str, object]) -> Any:
    """In place of compare50's pool of processes: this one has its limits, and its children would not."""
    return compare50._api.FauxExecutor()


def main() -> None:
    """Reads a Question and writes a Found."""
    compare50._api.Executor = _here
    question = Question.model_validate_json(sys.stdin.buffer.read())
    sys.stdout.buffer.write(answer(question).model_dump_json().encode())


if __name__ == "__main__":
    main()
