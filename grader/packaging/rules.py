"""What Gradescope accepts as results.json, by its published rules ("Autograder specifications").

`faults(document)` names what breaks them. A document without any score is accepted here when it has no tests
and says why in `output`: that is how a run is reported that could not decide anything, so that nobody gets a
zero for it. The standard library alone is imported: see the package.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

VISIBILITY = ("hidden", "after_due_date", "after_published", "visible")
FORMATS = ("text", "html", "simple_format", "md", "ansi")


def faults(document: object) -> list[str]:
    """What breaks the rules, a sentence each; empty if nothing does."""
    if not isinstance(document, Mapping):
        return ["the document is no object"]
    found = _fields(document, _TOP, "")
    tests = document.get("tests", [])
    for at, test in enumerate(tests if isinstance(tests, list) else []):
        found += _fields(test, _TEST, f"tests[{at}].")
    for at, row in enumerate(_list(document.get("leaderboard"))):
        found += _fields(row, _LEADERBOARD, f"leaderboard[{at}].")
        if isinstance(row, Mapping):
            found += [f"leaderboard[{at}] has no {key}" for key in ("name", "value") if key not in row]
    scored = isinstance(tests, list) and tests and all(isinstance(t, Mapping) and "score" in t for t in tests)
    if "score" not in document and not scored and (tests or not document.get("output")):
        found.append("there is no score, neither of the whole nor of each test, and no output that says why")
    return found


Rule = Callable[[Any], bool]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> bool:
    return isinstance(value, str)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _one_of(*values: str) -> Rule:
    return lambda value: isinstance(value, str) and value in values


def _fields(record: object, rules: Mapping[str, tuple[Rule, str]], where: str) -> list[str]:
    """What breaks the rules of one record."""
    if not isinstance(record, Mapping):
        return [f"{where.rstrip('.')} is no object"]
    found = [f"{where}{key} is no field of Gradescope's" for key in record if key not in rules]
    for key, (holds, expected) in rules.items():
        if key in record and not holds(record[key]):
            found.append(f"{where}{key} is {str(record[key])[:60]!r}; expected {expected}")
    return found


_TEXT, _NUMBER = (_text, "text"), (_number, "a finite number")
_FORMAT = (_one_of(*FORMATS), f"one of {', '.join(FORMATS)}")
_SEEN = (_one_of(*VISIBILITY), f"one of {', '.join(VISIBILITY)}")
_OBJECT = (lambda value: isinstance(value, Mapping), "an object")
_TOP: Mapping[str, tuple[Rule, str]] = {
    "score": _NUMBER,
    "execution_time": _NUMBER,
    "output": _TEXT,
    "output_format": _FORMAT,
    "test_output_format": _FORMAT,
    "test_name_format": _FORMAT,
    "visibility": _SEEN,
    "stdout_visibility": _SEEN,
    "extra_data": _OBJECT,
    "tests": (lambda value: isinstance(value, list), "a list"),
    "leaderboard": (lambda value: isinstance(value, list), "a list"),
}
_TEST: Mapping[str, tuple[Rule, str]] = {
    "score": _NUMBER,
    "max_score": _NUMBER,
    "status": (_one_of("passed", "failed"), "passed or failed"),
    "name": _TEXT,
    "name_format": _FORMAT,
    "number": _TEXT,
    "output": _TEXT,
    "output_format": _FORMAT,
    "tags": (lambda value: isinstance(value, list) and all(map(_text, value)), "a list of texts"),
    "visibility": _SEEN,
    "extra_data": _OBJECT,
}
_LEADERBOARD: Mapping[str, tuple[Rule, str]] = {
    "name": _TEXT,
    "value": (lambda value: _text(value) or _number(value), "text or a number"),
    "order": (_one_of("asc", "desc"), "asc or desc"),
}
