"""How numbers and lists are written."""

import pytest

from grader.web import filters
from grader.web.environment import environment


class TestFilters:
    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(0.4, "0 s"), (299, "299 s"), (300, "5.0 min"), (5399, "90.0 min"), (5400, "1.5 h")],
    )
    def test_duration(self, seconds: float, text: str) -> None:
        """In the unit that suits it."""
        assert filters.duration(seconds) == text

    def test_percent(self) -> None:
        assert [filters.percent(0.3556), filters.percent(0.3556, 0), filters.percent(1, 2)] == [
            "35.6%",
            "36%",
            "100.00%",
        ]

    @pytest.mark.parametrize(
        ("parts", "text"),
        [([], ""), (["b"], "b"), (["b", "a"], "b and a"), ({"c", "b", "a"}, "a, b and c")],
    )
    def test_listed(self, parts: list[str] | set[str], text: str) -> None:
        """In their order, a set in the alphabet's."""
        assert filters.listed(parts) == text

    def test_sentence(self) -> None:
        """The first letter alone is changed."""
        assert [filters.sentence(text) for text in ("", "a B c", "CIFAR-100")] == ["", "A B c", "CIFAR-100"]

    def test_thousands(self) -> None:
        assert filters.thousands(1234567) == "1,234,567"

    def test_readable(self) -> None:
        assert filters.readable("aquarium_fish") == "aquarium fish"

    def test_all_are_filters_of_templates(self) -> None:
        """Each under its own name."""
        for name in ("duration", "listed", "percent", "readable", "sentence", "thousands"):
            assert environment().filters[name] is getattr(filters, name)
