"""What the kills of a class are judged by; tests/grader/commands/test_grade_killed.py kills a few times."""

from pathlib import Path

import pytest

from tests.overnight import a_small_class, kills


def test_only_the_copy_is_equal(tmp_path: Path) -> None:
    """Else one student's probes were another's, and a kill would cost less than it does."""
    kinds = a_small_class.write(tmp_path, students=9)
    assert sorted(kinds) == sorted(path.name for path in tmp_path.iterdir())
    files = {
        name: {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.py")} for name in kinds
    }
    (copy,) = (name for name, kind in kinds.items() if kind == "copy")
    assert files.pop(copy) == files["student0"]
    sources = [content for own in files.values() for content in own.values()]
    assert len(sources) == len(set(sources)) >= 2 * 7 + 1


class TestTwice:
    """kills.twice."""

    @pytest.mark.parametrize(
        ("lines", "wrong"),
        [
            ("probed a\nprobed a\nkept a\nexamined s\nmarked s\n", 0),  # killed before it was stored
            ("probed a\nkept a\nprobed b\nprobed a\n", 1),
            ("examined s\nmarked s\nexamined s\nexamined t\n", 1),
            ("trained d\nresult d\ntrained d\n", 1),
        ],
    )
    def test_only_what_was_done_before_counts(self, tmp_path: Path, lines: str, wrong: int) -> None:
        (tmp_path / "log").write_text(lines)
        assert len(kills.twice(tmp_path / "log")) == wrong


class TestDifferent:
    """kills.different."""

    def test_names_the_field(self) -> None:
        one = {"mark": {"points": {"resnet": [3.0, 35.0]}}, "same": 1}
        other = {"mark": {"points": {"resnet": [4.0, 35.0]}}, "same": 1, "more": 2}
        assert kills.different(one, other) == {
            "mark.points.resnet[0]": ("3.0", "4.0"),
            "more": ("not there", "2"),
        }
