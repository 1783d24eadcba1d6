"""The training form: a network in which everything that the brief leaves open is the course's own choice.

    form = training_form(written, budget)
    form.network       what is trained, and whose digest names the training
    form.replaced      what was put in place of what, for people

Judges look at a network as it was written. What is trained is its training form, so that a choice which is no
mistake can neither decide a mark nor cost a training: every right network of a task comes to the same digest.
What the brief does not leave open is trained as it was written, for that is what thresholds are for, and
`outside` says where a network goes beyond what is open.

`RULES` is the one list of what is open, within which bounds, and how each replacement is justified. The list
in the brief and the table in docs/training-form.md are compared with it by tests.

No rule makes a network: it edits the description, and `read` reads that again, as strictly as any other.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from grader.blueprint.allowlist import GLOROT_UNIFORM, padded
from grader.blueprint.network import FORMAT, Blueprint, Budget, Node
from grader.blueprint.reading import read

Kind = Literal["exact", "in distribution", "decree"]

HE_NORMAL: Mapping[str, Any] = {
    "name": "VarianceScaling",
    "scale": 2.0,
    "mode": "fan_in",
    "distribution": "truncated_normal",
}

# Bounds of what is open; the brief states them. Spreads are measured in he_normal's for the same kernel. With
# all kernels beyond the larger one no network learns. Below the smaller one neither AlexNet nor ResNet does,
# but the wide ResNet with any spread other than 0: docs/training-form.md has what was measured.
SMALLEST_SPREAD, LARGEST_SPREAD = 0.001, 15.0
LARGEST_L2 = 1e-3
SMALLEST_EPSILON, LARGEST_EPSILON = 1e-8, 1e-2
LARGEST_MOMENTUM = 0.99
# The standard deviation of what is drawn; biases may be ones as well.
LARGEST_BIAS, LARGEST_OFFSET = 1.0, 0.1

_EPSILON = 1e-3
_ZEROS, _ONES = {"name": "Zeros"}, {"name": "Ones"}


@dataclass(frozen=True)
class Replaced:
    """What one rule replaced in a network.

    Attributes:
        rule: its id in RULES.
        kind: how the replacement is justified.
        nodes: how many nodes it changed.
        says: what was written and what is trained in its place, as a sentence.
    """

    rule: str
    kind: Kind
    nodes: int
    says: str


@dataclass(frozen=True)
class TrainingForm:
    """What is trained of a network.

    Attributes:
        network: what is trained and digested.
        replaced: what is in it in place of what was written; nothing if it was written like this.
    """

    network: Blueprint
    replaced: tuple[Replaced, ...]


@dataclass(frozen=True)
class Outside:
    """Something a rule would replace if it were within the bounds of what is open.

    Attributes:
        rule: its id in RULES.
        layer: what the student called the layer.
        says: what it has and what is open, as a sentence.
    """

    rule: str
    layer: str
    says: str


@dataclass(frozen=True)
class Rule:
    """One thing that is open.

    Attributes:
        id: names it in results.
        kind: "exact": the same function, in training as in inference, under weights that are carried over.
            "in distribution": the same but for an order of channels, in which first weights are as likely.
            "decree": another network, which the course takes for this one.
        open: what may be written, with its bounds, as in the brief; empty where the brief need not say it.
        trained: what is trained in its place, as in "biases that nothing reads are left out".
        why: what makes it this kind of rule.
        apply: the description with the replacements.
        beyond: what a network has that is outside the bounds: for each node, a sentence. A decree replaces
            nothing in a network of which there is any.
    """

    id: str
    kind: Kind
    open: str
    trained: str
    why: str
    apply: Callable[[Blueprint], "_Edit"]
    beyond: Callable[[Blueprint], Iterator[tuple[Node, str]]] = lambda _: iter(())


def training_form(written: Blueprint, budget: Budget) -> TrainingForm:
    """What is trained of a network: with the course's own choice wherever the brief leaves one.

    It costs no more than what was written, but for one number a channel where a batch normalisation is given
    the scale that it was written without; and that only within the budget.

    Args:
        written: as it was read; its training form is its own.
        budget: the most that the network may take.

    Raises:
        BlueprintRefused: what was written is over the budget, and its training form as well.
    """
    network, changed = written, dict.fromkeys((rule.id for rule in RULES), 0)
    # One rule may make way for another, as a padding that is gone does for the bias before it. Each takes
    # something away or sets it for good, so that there is an end.
    before = None
    while before != network.digest:
        before = network.digest
        for rule in RULES:
            # A decree holds for a network or does not: one layer beyond its bounds, and all stay as written.
            if rule.kind == "decree" and any(rule.beyond(network)):
                continue
            edit = rule.apply(network)
            if edit.changed:
                after = read(edit.description(), _roomy(network))
                if after.parameters > max(budget.parameters, network.parameters):
                    continue
                network, changed[rule.id] = after, changed[rule.id] + edit.changed
    network = read(_described(network), budget)
    return TrainingForm(
        network,
        tuple(
            Replaced(rule.id, rule.kind, changed[rule.id], f"{rule.trained[0].upper()}{rule.trained[1:]}.")
            for rule in RULES
            if changed[rule.id]
        ),
    )


def outside(written: Blueprint) -> tuple[Outside, ...]:
    """Where a network goes beyond what is open: it is trained as written there, and may not learn."""
    # What is left of it in the training form: a bias that a normalisation takes away is no matter.
    network = training_form(written, _roomy(written)).network
    return tuple(Outside(rule.id, node.name, says) for rule in RULES for node, says in rule.beyond(network))


# --- Editing -----------------------------------------------------------------------------------------------


def _roomy(network: Blueprint) -> Budget:
    """What a network takes, and the little more that a rule may add."""
    nodes = len(network.nodes)
    return Budget(2 * network.parameters, 2 * network.flops, 2 * network.activations, nodes)


def _described(network: Blueprint) -> dict[str, Any]:
    return _Edit(network).description()


class _Edit:
    """A network's description while it is changed."""

    def __init__(self, network: Blueprint) -> None:
        self.network = network
        self.changed = 0
        self._nodes: list[dict[str, Any]] = [
            {
                "op": node.op,
                "settings": {
                    key: dict(value) if isinstance(value, Mapping) else value
                    for key, value in node.settings.items()
                },
                "inputs": list(node.inputs),
                "name": node.name,
            }
            for node in network
        ]
        self._instead = list(range(len(self._nodes)))

    def set(self, node: Node, **settings: Any) -> None:
        """Gives a node other settings, if they are other ones."""
        own = self._nodes[node.index]["settings"]
        if any(own[key] != value for key, value in settings.items()):
            own.update(settings)
            self.changed += 1

    def swap(self, pad: Node, pool: Node, widths: tuple[Any, ...], **settings: Any) -> None:
        """Lets a pooling come before the padding that it reads: the two change places."""
        own = {"op": pool.op, "settings": {**pool.settings, **settings}, "name": pool.name}
        self._nodes[pad.index].update(own)
        self._nodes[pool.index].update(op="Pad", settings={"widths": widths}, name=pad.name)
        self.changed += 1

    def read_before(self, node: Node, pad: Node, **settings: Any) -> None:
        """Lets a node read what a node before it reads."""
        own = self._nodes[node.index]
        own["settings"].update(settings)
        own["inputs"] = [pad.inputs[0] if index == pad.index else index for index in own["inputs"]]
        self.changed += 1

    def leave_out(self, node: Node) -> None:
        """Lets everything that reads a node read its only input instead."""
        self._instead[node.index] = self._instead[node.inputs[0]]
        self.changed += 1

    def description(self) -> dict[str, Any]:
        """What `read` reads: without the nodes that nothing leads on from any more."""
        output = self._instead[-1]
        inputs = [[self._instead[index] for index in node["inputs"]] for node in self._nodes]
        needed = {output}
        for index in range(len(self._nodes) - 1, -1, -1):
            if index in needed:
                needed.update(inputs[index])
        number = {index: place for place, index in enumerate(sorted(needed))}
        nodes = [{**self._nodes[i], "inputs": [number[j] for j in inputs[i]]} for i in number]
        shape = list(self.network.input_shape)
        return {"format": FORMAT, "input_shape": shape, "nodes": nodes, "output": number[output]}


