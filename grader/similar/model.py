"""What the search for similar sources reads and writes, as JSON between two processes."""

from collections.abc import Mapping

from pydantic import Field

from lab.strict import Strict

Span = tuple[int, int]  # characters, from and up to


class Work(Strict):
    """The files of one student or group.

    Attributes:
        name: the folder that results are filed under.
        files: their text by name, such as `resnet.py`.
    """

    name: str
    files: Mapping[str, str]


class Question(Strict):
    """What the process is asked.

    Attributes:
        works: of the class.
        base: the text of what was handed out, by name: what is from there is nobody's copy.
        share: from which on a pair of files is listed: of the shorter one's own code, 0 to 1.
        run: from how many tokens on a passage that is the same word for word is listed.
        most: pairs of students at the most.
        seconds: that one file or one pair may take.
    """

    works: tuple[Work, ...]
    base: Mapping[str, str]
    share: float = Field(gt=0, le=1)
    run: int = Field(gt=0)
    most: int = Field(gt=0)
    seconds: float = Field(gt=0)


class Side(Strict):
    """One of two files that are alike.

    Attributes:
        name: whose: `Work.name`.
        file: its name.
        spans: the parts that the other one has too; in order, none overlaps another.
        tokens: of its own code, without what was handed out, comments and white space.
    """

    name: str
    file: str
    spans: tuple[Span, ...]
    tokens: int


class Part(Strict):
    """Two files that are alike.

    Attributes:
        sides: of the one and of the other.
        share: of the shorter one's own code, what the other has too but for names and numbers, 0 to 1.
        run: tokens of the longest passage that is the same word for word.
    """

    sides: tuple[Side, Side]
    share: float
    run: int

    @property
    def identical(self) -> bool:
        """Whether all of the shorter one's own code is in the other."""
        return self.share >= 0.995


class Pair(Strict):
    """Two students some of whose files are alike.

    Attributes:
        names: `Work.name` of both.
        parts: strongest first; at least one.
        group: how many students are joined by this pair and others.
    """

    names: tuple[str, str]
    parts: tuple[Part, ...]
    group: int = 2

    @property
    def strength(self) -> tuple[float, int]:
        """By what pairs are ordered: the greatest share, then the longest passage."""
        return max(part.share for part in self.parts), max(part.run for part in self.parts)


class Found(Strict):
    """What came of a search.

    Attributes:
        pairs: the strongest of each group first, then the second of each, and so on.
        files: how many different files were compared.
        left_out: what could not be compared, and why: sentences.
        more: how many pairs there are besides, which are not listed.
        why_not: why there is no result at all; empty if there is one.
    """

    pairs: tuple[Pair, ...] = ()
    files: int = 0
    left_out: tuple[str, ...] = ()
    more: int = 0
    why_not: str = ""
