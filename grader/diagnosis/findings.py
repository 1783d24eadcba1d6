"""What is wrong with what `prepare` made of images and labels, in sentences, the most telling first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from grader.diagnosis.facts import APART, Facts, Part, Trial, percent
from grader.diagnosis.originals import Array

Level = Literal["wrong", "doubtful", "to know"]


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        name: of the diagnosis, for tests and tables.
        level: "wrong" keeps validation from meaning anything; "doubtful" is not what the brief asks for but
            no cause of failure; "to know" is no fault at all.
        what: what is so, in one sentence with its numbers.
        why: what follows from it.
        fix: what to do about it.
    """

    name: str
    level: Level
    what: str
    why: str
    fix: str = ""


def findings(facts: Facts, trial: Trial | None) -> tuple[Finding, ...]:
    """What is wrong, most telling first; empty, or "to know" alone, where nothing is."""
    found = [finding for rule in _RULES if (finding := rule(facts, trial)) is not None]
    # One fault shows in many ways: its consequences are not reported as faults of their own.
    explained = {name for finding in found for name in _EXPLAINS.get(finding.name, ())}
    kept = [finding for finding in found if finding.name not in explained]
    levels: tuple[Level, ...] = ("wrong", "doubtful", "to know")
    return tuple(sorted(kept, key=lambda finding: levels.index(finding.level)))


def span(part: Part) -> str:
    """The values of a part: "-1.9 to 2.1"."""
    return f"{_short(part.low.min())} to {_short(part.high.max())}"


def _shape(facts: Facts, _trial: Trial | None) -> Finding | None:
    wrong = [part for part in (facts.train, facts.test) if len(part.shape) != 3 or part.shape[-1] != 3]
    if not wrong and facts.train.shape == facts.test.shape:
        return None
    return Finding(
        "shape",
        "wrong",
        f"training images have shape {facts.train.shape}, validation images {facts.test.shape}",
        "A convolutional network takes images of shape (H, W, 3), the same in both parts.",
        "Leave the images' shape as it is: standardise returns (N, H, W, 3).",
    )


def _not_finite(facts: Facts, _trial: Trial | None) -> Finding | None:
    bad = [name for name, part in _named(facts) if not part.finite]
    if not bad:
        return None
    return Finding(
        "not a number",
        "wrong",
        f"{' and '.join(bad)} images contain values that are not finite (NaN or infinity)",
        "A single one makes every weight of a network NaN at the first step.",
        "Look for a division by zero: is `std` above 0 in each channel?",
    )


def _empty(facts: Facts, _trial: Trial | None) -> Finding | None:
    """Integer division and casts to whole numbers leave two or three different values."""
    bad = [
        f"{name} images"
        for name, part in _named(facts)
        if part.found < 0.5
        and part.finite
        and float((part.high - part.low).max()) <= 1.0 + 1e-6
        # A few pixels of full white are left of `images // 255`; clean images spread far more.
        and float(part.deviation.max()) < 0.25
    ]
    if not bad:
        return None
    return Finding(
        "nothing left",
        "wrong",
        f"the pictures are lost: {' and '.join(bad)} have values from {span(facts.train)}, "
        "and almost all are the same value",
        "Whole numbers were divided with //, or decimals were cut off: 200 // 255 is 0, and so is 0.78 "
        "as uint8.",
        "Make the images float32 before you divide: images.astype(np.float32) / 255.",
    )


def _mixed(facts: Facts, trial: Trial | None) -> Finding | None:
    for name, part in _named(facts):
        other = facts.test if part is facts.train else facts.train
        # Where too much was written over to recognise any image: most values are as in the other part, and
        # some go many times as far.
        reach = float((part.high - part.low).max()) / max(float((other.high - other.low).max()), 1e-9)
        unrecognised = part.scale is None and other.scale is not None and reach > 5
        if unrecognised and other.middle / APART < part.middle < other.middle * APART:
            share = "many"
        elif part.mixed >= 0.02:
            share = percent(part.mixed)
        else:
            continue
        return Finding(
            "mixed scales",
            "wrong",
            f"{share} of the {name} images contain values at another scale than the rest: "
            f"{name} images have values from {span(part)}, "
            f"{'validation' if part is facts.train else 'training'} images from {span(other)}",
            "Something writes raw 0 to 255 pixels into images that are standardised already: augmentation, a "
            "border, a patch. The raw pixels then dominate the statistics of batch normalisation, and the "
            f"other pixels look all alike to the network.{_seen(trial)}",
            "Change images first and standardise them last, or write only values from standardised images "
            "into an image.",
        )
    return None


