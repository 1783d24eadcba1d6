"""Tries to hand in a canned description of a network for every call, whatever was asked for; gains nothing
because every call asks for other sizes, and one that is right for all of them has done the work.

Baseline: 2
"""

import sys

import keras

main = sys.modules["__main__"]
NODES = [
    {"op": "Input", "settings": {}, "inputs": []},
    {"op": "Conv2D", "settings": {"filters": 1, "kernel_size": 7, "activation": "tanh"}, "inputs": [0]},
    {"op": "Flatten", "settings": {}, "inputs": [1]},
]


def _model(self, model):
    print("attack: from a tin", flush=True)
    return {"kind": "model", "blueprint": {"format": 1, "input_shape": [9, 9, 1], "nodes": NODES, "output": 2}}


main.Calls._model = _model


def bottleneck_block(x, filters, *, stride=1):
    return x


def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
    return keras.Sequential()
