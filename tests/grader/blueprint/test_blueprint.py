"""The trusted reader of networks: nothing but BlueprintRefused, nothing over budget, one digest a network."""

import copy
import json
import math
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.blueprint import Blueprint, Budget, build, read
from grader.blueprint.allowlist import OPS, settings_of
from grader.blueprint.reading import MOST_NODES
from grader.errors import BlueprintRefused

BUDGET = Budget(parameters=2_000_000, flops=10**9, activations=2_000_000, nodes=60)
ROOMY = Budget(parameters=10**9, flops=10**13, activations=10**9, nodes=MOST_NODES)

Data = dict[str, Any]


def examples(count: int) -> settings:
    """How many examples of a property are tried; a busy machine is no failure."""
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))


def node(op: str, *inputs: int, name: str = "", **given_settings: Any) -> Data:
    """One node of a description."""
    return {"op": op, "settings": given_settings, "inputs": list(inputs), "name": name}


def description(*nodes: Data, shape: tuple[int, ...] = (8, 8, 4), output: int | None = None) -> Data:
    """A description whose first node, the input, goes without saying."""
    listed = [node("Input"), *nodes]
    last = len(listed) - 1 if output is None else output
    return {"format": 1, "input_shape": list(shape), "nodes": listed, "output": last}


def ended(*nodes: Data, shape: tuple[int, ...] = (8, 8, 4)) -> Data:
    """A description that ends in a small dense layer, so that there is something to train."""
    return description(*nodes, node("Dense", len(nodes), units=3), shape=shape)


def image(op: str, **given_settings: Any) -> Data:
    """A network of one operation on an image and a dense layer."""
    return ended(node(op, 0, **given_settings))


def digest(data: Data) -> str:
    """The digest under a budget that is no concern."""
    return read(data, ROOMY).digest


def refusal(data: object, budget: Budget = ROOMY) -> str:
    """The message with which `data` is refused."""
    with pytest.raises(BlueprintRefused) as caught:
        read(data, budget)
    return str(caught.value)


# --- Random networks ---------------------------------------------------------------------------------------


@st.composite
def networks(draw: st.DrawFn) -> Data:
    """Descriptions that are right: branches, additions, concatenations, every operation.

    No two layers with weights are alike (each has its own penalty), for twins are the one thing whose order
    the canonical form does not promise.
    """
    size, channels = draw(st.integers(1, 9)), draw(st.integers(1, 4))
    nodes = [node("Input")]
    shapes: list[tuple[int, ...]] = [(size, size, channels)]

    def add(op: str, *inputs: int, **given_settings: Any) -> int:
        nodes.append(node(op, *inputs, name=f"n{len(nodes)}", **given_settings))
        # The allowlist's own arithmetic, which other tests compare with Keras's.
        before = tuple(shapes[index] for index in inputs)
        if op in OPS:
            known = {key: value for key, value in given_settings.items() if key in OPS[op].settings}
            complete = OPS[op].complete(settings_of(OPS[op].settings, known))
            shapes.append(OPS[op].shape(complete, before))
        else:  # ZerosLike, Identity
            shapes.append(before[0])
        return len(nodes) - 1

    last = 0
    for step in range(draw(st.integers(0, 8))):
        own_l2 = (step + 1) / 1000
        image = len(shapes[last]) == 3
        ops = [
            "Dense",
            "BatchNormalization",
            "Activation",
            "Dropout",
            "Identity",
            "residual",
            "zeros",
            "join",
        ]
        if image:
            ops += ["Conv2D", "Conv2D", "pool", "Flatten", "global", "Pad"]
        match op := draw(st.sampled_from(ops)):
            case "Conv2D":
                window = draw(st.integers(1, min(3, *shapes[last][:2])))
                last = add(
                    op,
                    last,
                    filters=draw(st.integers(1, 4)),
                    kernel_size=draw(st.sampled_from([window, [window, 1]])),
                    strides=draw(st.integers(1, 2)),
                    padding=draw(st.sampled_from(["same", "valid"])),
                    activation=draw(st.sampled_from(["linear", "relu"])),
                    use_bias=draw(st.booleans()),
                    kernel_l2=own_l2,
                )
            case "Dense":
                last = add(op, last, units=draw(st.integers(1, 4)), kernel_l2=own_l2)
            case "BatchNormalization":
                last = add(op, last, epsilon=own_l2, center=draw(st.booleans()), scale=draw(st.booleans()))
            case "Activation":
                last = add(op, last, activation=draw(st.sampled_from(["relu", "softmax", "linear", "tanh"])))
            case "Dropout":
                last = add(op, last, rate=draw(st.sampled_from([0.0, own_l2])))
            case "pool":
                kind = draw(st.sampled_from(["MaxPooling2D", "AveragePooling2D"]))
                window = draw(st.integers(1, min(shapes[last][:2])))
                padding = draw(st.sampled_from(["same", "valid"]))
                last = add(kind, last, pool_size=window, strides=draw(st.integers(1, 3)), padding=padding)
            case "global":
                kind = draw(st.sampled_from(["GlobalMaxPooling2D", "GlobalAveragePooling2D"]))
                last = add(kind, last, keepdims=draw(st.booleans()))
            case "Pad":
                pair = st.lists(st.integers(0, 2), min_size=2, max_size=2)
                last = add(op, last, widths=draw(st.lists(pair, min_size=3, max_size=3)))
            case "residual":
                other = add("BatchNormalization", last, epsilon=own_l2)
                last = add("Add", *draw(st.permutations([last, other])))
            case "zeros":
                zeros = add("ZerosLike", last)
                last = add("Concatenate", *draw(st.permutations([last, zeros])))
            case "join":
                other = add("Activation", last, activation="sigmoid")
                last = add("Concatenate", last, other)
            case _:
                last = add(op, last)
    last = add("Dense", last, units=2, bias_l2=0.5)
    return {"format": 1, "input_shape": list(shapes[0]), "nodes": nodes, "output": last}


HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 70),
    st.sampled_from(
        [10**4000, -(10**400), 2**63, float("nan"), math.inf, -0.0, 1e308, "", "relu", "\x1b[2J", "é" * 999]
    ),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["Conv2D", "Lambda", "__class__", "Input", "ZerosLike", "same", "Orthogonal"]),
    st.sampled_from(
        [[], {}, [[]], [0] * 40, {"name": "Zeros"}, {"name": "Constant", "value": [1.0]}, {1: 2}]
    ),
    st.sampled_from([object(), b"bytes", {1, 2}, (3, 3), 1j, range(3), read]),
)
JSON = st.recursive(
    HOSTILE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(
                st.sampled_from(["op", "settings", "inputs", "name", "nodes", "filters"]), st.text(max_size=3)
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=12,
)


def places(data: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a description."""
    found, waiting = [], [data]
    while waiting:
        container = waiting.pop()
        keys = container if isinstance(container, dict) else range(len(container))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], dict | list):
                waiting.append(container[key])
    return found


@st.composite
def mutated(draw: st.DrawFn) -> Data:
    """Networks with a few things in them replaced, removed, added or repeated."""
    data: Any = copy.deepcopy(draw(networks()))
    for _ in range(draw(st.integers(1, 3))):
        all_places = places(data)
        if not all_places:
            break
        container, key = draw(st.sampled_from(all_places))
        match draw(st.sampled_from(["replace", "replace", "remove", "add", "repeat"])):
            case "replace":
                container[key] = copy.deepcopy(draw(JSON))
            case "remove":
                del container[key]
            case "add" if isinstance(container, dict):
                container[draw(st.sampled_from(["dilation_rate", "seed", "op", "weights", "units"]))] = 3
            case _ if isinstance(container, list):
                container.insert(key, copy.deepcopy(container[key]))
    return data


def check_safe(data: object) -> Blueprint | None:
    """Reads `data`; it is refused, or within budget and its canonical form is the same blueprint."""
    try:
        blueprint = read(data, BUDGET)
    except BlueprintRefused as refused:
        message = str(refused)
        assert len(message) < 1000
        assert message.isprintable()
        return None
    assert blueprint.parameters <= BUDGET.parameters
    assert blueprint.flops <= BUDGET.flops
    assert blueprint.activations <= BUDGET.activations
    assert len(blueprint.nodes) <= BUDGET.nodes
    again = read(json.loads(json.dumps(blueprint.canonical)), BUDGET)
    assert again == blueprint
    return blueprint


class TestAnything:
    """Whatever comes in: refused in one line, or a network within budget."""

    @examples(300)
    @given(JSON)
    def test_random_data(self, data: object) -> None:
        """Data that has nothing to do with a network."""
        check_safe(data)

    @pytest.mark.slow
    @examples(1000)
    @given(mutated())
    def test_mutated_networks(self, data: Data) -> None:
        """Networks in which something is wrong, and some in which it happens to be right."""
        check_safe(data)

    @examples(100)
    @given(networks())
    def test_right_networks(self, data: Data) -> None:
        """What is right is read."""
        assert check_safe(data) is not None

    @examples(25)
    @given(networks())
    def test_keras_agrees(self, data: Data) -> None:
        """Shapes and parameters are Keras's, node by node: `build` compares the totals."""
        blueprint = read(data, BUDGET)
        model = build(blueprint)
        trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
        assert trainable == blueprint.trainable_parameters
        by_index = {int(layer.name.rsplit("_", 1)[1]): layer for layer in model.layers if "_" in layer.name}
        for each in blueprint:
            if each.op not in ("Input", "Pad"):
                assert by_index[each.index].output.shape[1:] == each.shape
                assert by_index[each.index].count_params() == each.parameters


class Evil(str):
    """A string that does as it likes when it is looked at."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("compared")

    def __repr__(self) -> str:
        raise RuntimeError("printed")


class TestHostile:
    """What someone would try on purpose."""

    def test_depth_and_cycles(self) -> None:
        """Nesting without end is refused, not followed."""
        deep: Any = []
        for _ in range(100_000):
            deep = [deep]
        endless: list[Any] = []
        endless.append(endless)
        for value in (deep, endless):
            refusal(value)
            refusal({**ended(), "nodes": value})
            refusal({**ended(), "input_shape": value})
            refusal(ended(node("Flatten", name=value), node("Flatten", 1)))
            refusal(ended(node("Dropout", 0, rate=value)))
            refusal(ended({"op": "Flatten", "settings": {}, "inputs": value}))

    def test_sizes(self) -> None:
        """Millions of anything are refused at once."""
        started = time.monotonic()
        many = [0] * 10**6
        refusal({**ended(), "nodes": many})
        refusal({**ended(), "input_shape": many})
        refusal({**ended(), "output": 10**5000})
        refusal(ended(node("Dropout", 0, rate=10**5000)))
        refusal(ended(node("Conv2D", 0, filters=10**5000, kernel_size=1)))
        refusal(ended(node("Conv2D", 0, filters=1, kernel_size=many)))
        refusal(ended({"op": "Add", "settings": {}, "inputs": many}))
        refusal(ended({"op": "Flatten", "settings": {str(i): i for i in many}, "inputs": [0]}))
        refusal(ended({"op": "Flatten", "settings": {str(i): i for i in range(10**5)}, "inputs": [0]}))
        refusal(ended({"op": "Q" * 10**7, "settings": {}, "inputs": [0]}))
        assert time.monotonic() - started < 5

    def test_objects(self) -> None:
        """Objects that fight back are never asked."""
        evil = Evil("relu")
        refusal(evil)
        refusal({evil: 1})
        refusal(ended(node("Activation", 0, activation=evil)))
        refusal(ended({"op": evil, "settings": {}, "inputs": [0]}))
        refusal(ended({"op": "Flatten", "settings": {evil: 1}, "inputs": [0]}))
        refusal(ended(node("Flatten", 0, name=evil)))

    @pytest.mark.parametrize("value", [True, 1.0, "1", None, float("nan"), math.inf, 0, -1, [1], 10**400])
    def test_not_a_whole_number(self, value: object) -> None:
        """A whole number is an int from 1, not something that could be taken for one."""
        assert "filters" in refusal(ended(node("Conv2D", 0, filters=value, kernel_size=1)))
        assert "filters" not in refusal(ended(node("Conv2D", 0, filters=1, kernel_size=1, padding=value)))

    @pytest.mark.parametrize(
        "value", [True, "0.5", None, float("nan"), math.inf, -math.inf, -0.1, 1.0, 1, 10**400]
    )
    def test_not_a_rate(self, value: object) -> None:
        """Bounds hold for NaN, infinities and numbers too large to be floats."""
        assert "rate" in refusal(ended(node("Dropout", 0, rate=value)))
        assert "momentum" in refusal(ended(node("BatchNormalization", 0, momentum=value)))

    @pytest.mark.parametrize("inputs", [[], [1], [2], [-1], [0, 0], [True], [0.0], "0", None, {}])
    def test_wrong_inputs(self, inputs: object) -> None:
        """Too few, too many, of itself, of what comes later: no cycle can be written down."""
        refusal(ended({"op": "Flatten", "settings": {}, "inputs": inputs}, node("Flatten", 1)))

    def test_a_path_count_that_doubles(self) -> None:
        """Six hundred additions of a node to itself: 2**600 paths, one pass."""
        nodes = [node("Add", index, index) for index in range(600)]
        started = time.monotonic()
        read(ended(*nodes), ROOMY)
        assert time.monotonic() - started < 2

    def test_a_long_chain(self) -> None:
        """As long as it may be it is read without recursion; longer, it is refused by its length."""
        chain = [node("Dropout", index, rate=0.5) for index in range(MOST_NODES - 2)]
        assert len(read(ended(*chain), ROOMY).nodes) == MOST_NODES
        longer = [node("Dropout", index, rate=0.5) for index in range(2000)]
        assert "2,002 nodes" in refusal(ended(*longer))

    def test_names_are_harmless(self) -> None:
        """Control characters and markup do not reach a terminal; a long name is cut."""
        message = refusal(ended(node("Dropout", 0, rate=2, name="\x1b[31m\n\u202e" + "a" * 500)))
        assert message.isprintable()
        assert len(message) < 200

    def test_keras_is_not_imported_by_reading(self) -> None:
        """The trusted process reads without paying for TensorFlow."""
        code = "import sys, grader.blueprint; sys.exit('keras' in sys.modules or 'tensorflow' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestMessages:
    """A refusal names the layer as the student did, what was found, and what is allowed."""

    @pytest.mark.parametrize(
        ("data", "parts"),
        [
            (ended(node("LayerNormalization", 0)), ["'LayerNormalization'", "Conv2D"]),
            (image("Conv2D", name="stem", filters=8, kernel_size=9), ["Conv2D 'stem'", "window of 9"]),
            (image("Conv2D", name="stem", filters=8), ["Conv2D 'stem'", "kernel_size is missing"]),
            (image("Dropout", name="d", rate=1.5), ["Dropout 'd'", "rate is 1.5", "from 0 to below 1"]),
            (ended(node("Flatten", 0, seed=3)), ["Flatten (node 1)", "'seed'"]),
            (ended(node("Activation", 0, activation="gelu")), ["'gelu'", "relu, softmax"]),
            (
                ended(node("Flatten", 0), node("Conv2D", 1, filters=1, kernel_size=1)),
                ["Conv2D (node 2)", "(256,)", "image"],
            ),
            (ended(node("Flatten", 0), node("Add", 0, 1)), ["(8, 8, 4)", "(256,)", "the same"]),
            (ended(node("Flatten", 0), node("Concatenate", 0, 1)), ["joins"]),
            (ended(node("ZerosLike", 0), node("Add", 0, 1)), ["zeros_like", "concatenation"]),
            (ended(node("Pad", 0, widths=[[1, 1]])), ["pads 1 axes"]),
            (
                ended(node("Conv2D", 0, filters=1, kernel_size=1, kernel_initializer={"name": "Constant"})),
                ["kernel_initializer", "VarianceScaling"],
            ),
            (
                ended(node("Dense", 0, units=1, bias_initializer={"name": "Orthogonal"})),
                ["bias_initializer", "Zeros"],
            ),
            (ended(node("Dense", 0, units=1, kernel_l2=1.5)), ["kernel_l2 is 1.5", "from 0 to 1"]),
            (description(node("Flatten", 0)), ["nothing to train"]),
            (description(node("ZerosLike", 0)), ["does not depend on its input"]),
            ({**ended(), "format": 2}, ["format is 2"]),
            ({**ended(), "output": 7}, ["output is 7"]),
            ({**ended(), "input_shape": [None, None, 3]}, ["input shape"]),
            ({**ended(), "weights": []}, ["'weights'"]),
            ({"format": 1}, ["lacks"]),
            ([], ["an empty list"]),
        ],
    )  # fmt: skip
    def test_message(self, data: object, parts: list[str]) -> None:
        """Each part is in the message."""
        message = refusal(data)
        assert all(part in message for part in parts), message

    def test_what_leads_nowhere(self) -> None:
        """A layer beside the path to the output, or whose only trace is the shape of zeros."""
        aside = description(node("Dense", 0, units=9, name="aside"), node("Dense", 0, units=3))
        assert "Dense 'aside' does not lead to the network's output" in refusal(aside)
        hidden = ended(
            node("Dense", 0, units=4, name="hidden"), node("ZerosLike", 1), node("Concatenate", 0, 2)
        )
        assert "Dense 'hidden' does not lead" in refusal(hidden)

    @pytest.mark.parametrize("limit", ["parameters", "flops", "activations", "nodes"])
    def test_budget(self, limit: str) -> None:
        """At its limit a network is read; one below it, refused with the figures."""
        data = ended(
            node("Conv2D", 0, filters=8, kernel_size=3, name="conv"),
            node("BatchNormalization", 1),
            node("Activation", 2, activation="relu"),
            node("GlobalAveragePooling2D", 3),
        )
        blueprint = read(data, ROOMY)
        used = {
            "parameters": blueprint.parameters,
            "flops": blueprint.flops,
            "activations": blueprint.activations,
            "nodes": len(blueprint.nodes),
        }
        assert read(data, Budget(**used)) == blueprint
        assert f"the limit is {used[limit] - 1:,}" in refusal(
            data, Budget(**{**used, limit: used[limit] - 1})
        )

    def test_budget_before_building(self) -> None:
        """Ten thousand million weights are counted, not made."""
        data = ended(node("Flatten", 0), node("Dense", 1, units=16_384), node("Dense", 2, units=16_384))
        assert "parameters; the limit is" in refusal(data, BUDGET)


# --- One digest a network ----------------------------------------------------------------------------------


@st.composite
def rewritten(draw: st.DrawFn) -> tuple[Data, Data]:
    """A network, and the same one with its nodes listed in another order and other names."""
    data = draw(networks())
    left = list(range(1, len(data["nodes"])))
    order = [0]
    while left:
        ready = [index for index in left if all(source in order for source in data["nodes"][index]["inputs"])]
        order.append(draw(st.sampled_from(ready)))
        left.remove(order[-1])
    nodes = []
    for index in order:
        old = data["nodes"][index]
        inputs = [order.index(source) for source in old["inputs"]]
        if old["op"] == "Add":
            inputs = draw(st.permutations(inputs))
        nodes.append({**old, "inputs": inputs, "name": draw(st.text(max_size=3))})
    return data, {**data, "nodes": nodes, "output": order.index(data["output"])}


# For every setting of every operation: a base, and values that each make another network of it.
BASES: dict[str, Data] = {
    "Unknown": {"shape": [8, 8, 4]},
    "Conv2D": {"filters": 5, "kernel_size": 3, "strides": 2, "padding": "same"},
    "Dense": {"units": 5},
    "BatchNormalization": {},
    "Activation": {"activation": "relu"},
    "MaxPooling2D": {"pool_size": 3, "strides": 2, "padding": "same"},
    "AveragePooling2D": {"pool_size": 3, "strides": 2, "padding": "same"},
    "GlobalAveragePooling2D": {},
    "GlobalMaxPooling2D": {},
    "Dropout": {"rate": 0.5},
    "Pad": {"widths": [[1, 1], [1, 1], [0, 0]]},
}
STARTS = [
    {"name": "RandomNormal"},
    {"name": "RandomNormal", "stddev": 0.1},
    {"name": "TruncatedNormal"},
    {"name": "RandomUniform"},
    {"name": "VarianceScaling"},
    {"name": "VarianceScaling", "scale": 2.0},
    {"name": "VarianceScaling", "mode": "fan_out"},
    {"name": "VarianceScaling", "distribution": "uniform"},
]
OTHERS: dict[str, list[Any]] = {
    "filters": [4, 6],
    "units": [4, 6],
    "kernel_size": [2, [3, 2], [2, 3]],
    "pool_size": [2, [3, 2], [2, 3]],
    "strides": [1, [2, 1], [1, 2]],
    "padding": ["valid"],
    "use_bias": [False],
    "kernel_initializer": [*STARTS, {"name": "Zeros"}, {"name": "Ones"}, {"name": "Orthogonal"}],
    "bias_initializer": [*STARTS, {"name": "Ones"}],
    "beta_initializer": [*STARTS, {"name": "Ones"}],
    "gamma_initializer": [*STARTS, {"name": "Zeros"}],
    "kernel_l2": [1e-4, 5e-4],
    "bias_l2": [1e-4],
    "beta_l2": [1e-4],
    "gamma_l2": [1e-4],
    "momentum": [0.9, 0.0],
    "epsilon": [1e-5],
    "center": [False],
    "scale": [False],
    "activation": ["softmax", "sigmoid", "tanh", "linear"],
    "keepdims": [True],
    "joins": ["Multiply", "Dot"],
    "rate": [0.25, 0.0],
    "shape": [[8, 8, 5], [7, 8, 4], [5]],
    "widths": [[[0, 2], [1, 1], [0, 0]], [[1, 1], [0, 2], [0, 0]], [[1, 1], [1, 1], [0, 1]], [[0, 0]] * 3],
}


class TestDigest:
    """The same for the same network, however written; another for another."""

    @examples(150)
    @given(rewritten())
    def test_order_and_names_do_not_matter(self, pair: tuple[Data, Data]) -> None:
        """Any topological order, any order of an addition, any names."""
        first, second = (read(data, ROOMY) for data in pair)
        assert first == second

    @pytest.mark.parametrize("op", [op for op in OPS if OPS[op].settings])
    def test_every_setting_matters(self, op: str) -> None:
        """No two values of any setting of any operation are the same network."""
        base = BASES[op]
        variants = [base]
        for setting in OPS[op].settings:
            variants += [{**base, setting: value} for value in OTHERS[setting]]
        digests = [digest(image(op, **variant)) for variant in variants]
        assert len(set(digests)) == len(variants)

    def test_operations_and_connections_matter(self) -> None:
        """Other operations, input shapes and connections are other networks."""
        dense = node("Dense", 0, units=4)
        others = [
            ended(),
            ended(shape=(8, 8, 5)),
            *(image(op, **settings) for op, settings in BASES.items()),
            image("Flatten"),
            ended(dense, node("Add", 0, 1)),
            ended(dense, node("Add", 1, 1)),
            ended(dense, node("Concatenate", 0, 1)),
            ended(dense, node("Concatenate", 1, 0)),
            ended(dense, node("Dense", 0, units=4), node("Add", 1, 2)),  # twins: two sets of weights
            ended(dense, node("Dense", 1, units=4)),
            ended(node("Dropout", 0, rate=0.5), node("Dropout", 0, rate=0.5), node("Add", 1, 2)),
            ended(node("Dropout", 0, rate=0.5), node("Add", 1, 1)),
        ]
        assert len({digest(data) for data in others}) == len(others)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (  # activation=
                image("Conv2D", filters=4, kernel_size=3, activation="relu"),
                ended(node("Conv2D", 0, filters=4, kernel_size=3), node("Activation", 1, activation="relu")),
            ),
            (  # defaults
                image("Conv2D", filters=4, kernel_size=3),
                image("Conv2D", filters=4, kernel_size=[3, 3], strides=[1, 1], padding="valid", use_bias=True,
                      bias_initializer={"name": "Zeros"}, kernel_l2=0, bias_l2=-0.0),
            ),
            (image("MaxPooling2D"), image("MaxPooling2D", pool_size=[2, 2], strides=2)),
            (ended(), image("Identity")),
            (ended(), image("Activation", activation="linear")),
            (ended(), image("Dropout", rate=0)),
            (ended(), image("Pad", widths=[[0, 0]] * 3)),
            (ended(), image("Concatenate")),
            (ended(), image("Add")),
            (image("Flatten"), ended(node("Flatten", 0), node("Flatten", 1))),
            (  # settings of weights that are not there
                image("Conv2D", filters=4, kernel_size=3, use_bias=False),
                image("Conv2D", filters=4, kernel_size=3, use_bias=False, bias_l2=0.1,
                      bias_initializer={"name": "Ones"}),
            ),
            (
                image("BatchNormalization", scale=False),
                image("BatchNormalization", scale=False, gamma_l2=0.1),
            ),
            (  # padding that adds nothing
                image("Conv2D", filters=4, kernel_size=1, strides=2, padding="same"),
                image("Conv2D", filters=4, kernel_size=1, strides=2, padding="valid"),
            ),
            (image("MaxPooling2D", padding="same"), image("MaxPooling2D", padding="valid")),
            (  # ways to pool all of an image
                image("GlobalAveragePooling2D"),
                ended(node("GlobalAveragePooling2D", 0, keepdims=True), node("Flatten", 1)),
            ),
            (
                image("GlobalAveragePooling2D"),
                ended(node("AveragePooling2D", 0, pool_size=8), node("Flatten", 1)),
            ),
            (image("GlobalMaxPooling2D", keepdims=True), image("MaxPooling2D", pool_size=8, padding="same")),
            (  # ways to add channels of zeros
                image("Pad", widths=[[0, 0], [0, 0], [0, 4]]),
                ended(node("ZerosLike", 0), node("Concatenate", 0, 1)),
            ),
            (
                image("Pad", widths=[[0, 0], [0, 0], [4, 8]]),
                ended(node("ZerosLike", 0), node("Concatenate", 1, 0, 1, 1)),
            ),
            (  # the same activation of the same node, once or twice
                ended(node("Activation", 0, activation="relu"), node("Add", 1, 1)),
                ended(node("Activation", 0, activation="relu"), node("Activation", 0, activation="relu"),
                      node("Add", 1, 2)),
            ),
        ],
    )  # fmt: skip
    def test_other_words_for_the_same(self, one: Data, other: Data) -> None:
        """What does the same is the same."""
        assert read(one, ROOMY) == read(other, ROOMY)

    def test_zeros_between_stay_where_they_are(self) -> None:
        """Zeros between two inputs of a concatenation pad the first of them."""
        dense = node("Dense", 0, units=3)
        joined = read(ended(dense, node("ZerosLike", 0), node("Concatenate", 1, 2, 0)), ROOMY)
        assert [each.op for each in joined] == ["Input", "Dense", "Pad", "Concatenate", "Dense"]
        assert joined.nodes[2].settings["widths"] == ((0, 0), (0, 0), (0, 4))
        assert joined.nodes[3].shape == (8, 8, 11)

    def test_it_does_not_change_by_itself(self) -> None:
        """Stored trainings are found by it: a change of the form has to be meant, and gets a new FORMAT."""
        data = ended(node("Conv2D", 0, filters=4, kernel_size=3, activation="relu"), node("Flatten", 1))
        assert digest(data) == "8f9943e365e84d4853abc0ba64490c0d4a61c798086f655822a89a068be114ff"


class TestBlueprint:
    """What judges ask of a blueprint."""

    def test_questions(self) -> None:
        """Layers by their operation, shapes, weights and costs; and it cannot be changed."""
        blueprint = read(
            description(
                node("Conv2D", 0, filters=4, kernel_size=3, padding="same", name="conv"),
                node("BatchNormalization", 1),
                node("Add", 0, 2, name="sum"),
                node("GlobalAveragePooling2D", 3),
                node("Dense", 4, units=10, activation="softmax"),
            ),
            ROOMY,
        )
        conv, dense = blueprint.of("Conv2D", "Dense")
        assert (conv.op, conv.name, conv.settings["kernel_size"]) == ("Conv2D", "conv", (3, 3))
        assert blueprint.output.settings["activation"] == "softmax"
        assert (blueprint.input_shape, blueprint.output_shape) == ((8, 8, 4), (10,))
        assert (conv.parameters, dense.parameters, blueprint.parameters) == (148, 50, 214)
        assert blueprint.trainable_parameters == 206
        assert blueprint.flops == 2 * 36 * 4 * 64 + 2 * 256 + 256 + 256 + 2 * 40 + 10
        assert blueprint.activations == 4 * 256 + 4 + 10 + 10
        with pytest.raises(TypeError):
            conv.settings["filters"] = 5  # type: ignore[index]

    def test_built_from_a_seed(self) -> None:
        """The same seed gives the same weights, another seed others: no layer has a seed of its own."""
        import keras
        import numpy as np

        blueprint = read(image("Conv2D", filters=4, kernel_size=3), ROOMY)

        def kernel(seed: int) -> Any:
            keras.utils.set_random_seed(seed)
            return build(blueprint).get_weights()[0]

        assert np.array_equal(kernel(1), kernel(1))
        assert not np.array_equal(kernel(1), kernel(2))
