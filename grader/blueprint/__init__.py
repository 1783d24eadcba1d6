"""A student's network as data: read strictly, brought into one canonical form, rebuilt by our constructors.

    description = {"format": 1, "input_shape": [32, 32, 3], "output": 4, "nodes": [
        {"op": "Input", "settings": {}, "inputs": []},
        {"op": "Conv2D", "settings": {"filters": 8, "kernel_size": 3, "activation": "relu"}, "inputs": [0]},
        {"op": "GlobalAveragePooling2D", "settings": {}, "inputs": [1], "name": "pool"},
        {"op": "Dense", "settings": {"units": 100}, "inputs": [2]},
        {"op": "Activation", "settings": {"activation": "softmax"}, "inputs": [3]},
    ]}
    blueprint = read(description, Budget(parameters=10**6, flops=10**9, activations=10**6, nodes=100))
    model = build(blueprint)

Settings that are left out have Keras's defaults. `read` is given what came out of a sandbox: it believes
nothing, and BlueprintRefused is all that it raises. Keras is imported by `build` alone.
"""

from grader.blueprint.allowlist import ACTIVATIONS
from grader.blueprint.completing import with_probabilities
from grader.blueprint.costs import Excess, excess
from grader.blueprint.forms import (
    HE_NORMAL,
    LARGEST_MOMENTUM,
    RULES,
    Outside,
    Replaced,
    Rule,
    TrainingForm,
    outside,
    training_form,
)
from grader.blueprint.network import FORMAT, Blueprint, Budget, Node
from grader.blueprint.reading import read
from grader.blueprint.rebuilding import build

__all__ = [
    "ACTIVATIONS",
    "FORMAT",
    "HE_NORMAL",
    "LARGEST_MOMENTUM",
    "RULES",
    "Blueprint",
    "Budget",
    "Excess",
    "Node",
    "Outside",
    "Replaced",
    "Rule",
    "TrainingForm",
    "build",
    "excess",
    "outside",
    "read",
    "training_form",
    "with_probabilities",
]
