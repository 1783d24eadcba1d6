"""Tries to have the right number of everything by layers that lead nowhere and weights that are not used;
gains nothing because a node that does not lead to the output is refused.
"""

import sys

import keras

main = sys.modules["__main__"]


def _model(self, model):
    print("attack: dead weights", flush=True)
    nodes = [{"op": "Input", "settings": {}, "inputs": []}]
    for filters, kernel in ((96, 5), (256, 5), (384, 3), (384, 3), (256, 3)):
        settings = {"filters": filters, "kernel_size": kernel, "padding": "same", "activation": "relu"}
        nodes.append({"op": "Conv2D", "settings": settings, "inputs": [len(nodes) - 1]})
    nodes.append({"op": "Flatten", "settings": {}, "inputs": [0]})
    nodes.append({"op": "Dense", "settings": {"units": 5, "activation": "softmax"}, "inputs": [6]})
    return {"kind": "model", "blueprint": {"format": 1, "input_shape": [32, 32, 3], "nodes": nodes, "output": 7}}


main.Calls._model = _model


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    return keras.Sequential()
