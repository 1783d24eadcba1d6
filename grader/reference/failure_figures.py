"""The figures of the ResNet that would not learn: what failure.py measured, as PNG. No files, no display."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from grader.reference.failure import Failure

VERSION = 1  # of how it is drawn: see grader/reference/versions.py
Title = Callable[[str], str]  # what a cause is called, by its name

# Distinguished without colour too: by line style. Grey is the network that nothing is wrong with.
_STYLES = (
    *(("#777777", "-"), ("#c1121f", "-"), ("#e07a00", "--"), ("#0057b8", "-")),
    *(("#00a3c4", "-."), ("#7b2d8e", "--"), ("#2a7f3f", ":"), ("#1a1a1a", "-.")),
)


def curves(failure: "Failure", title: Title) -> bytes:
    """Training accuracy, validation accuracy and validation loss of each cause over the epochs, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    panels = figure.subplots(1, 3)
    columns = (
        ("train_accuracy", "training accuracy (training mode)", failure.study.train_accuracy),
        ("validation_accuracy", "validation accuracy", failure.study.validation_accuracy),
        ("validation_loss", "validation loss", failure.study.validation_loss),
    )
    for axes, (name, heading, study) in zip(panels, columns, strict=True):
        for one, (colour, style) in zip(failure.causes, _STYLES, strict=False):
            values = np.array(getattr(one, name))
            if name.endswith("accuracy"):
                values = 100 * values
            axes.plot(
                np.arange(1, len(values) + 1), values, style, color=colour, lw=1.6, label=title(one.cause)
            )
        level = 100 * study if name.endswith("accuracy") else study
        unit = "%" if name.endswith("accuracy") else ""
        axes.axhline(level, color="#c1121f", lw=0.8, ls=(0, (1, 2)))
        axes.annotate(
            f"the study: {level:g}{unit}",
            (0, level),
            xycoords=("axes fraction", "data"),
            # Where no curve runs: above the line at the left, below it where all begin at it.
            xytext=(4, -10 if name == "validation_accuracy" else 3),
            textcoords="offset points",
            fontsize=8,
            color="#c1121f",
        )
        axes.set_title(heading, fontsize=10)
        axes.set_xlabel(f"epoch ({failure.steps} steps each)")
        axes.spines[["top", "right"]].set_visible(False)
        if unit:
            axes.set_ylim(0, None)
            axes.yaxis.set_major_formatter(lambda value, _at: f"{value:.0f}%")
        else:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(lambda value, _at: f"{value:g}")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8.5, frameon=False)
    figure.suptitle(
        f"One network, one recipe, {len(failure.causes)} ways to feed it · {failure.data}, "
        f"{failure.num_classes} classes, {failure.train_images:,} training images, one run each (seed "
        f"{failure.seed})",
        fontsize=10,
    )
    return _png(figure)


def bars_of_causes(failure: "Failure", title: Title) -> bytes:
    """For each cause the three accuracies that tell causes apart, and the loss beside them, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2, 1), sharey=True)
    places = np.arange(len(failure.causes))
    kinds = (
        ("train_accuracy", "training images, training mode", "#9bb8d3", -0.27),
        ("inference_accuracy", "training images, inference mode", "#0057b8", 0.0),
        ("validation_accuracy", "validation images", "#e07a00", 0.27),
    )
    for name, label, colour, shift in kinds:
        values = [100 * one.last(name) for one in failure.causes]
        bars = left.barh(places + shift, values, height=0.25, color=colour, label=label)
        left.bar_label(bars, [f"{value:.0f}" for value in values], fontsize=7.5, padding=2)
    left.axvline(100 / failure.num_classes, color="#555555", lw=0.8, ls=":", label="chance")
    left.set_yticks(places, [title(one.cause) for one in failure.causes])
    left.invert_yaxis()
    left.set_title("accuracy, mean of the last five epochs", fontsize=10)
    left.xaxis.set_major_formatter(lambda value, _at: f"{value:.0f}%")
    losses = [one.last("validation_loss") for one in failure.causes]
    bars = right.barh(places, losses, height=0.5, color="#e07a00")
    right.bar_label(bars, [f"{value:,.1f}" for value in losses], fontsize=8, padding=3)
    right.set_xscale("log")
    right.set_xlim(1, 8 * max(losses))
    right.axvline(failure.study.validation_loss, color="#c1121f", lw=0.9, ls=":")
    right.annotate(
        f"the study: {failure.study.validation_loss:g}",
        (failure.study.validation_loss, 1),
        xycoords=("data", "axes fraction"),
        xytext=(3, -9),
        textcoords="offset points",
        fontsize=8,
        color="#c1121f",
    )
    right.set_title("validation loss", fontsize=10)
    right.xaxis.set_major_formatter(lambda value, _at: f"{value:,.0f}")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8.5, frameon=False)
    return _png(figure)


def _png(figure: Any) -> bytes:
    """The same figure gives the same bytes: no date and no version of matplotlib in them."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110, metadata={"Software": None})
    return content.getvalue()