def _scale(facts: Facts, trial: Trial | None) -> Finding | None:
    train, test = facts.train, facts.test
    if train.per_image and test.per_image:
        return None
    if (
        train.scale is not None
        and train.offset is not None
        and test.scale is not None
        and test.offset is not None
    ):
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.nan_to_num(test.scale / train.scale, nan=1.0, posinf=1e9)
        # How far apart the two put the same pixel, in units of the training images' range.
        apart = np.abs(
            np.stack(
                [test.offset - train.offset, test.offset - train.offset + 255 * (test.scale - train.scale)]
            )
        ) / np.maximum(np.abs(255 * train.scale), 1e-9)
        differ = bool((ratio > APART).any() or (ratio < 1 / APART).any() or (apart > 0.3).any())
    else:
        spread = test.deviation.mean() / max(float(train.deviation.mean()), 1e-9)
        moved = abs(float(test.mean.mean() - train.mean.mean())) / max(float(train.deviation.mean()), 1e-9)
        ratio = np.array([spread])
        differ = bool(spread > 3 or spread < 1 / 3 or moved > 2)
    if not differ:
        return None
    larger = float(np.median(ratio)) > 1
    factor = float(np.median(ratio)) if larger else 1 / max(float(np.median(ratio)), 1e-9)
    behind = "validation" if _rawness(test) > _rawness(train) else "training"
    return Finding(
        "scales differ",
        "wrong",
        f"validation images have values from {span(test)}, training images from {span(train)}",
        (
            f"The values of the same picture are {factor:,.0f} times as {'large' if larger else 'small'} in "
            "validation as in training. "
            if factor > APART
            else "The same picture has different values in validation and in training. "
        )
        + "Batch normalisation has learned the scale of the training images and keeps it: to the network, "
        + (
            "validation images are shifted away from what it has learned, so its predictions are shifted too"
            if factor <= APART
            else f"validation images are all {'far too bright' if larger else 'plain grey'}, and it "
            "predicts the same class for (nearly) all of them"
        )
        + f".{_seen(trial)}",
        f"The {behind} images were not standardised like the others. Use the same function with the same "
        "numbers for both parts: standardise(images[train], mean, std) and standardise(images[test], "
        "mean, std).",
    )


def _labels(facts: Facts, trial: Trial | None) -> Finding | None:
    bad = [(n, part) for n, part in _named(facts) if part.agreement is not None and part.agreement < 0.98]
    if not bad:
        return None
    shares = " and ".join(
        f"{percent(part.agreement or 0.0)} of the {name} images have their own label" for name, part in bad
    )
    if all(part.renumbered for _, part in bad):
        return Finding(
            "labels renumbered",
            "wrong",
            f"the classes were renumbered: {shares}",
            "Images of one class still share a label, but class 3 is no longer called 3 "
            + (
                "in either part, so nobody who knows the classes' names can use the network."
                if len(bad) == 2
                else f"in the {bad[0][0]} part, while it is in the other."
            ),
            "Row i of one_hot(labels) has its 1 in column labels[i], counted from 0.",
        )
    only = (
        "" if len(bad) == 2 else f" Those of the {'validation' if bad[0][0] == 'training' else 'training'} "
    )
    return Finding(
        "labels wrong",
        "wrong",
        f"labels do not belong to their images: {shares}; chance is {percent(1 / facts.num_classes)}",
        (
            "A network can then learn nothing that helps with other images"
            if bad[0][0] == "training"
            else "Then every correct prediction counts as wrong"
        )
        + f": accuracy is at chance, with a loss near ln({facts.num_classes}) = "
        f"{np.log(facts.num_classes):.1f}, never in the tens.{only + 'images are right.' if only else ''}"
        f"{_seen(trial)}",
        "Take images and labels with the same indices, or shuffle both with one permutation.",
    )


def _missing(facts: Facts, trial: Trial | None) -> Finding | None:
    if not facts.train.missing and not facts.test.missing:
        return None
    return Finding(
        "classes missing",
        "wrong",
        f"of {facts.num_classes} classes the training part lacks {facts.train.missing}, the validation part "
        f"{facts.test.missing}",
        "The images are stored class by class. A split that cuts them in two without shuffling tests on "
        f"classes that were never trained.{_seen(trial)}",
        "Draw the indices of both parts from one permutation: np.random.default_rng(seed).permutation(n).",
    )


def _overlap(facts: Facts, _trial: Trial | None) -> Finding | None:
    if facts.overlap < 0.002:
        return None
    return Finding(
        "parts overlap",
        "wrong",
        f"{percent(facts.overlap)} of the validation images are training images as well",
        "Validation accuracy then rewards memorised images.",
        "Every index belongs to exactly one part: test = order[:n], train = order[n:].",
    )


