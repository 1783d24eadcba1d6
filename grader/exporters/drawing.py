"""What a student built beside what was expected, with the difference marked: as a table, and as a picture."""

from html import escape
from pathlib import Path

from rich.table import Table
from rich.text import Text

from grader.exporters.base import Exporter
from grader.results.record import Drawing, Status, SubmissionResult
from grader.text import plain
from lab.files import write_atomically

_WIDTH, _ROW, _GAP, _MARGIN = 360, 34, 60, 24  # pixels
_HEAD = 76
_RED, _GREY, _INK = "#c62828", "#b0bec5", "#1c2830"


def table(drawing: Drawing) -> Table:
    """For a terminal: two columns, and a sign at the row that differs."""
    shown = Table.grid(padding=(0, 2))
    shown.add_row("", Text("yours", style="dim"), Text("expected", style="dim"))
    if drawing.cut[0]:
        shown.add_row("", Text("…", style="dim"), Text("…", style="dim"))
    for row in drawing.rows:
        sign, style = ("≠", "red") if row.differs else (" ", "dim")
        found, wanted = (plain(text, 80) or "–" for text in (row.found, row.wanted))
        shown.add_row(Text(sign, style=style), Text(found, style=style), Text(wanted, style=style))
    if drawing.cut[1]:
        shown.add_row("", Text("…", style="dim"), Text("…", style="dim"))
    return shown


class Drawings(Exporter):
    """A picture, drawing-<task>-<check>.svg, for each failed check that has one."""

    name = "drawings"
    files = ("drawing-*.svg",)

    def write_submission(self, result: SubmissionResult, folder: Path) -> list[Path]:
        """Writes the pictures; older ones go."""
        for old in folder.glob("drawing-*.svg"):
            old.unlink()
        written = []
        for task in result.tasks:
            for check in task.checks:
                if check.drawing and check.status is Status.FAILED:
                    written.append(folder / f"drawing-{task.task}-{check.check}.svg")
                    write_atomically(written[-1], svg(check.drawing))
        return written


def svg(drawing: Drawing) -> str:
    """A picture that any browser shows: both networks from top to bottom, the difference in red."""
    height = _HEAD + _ROW * (len(drawing.rows) + sum(drawing.cut)) + _MARGIN
    width = 2 * _WIDTH + _GAP + 2 * _MARGIN
    left, right = _MARGIN, _MARGIN + _WIDTH + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="DejaVu Sans, Arial, sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        _words(width / 2, 26, plain(drawing.title, 110), weight="bold"),
        _words(left + _WIDTH / 2, 54, "yours"),
        _words(right + _WIDTH / 2, 54, "expected"),
    ]
    y = _HEAD - 8
    if drawing.cut[0]:
        parts += [_words(x + _WIDTH / 2, y + 18, "⋮", fill=_GREY) for x in (left, right)]
        y += _ROW
    for number, row in enumerate(drawing.rows):
        for x, text in ((left, row.found), (right, row.wanted)):
            if number or drawing.cut[0]:
                middle = x + _WIDTH / 2
                parts.append(f'<path d="M{middle} {y - 8}v8" stroke="{_GREY}" stroke-width="1.5"/>')
            parts.append(_box(x, y, plain(text, 80), differs=row.differs))
        if row.differs:
            parts.append(_words(left + _WIDTH + _GAP / 2, y + 19, "≠", fill=_RED, weight="bold", size=22))
        y += _ROW
    if drawing.cut[1]:
        parts += [_words(x + _WIDTH / 2, y + 12, "⋮", fill=_GREY) for x in (left, right)]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _box(x: float, y: float, text: str, *, differs: bool) -> str:
    colour, ink = (_RED, _RED) if differs else (_GREY, _INK)
    dashed = "" if text else ' stroke-dasharray="4 4"'
    box = (
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_ROW - 8}" rx="5" fill="white" stroke="{colour}" '
        f'stroke-width="{2 if differs else 1}"{dashed}/>'
    )
    return box + _words(x + _WIDTH / 2, y + 18, text or "nothing", fill=ink if text else _GREY)


def _words(
    x: float, y: float, text: str, *, fill: str = _INK, weight: str = "normal", size: int | None = None
) -> str:
    sized = f' font-size="{size}"' if size else ""
    style = f'text-anchor="middle" fill="{fill}" font-weight="{weight}"{sized}'
    return f'<text x="{x}" y="{y}" {style}>{escape(text)}</text>'
