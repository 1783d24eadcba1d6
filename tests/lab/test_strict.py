"""The base of every record: what it refuses, and how that is shown."""

import ast
import doctest
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, ValidationError, model_validator

from lab import strict
from lab.strict import Strict, explained

ROOT = Path(__file__).parents[2]


class Inner(Strict):
    share: float = Field(default=0.5, ge=0, le=1)
    note: Any = None


class Outer(Strict):
    name: str
    parts: tuple[Inner, ...] = ()

    @model_validator(mode="after")
    def _named(self) -> "Outer":
        if not self.name:
            raise ValueError("it has no name")
        return self


def shown(data: Any, **options: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(data)
    return explained(caught.value, **options)


class TestStrict:
    """Frozen, closed, and finite."""

    def test_is_frozen(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            Inner().share = 0.1  # type: ignore[misc]

    def test_has_no_other_fields(self) -> None:
        with pytest.raises(ValidationError, match="Extra inputs"):
            Inner.model_validate({"shares": 0.1})

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
    def test_holds_no_number_without_a_value(self, value: float) -> None:
        class Free(Strict):
            seconds: float

        with pytest.raises(ValidationError, match="finite number"):
            Free(seconds=value)


class TestExplained:
    """One line: where, what, and what was received where that says more."""

    @pytest.mark.parametrize(
        ("data", "line"),
        [
            (
                {"name": "a", "parts": [{}, {"share": 2}]},
                "parts.1.share: Input should be less than or equal to 1. Received: 2",
            ),
            ({"name": "a", "size": "x\ny"}, "size: Extra inputs are not permitted. Received: 'x\\ny'"),
            ({}, "name: Field required"),
            ({"name": ""}, "the file: it has no name"),
            ({"name": 7 * 10**90}, f"name: Input should be a valid string. Received: 7{'0' * 79}"),
        ],
    )
    def test_one_line(self, data: Any, line: str) -> None:
        assert shown(data) == line

    def test_a_part_of_a_file(self) -> None:
        assert shown({}, within="profiles.cpu") == "profiles.cpu.name: Field required"
        assert shown({"name": ""}, within="profiles.cpu") == "profiles.cpu: it has no name"

    def test_what_a_submission_wrote_is_not_shown(self) -> None:
        data = {"name": "a", "parts": [{"share": "secret"}]}
        assert "secret" in shown(data)
        assert "secret" not in shown(data, trusted=False)

    def test_no_json(self) -> None:
        """The file is not repeated, and the place in it is in the message."""
        with pytest.raises(ValidationError) as caught:
            Outer.model_validate_json("[1,")
        assert explained(caught.value).startswith("the file: Invalid JSON: EOF while parsing")
        assert "Received" not in explained(caught.value)

    def test_the_example_holds(self) -> None:
        assert doctest.testmod(strict).failed == 0


class TestTheOnlyOne:
    """No other base is made from pydantic's, and no other code words an error of its."""

    @pytest.mark.parametrize("folder", ["grader", "lab"])
    def test_in_all_sources(self, folder: str) -> None:
        for path in (ROOT / folder).rglob("*.py"):
            if path != ROOT / "lab" / "strict.py":
                assert not _others(path.read_text(encoding="utf-8")), path

    @pytest.mark.parametrize(
        "source",
        [
            "from pydantic import BaseModel",
            "import pydantic\nclass Record(pydantic.BaseModel): ...",
            "error.errors()[0]",
        ],
    )
    def test_finds(self, source: str) -> None:
        assert _others(source)


def _others(source: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(source)))
    named = {name.name for node in nodes if isinstance(node, ast.ImportFrom) for name in node.names}
    named |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    called = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
    return named & {"BaseModel"} | {name for name in called if name.endswith(".errors")}
