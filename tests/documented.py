"""The commands that are written for people: in the README, the docs, the brief and CONTRIBUTING."""

import re
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "assignment" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)
# What is typed into a shell. Others of the docs' words in backticks are files, options and names.
_PROGRAMS = r"(nox|python3?|pip|apt-get|dvc|uv|sbatch|kubectl|for|\.ci/[a-z-]+)"
_COMMAND = re.compile(rf"{_PROGRAMS}( .*|$)")
_ENVIRONMENT = re.compile(r"\.venv/bin/|\.nox/kit/bin/")  # whose program it is; the page says so once
_NO_COMMANDS = {"nox -s", "python -m grader ...", "python", "docker", "dvc", "uv"}  # words about them


def commands(page: Path) -> list[str]:
    """All that a page has, in its order, each as it is typed but without its remark and its environment.

    Commands are the lines of blocks for a shell, and code within text. Code within text that begins with `--`
    and a blank continues the session of nox before it.
    """
    session, found = "", []
    for line, is_inline in _code(page.read_text(encoding="utf-8")):
        typed = _ENVIRONMENT.sub("", " ".join(line.split()))
        if is_inline and typed.startswith("-- ") and session:
            typed = f"{session} {typed}"
        if _COMMAND.fullmatch(typed) and typed not in _NO_COMMANDS:
            found.append(typed)
        if named := re.match(r"nox -s \w+", typed):
            session = named[0]
    return found


def everywhere() -> dict[str, list[str]]:
    """The pages that have it, by command."""
    found: dict[str, list[str]] = {}
    for page in PAGES:
        for command in commands(page):
            pages = found.setdefault(command, [])
            if (name := page.relative_to(ROOT).as_posix()) not in pages:
                pages.append(name)
    return found


def _code(text: str) -> Iterator[tuple[str, bool]]:
    """The pieces of code of a page, and whether each stands within text."""
    for token in MarkdownIt().enable("table").parse(text):
        if token.type == "code_block" or (token.type == "fence" and token.info in ("", "sh")):
            for line in token.content.splitlines():
                yield from ((part, False) for part in _parts(line))
        for child in token.children or []:
            if child.type == "code_inline":
                yield from ((part, True) for part in _parts(child.content))


def _parts(line: str) -> Iterator[str]:
    """The commands of a line, which `&&` joins, without the remark behind them.

    A remark stands apart by a # or, in a list, by two blanks. A loop is one command.
    """
    line = re.split(r"\s#\s|(?<=\S)  +", line.strip())[0]
    yield from [line] if line.startswith("for ") else line.split(" && ")