def _encoding(facts: Facts, _trial: Trial | None) -> Finding | None:
    bad = [(name, part.encoding) for name, part in _named(facts) if not part.one_hot]
    if not bad:
        return None
    return Finding(
        "labels not one-hot",
        "wrong",
        "; ".join(f"{name} labels are {encoding}" for name, encoding in bad),
        f"Categorical cross-entropy needs rows of {facts.num_classes} numbers: a single 1, the rest 0.",
        "Use one_hot(labels, num_classes): np.eye(num_classes, dtype=np.float32)[labels].",
    )


def _unknown(facts: Facts, trial: Trial | None) -> Finding | None:
    bad = [(name, part) for name, part in _named(facts) if part.found < 0.9]
    if not bad or facts.train.shape != facts.test.shape:
        return None
    shares = " and ".join(f"{percent(1 - part.found)} of the {name} images" for name, part in bad)
    return Finding(
        "images not recognised",
        "wrong" if max(1 - part.found for _, part in bad) > 0.5 else "doubtful",
        f"{shares} match none of the input images",
        "They were changed by more than a scale and an offset, so their labels could not be checked."
        f"{_seen(trial)}",
        "Look at one: plt.imshow((x_train[0] - x_train.min()) / (x_train.max() - x_train.min())). A reshape "
        "in place of a transpose and a subtraction in uint8 (where 3 - 5 is 254) look like this.",
    )


def _changed(facts: Facts, _trial: Trial | None) -> Finding | None:
    bad = [(n, part) for n, part in _named(facts) if part.changed > 0.5 and not part.per_image]
    if not bad:
        return None
    return Finding(
        "more than a scale",
        "doubtful",
        f"{' and '.join(f'{percent(part.changed)} of the {n} images' for n, part in bad)} were changed by "
        "more than one scale and one offset for each channel",
        "Means and deviations over axis 0 alone, one for each pixel, look like this; so do noise, blur and "
        "patches. A network can learn from it.",
        "Take mean and std over axis=(0, 1, 2): three numbers each.",
    )


def _incomplete(facts: Facts, _trial: Trial | None) -> Finding | None:
    lost = 1 - facts.used / facts.given
    sure = [float((part.originals >= 0).mean()) for _, part in _named(facts)]
    if lost < 0.005 or min(sure) < 0.98:
        return None
    return Finding(
        "images lost",
        "doubtful",
        f"{percent(lost)} of the images are in neither part",
        "There is less to learn from; the validation accuracy is still valid.",
        "The two parts together must contain every index once.",
    )


def _unscaled(facts: Facts, _trial: Trial | None) -> Finding | None:
    train = facts.train
    centred = np.abs(train.mean) < 0.15
    spread = (train.deviation > 0.8) & (train.deviation < 1.25)
    if (centred & spread).all():
        return None
    return Finding(
        "not standardised",
        "doubtful",
        f"training images have values from {span(train)}, with mean {_short(train.mean.mean())} and "
        f"deviation {_short(train.deviation.mean())}",
        "Standardised images have mean 0 and deviation 1 in each channel. Both parts are alike, so a network "
        "with batch normalisation still learns; one without learns slowly or not at all.",
        "(images / 255 - mean) / std, with mean and std of images / 255.",
    )


def _own_statistics(facts: Facts, _trial: Trial | None) -> Finding | None:
    train, test = facts.train, facts.test
    if train.scale is None or train.offset is None or test.scale is None or test.offset is None:
        return None
    if train.per_image or train.changed > 0.5:
        return None
    if np.allclose(train.scale, test.scale, rtol=1e-3) and np.allclose(
        train.offset, test.offset, atol=2e-3 * float(np.abs(255 * train.scale).max())
    ):
        return None
    return Finding(
        "two scales",
        "doubtful",
        "training and validation images were not standardised with the same mean and std: validation scales "
        f"{_numbers(255 * test.scale)}, training scales {_numbers(255 * train.scale)}",
        "The difference is small and does little harm here, but the same picture should get the same values, "
        "and a single image could not be standardised at all.",
        "Use the training part's mean and std for both.",
    )


def _per_image(facts: Facts, _trial: Trial | None) -> Finding | None:
    if not (facts.train.per_image or facts.test.per_image):
        return None
    return Finding(
        "each image by itself",
        "doubtful" if facts.train.per_image == facts.test.per_image else "wrong",
        "each image was standardised with its own mean and deviation",
        "A network can learn from it, but bright and dark pictures become alike. The brief asks for one mean "
        "and one deviation per channel, over all training images.",
        "Take mean and std over axis=(0, 1, 2).",
    )


