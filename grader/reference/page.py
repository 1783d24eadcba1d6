"""One self-contained HTML page: sections of text, tables and figures, for screen and paper, light and dark.

Text is escaped unless it is Html, and Html comes from `tag` alone. The page loads nothing: no script, no
font, no style sheet; its Content-Security-Policy says so to the browser as well.
"""

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class Html(str):
    """Markup that is shown as it is; any other text is escaped first."""


Content = Html | str


def tag(name: str, /, *children: Content, **attributes: str) -> Html:
    """An element; `class_` and the like lose their underscore, and an inner one becomes a hyphen.

    >>> tag("p", "a < b ", tag("b", "so"), class_="note")
    '<p class="note">a &lt; b <b>so</b></p>'
    """
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"' for key, value in attributes.items()
    )
    if name in _VOID:
        return Html(f"<{name}{named}>")
    return Html(f"<{name}{named}>{join(children)}</{name}>")


def join(parts: Iterable[Content], between: str = "") -> Html:
    """Parts one after the other, each escaped unless it is Html."""
    return Html(
        html.escape(between).join(part if isinstance(part, Html) else html.escape(part) for part in parts)
    )


@dataclass(frozen=True)
class Picture:
    """A figure with all that stands around it.

    Attributes:
        name: of its file, without ending: small letters, digits and hyphens.
        png: the file.
        caption: what to see in it.
        alt: what it shows, for who cannot see it.
        shareable: whether it may be kept in git: no photograph is in it.
    """

    name: str
    png: bytes
    caption: str
    alt: str
    shareable: bool = True