class _Readers:
    """Who reads a node."""

    def __init__(self, network: Blueprint) -> None:
        self._of: list[list[Node]] = [[] for _ in network.nodes]
        for node in network:
            for index in set(node.inputs):
                self._of[index].append(node)
        self._network = network

    def __getitem__(self, node: Node) -> list[Node]:
        return self._of[node.index]

    def is_output(self, node: Node) -> bool:
        return node.index == self._network.output.index

    def only(self, node: Node) -> Node | None:
        """The one node that reads it; None if there are others, or if it is the output."""
        readers = self[node]
        return readers[0] if len(readers) == 1 and not self.is_output(node) else None


# --- Exact: nodes that do nothing, and zeros ---------------------------------------------------------------

_KEEPS_SIGN = (
    "MaxPooling2D",
    "AveragePooling2D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "Flatten",
    "Dropout",
    "Pad",
    "Add",
    "Concatenate",
)


def _rectified(network: Blueprint) -> _Edit:
    """Without a ReLU of what is not negative anyway."""
    edit = _Edit(network)
    positive: list[bool] = []
    for node in network:
        inputs = all(positive[index] for index in node.inputs) and bool(node.inputs)
        activation = node.settings.get("activation")
        if activation == "relu" and inputs:
            edit.leave_out(node)
        positive.append(activation in ("relu", "sigmoid", "softmax") or (node.op in _KEEPS_SIGN and inputs))
    return edit


