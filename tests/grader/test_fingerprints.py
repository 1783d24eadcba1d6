"""Fingerprints of code: what changes them, and what does not."""

import pytest

from grader.reference import fingerprints

# Where the syntax trees of Python 3.11, 3.12 and 3.13 are, or were at some time, not the same.
SNIPPET = r'''
"""A docstring."""
import functools
from collections.abc import Callable, Sequence

import numpy as np

LIMIT: float = -1e-3
LOW, HIGH = 0, 2**70
TEXT = f"{LOW!r:>{HIGH}}" "and " f"{HIGH = }{{}}" u"\u00e9\ud800" f"" ""
DATA = b"\x00\xff", 1_000j, 0x10


@functools.lru_cache(maxsize=None)
def shown(value: object, /, *rest: int, sep: str = ", ", **named: "int | None") -> str:
    """
        Indented.
    """
    match value:
        case {"a": [1, *others], **more} if (n := len(others)) > 1:
            return f"{n:,}{'nested' if more else 1!r}" if False else f'{n:{sep}^{n}}'
        case np.ndarray(shape=(h, _)) | [h, _]:
            return f"{h}" f"{h:}"
        case None | True | -1j:
            return ...
        case _:
            pass
    return sep.join(f"{x:.{LOW}f}" for x in rest if x) + f"""
    {named=!s}"""


class Point(dict[str, int], metaclass=type):
    """A docstring."""

    x: int = 0
    y: "Sequence[float]"

    @property
    async def all(self: "Point") -> Callable[..., int]:
        try:
            async with self as (a, *b), await self:
                yield lambda q=1, *, r: (q, r)
        except* (OSError, ValueError) as group:
            raise RuntimeError("no") from group
        while True:
            del self[0:1, ...]
            nonlocal_: int
            break
        else:
            assert self, f"{self}"
'''

GOLDEN = "27ce32558a8394385b82fcdaaed92d97a48daf09a1856597b2c212adce8927b9"


def of(text: str, *modules: str) -> str:
    """The fingerprint of a file, where these modules are ours."""
    return fingerprints.combined(fingerprints.definitions(text, lambda name: name in modules).items())


BASE = '''
"""Docstring."""
import math
import numpy as np
from lab import metrics
from lab.metrics import loss

RATE = 0.5


class Kept:
    """Docstring."""

    size: int = 1

    def __init__(self, size: int = 2) -> None:
        self.size = size


@staticmethod
def accuracy(found, labels, *, share=1.0):
    """Docstring."""
    if found is None:
        raise ValueError(f"{found} is nothing")
    total = np.mean(found == labels) + math.sqrt(share)  # a comment
    return metrics.rounded(loss(total)) if total < RATE else f"{total:.2f} of it"
'''


class TestSame:
    """What changes no result changes no fingerprint."""

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('    """Docstring."""\n    if', '    """Another."""\n    if'),
            ('    """Docstring."""\n    if', "    if"),
            ('    """Docstring."""\n\n    size', "    size"),
            ("  # a comment", ""),
            ("RATE = 0.5\n", "# above\nRATE = 0.50\n\n\n"),
            ("RATE = 0.5\n", "RATE: float = 0.5\n"),
            ("size: int = 2) -> None", "size=2)"),
            ("found, labels, *", 'found: "np.ndarray", labels: list[int], *'),
            ("    total = np", "    total: float = np"),
            ("    total = np", "    total: float\n    total = np"),
            ("    total = np", "    pass\n    total = np"),
            (
                'raise ValueError(f"{found} is nothing")',
                'raise ValueError("nothing", fix="give it") from None',
            ),
            ("total = np.mean(found == labels)", "total = (np.mean(\n        found == labels\n    ))"),
            ('f"{total:.2f} of it"', 'f"{total:.2f}" " of" f" it"'),
            ("import numpy as np", "import numpy as np\nimport os"),
            ("RATE = 0.5\n", "RATE = 0.5\n__all__ = ['RATE']\n"),
            ("RATE = 0.5\n", "RATE = 0.5\nif __name__ == '__main__':\n    print(RATE)\n"),
        ],
    )
    def test_written_otherwise(self, old: str, new: str) -> None:
        """Comments, docstrings, layout, annotations of functions, imports, words of an exception."""
        assert old in BASE
        assert of(BASE.replace(old, new, 1)) == of(BASE)

    def test_order(self) -> None:
        """Definitions may stand in any order and in any file."""
        head, kept, rest = BASE.partition("class Kept:")
        body, at, function = rest.partition("\n\n@staticmethod")
        assert of(head + at + function + "\n" + kept + body) == of(BASE)
        one, other = fingerprints.definitions(head + kept + body), fingerprints.definitions(BASE)
        assert one == {name: said for name, said in other.items() if name != "accuracy"}

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("import numpy as np", "import numpy"),
            ("import math", "from math import sqrt"),
            ("from lab import metrics", "import lab.metrics"),
            ("from lab import metrics", "from lab.scores import rounded"),
            ("from lab.metrics import loss", "from lab.other import loss"),
            ("from lab.metrics import loss", "def loss(x): ..."),
        ],
    )
    def test_imported_otherwise(self, old: str, new: str) -> None:
        """A name counts as what it stands for: others' by their full name, ours by their own."""
        text = BASE.replace(old, new, 1)
        if new == "import numpy":
            text = text.replace("np.", "numpy.")
        if "sqrt" in new:
            text = text.replace("math.sqrt", "sqrt")
        if "import lab" in new:
            text = text.replace("metrics.rounded", "lab.metrics.rounded")
        if "scores" in new:
            text = text.replace("metrics.rounded", "rounded")
        ours = {"lab", "lab.metrics", "lab.scores", "lab.other"}
        before, after = (fingerprints.definitions(one, ours.__contains__) for one in (BASE, text))
        assert after["accuracy"] == before["accuracy"]


