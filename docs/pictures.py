"""Makes the README's pictures from what the commands themselves show: no drawing by hand.

    PYTHONPATH=. .nox/kit/bin/python docs/pictures.py            both
    PYTHONPATH=. .nox/kit/bin/python docs/pictures.py check      docs/figures/check.svg
    PYTHONPATH=. .nox/kit/bin/python docs/pictures.py class      docs/figures/class.png: needs Chromium

`check` is shown for a student who has written two files, with one mistake in the first. The class is made
up: 40 students with names and mistakes from tests/grader/web/making.py.
"""

import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "figures"
COLUMNS = 92
FONT = "Menlo, Consolas, DejaVu Sans Mono"
SEED = 7
# Texts of the solutions, and what this student wrote.
MISTAKES = {
    "alexnet.py": [("(256, 3, True)]", "(256, 3, False)]")],
    "evaluation.py": [],
}
SIZE = {"width": 1180, "height": 900}
CHROMIUM = "/usr/bin/chromium"


def check(to: Path) -> None:
    """What `nox -s check -- alexnet evaluation` shows, as an SVG."""
    from grader.commands.check import check

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "assignment"
        shutil.copytree(ROOT / "assignment", folder, ignore=shutil.ignore_patterns("__pycache__"))
        for name, edits in MISTAKES.items():
            text = (ROOT / "solutions" / name).read_text(encoding="utf-8")
            for old, new in edits:
                if text.count(old) != 1:
                    raise SystemExit(f"solutions/{name} has not once {old!r}: change MISTAKES")
                text = text.replace(old, new)
            (folder / name).write_text(text, encoding="utf-8")
        console = Console(file=io.StringIO(), width=COLUMNS, record=True, color_system="truecolor")
        tasks = [name.removesuffix(".py") for name in MISTAKES]
        check(ROOT, console, folder=folder, tasks=tasks, seed=SEED, trust=True)
    svg = console.export_svg(title="nox -s check -- alexnet evaluation", theme=MONOKAI, unique_id="check")
    # No font is fetched: letters are placed by the width of their line, so that any of fixed width will do.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S).replace("Fira Code", FONT)
    # Without a size of its own it would shrink to what a table leaves it.
    width, height = re.findall(r'viewBox="0 0 (\d+)\S* (\d+)', svg)[0]
    svg = svg.replace("<svg ", f'<svg width="{width}" height="{height}" ', 1)
    to.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")


def class_page(to: Path) -> None:
    """The upper part of the start page of a class, as a PNG."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    from grader.commands import export_html
    from tests.grader.web.making import a_class

    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        results = Path(scratch) / "results"
        a_class(results, 40, hostile=False)
        export_html.html(ROOT, Console(quiet=True), results, similar=False)
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page(viewport=SIZE)
        page.goto((results / "pages" / "index.html").as_uri())
        picture = page.screenshot()
        browser.close()
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(to, optimize=True)


MAKES = {"check": (check, FIGURES / "check.svg"), "class": (class_page, FIGURES / "class.png")}


def main(names: list[str]) -> None:
    """Makes those that are named, or all."""
    for name in names or MAKES:
        make, to = MAKES[name]
        make(to)
        print(f"{to.relative_to(ROOT)}: {to.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
