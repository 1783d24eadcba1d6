"""What is written for people: links lead somewhere, and the README stays a front door."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "assignment/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "bank").glob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links(page: Path) -> None:
    """Every file that a page links to or shows is there."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    missing = [
        target
        for target in re.findall(r"\]\(([^)#\s]+)", text)
        if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists()
    ]
    assert missing == []


def test_front_door() -> None:
    """Of at most 600 words."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 600
