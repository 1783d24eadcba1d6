"""Judges build_alexnet on the networks that it built.

Every network of the evidence is lined up with the layers it should have, and a check reports the first
difference of its own kind: one fault in the code is one failed check. How many units a layer has is judged at
full size ("default") together with the layer; whether the numbers scale with `width` is a check of its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

from grader.blueprint import Blueprint
from grader.grading.judging import Case, Judge, Unmet
from grader.grading.values import ordinal
from grader.results.verdict import Verdict
from grader.tasks import networks
from grader.tasks.alexnet import probe
from grader.tasks.differences import Difference, absent, compare, places
from grader.tasks.networks import read, readable, steps
from grader.tasks.paths import Join, Step
from grader.tasks.reporting import charge, reported
from grader.tasks.substance import substantial
from grader.tasks.wanted import BEFORE_NORMALISATION, LARGEST_MOMENTUM, Want, network_of

_CONVOLUTIONS = ((96, 5, True), (256, 5, True), (384, 3, False), (384, 3, False), (256, 3, True))
_DENSE = (1024, 1024, 512)
_ROUNDED = ("rounding", "tiny")

# The kind of a difference where there is a step too many.
_EXTRA = {
    "Dense": "dense",
    "Flatten": "dense",
    "GlobalAveragePooling2D": "dense",
    "GlobalMaxPooling2D": "dense",
    "BatchNormalization": "normalisation",
    "relu": "activation",
    "sigmoid": "activation",
    "tanh": "activation",
    "softmax": "softmax",
    "MaxPooling2D": "pooling",
    "AveragePooling2D": "pooling",
    "Dropout": "dropout",
    "": "convolution",
}


def builds(case: Case) -> Verdict:
    """The defaults give a model, and every model is one path from the image to its output."""
    read(case, "default")
    for name in _readable(case):
        for node in read(case, name).of("Add", "Concatenate"):
            joins = "adds up" if node.op == "Add" else "concatenates"
            expected = "one layer after the other"
            case.fail(name, f"a network that {joins} several paths", expected, rule="layers")
    return Verdict.passed()


def takes_input_shape(case: Case) -> Verdict:
    """The model takes images of input_shape, which is (32, 32, 3) by default."""
    return networks.takes_input_shape(case, probe.arguments(case.inputs))


def has_classes(case: Case) -> Verdict:
    """The last dense layer has num_classes units."""
    return _verdict(case, {"classes"}, charged="output_size")


def has_convolutions(case: Case) -> Verdict:
    """Five convolutions with the kernels, stride and padding of the brief, and its filters at full size."""
    return _verdict(case, {"convolution"}, at_full_size="filters")


def normalises(case: Case) -> Verdict:
    """A batch normalisation right after each hidden layer, with statistics that can keep up."""
    return _verdict(case, {"normalisation"})


def activates(case: Case) -> Verdict:
    """A ReLU after each batch normalisation, and no other activation between the layers."""
    return _verdict(case, {"activation"})


def pools(case: Case) -> Verdict:
    """2x2 max pooling after the first, second and fifth convolution, and no other."""
    return _verdict(case, {"pooling"})


def has_dense_layers(case: Case) -> Verdict:
    """Flatten, then four dense layers, with the units of the brief at full size."""
    return _verdict(case, {"dense"}, at_full_size="units")


def drops_out(case: Case) -> Verdict:
    """Dropout at the given rate after each hidden dense layer, and nowhere else."""
    read(case, "small")
    return _verdict(case, {"dropout"})


def ends_in_softmax(case: Case) -> Verdict:
    """Softmax, once and last."""
    return _verdict(case, {"softmax"}, charged="output")


def scales(case: Case) -> Verdict:
    """Every hidden layer is scaled by width."""
    read(case, "small")
    names = [name for name in _readable(case) if name not in _ROUNDED]
    return _verdict(case, {"filters", "units"}, names=names, charged="argument")


def rounds(case: Case) -> Verdict:
    """Scaled numbers are rounded, and never below 1."""
    try:
        return _verdict(case, {"filters", "units"}, names=_ROUNDED, charged="rounding")
    except Unmet as unmet:  # no layer has 0 units: such a call raises
        return unmet.verdict.model_copy(update={"rule": "rounding"})


@cache
def described(
    num_classes: int, *, input_shape: tuple[int, ...] = (32, 32, 3), **arguments: float
) -> Blueprint:
    """The network that build_alexnet should build for these arguments."""
    return network_of(input_shape, _wanted(num_classes, **arguments))


CHECKS: dict[str, Judge] = {
    "builds": builds,
    **substantial(
        {
            "input_shape": takes_input_shape,
            "classes": has_classes,
            "convolutions": has_convolutions,
            "normalisation": normalises,
            "activation": activates,
            "pooling": pools,
            "dense": has_dense_layers,
            "dropout": drops_out,
            "softmax": ends_in_softmax,
            "width": scales,
            "width.rounding": rounds,
        },
        probe.arguments,
        described,
    ),
}


def _readable(case: Case) -> list[str]:
    return readable(case, probe.arguments(case.inputs))


def _verdict(
    case: Case,
    kinds: set[str],
    *,
    at_full_size: str = "",
    names: Iterable[str] | None = None,
    charged: str = "",
) -> Verdict:
    """Fails with the first difference of these kinds in any of the networks.

    By default in those that could be read: a call that gave none fails the check that is about its
    arguments, and no other.
    """
    for name in _readable(case) if names is None else names:
        wrong = kinds | {at_full_size} if name == "default" else kinds
        for difference in _differences(case, name):
            if difference.kind in wrong:
                only_default = _only_default(case, name, difference.kind)
                alike = [one for one in _differences(case, name) if one.kind in wrong]
                wanted = places(_wanted(**probe.arguments(case.inputs)[name]), wrong)
                rule = charge(alike, wanted, charged, only_default=only_default)
                return reported(case, name, difference, only_default=only_default, rule=rule)
    for name in _readable(case):
        if lacking := absent(*_side_by_side(case, name), kinds):
            return Verdict.failed(f"{case.call(name)}: {lacking}.", rule="missing")
    return Verdict.passed()


def _only_default(case: Case, name: str, kind: str) -> bool:
    """Whether the network of the defaults alone has a difference of this kind."""
    others = [other for other in _readable(case) if other != "default" and other not in _ROUNDED]
    return name == "default" and not any(
        difference.kind == kind for other in others for difference in _differences(case, other)
    )


def _differences(case: Case, name: str) -> list[Difference]:
    return compare(*_side_by_side(case, name), extra=_EXTRA)


def _side_by_side(case: Case, name: str) -> tuple[list[Step | Join], list[Want]]:
    """What a call built, and what it should have built."""
    found = [part for step in steps(case, name) for part in _as_written(step)]
    return found, list(_wanted(**probe.arguments(case.inputs)[name]))


def _as_written(step: Step | Join) -> Iterator[Step | Join]:
    """Undoes what a blueprint makes of a pooling over all of an image of 2x2, and of the Flatten after it.

    Such small images are what is left where the first convolution has a stride. Of paths side by side, which
    `builds` reports, the longest is looked at.
    """
    if isinstance(step, Join):
        for inner in max(step.branches, key=len):
            yield from _as_written(inner)
        return
    if step.op != "GlobalMaxPooling2D" or not isinstance(step, Step) or step.size[:2] != (2, 2):
        yield step
        return
    window = {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"}
    yield replace(step, node=replace(step.node, op="MaxPooling2D", settings=window))
    if not step.node.settings["keepdims"]:
        yield replace(step, node=replace(step.node, op="Flatten", settings={}))


def _wanted(num_classes: int, *, width: float = 1.0, dropout: float = 0.5, **_: object) -> Iterator[Want]:
    """The layers that build_alexnet should put together for these arguments, in order."""

    def hidden(place: str) -> Iterator[Want]:
        momentum = {"momentum": LARGEST_MOMENTUM}
        yield Want("BatchNormalization", "normalisation", f"the batch normalisation of {place}", momentum)
        yield Want("relu", "activation", f"the ReLU of {place}")

    def scaled(units: int) -> int:
        return max(1, round(width * units))

    for number, (filters, kernel, pooled) in enumerate(_CONVOLUTIONS, start=1):
        place = f"the {ordinal(number)} convolution"
        geometry = {"kernel_size": (kernel, kernel), "strides": (1, 1), "padding": "same"}
        settings = {"filters": scaled(filters), **geometry}
        yield Want("Conv2D", "convolution", place, settings, {"filters": "filters"}, BEFORE_NORMALISATION)
        yield from hidden(place)
        if pooled:
            window = {"pool_size": (2, 2), "strides": (2, 2)}
            yield Want("MaxPooling2D", "pooling", f"the pooling of {place}", window)
    yield Want("Flatten", "dense", "the layer between convolutions and dense layers")
    for number, units in enumerate(_DENSE, start=1):
        place = f"the {ordinal(number)} dense layer"
        units = scaled(units)
        yield Want("Dense", "dense", place, {"units": units}, {"units": "units"}, BEFORE_NORMALISATION)
        yield from hidden(place)
        if dropout:
            yield Want("Dropout", "dropout", f"the dropout of {place}", {"rate": dropout})
    yield Want("Dense", "dense", "the last dense layer", {"units": num_classes}, kinds={"units": "classes"})
    yield Want("softmax", "softmax", "the activation of the last dense layer")
