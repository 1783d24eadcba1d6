"""Templates: everything is escaped, nothing undefined passes, nothing is declared safe."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import DictLoader, TemplateNotFound, UndefinedError, meta, nodes

from grader import web
from grader.reference.report.picture import Picture
from grader.web.environment import TEMPLATES, environment

ROOT = Path(__file__).resolve().parents[3]
EVIL = '<script>alert("1")</script>'
# What would switch escaping off, in templates and in the code around them; or take text for a template.
UNSAFE_IN_TEMPLATES = re.compile(r"\|\s*safe\b|autoescape|__html__|tojson|xmlattr|urlize")
UNSAFE_IN_CODE = re.compile(r"\bMarkup\b|__html__|autoescape\s*=\s*(?!True\b)|from_string|\bTemplate\b")
# "template: what it declares safe". A picture comes in as a data: address, which needs no exception.
SAFE: set[str] = set()


def rendered(source: str, **data: object) -> str:
    """A small template, in the environment of all."""
    return environment().from_string(source).render(data)


def templates() -> list[Path]:
    return sorted(path for path in TEMPLATES.rglob("*") if path.is_file())


class Attributes(HTMLParser):
    """Collects elements with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


class TestEscaping:
    """environment: what is put in stays text."""

    def test_text_and_attributes(self) -> None:
        assert rendered("<p>{{ x }}</p>", x=EVIL) == (
            "<p>&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;</p>"
        )
        assert rendered('<img alt="{{ x }}">', x='" onload="x') == '<img alt="&#34; onload=&#34;x">'

    @pytest.mark.parametrize("filtered", ["x|sentence", "x|readable", "[x, x]|listed", '"%s"|format(x)'])
    def test_filters_keep_text_text(self, filtered: str) -> None:
        """No filter makes markup of what it was given."""
        assert "<" not in rendered("{{ " + filtered + " }}", x=EVIL)

    @pytest.mark.parametrize("name", ["page.html.j2", "a.css", "a.txt", "a"])
    def test_whatever_a_template_is_called(self, name: str) -> None:
        """Escaping does not depend on the ending of a file's name."""
        named = environment().overlay(loader=DictLoader({name: "{{ x }}"}))
        assert "<" not in named.get_template(name).render(x=EVIL)

    def test_nothing_is_declared_safe(self) -> None:
        """Nothing switches escaping off, and no template comes from anywhere but its folder."""
        found = {
            f"{path.relative_to(TEMPLATES)}: {match.group()}"
            for path in templates()
            for match in UNSAFE_IN_TEMPLATES.finditer(path.read_text("utf-8"))
        }
        assert found == SAFE, "templates escape everything: hand them data, not HTML"
        for path in (ROOT / "grader").rglob("*.py"):
            assert not UNSAFE_IN_CODE.search(path.read_text("utf-8")), path

    def test_unsafe_would_be_noticed(self) -> None:
        """The search of the test above finds what it looks for."""
        for source in ("{{ x|safe }}", "{{ x | safe }}", "{% autoescape false %}"):
            assert UNSAFE_IN_TEMPLATES.search(source)
        for source in (
            "Markup(x)",
            "autoescape=False",
            "autoescape=select_autoescape()",
            "Template(x)",
            "e.from_string(x)",
        ):
            assert UNSAFE_IN_CODE.search(source)
        assert not UNSAFE_IN_CODE.search("autoescape=True")


class TestUndefined:
    """environment: a name that is not there is an error, not a gap in the page."""

    @pytest.mark.parametrize(
        "source", ["{{ lacking }}", "{{ x.lacking }}", "{% if lacking %}{% endif %}", "{{ lacking|listed }}"]
    )
    def test_it_raises(self, source: str) -> None:
        with pytest.raises(UndefinedError):
            rendered(source, x=Path())

    def test_a_page_without_its_data(self) -> None:
        with pytest.raises(UndefinedError):
            web.render("report.html.j2")

    def test_no_such_template(self) -> None:
        with pytest.raises(TemplateNotFound):
            web.render("none.html.j2")

    def test_no_template_outside(self) -> None:
        """A template's name does not lead out of the folder."""
        with pytest.raises(TemplateNotFound):
            web.render("../environment.py")

    @pytest.mark.parametrize("path", templates(), ids=lambda path: str(path.relative_to(TEMPLATES)))
    def test_every_template(self, path: Path) -> None:
        """It can be compiled, and names nothing but the page's data, in seldom taken branches too."""
        tree = environment().parse(path.read_text("utf-8"))
        own = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"}
        assert meta.find_undeclared_variables(tree) - own <= {"about", "page", "caller"}


class TestParts:
    """parts.html.j2: what pages are made of."""

    picture = Picture("p", b"\x89PNG" + bytes(12) + (31).to_bytes(4) + (17).to_bytes(4))

    def figure(self, alt: str, **data: object) -> dict[str, str | None]:
        source = (
            '{% from "parts.html.j2" import figure %}'
            "{% set said %}" + alt + "{% endset %}"
            "{% call figure(picture, said) %}{{ said }}{% endcall %}"
        )
        text = rendered(source, picture=self.picture, **data)
        (found,) = (attributes for tag, attributes in Attributes(text).found if tag == "img")
        assert [tag for tag, _ in Attributes(text).found] == ["figure", "div", "img", "figcaption"]
        return found

    def test_a_description_is_text(self) -> None:
        """Quotes and tags in it, of the template or of the data, end neither attribute nor element."""
        assert self.figure('a "quoted" name: {{ x }}', x=EVIL)["alt"] == f'a "quoted" name: {EVIL}'

    def test_a_description_that_is_no_markup(self) -> None:
        """The same of plain text."""
        text = rendered(
            '{% from "parts.html.j2" import figure %}{% call figure(picture, x) %}c{% endcall %}',
            picture=self.picture,
            x=EVIL,
        )
        (found,) = (attributes for tag, attributes in Attributes(text).found if tag == "img")
        assert found["alt"] == EVIL

    def test_the_size_is_the_files(self) -> None:
        """So that nothing jumps while the page is laid out."""
        found = self.figure("x")
        assert (found["width"], found["height"]) == ("31", "17")
        assert (found["src"] or "").startswith("data:image/png;base64,")

    def test_a_caption_names_the_table(self) -> None:
        """Its first sentence is the table's name for who cannot see it."""
        text = rendered(
            '{% from "parts.html.j2" import table %}{% call table(x ~ ". More.") %}{% endcall %}', x=EVIL
        )
        names = [attributes["aria-label"] for tag, attributes in Attributes(text).found if tag == "table"]
        assert names == [EVIL]

    def test_missing(self) -> None:
        text = rendered(
            '{% from "parts.html.j2" import missing %}'
            '{% call missing("make " ~ x) %}No {{ x }}.{% endcall %}',
            x="<x>",
        )
        assert text.strip() == ('<p class="missing">No &lt;x&gt;. <code>make &lt;x&gt;</code></p>')