class TestDifferent:
    """What can change a result changes the fingerprint."""

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("RATE = 0.5", "RATE = 0.25"),
            ("RATE = 0.5", "RATE = 1"),
            ("RATE = 0.5", "RATE = True"),
            ("RATE = 0.5", "RATE = 0.5\nRATE *= 2"),
            ("RATE = 0.5", "RATE = 0.5\nnp.seterr(all='raise')"),
            ("RATE = 0.5", "RATE = '0.5'"),
            ("@staticmethod", "@classmethod"),
            ("@staticmethod\n", ""),
            ("size: int = 1", "size: int = 3"),
            ("size: int = 1", "size: float = 1"),  # a model's field is checked against it
            ("size: int = 1", "size: int"),
            ("    size: int = 1\n", "    size: int = 1\n    other: int = 1\n"),
            ("size: int = 2", "size: int = 1"),
            ("self.size = size", "self.sizes = size"),
            ("share=1.0", "share=1"),
            ("*, share", "share"),
            ("found == labels", "found != labels"),
            ("found == labels", "labels == found"),
            (") + math", ") - math"),
            ("math.sqrt", "math.exp"),
            ("is None", "is not None"),
            ("ValueError", "KeyError"),
            ("total < RATE", "total <= RATE"),
            (":.2f", ":.3f"),
            (" of it", " of that"),
            ("    if found is None:", "    while found is None:"),
            ("import numpy as np", "import jax.numpy as np"),
            ("def accuracy", "def precision"),
            ("class Kept:", "class Kept(dict):"),
            ("metrics.rounded(", "metrics.cut("),
            ("    total = np", "    found, labels = labels, found\n    total = np"),
        ],
    )
    def test_changed(self, old: str, new: str) -> None:
        """A constant, an operator, a default, a decorator, a field of a class, an order of steps."""
        assert old in BASE
        assert of(BASE.replace(old, new, 1)) != of(BASE)

    def test_a_variable_of_that_name(self) -> None:
        """A variable that is called like an import is not what is imported."""
        free = "import math\ndef f(x):\n    return math.pi\n"
        assert of(free) == of(free.replace("import math", "from os import path\nimport math"))
        bound = "import cmath as math\ndef f(math):\n    return math.pi\n"
        assert of(bound) == of(bound.replace("import cmath as math\n", ""))
        assert of(free.replace("(x)", "(math)")) != of(free)

    def test_a_field_of_that_name(self) -> None:
        """A field that is called like an import keeps its name wherever the import comes from."""
        text = "from lab import recipes\nclass Kept:\n    recipes: int\n    def read(self): recipes.load()\n"
        moved = text.replace("from lab import recipes", "from lab import profiles as recipes")
        assert of(text, "lab", "lab.recipes") == of(moved, "lab", "lab.profiles")
        assert of(text) != of(text.replace("    recipes: int", "    recipe: int"))

    def test_every_statement_counts(self) -> None:
        """Two definitions of one name, and statements that define nothing, count in their order."""
        assert of("A = 1\nA = 2\n") != of("A = 2\nA = 1\n")
        assert of("f(1)\nf(2)\n") != of("f(2)\nf(1)\n")
        assert of("A = 1\nB = 2\n") == of("B = 2\nA = 1\n")


class TestEveryPython:
    """The same on all that the kit runs on."""

    def test_golden(self) -> None:
        """Of a snippet with all that differs between them: written down once, compared on each."""
        assert of(SNIPPET) == GOLDEN

    def test_names(self) -> None:
        """Definitions are found by their names, values that are assigned at once together."""
        assert list(fingerprints.definitions(SNIPPET)) == [
            "LIMIT",
            "LOW, HIGH",
            "TEXT",
            "DATA",
            "shown",
            "Point",
        ]
        assert fingerprints.names("LOW, HIGH") == ["LOW", "HIGH"]
        assert fingerprints.constant("A = 1\nVERSION = 3\n", "VERSION") == 3
        assert fingerprints.constant("VERSION = 1 + 2\n", "VERSION") is None
