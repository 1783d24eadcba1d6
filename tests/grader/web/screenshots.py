"""Pictures of the pages, to be looked at: wide, on a phone, dark, and as they are printed.

    PYTHONPATH=. python -m tests.grader.web.screenshots OUT

They are of a class of 40 with some of everything, and of the report of profile cpu.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from rich.console import Console

from grader.commands import export_html
from grader.reference.report import report
from tests.grader.web.making import HOSTILE, ROOT, a_class

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox"]  # its own needs user namespaces, which root has none of in a container
LOOKS: Mapping[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "print": {"viewport": {"width": 794, "height": 1123}, "color_scheme": "dark"},  # A4, of a dark screen
}


def pages(folder: Path) -> dict[str, Path]:
    """The pages that pictures are made of."""
    everybody = a_class(folder / "results", 40)
    export_html.html(ROOT, Console(), folder / "results", similar=True)
    start = folder / "results" / "pages"
    found = {"class": start / "index.html", "student": start / "students" / f"{everybody[-3].key}.html"}
    wrong = [
        path
        for path in sorted((start / "students").glob("*.html"))
        if b'class="drawing"' in path.read_bytes()
    ]
    found |= {"student-wrong": wrong[0]} if wrong else {}
    found["student-hostile"] = start / "students" / f"{next(iter(HOSTILE))}.html"
    found["similar"] = start / "similar" / "1.html"
    found["report"] = report("cpu", root=ROOT, out=folder / "report")[0]
    return found


def main(out: Path) -> None:
    """Makes the pages, and the pictures."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        shown = pages(Path(scratch))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for look, how in LOOKS.items():
            page = browser.new_page(**how)
            for name, path in shown.items():
                page.goto(path.as_uri())
                page.emulate_media(media="print" if look == "print" else "screen")
                page.screenshot(path=out / f"{name}-{look}.png", full_page=True)
                if look == "print":
                    page.pdf(path=out / f"{name}.pdf", format="A4")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
