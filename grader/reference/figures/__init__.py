"""The reference report's figures: arrays in, a matplotlib Figure out. No files, no state, no display.

    figure = figures.confusion(counts, names, title="ResNet", note="2,000 images, seed 1")
    Path("confusion.png").write_bytes(figures.png(figure))

What they have in common: the title says what is shown and the last line on what data and how many runs it
rests; series differ in marker and line style as well as in colour, and in lightness, so that a greyscale
print and a colour-blind reader lose nothing; whatever matplotlibrc says here, a figure is the same
everywhere, and `png` writes the same bytes for it: no date, no version.
"""

from grader.reference.figures.confusion import (
    Groups,
    Pair,
    confused_pairs,
    confusion,
    confusion_counts,
    most_confused,
)
from grader.reference.figures.cost import Point, cost
from grader.reference.figures.curves import Curve, learning_curves
from grader.reference.figures.quantiles import Residuals, quantiles
from grader.reference.figures.samples import Sample, samples
from grader.reference.figures.seeds import Seeds, seeds
from grader.reference.figures.side_by_side import confusions_side_by_side
from grader.reference.figures.style import DPI, SERIES, WIDTH, Counts, Floats, png
from grader.reference.figures.superclasses import Panel, per_superclass

__all__ = [
    "DPI",
    "SERIES",
    "WIDTH",
    "Counts",
    "Curve",
    "Floats",
    "Groups",
    "Pair",
    "Panel",
    "Point",
    "Residuals",
    "Sample",
    "Seeds",
    "confused_pairs",
    "confusion",
    "confusion_counts",
    "confusions_side_by_side",
    "cost",
    "learning_curves",
    "most_confused",
    "per_superclass",
    "png",
    "quantiles",
    "samples",
    "seeds",
]
