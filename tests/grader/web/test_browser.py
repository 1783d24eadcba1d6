"""The pages in a browser: no error, sorting and filtering, by the keyboard alone, and what axe finds."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.grader.web.making import ROOT, a_class
from tests.grader.web.screenshots import ARGUMENTS, CHROMIUM

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
if not Path(CHROMIUM).exists():
    pytest.skip("no Chromium: apt-get install chromium", allow_module_level=True)

from axe_playwright_python.sync_playwright import Axe  # noqa: E402
from playwright.sync_api import Browser, Page  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]
PAGES = ("index.html", "students/s-101.html", "students/s-106.html", "similar/1.html")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of a small class, with one pair of similar sources."""
    from grader.cli import app

    out = tmp_path_factory.mktemp("results")
    a_class(out, 14)
    assert app.main(["export", "html", "--out", str(out)]) == 0
    return out / "pages"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test where the browser reports an error."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    errors: list[str] = []
    opened.on("console", lambda said: errors.append(said.text) if said.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("dialog", lambda dialog: errors.append(f"dialog {dialog.message}"))
    opened.on("requestfailed", lambda request: errors.append(f"request {request.url[:80]}"))
    yield opened
    opened.close()
    assert errors == []


def column(page: Page, table: str, number: int) -> list[str]:
    """The text of a column's visible cells."""
    cells = page.locator(f"table[data-name='{table}'] tbody tr:not([hidden])").all()
    return [row.locator("th, td").nth(number).inner_text().strip() for row in cells]


class TestTables:
    def test_sorting_by_keyboard(self, page: Page, site: Path) -> None:
        """Enter on a heading sorts by it; once more, the other way; who has no mark is last both times."""
        page.goto((site / "index.html").as_uri())
        heading = page.locator("table[data-name=students] th[data-sort=total]")
        heading.locator("button").focus()
        for direction in ("ascending", "descending"):
            page.keyboard.press("Enter")
            assert heading.get_attribute("aria-sort") == direction
            totals = column(page, "students", 7)
            assert totals[-2:] == ["–", "–"]
            numbers = [float(total) for total in totals[:-2]]
            assert numbers == sorted(numbers, reverse=direction == "descending")
            assert len(set(numbers)) > 2
        assert page.locator("table[data-name=students] [aria-sort]").count() == 1
        assert "Sorted by total, descending" in page.locator("output").first.inner_text()

    def test_filtering(self, page: Page, site: Path) -> None:
        """Rows that have all words; how many is announced; rows that need a look alone."""
        page.goto((site / "index.html").as_uri())
        search = page.get_by_label("Filter students")
        search.focus()
        page.keyboard.type("quoted söhne")
        assert column(page, "students", 0) == ['"Quoted" O\'Brien & Söhne']
        status = page.locator("#marks output")
        assert status.inner_text() == "1 of 14 rows shown"
        assert status.get_attribute("aria-live") == "polite"
        search.fill("")
        page.get_by_label("only who needs a look").check()
        assert status.inner_text() == "2 of 14 rows shown"

    def test_without_script(self, browser: Browser, site: Path) -> None:
        """Plain tables with all rows, and nothing that does nothing."""
        context = browser.new_context(java_script_enabled=False)
        opened = context.new_page()
        opened.goto((site / "index.html").as_uri())
        assert opened.locator("table[data-name=students] tbody tr").count() == 14
        assert opened.locator("button, input").count() == 0
        context.close()


class TestPages:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("address", PAGES)
    def test_axe(self, page: Page, site: Path, address: str, scheme: str) -> None:
        """No violation, in either scheme; the names that are markup open no dialog (see `page`)."""
        page.emulate_media(color_scheme=scheme)
        page.goto((site / address).as_uri())
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()

    @pytest.mark.parametrize("address", PAGES)
    def test_on_a_phone(self, page: Page, site: Path, address: str) -> None:
        """Nothing is wider than the screen but what scrolls by itself."""
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto((site / address).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

    def test_keyboard_alone(self, page: Page, site: Path) -> None:
        """Tab reaches every link, button, field and scrolling part, each with a visible focus."""
        page.goto((site / "index.html").as_uri())
        wanted = page.evaluate(
            """() => [...document.querySelectorAll("a[href], button, input, summary, [tabindex='0']")]
                .filter((one) => one.checkVisibility()).map((one, n) => (one.dataset.n = n)).length"""
        )
        reached = set()
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
            number, outline = page.evaluate(
                """() => { const one = document.activeElement;
                    return [one.dataset.n ?? "", getComputedStyle(one).outlineStyle]; }"""
            )
            if number:
                reached.add(number)
                assert outline != "none"
        assert len(reached) == wanted

    def test_printed_from_a_dark_screen(self, page: Page, site: Path) -> None:
        """Paper is white: the page, and the charts in it."""
        page.emulate_media(media="print", color_scheme="dark")
        page.goto((site / "students/s-101.html").as_uri())
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"

    def test_report(self, page: Page, tmp_path: Path) -> None:
        """The report of `nox -s report` has the same look and no violation either."""
        from grader.reference.report import report

        path, _ = report("cpu", root=ROOT, out=tmp_path)
        page.goto(path.as_uri())
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_no_browser_is_left_out_in_ci() -> None:
    """CI installs Chromium: there, skipping this file fails (tests/conftest.py)."""
    assert os.access(CHROMIUM, os.X_OK)