@dataclass(frozen=True)
class Missing:
    """Says what is not there and how to get it.

    Attributes:
        sentence: what is missing.
        command: what brings it.
    """

    sentence: str
    command: str


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        name: for the address of the section.
        title: its heading.
        content: in reading order.
    """

    name: str
    title: str
    content: Sequence["Html | Picture | Missing | Section"]


def paragraph(*parts: Content) -> Html:
    """A paragraph of text."""
    return tag("p", *parts)


def table(
    head: Sequence[Sequence[tuple[Content, int]]], rows: Sequence[Sequence[Content]], caption: str
) -> Html:
    """A table under its caption; its first column names the rows. It scrolls where the screen is narrow.

    Args:
        head: rows of (text, columns that it spans).
        rows: of cells, the first one the row's name; a row of one cell is a heading across.
        caption: what it shows and what it rests on.
    """
    width = sum(span for _, span in head[0])
    heading = [
        tag("tr", *(tag("th", text, scope="col", colspan=str(span)) for text, span in line)) for line in head
    ]
    body = [
        tag("tr", tag("th", row[0], scope="colgroup", colspan=str(width)), class_="across")
        if len(row) == 1
        else tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:]))
        for row in rows
    ]
    # The caption is not the table's own: that would be as wide as the table, and scroll with it.
    label = caption.partition(".")[0]
    drawn = tag("table", tag("thead", *heading), tag("tbody", *body), aria_label=label)
    scrolled = tag("div", drawn, class_="wide", tabindex="0", role="region", aria_label=label)
    return join([tag("p", caption, class_="caption"), scrolled])


def details(summary: str, content: Content) -> Html:
    """Content that is folded away until it is asked for."""
    return tag("details", tag("summary", summary), content)


def pictures(sections: Iterable[Section]) -> list[Picture]:
    """All figures, in reading order."""
    found: list[Picture] = []
    for section in sections:
        for part in section.content:
            if isinstance(part, Picture):
                found.append(part)
            elif isinstance(part, Section):
                found += pictures([part])
    return found


def render(title: str, lead: Sequence[Html], sections: Sequence[Section]) -> str:
    """The page as one file."""
    body = tag(
        "main",
        tag("header", tag("h1", title), *lead),
        tag(
            "nav",
            tag("h2", "Contents"),
            tag("ol", *(_entry(section) for section in sections)),
            aria_label="Contents",
        ),
        *(_section(section, 2) for section in sections),
    )
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html(_STYLE)),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', body), lang='en')}\n"


def _entry(section: Section) -> Html:
    link = tag("a", section.title, href=f"#{section.name}")
    inner = [part for part in section.content if isinstance(part, Section)]
    return tag("li", link, *([tag("ul", *(_entry(part) for part in inner))] if inner else []))


def _section(section: Section, level: int) -> Html:
    parts = [tag(f"h{level}", section.title)]
    for part in section.content:
        if isinstance(part, Html):
            parts.append(part)
        elif isinstance(part, Picture):
            parts.append(_picture(part))
        elif isinstance(part, Missing):
            parts.append(_missing(part))
        else:
            parts.append(_section(part, level + 1))
    return tag("section", *parts, id=section.name)


def _picture(picture: Picture) -> Html:
    # Width and height, from the first 24 bytes of the PNG, so that nothing jumps while the page is laid out.
    width, height = (str(int.from_bytes(picture.png[start : start + 4])) for start in (16, 20))
    source = "data:image/png;base64," + base64.b64encode(picture.png).decode("ascii")
    image = tag("img", src=source, alt=picture.alt, width=width, height=height)
    return tag(
        "figure",
        tag("div", image, class_="paper"),
        tag("figcaption", picture.caption),
        id=f"figure-{picture.name}",
    )


def _missing(missing: Missing) -> Html:
    return tag("p", missing.sentence, " ", tag("code", missing.command), class_="missing")


_VOID = {"meta", "img"}

_STYLE = """
:root { color-scheme: light dark; --ink: #1d1d1f; --soft: #55555c; --line: #d9d9de; --page: #fbfbfc;
  --box: #f1f1f4; --link: #0b4f86; --warn: #8a3b00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8ea; --soft: #a6a6ad; --line: #3a3a40;
  --page: #17171a; --box: #222226; --link: #8cc4f4; --warn: #ffb27a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.55;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1.4rem; margin: 3rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.1rem; margin: 2.25rem 0 .5rem; }
p, li { max-width: 46rem; }
a { color: var(--link); }
nav h2 { font-size: 1rem; border: 0; margin: 1.5rem 0 .25rem; padding: 0; }
nav ol { margin: 0; padding-left: 1.4rem; }
nav ul { padding-left: 1rem; margin: 0; list-style: none; columns: 2; font-size: .92rem; }
figure { margin: 1.25rem 0 2rem; }
.paper { background: #fff; border: 1px solid var(--line); border-radius: 6px; padding: .5rem;
  overflow-x: auto; max-width: 54rem; }
.paper img { display: block; width: 100%; min-width: 36rem; height: auto; }
figcaption { margin-top: .5rem; max-width: 46rem; color: var(--soft); font-size: .95rem; }
.wide { overflow-x: auto; margin: .5rem 0 1.75rem; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
.caption { color: var(--soft); font-size: .95rem; margin: 1.75rem 0 .5rem; }
.study { color: var(--soft); white-space: normal; }
th, td { padding: .3rem .45rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
th:first-child { text-align: left; }
thead th { white-space: normal; vertical-align: bottom; border-bottom-color: var(--soft); }
thead th[colspan]:not([colspan="1"]) { text-align: center; }
tbody th { font-weight: 400; }
tr.across th { font-weight: 600; padding-top: .9rem; }
details { margin: 1rem 0; }
summary { cursor: pointer; color: var(--link); }
code { font: .9em ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; background: var(--box);
  padding: .1em .35em; border-radius: 4px; }
.missing, .remark { border-left: 4px solid var(--warn); background: var(--box); padding: .6rem .9rem; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
@media (max-width: 40rem) { main { padding: 1.25rem 1rem 3rem; } h1 { font-size: 1.5rem; }
  nav ul { columns: 1; } table { font-size: .82rem; } }
@media print { :root { color-scheme: light; --ink: #000; --soft: #333; --line: #aaa; --page: #fff;
    --box: #fff; --link: #000; --warn: #000; }
  main { max-width: none; padding: 0; } nav { display: none; } body { font-size: 10pt; }
  figure, table { break-inside: avoid; } h2, h3 { break-after: avoid; } .paper { border: 0; padding: 0; }
  .paper img { min-width: 0; max-width: 100%; max-height: 20cm; width: auto; }
  .wide, .paper { overflow: visible; }
  table { font-size: 7.5pt; } th, td { padding: .15rem .3rem; } }
"""