def _sorted(facts: Facts, _trial: Trial | None) -> Finding | None:
    bad = [name for name, part in _named(facts) if part.in_order]
    if not bad:
        return None
    return Finding(
        "in class order",
        "doubtful",
        f"{' and '.join(bad)} images are in class order",
        "`model.fit` shuffles training images itself, but the first thousand come from few classes.",
        "Keep the random order of the permutation in both parts.",
    )


def _lag(_facts: Facts, trial: Trial | None) -> Finding | None:
    """Inference mode is clearly worse than with statistics that have caught up."""
    if trial is None:
        return None
    gap = trial.train_settled.accuracy - trial.train.accuracy
    if gap < 0.03 and trial.train.loss - trial.train_settled.loss < 0.5:
        return None
    return Finding(
        "statistics lag",
        "to know",
        f"the moving statistics of batch normalisation have not caught up: after {trial.steps} steps with "
        f"momentum {trial.momentum:g} they still hold {percent(trial.left)} of their initial values, and "
        f"lag behind the weights; training images in inference mode give {percent(trial.train.accuracy)} "
        f"(loss {trial.train.loss:.1f}), with settled statistics {percent(trial.train_settled.accuracy)} "
        f"(loss {trial.train_settled.loss:.1f})",
        "This is not a mistake in `prepare`, and it passes after some hundred steps. It explains a "
        "validation accuracy at chance in the first epochs, but not later.",
        "Train longer before you judge, or use BatchNormalization(momentum=0.9).",
    )


_RULES: tuple[Callable[[Facts, Trial | None], Finding | None], ...] = (
    _shape,
    _not_finite,
    _empty,
    _mixed,
    _scale,
    _labels,
    _missing,
    _unknown,
    _overlap,
    _encoding,
    _per_image,
    _unscaled,
    _own_statistics,
    _changed,
    _incomplete,
    _sorted,
    _lag,
)
_DATA_FAULTS = ("not standardised", "two scales", "statistics lag")
# What a finding explains is not reported again.
_EXPLAINS: dict[str, tuple[str, ...]] = {
    "shape": ("images not recognised", "not standardised", "scales differ", "images lost"),
    "not a number": ("images not recognised", "images lost", "scales differ", *_DATA_FAULTS),
    "nothing left": (
        "more than a scale",
        "images not recognised",
        "images lost",
        "scales differ",
        *_DATA_FAULTS,
    ),
    "mixed scales": (
        "scales differ",
        "more than a scale",
        "images not recognised",
        "images lost",
        *_DATA_FAULTS,
    ),
    "scales differ": _DATA_FAULTS,
    "classes missing": ("in class order", "statistics lag"),
    "labels wrong": ("classes missing", "in class order", "statistics lag"),
    "labels renumbered": ("classes missing", "labels not one-hot", "statistics lag"),
    "labels not one-hot": ("statistics lag",),
    "images not recognised": ("more than a scale", "not standardised", "images lost", "statistics lag"),
    "each image by itself": ("not standardised", "two scales"),
    "not standardised": ("two scales",),
}


def _named(facts: Facts) -> tuple[tuple[str, Part], tuple[str, Part]]:
    return ("training", facts.train), ("validation", facts.test)


def _seen(trial: Trial | None) -> str:
    """What the small network did, as a sentence."""
    if trial is None:
        return ""
    return (
        f" A small network trained on these images gets {percent(trial.in_training.accuracy)} of the "
        f"training images right in training mode, {percent(trial.train.accuracy)} in inference mode, and "
        f"{percent(trial.test.accuracy)} of the validation images, with a loss of {trial.test.loss:,.1f} "
        f"and {trial.test.predicted} different prediction{'s' * (trial.test.predicted != 1)}."
    )


def _rawness(part: Part) -> float:
    """How far from standardised: of two parts the larger is the one that was left out."""
    return float(np.abs(part.mean).mean() + np.abs(np.log(np.maximum(part.deviation, 1e-9))).mean())


def _numbers(values: Array) -> str:
    return "(" + ", ".join(f"{value:.4g}" for value in values) + ")"


def _short(value: float) -> str:
    """255, 2.1, 0.004: no more digits than tell it apart."""
    number = float(value)
    if abs(number) < 1e-4:
        return "0"
    if abs(number) >= 10:
        return f"{number:,.0f}"
    return f"{number:.1f}".removesuffix(".0") if abs(number) >= 0.95 else f"{number:.2g}"
