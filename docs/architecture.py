"""Draws docs/figures/architecture.svg and lists the arrows in docs/architecture.md, from the imports.

    nox -s architecture             both, anew
    nox -s architecture -- --check  changes nothing; 1 if they are not what the code says

Every row is a package, or a module of the package that leads a submission on its way; its words are the first
line of its docstring. Rows stand in the order of the layers in pyproject.toml, so that an arc that went up
would be an import against them: `lint-imports` refuses it.
"""

import ast
import sys
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
PAGE, PICTURE = ROOT / "docs" / "architecture.md", ROOT / "docs" / "figures" / "architecture.svg"
BEGIN, END = "<!-- arrows: written by nox -s architecture -->", "<!-- end of the arrows -->"
OPENED = "grader.grading"  # shown module by module: the way leads through it
WAY = (  # in which order a submission passes them
    "grader.cli",
    "grader.session",
    "grader.intake",
    "grader.grading.probing",
    "grader.sandbox",
    "grader.grading.evidence",
    "grader.grading.judging",
    "grader.tasks",
    "grader.training",
    "grader.grading.decide",
    "grader.results",
    "grader.gradebook",
    "grader.exporters",
)
TITLE = "From a folder to a mark"
LEGEND = (
    "Numbers: the way of a submission. Arcs: who imports whom, always downwards, without what follows from "
    "others; green ones join two stations of the way."
)
ROW, TOP, LEFT, WIDTH, BOX = 40, 64, 24, 1180, 720
INK, GREY, WAYS = "#1c2830", "#8a979e", "#00696f"


@dataclass(frozen=True)
class Row:
    """A line of the picture: a package or a module, what it says of itself, and its place on the way."""

    name: str
    words: str
    step: int | None


def layers(container: str) -> list[str]:
    """What is directly in a package, top to bottom, as pyproject.toml has it."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    (contract,) = (one for one in contracts if one.get("containers") == [container])
    names = [name.strip() for layer in contract["layers"] for name in layer.split("|")]
    return [f"{container}.{name}" for name in names]


def rows() -> list[Row]:
    """All lines of the picture."""
    names: list[str] = []
    for package in layers("grader"):
        names += layers(package) if package == OPENED else [package]
    names.append("lab")
    return [Row(name, _words(name), WAY.index(name) + 1 if name in WAY else None) for name in names]


def arrows(graph: grimp.ImportGraph, names: Sequence[str]) -> Counter[tuple[str, str]]:
    """How many modules of one row import modules of another."""
    found: Counter[tuple[str, str]] = Counter()
    for module in graph.modules:
        if module.endswith(".__main__"):  # a front door: it opens the command line
            continue
        for imported in graph.find_modules_directly_imported_by(module):
            ends = _row_of(module, names), _row_of(imported, names)
            if None not in ends and ends[0] != ends[1]:
                found[ends] += 1  # type: ignore[index]
    return found


def picture(shown: Sequence[Row], found: Counter[tuple[str, str]]) -> str:
    """The rows one below the other, and an arc for each import from one to another."""
    places = {row.name: TOP + ROW * number for number, row in enumerate(shown)}
    height = TOP + ROW * len(shown) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="DejaVu Sans, Arial, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="24" font-size="16" font-weight="bold" fill="{INK}">{TITLE}</text>',
        f'<text x="{LEFT}" y="44" fill="{INK}">{LEGEND}</text>',
    ]
    for (importer, imported), count in sorted(_not_implied(found).items()):
        start, end = places[importer] + 15, places[imported] + 15
        reach = 30 + 270 * ((end - start) / (ROW * len(shown))) ** 0.8
        on_the_way = importer in WAY and imported in WAY
        colour, width = (WAYS, 1.8) if on_the_way else (GREY, 0.8)
        middle = LEFT + BOX + reach * 1.33
        parts.append(
            f'<path d="M{LEFT + BOX} {start}C{middle:.0f} {start} {middle:.0f} {end} {LEFT + BOX + 5} {end}" '
            f'fill="none" stroke="{colour}" stroke-width="{width}">'
            f"<title>{escape(f'{importer} imports {imported}: {count}')}</title></path>"
            f'<path d="M{LEFT + BOX} {end}l8 -4v8z" fill="{colour}"/>'
        )
    for row in shown:
        y = places[row.name]
        edge = WAYS if row.step else GREY
        parts.append(
            f'<rect x="{LEFT}" y="{y}" width="{BOX}" height="30" rx="5" fill="white" stroke="{edge}" '
            f'stroke-width="{2 if row.step else 1}"/>'
        )
        if row.step:
            parts.append(f'<circle cx="{LEFT + 18}" cy="{y + 15}" r="10" fill="{WAYS}"/>')
            parts.append(
                f'<text x="{LEFT + 18}" y="{y + 19}" text-anchor="middle" fill="white" font-size="11" '
                f'font-weight="bold">{row.step}</text>'
            )
        parts.append(
            f'<text x="{LEFT + 36}" y="{y + 19}" fill="{INK}"><tspan font-weight="bold">'
            f"{escape(row.name.removeprefix('grader.'))}</tspan>"
            f'<tspan font-size="11" dx="10">{escape(_short(row))}</tspan></text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def table(found: Counter[tuple[str, str]], names: Sequence[str]) -> str:
    """The arrows as Markdown: a line for each row that imports others."""
    lines = ["| imports | from (number of imports) |", "|---|---|"]
    for name in names:
        own = sorted(((names.index(b), b, n) for (a, b), n in found.items() if a == name))
        if own:
            lines.append(f"| `{name}` | {', '.join(f'`{b}` ({n})' for _, b, n in own)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Writes both files, or compares them; 1 if they are not what the code says."""
    sys.path.insert(0, str(ROOT))  # where grimp looks for packages
    graph = grimp.build_graph("grader", "lab", cache_dir=None)
    shown = rows()
    names = [row.name for row in shown]
    found = arrows(graph, names)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    written = {
        PICTURE: picture(shown, found),
        PAGE: f"{before}{BEGIN}\n\n{table(found, names)}\n\n{END}{rest.partition(END)[2]}",
    }
    stale = [
        path
        for path, text in written.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if "--check" not in arguments:
            path.write_text(written[path], encoding="utf-8")
        verb = "differs from the code: run nox -s architecture" if "--check" in arguments else "written"
        print(f"{path.relative_to(ROOT)} {verb}")
    return 1 if stale and "--check" in arguments else 0


def _not_implied(found: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """The arrows that no path over other rows implies, and all between two stations of the way."""

    def below(name: str) -> set[str]:
        reached, new = set[str](), {name}
        while new:  # imports that go in a circle end here as well
            new = {b for a, b in found if a in new} - reached
            reached |= new
        return reached

    return Counter(
        {
            (a, b): count
            for (a, b), count in found.items()
            if (a in WAY and b in WAY) or not any(b in below(c) for x, c in found if x == a and c != b)
        }
    )


def _row_of(module: str, names: Sequence[str]) -> str | None:
    """The row that a module belongs to: the longest name that leads to it."""
    return max((n for n in names if module == n or module.startswith(f"{n}.")), key=len, default=None)


def _words(name: str) -> str:
    """The first line of a package's or a module's docstring."""
    base = ROOT.joinpath(*name.split("."))
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def _short(row: Row) -> str:
    most = 112 - len(row.name)
    return row.words if len(row.words) <= most else row.words[: most - 1].rstrip(" ,;:") + "…"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
