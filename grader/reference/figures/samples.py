"""Images with their class and what each network said."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from grader.reference.figures.style import (
    SERIES,
    WIDTH,
    Images,
    new_figure,
    styled,
)


@dataclass(frozen=True)
class Sample:
    """One image and what was said of it.

    Attributes:
        image: uint8 (H, W, 3).
        truth: the name of its class.
        answers: for each network what it said.
    """

    image: Images
    truth: str
    answers: dict[str, str]


@styled
def samples(shown: Sequence[Sample], *, title: str, note: str) -> Figure:
    """Images with their class above and each network's answer below: a tick where it is right."""
    columns = 4
    answers = max((len(one.answers) for one in shown), default=0)
    side, line, gap = 1.35, 0.155, 0.5  # inches: an image, a line of text, the space above a row
    row_height = gap + side + line * answers
    height = math.ceil(len(shown) / columns) * row_height
    figure = new_figure(height, title, note)
    figure.set_layout_engine("none")  # every place is known, and long answers must not move the images
    whole = figure.get_figheight()
    bottom = whole - 0.1 - height
    for i, one in enumerate(shown):
        row, column = divmod(i, columns)
        left = (column + 0.5) * WIDTH / columns - side / 2
        top = bottom + height - row * row_height - gap
        at = figure.add_axes((left / WIDTH, (top - side) / whole, side / WIDTH, side / whole))
        at.imshow(one.image, interpolation="nearest")
        at.axis("off")
        at.set_title(_cut(one.truth, 24), fontsize=8.5, fontweight="bold", loc="center", pad=3)
        for number, (name, answer) in enumerate(one.answers.items()):
            right = answer == one.truth
            at.text(
                0.5,
                -0.03 - number * line / side,
                _cut(f"{'✓' if right else '✗'} {name}: {answer}", 34),
                transform=at.transAxes,
                ha="center",
                va="top",
                fontsize=7,
                color=SERIES[0][0] if right else "#a33c00",
            )
    return figure


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: max(1, limit - 1)].rstrip() + "…"
