"""Tries to have the grader build networks of 10^12 units, negative, fractional, infinite and boolean sizes,
by replacing the one who describes models; gains nothing because every number has bounds, and the whole a
budget, before anything is built.
"""

import itertools
import sys

import keras

main = sys.modules["__main__"]
SIZES = [10**12, -1, 0, 16384, 0.5, float("inf"), float("nan"), True, "64", None, [64], 10**400, {"x": 1}]
count = itertools.count()


def _model(self, model):
    size = SIZES[next(count) % len(SIZES)]
    print("attack: a layer of", str(size)[:20], "units", flush=True)
    nodes = [{"op": "Input", "settings": {}, "inputs": []}]
    for place in range(8):
        nodes.append({"op": "Conv2D", "settings": {"filters": size, "kernel_size": 64}, "inputs": [place]})
    shape = [512, 512, size]
    return {"kind": "model", "blueprint": {"format": 1, "input_shape": shape, "nodes": nodes, "output": 8}}


main.Calls._model = _model


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    return keras.Sequential()
