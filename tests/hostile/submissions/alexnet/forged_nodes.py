"""Tries blueprints with code in them and graphs that are none: Lambda and module paths as operations, cycles,
missing inputs, a hundred thousand nodes, settings that call; gains nothing because what is not on the list
is refused.
"""

import itertools
import sys

import keras

main = sys.modules["__main__"]
INPUT = {"op": "Input", "settings": {}, "inputs": []}
DENSE = {"op": "Dense", "settings": {"units": 4}, "inputs": [0]}
GRAPHS = [
    [INPUT, {"op": "Lambda", "settings": {"function": "os.system"}, "inputs": [0]}],
    [INPUT, {"op": "__import__('os').system", "settings": {}, "inputs": [0]}],
    [INPUT, {"op": "keras.src.models.Functional", "settings": {"module": "builtins", "class_name": "exec"}, "inputs": [0]}],
    [INPUT, {"op": "Dense", "settings": {"units": 4, "__class__": "x", "build_config": {}}, "inputs": [0]}],
    [INPUT, {"op": "Dense", "settings": {"units": 4, "kernel_initializer": {"name": "Constant", "value": 3}}, "inputs": [0]}],
    [INPUT, {"op": "Add", "settings": {}, "inputs": [1, 2]}, {"op": "Add", "settings": {}, "inputs": [1, 1]}],
    [INPUT, {"op": "Dense", "settings": {"units": 4}, "inputs": [99]}],
    [INPUT, INPUT, DENSE],
    [INPUT, DENSE, DENSE],
    [INPUT] + [DENSE] * 100_000,
    [INPUT, {"op": ["Dense"], "settings": [], "inputs": {}}],
    "nodes",
]
count = itertools.count()


def _model(self, model):
    nodes = GRAPHS[(next(count) + int(DRAW)) % len(GRAPHS)]
    print("attack: a graph of", len(nodes), flush=True)
    return {
        "kind": "model",
        "blueprint": {"format": 1, "input_shape": [8], "nodes": nodes, "output": len(nodes) - 1, "weights": "x"}
        if DRAW % 2
        else {"format": 1, "input_shape": [8], "nodes": nodes, "output": len(nodes) - 1},
    }


DRAW = __import__("os").urandom(1)[0]
main.Calls._model = _model


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    return keras.Sequential()