def _pooled_by_one(network: Blueprint) -> _Edit:
    """Without a pooling over windows of one pixel that moves by one pixel."""
    edit = _Edit(network)
    for node in network.of("MaxPooling2D", "AveragePooling2D"):
        if node.settings["pool_size"] == node.settings["strides"] == (1, 1):
            edit.leave_out(node)
    return edit


def _padded_once(network: Blueprint) -> _Edit:
    """With one padding where there are several in a row."""
    edit, readers = _Edit(network), _Readers(network)
    done: set[int] = set()
    for node in network.of("Pad"):
        first = network.nodes[node.inputs[0]]
        if first.op == "Pad" and first.index not in done and readers.only(first) is node:
            both = zip(first.settings["widths"], node.settings["widths"], strict=True)
            widths = tuple((one[0] + other[0], one[1] + other[1]) for one, other in both)
            edit.read_before(node, first, widths=widths)
            done.add(node.index)
    return edit


def _padding_before(network: Blueprint, node: Node) -> tuple[Node, Any, Any] | None:
    """The padding before a convolution or pooling without one: its node, and that of image and channels."""
    pad = network.nodes[node.inputs[0]]
    if pad.op != "Pad" or node.settings["padding"] != "valid" or len(pad.shape) != 3:
        return None
    *image, channels = pad.settings["widths"]
    return (pad, tuple(image), channels) if any(map(any, image)) else None


def _window(node: Node) -> tuple[int, int]:
    window: tuple[int, int] = node.settings["kernel_size" if node.op == "Conv2D" else "pool_size"]
    return window


