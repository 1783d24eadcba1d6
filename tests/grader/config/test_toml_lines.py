"""Where a value is, in all the forms in which TOML can write it."""

import tomllib

import pytest

from grader.config.toml_lines import line_of, line_of_fault

TEXT = '''# late.grace = "not this one"
title = """
[late]
grace = 1
"""
names = [
  "a",
  "b",
]

[late]     # a table
# grace = 2
grace = "15 min"
"share a day" = "10%"

[extensions]
"ada@example.org" = "3 days"
grace = "1 day"
'''


class TestLineOf:
    @pytest.mark.parametrize(
        ("place", "line"),
        [
            (("title",), 2),
            (("names",), 6),
            (("late",), 11),
            (("late", "grace"), 13),
            (("late", "share a day"), 14),
            (("extensions", "ada@example.org"), 17),
            (("extensions", "grace"), 18),
        ],
    )
    def test_a_value_is_on_its_own_line(self, place: tuple[str, ...], line: int) -> None:
        """Neither in a comment, nor in a string, nor under the same key of another table."""
        assert line_of(place, TEXT) == line

    def test_what_is_missing_is_in_its_table_or_the_whole_file(self) -> None:
        assert line_of(("late", "cut_off"), TEXT) == 11
        assert line_of(("due",), TEXT) == 1
        assert line_of((), TEXT) == 1

    @pytest.mark.parametrize(
        "text", ['\nlate.grace = "1 h"\n', '\nlate = { grace = "1 h" }\n', '\r\n"late".\'grace\' = "1 h"\r\n']
    )
    def test_dotted_inline_and_quoted_keys(self, text: str) -> None:
        assert line_of(("late", "grace"), text) == 2


class TestLineOfFault:
    @pytest.mark.parametrize(
        ("text", "line"),
        [("a = 1\nb c\n", 2), ("a = 1\n\nb = [\n1,\n", 3), ('a = """\n', 1), ("a = 1\na = 2\n", 2)],
    )
    def test_syntax(self, text: str, line: int) -> None:
        with pytest.raises(tomllib.TOMLDecodeError) as caught:
            tomllib.loads(text)
        found, what = line_of_fault(caught.value, text)
        assert found == line
        assert "line" not in what
        assert "at end" not in what

    def test_what_is_no_syntax_error_of_the_parser(self) -> None:
        """A whole number of more digits than Python reads."""
        text = f"a = 1\nb = {'9' * 5000}\n"
        with pytest.raises(ValueError, match="digits") as caught:
            tomllib.loads(text)
        assert line_of_fault(caught.value, text)[0] == 2
