"""The pages of a class: what they have, what a student's page has not, what is written and removed."""

import re
from pathlib import Path

import pytest

from grader.cli import app
from grader.gradebook import StudentId
from tests.grader.web.making import ROOT, a_class

COUNT = 14


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[StudentId]]:
    """The pages of a small class with all hostile names, and the students."""
    out = tmp_path_factory.mktemp("results")
    everybody = a_class(out, COUNT, sources=False)
    assert app.main(["export", "html", "--out", str(out)]) == 0
    return out, everybody


def text(path: Path) -> str:
    return path.read_text("utf-8")


def visible(path: Path) -> str:
    """A page without its style, script and pictures."""
    return re.sub(r"<style>.*?</style>|<script>.*?</script>|data:image/[^\"]*", "", text(path), flags=re.S)


class TestStart:
    def test_everybody_is_in_it(self, made: tuple[Path, list[StudentId]]) -> None:
        out, everybody = made
        page = text(out / "pages" / "index.html")
        for who in everybody:
            assert f'href="students/{who.key}.html"' in page
        assert page.count('<th scope="row"><a') >= COUNT

    def test_names_are_text(self, made: tuple[Path, list[StudentId]]) -> None:
        """Markup in a name is shown, not run; what reorders or breaks a line is gone."""
        for path in (made[0] / "pages").rglob("*.html"):
            page = text(path)
            assert "<script>alert" not in page, path
            assert "\u202e" not in page, path
        page = text(made[0] / "pages" / "index.html")
        assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;" in page
        assert "Line break in a name" in page
        assert "🦊" in page

    def test_what_it_says(self, made: tuple[Path, list[StudentId]]) -> None:
        page = visible(made[0] / "pages" / "index.html")
        for part in (
            "Shown in the lab that it runs",
            "ask for a zip",
            "the sandbox could not be started",
            "handed in the very same files",
            "the course&#39;s own",
            "no files of students are kept",
            "nox -s grade -- class/ --profile cpu",
        ):
            assert part in page, part

    def test_loads_nothing(self, made: tuple[Path, list[StudentId]]) -> None:
        for path in (made[0] / "pages").rglob("*.html"):
            assert not re.search(r"(src|href)=\"(https?:|//)|@import|url\(", text(path)), path


class TestStudent:
    def test_nothing_of_others(self, made: tuple[Path, list[StudentId]]) -> None:
        """No other student's name or key, no path of the grader or the class, no hidden label."""
        out, everybody = made
        for who in everybody:
            page = visible(out / "pages" / "students" / f"{who.key}.html")
            for other in everybody:
                if other.key != who.key:
                    assert other.key not in page
                    assert re.sub(r"\s+", " ", other.name) not in page
            for path in (str(ROOT), str(out), "/srv", "/tmp", "/home", "/root"):
                assert path not in page, (who.key, path)
            assert "hidden_labels" not in page
            assert "<script" not in page

    def test_search_would_find_it(self, made: tuple[Path, list[StudentId]]) -> None:
        """The search of the test above finds a name that is there."""
        out, everybody = made
        assert everybody[7].name in visible(out / "pages" / "students" / f"{everybody[7].key}.html")

    def test_a_remark_that_names_another(self, tmp_path: Path) -> None:
        """A reason that an instructor wrote about two students is on neither's page in full."""
        out = tmp_path / "results"
        everybody = a_class(out, COUNT, sources=False)
        one, other = everybody[7], everybody[8]
        why = f"Was meant for {other.name}, see /srv/marks/notes.txt"
        said = ["gradebook", "override", one.key, "alexnet", "20", "--why", why, "--out", str(out)]
        assert app.main(said) == 0
        assert app.main(["export", "html", "--out", str(out)]) == 0
        page = text(out / "pages" / "students" / f"{one.key}.html")
        assert other.name not in page
        assert "ask your instructor" in page
        assert other.name in text(out / "pages" / "index.html")

    def test_what_it_has(self, made: tuple[Path, list[StudentId]]) -> None:
        out, everybody = made
        page = visible(out / "pages" / "students" / f"{everybody[0].key}.html")
        assert "<b>150</b>" in page
        assert "Your network is the described one" in page
        assert "Learning curve of AlexNet, coarse labels" in page
        again = visible(out / "pages" / "students" / f"{everybody[-3].key}.html")
        assert "What changed when it was graded again" in again
        assert "New submission." in again
        assert "That is not a zero" in visible(out / "pages" / "students" / f"{everybody[-1].key}.html")

    def test_before_the_deadline(self, made: tuple[Path, list[StudentId]], tmp_path: Path) -> None:
        """No accuracy, no curve, no mark that depends on one, no earlier mark."""
        out, everybody = made
        to = tmp_path / "early"
        assert app.main(["export", "html", "--release", "checks", "--to", str(to), "--out", str(out)]) == 0
        for who in everybody:
            page = visible(to / "students" / f"{who.key}.html")
            assert "hidden images are recognised" not in page
            assert "Learning curve" not in page
            assert "graded again" not in page
            assert not re.search(r"\d\d\.\d%", page)
            assert '<p class="total">' not in page
        assert "accuracy follows after the deadline" in visible(to / "students" / f"{everybody[0].key}.html")


class TestWriting:
    def test_the_same_again(self, made: tuple[Path, list[StudentId]], tmp_path: Path) -> None:
        """The same gradebook gives the same bytes, but for the time."""
        out, everybody = made
        assert app.main(["export", "html", "--to", str(tmp_path / "p"), "--out", str(out)]) == 0
        for who in everybody:
            path = Path("students") / f"{who.key}.html"
            assert text(tmp_path / "p" / path) == text(out / "pages" / path)

    def test_who_left_goes(self, tmp_path: Path) -> None:
        """Pages of who was forgotten are removed; files of others stay."""
        out = tmp_path / "results"
        everybody = a_class(out, COUNT, sources=False)
        folder = out / "pages" / "students"
        assert app.main(["export", "html", "--out", str(out)]) == 0
        (folder / "mine.html").write_text("<p>mine</p>")
        assert app.main(["gradebook", "forget", everybody[3].key, "--yes", "--out", str(out)]) == 0
        assert app.main(["export", "html", "--out", str(out)]) == 0
        assert not (folder / f"{everybody[3].key}.html").exists()
        assert (folder / "mine.html").exists()
        assert len(list(folder.glob("*.html"))) == COUNT

    @pytest.mark.parametrize("kind", ["none", "empty", "file"])
    def test_cannot(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        kind: str,
        made: tuple[Path, list[StudentId]],
    ) -> None:
        """A line that says what is wrong and what to do, and no page."""
        from grader import gradebook

        out, to = tmp_path / "results", tmp_path / "to"
        code = 2
        if kind == "none":
            code = 1
        elif kind == "empty":
            with gradebook.write(out, command="tests"):
                pass
        else:
            out = made[0]
            to.write_text("a file")
        assert app.main(["export", "html", "--out", str(out), "--to", str(to)]) == code
        said = " ".join(capsys.readouterr().out.split())
        assert said.startswith("nox -s export -- html: ")
        assert {"none": "there is no gradebook", "empty": "has no students", "file": "is a file"}[
            kind
        ] in said
        assert not to.is_dir()