def _padded_alike(network: Blueprint) -> _Edit:
    """With "same" for a convolution before which just the zeros of "same" are put around the image."""
    edit = _Edit(network)
    for node in network.of("Conv2D"):
        found = _padding_before(network, node)
        if found is None or any(found[2]):
            continue
        pad, image, _ = found
        size, strides = network.nodes[pad.inputs[0]].shape, node.settings["strides"]
        added = [padded(*axis) for axis in zip(size, _window(node), strides, strict=False)]
        if image == tuple((zeros // 2, zeros - zeros // 2) for zeros in added):
            edit.read_before(node, pad, padding="same")
    return edit


def _pooled_before_zeros(network: Blueprint) -> _Edit:
    """With channels of zeros joined after a pooling: zeros that are pooled are zeros."""
    edit, readers = _Edit(network), _Readers(network)
    for pool in network.of("AveragePooling2D"):
        pad = network.nodes[pool.inputs[0]]
        if pad.op == "Pad" and not any(map(any, pad.settings["widths"][:2])) and readers.only(pad) is pool:
            edit.swap(pad, pool, pad.settings["widths"])
    return edit


def _halves(node: Node, size: tuple[int, ...], image: tuple[tuple[int, int], ...]) -> bool:
    """Whether a node with stride 2 and these zeros around its image puts out what "same" would, in size."""
    return node.settings["strides"] == (2, 2) and all(
        max(zeros) <= window // 2 and out == -(-before // 2)
        for zeros, window, before, out in zip(image, _window(node), size, node.shape, strict=False)
    )


def _padded_for_stride(network: Blueprint) -> _Edit:
    """With "same" where a stride of 2 has zeros of its own."""
    edit, readers = _Edit(network), _Readers(network)
    done: set[int] = set()
    for node in network.of("Conv2D", "AveragePooling2D"):
        found = _padding_before(network, node)
        if found is None or not _halves(node, network.nodes[found[0].inputs[0]].shape, found[1]):
            continue
        pad, _, channels = found
        if not any(channels):
            edit.read_before(node, pad, padding="same")
        elif node.op == "AveragePooling2D" and readers.only(pad) is node and pad.index not in done:
            done.add(pad.index)
            edit.swap(pad, node, ((0, 0), (0, 0), channels), padding="same")
    return edit


# --- Exact: biases that a normalisation takes away ---------------------------------------------------------


def _without_bias(network: Blueprint) -> _Edit:
    """Without the biases of layers whose output comes to batch normalisations alone.

    A bias adds one number to a channel, and a normalisation subtracts the channel's mean. On the way there
    may be whatever leaves a channel with one number more: pooling (Keras's "same" does not count its zeros),
    an addition, channels beside it.
    """
    readers = _Readers(network)
    normalised: dict[int, bool] = {}  # whether a number more on each channel of a node changes nothing
    for node in reversed(network.nodes):
        normalised[node.index] = not readers.is_output(node) and all(
            reader.op == "BatchNormalization"
            or (
                (
                    reader.op in ("MaxPooling2D", "AveragePooling2D", "Add")
                    or (reader.op == "Pad" and not any(map(any, reader.settings["widths"][:-1])))
                )
                and normalised[reader.index]
            )
            for reader in readers[node]
        )
    edit = _Edit(network)
    for node in network.of("Conv2D", "Dense"):
        if normalised[node.index]:
            edit.set(node, use_bias=False, bias_initializer=None, bias_l2=0.0)
    return edit


# --- In distribution: where channels of zeros are ----------------------------------------------------------

# What treats every channel alike: in another order of channels it gives the same in that order.
_CHANNEL_BY_CHANNEL = (
    "BatchNormalization",
    "Activation",
    "MaxPooling2D",
    "AveragePooling2D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "Dropout",
    "Add",
)


class _Orders:
    """In which order each node has its channels once all zeros are behind the others, if there is one.

    Nodes whose channels are tied to each other (what is added up, normalised, pooled) are one group. A group
    has an order of its own where a padding gives it one, the original where the input or the output has it,
    and may have any where only layers with weights read and write it: they are as likely to start with
    their weights in that order.
    """

    def __init__(self, network: Blueprint) -> None:
        self._network = network
        self._group = list(range(len(network.nodes)))

    def agree(self) -> bool:
        """Whether there is such an order for every node."""
        nodes = self._network.nodes
        for node in nodes:
            if node.op in _CHANNEL_BY_CHANNEL:
                for index in node.inputs:
                    self._tie(node.index, index)
        asked: dict[int, Any] = {}  # by group: the order, written as what made it

        def ask(index: int, order: Any) -> bool:
            return bool(asked.setdefault(self._of(index), order) == order)

        original = ("original",)
        for node in nodes:
            fixed = [node.index] if node.index in (0, nodes[-1].index) else []
            if node.op in ("Concatenate", "Flatten"):
                fixed += [node.index, *node.inputs]
            if not all(ask(index, original) for index in fixed):
                return False
        # A padding has more channels than it reads, so that no group waits for itself.
        for node in sorted(self._network.of("Pad"), key=lambda node: node.shape[-1]):
            source = asked.setdefault(self._of(node.inputs[0]), original)
            before, after = node.settings["widths"][-1]
            if before or after:
                moved = before or source != original
                order = ("padded", before, after, source) if moved else original
            else:
                order = source
            if not ask(node.index, order):
                return False
        return True

    def _of(self, index: int) -> int:
        while self._group[index] != index:
            index = self._group[index]
        return index

    def _tie(self, one: int, other: int) -> None:
        self._group[self._of(one)] = self._of(other)


def _zeros_behind(network: Blueprint) -> _Edit:
    """With channels of zeros behind the others, wherever they were."""
    edit = _Edit(network)
    moved = [node for node in network.of("Pad") if node.settings["widths"][-1][0]]
    if moved and _Orders(network).agree():
        for node in moved:
            *others, (before, after) = node.settings["widths"]
            edit.set(node, widths=(*others, (0, before + after)))
    return edit


# --- Decrees: how weights start ----------------------------------------------------------------------------


def deviation(initialiser: Mapping[str, Any], shape: tuple[int, ...]) -> float:
    """The standard deviation of the numbers that an initialiser draws for weights of that shape.

    0 for constants. A kernel's shape is (..., inputs, outputs), as Keras has it.
    """
    field = math.prod(shape[:-2])
    inputs = shape[-2] * field if len(shape) > 1 else shape[0]
    outputs = shape[-1] * field
    match initialiser["name"]:
        case "RandomNormal":
            return float(initialiser["stddev"])
        case "TruncatedNormal":
            return float(initialiser["stddev"]) * _TRUNCATED
        case "RandomUniform":
            return float(initialiser["limit"]) / math.sqrt(3)
        case "Orthogonal":
            return float(initialiser["gain"]) / math.sqrt(max(math.prod(shape[:-1]), shape[-1]))
        case "VarianceScaling":
            fans = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}
            return math.sqrt(float(initialiser["scale"]) / fans[initialiser["mode"]])
        case _:
            return 0.0


_TRUNCATED = 0.87962566103423978  # the deviation of a normal distribution cut off at two of its own


def spread(network: Blueprint, node: Node) -> float:
    """The deviation of a layer's first kernel, divided by what he_normal draws for it.

    An initialiser that scales with the layer's outputs, or with inputs and outputs, is compared with a
    he_normal that does so too.
    """
    initialiser = node.settings["kernel_initializer"]
    shape = (network.nodes[node.inputs[0]].shape[-1], node.shape[-1])
    if node.op == "Conv2D":
        shape = (*node.settings["kernel_size"], *shape)
    normal = {**HE_NORMAL, "mode": initialiser.get("mode", HE_NORMAL["mode"])}
    return deviation(initialiser, shape) / deviation(normal, shape)


def _is_open(ratio: float) -> bool:
    """Whether a spread is within the bounds, to as many digits as anybody would write."""
    return SMALLEST_SPREAD * (1 - _ROUNDING) <= ratio <= LARGEST_SPREAD * (1 + _ROUNDING)


_ROUNDING = 1e-6


def _classifiers(network: Blueprint) -> set[int]:
    """Dense layers after which nothing has weights: what they put out are the classes."""
    readers = _Readers(network)
    last: set[int] = set()  # nodes after which nothing has weights
    for node in reversed(network.nodes):
        if all(
            reader.index in last and reader.op not in ("Conv2D", "Dense", "BatchNormalization")
            for reader in readers[node]
        ):
            last.add(node.index)
    return {node.index for node in network.of("Dense") if node.index in last}


def _he_normal(network: Blueprint) -> _Edit:
    """With he_normal for kernels that are drawn about as widely; glorot_uniform for the last dense layer."""
    edit, classifiers = _Edit(network), _classifiers(network)
    for node in network.of("Conv2D", "Dense"):
        if _is_open(spread(network, node)):
            choice = GLOROT_UNIFORM if node.index in classifiers else HE_NORMAL
            edit.set(node, kernel_initializer=dict(choice))
    return edit


def _spread_too_far(network: Blueprint) -> Iterator[tuple[Node, str]]:
    for node in network.of("Conv2D", "Dense"):
        ratio = spread(network, node)
        if not ratio:
            yield node, f"the kernel of {node} starts with the same number everywhere, which is not open"
        elif not _is_open(ratio):
            yield (
                node,
                f"the kernel of {node} starts with {ratio:.3g} times the deviation of he_normal; "
                f"{SMALLEST_SPREAD:g} to {LARGEST_SPREAD:g} times are open",
            )


def _starts_near_zero(node: Node, weight: str) -> bool:
    """Whether a bias ("bias") or an offset ("beta") starts where it may."""
    initialiser = node.settings[f"{weight}_initializer"]
    if initialiser["name"] == "Ones":
        return weight == "bias"
    most = LARGEST_BIAS if weight == "bias" else LARGEST_OFFSET
    return deviation(initialiser, node.shape[-1:]) <= most * (1 + _ROUNDING)


def _with(network: Blueprint, weight: str) -> Iterator[Node]:
    return (node for node in network if node.settings.get(f"{weight}_initializer") is not None)


def _from_zeros(weight: str) -> Callable[[Blueprint], _Edit]:
    """With zeros for biases or offsets that start near them."""

    def apply(network: Blueprint) -> _Edit:
        edit = _Edit(network)
        for node in _with(network, weight):
            if _starts_near_zero(node, weight):
                edit.set(node, **{f"{weight}_initializer": dict(_ZEROS)})
        return edit

    return apply


def _far_from_zeros(weight: str) -> Callable[[Blueprint], Iterator[tuple[Node, str]]]:
    most = LARGEST_BIAS if weight == "bias" else LARGEST_OFFSET

    def beyond(network: Blueprint) -> Iterator[tuple[Node, str]]:
        for node in _with(network, weight):
            if not _starts_near_zero(node, weight):
                yield node, f"the {weight} of {node} starts further from zeros than the deviation of {most:g}"

    return beyond


def _zero_gammas(network: Blueprint) -> list[Node]:
    """Normalisations that start by putting out nothing but their offset."""
    return [
        node
        for node in network.of("BatchNormalization")
        if (node.settings["gamma_initializer"] or _ONES)["name"] == "Zeros"
    ]


def _closed_gammas(network: Blueprint) -> list[Node]:
    """Those of them that are not open: nothing else is added to what they put out."""
    zero = {node.index for node in _zero_gammas(network)}
    readers = _Readers(network)
    closed = []
    for node in _zero_gammas(network):
        addition = readers.only(node)
        others = {*addition.inputs} - {node.index} if addition and addition.op == "Add" else set()
        if not others or others & zero:
            closed.append(node)
    return closed


def _gammas_of_ones(network: Blueprint) -> _Edit:
    """With ones for gammas that start at zeros."""
    edit = _Edit(network)
    for node in _zero_gammas(network):
        edit.set(node, gamma_initializer=dict(_ONES))
    return edit


def _gammas_too_small(network: Blueprint) -> Iterator[tuple[Node, str]]:
    for node in _closed_gammas(network):
        yield node, f"the gamma of {node} starts from zeros, and nothing is added to what it puts out"
    for node in _with(network, "gamma"):
        if node.settings["gamma_initializer"]["name"] not in ("Ones", "Zeros"):
            yield node, f"the gamma of {node} starts from numbers around 0, some of them below"


def _with_scale(network: Blueprint) -> _Edit:
    """With gammas where they were left out because a ReLU follows, and then a layer that scales as well.

    Only in a network that is one path: how many scales a residual network learns is part of its description.
    """
    if network.of("Add", "Concatenate"):
        return _Edit(network)
    readers = _Readers(network)
    scaled: dict[int, bool] = {}  # whether layers with kernels scale all that comes of a node
    for node in reversed(network.nodes):
        scaled[node.index] = not readers.is_output(node) and all(
            reader.op in ("Conv2D", "Dense")
            or ((reader.op in _SCALES or _is_relu(reader)) and scaled[reader.index])
            for reader in readers[node]
        )
    edit = _Edit(network)
    for node in network.of("BatchNormalization"):
        center, scale = node.settings["center"], node.settings["scale"]
        if center and not scale and scaled[node.index] and all(map(_is_relu, readers[node])):
            edit.set(node, scale=True, gamma_initializer=dict(_ONES))
    return edit


def _is_relu(node: Node) -> bool:
    return bool(node.settings.get("activation") == "relu")


_SCALES = (
    "MaxPooling2D",
    "AveragePooling2D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "Flatten",
    "Dropout",
)


# --- Decrees: numbers within bounds ------------------------------------------------------------------------

_PENALTIES = ("kernel_l2", "bias_l2", "gamma_l2", "beta_l2")


def _without_l2(network: Blueprint) -> _Edit:
    """Without penalties up to the bound; the recipe has its own."""
    edit = _Edit(network)
    for node in network:
        small = {name: 0.0 for name in _PENALTIES if 0 < node.settings.get(name, 0.0) <= LARGEST_L2}
        edit.set(node, **small)
    return edit


def _penalised_too_much(network: Blueprint) -> Iterator[tuple[Node, str]]:
    for node in network:
        most = max((node.settings.get(name, 0.0) for name in _PENALTIES), default=0.0)
        if most > LARGEST_L2:
            yield node, f"{node} has an L2 of {most:g}; up to {LARGEST_L2:g} is open"


def _one_epsilon(network: Blueprint) -> _Edit:
    edit = _Edit(network)
    for node in network.of("BatchNormalization"):
        if SMALLEST_EPSILON <= node.settings["epsilon"] <= LARGEST_EPSILON:
            edit.set(node, epsilon=_EPSILON)
    return edit


def _epsilon_too_large(network: Blueprint) -> Iterator[tuple[Node, str]]:
    for node in network.of("BatchNormalization"):
        epsilon = node.settings["epsilon"]
        if not SMALLEST_EPSILON <= epsilon <= LARGEST_EPSILON:
            yield (
                node,
                f"{node} has epsilon {epsilon:g}; {SMALLEST_EPSILON:g} to {LARGEST_EPSILON:g} is open",
            )


def _one_momentum(network: Blueprint) -> _Edit:
    edit = _Edit(network)
    for node in network.of("BatchNormalization"):
        if node.settings["momentum"] <= LARGEST_MOMENTUM:
            edit.set(node, momentum=LARGEST_MOMENTUM)
    return edit


def _momentum_too_large(network: Blueprint) -> Iterator[tuple[Node, str]]:
    for node in network.of("BatchNormalization"):
        if node.settings["momentum"] > LARGEST_MOMENTUM:
            momentum = node.settings["momentum"]
            yield node, f"{node} has momentum {momentum:g}; up to {LARGEST_MOMENTUM:g} is open"


# --- The rules, in the order in which they are applied ------------------------------------------------------

RULES: tuple[Rule, ...] = (
    Rule(
        id="paddings in a row",
        kind="exact",
        open="",
        trained="zeros that are put around an image in several steps are put there in one",
        why="zeros around zeros are zeros",
        apply=_padded_once,
    ),
    Rule(
        id="ReLU twice",
        kind="exact",
        open="",
        trained="a ReLU of what is not negative is left out",
        why="it changes no value, and where the value is 0 no gradient arrives either way",
        apply=_rectified,
    ),
    Rule(
        id="pooling by one",
        kind="exact",
        open="",
        trained="a pooling over windows of 1x1 with stride 1 is left out",
        why="the largest of one value and the mean of one value are that value",
        apply=_pooled_by_one,
    ),
    Rule(
        id="kernel start",
        kind="decree",
        open="any random initialiser for kernels (He, Glorot, LeCun, orthogonal, normal, uniform) whose "
        f"standard deviation is {SMALLEST_SPREAD:g} to {LARGEST_SPREAD:g} times that of `he_normal` for the "
        "same layer; that of `RandomNormal(stddev=0.01)`, as in the AlexNet of 2012, always is",
        trained="kernels start from he_normal, and the last dense layer's from glorot_uniform",
        why="normalisation takes a kernel's scale out of what the network computes, though not out of how "
        "far a step turns it",
        apply=_he_normal,
        beyond=_spread_too_far,
    ),
    Rule(
        id="padding like same",
        kind="exact",
        open='for stride 1, padding `"same"` or as many zeros of your own around the image',
        trained='zeros put around an image before a convolution, where "same" would put them, are "same"',
        why="the convolution reads the same pixels",
        apply=_padded_alike,
    ),
    Rule(
        id="padding for stride 2",
        kind="decree",
        open='for stride 2, padding `"same"` or zeros of your own that give the same size, on each side no '
        "more than half a window",
        trained='zeros put around an image before a stride of 2 are those of "same"',
        why="windows lie one pixel further up and left, and an average counts the zeros at the border",
        apply=_padded_for_stride,
    ),
    Rule(
        id="zeros after pooling",
        kind="exact",
        open="whether the wide ResNet's channels of zeros are joined before or after the pooling",
        trained="channels of zeros are joined after the pooling",
        why="the average of zeros is 0",
        apply=_pooled_before_zeros,
    ),
    Rule(
        id="zeros behind",
        kind="in distribution",
        open="whether these channels of zeros come before, behind or around the others",
        trained="channels of zeros come behind the others",
        why="it is the same network with its channels in another order, and in any order the first weights "
        "are as likely",
        apply=_zeros_behind,
    ),
    Rule(
        id="bias before normalisation",
        kind="exact",
        open="biases before a batch normalisation or not (the numbers of parameters in the docstrings are "
        "without)",
        trained="biases before a batch normalisation are left out",
        why="the normalisation subtracts each channel's mean, and the bias with it; so it gets no gradient",
        apply=_without_bias,
    ),
    Rule(
        id="bias start",
        kind="decree",
        open=f"other biases that start from zeros, ones or any spread up to {LARGEST_BIAS:g}",
        trained="biases start from zeros",
        why="the first steps of the training undo the difference",
        apply=_from_zeros("bias"),
        beyond=_far_from_zeros("bias"),
    ),
    Rule(
        id="offset start",
        kind="decree",
        open=f"betas that start from zeros or any spread up to {LARGEST_OFFSET:g}",
        trained="the betas of batch normalisations start from zeros",
        why="the first steps of the training undo the difference",
        apply=_from_zeros("beta"),
        beyond=_far_from_zeros("beta"),
    ),
    Rule(
        id="gamma start",
        kind="decree",
        open="gammas that start from ones; from zeros only in the last batch normalisation before an "
        "addition, and not on both of its paths",
        trained="the gammas of batch normalisations start from ones",
        why="it starts as a network with fewer blocks, which takes a few steps longer",
        apply=_gammas_of_ones,
        beyond=_gammas_too_small,
    ),
    Rule(
        id="scale left out",
        kind="decree",
        open="in the AlexNet, `scale=False` in a batch normalisation: layers with weights follow",
        trained="batch normalisations that have an offset learn a scale as well",
        why="the kernel that follows can scale as well",
        apply=_with_scale,
    ),
    Rule(
        id="L2",
        kind="decree",
        open=f"L2 regularisation up to {LARGEST_L2:g}, or none",
        trained="there is no L2 regularisation; the recipe has a weight decay of its own",
        why="how weights are kept small is the recipe's business, the same for everyone",
        apply=_without_l2,
        beyond=_penalised_too_much,
    ),
    Rule(
        id="epsilon",
        kind="decree",
        open=f"the `epsilon` of batch normalisations, from {SMALLEST_EPSILON:g} to {LARGEST_EPSILON:g}",
        trained=f"the epsilon of batch normalisations is {_EPSILON:g}",
        why="it is small beside the variance of what is normalised",
        apply=_one_epsilon,
        beyond=_epsilon_too_large,
    ),
    Rule(
        id="momentum",
        kind="exact",
        open=f"the `momentum` of batch normalisations, up to {LARGEST_MOMENTUM:g}",
        trained=f"the momentum of batch normalisations is {LARGEST_MOMENTUM:g}",
        why="training never reads the moving statistics, and they are taken afresh before anything is scored",
        apply=_one_momentum,
        beyond=_momentum_too_large,
    ),
)
