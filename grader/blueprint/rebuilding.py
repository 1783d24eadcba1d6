"""From a Blueprint to a Keras model, by our own constructors and nothing else.

The canonical form alone decides what is built, layer by layer in its order: with the seed set by
`keras.utils.set_random_seed` beforehand, the same digest starts from the same weights.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from grader.blueprint import normalising
from grader.blueprint.network import Blueprint, Node

if TYPE_CHECKING:
    import keras


def build(blueprint: Blueprint, *, fused: bool = False) -> keras.Model:
    """Builds the network with fresh weights. Imports Keras, which takes seconds.

    Args:
        blueprint: what to build.
        fused: whether batch normalisation may be one operation where that is faster (normalising.py): the
            same function, by layers that are not Keras's own.
    """
    import keras

    normalisation = normalising.layer_class() if fused else keras.layers.BatchNormalization

    # TensorFlow takes convolution, normalisation and tanh for one operation, which it then does not have.
    before_tanh = {
        node.inputs[0]
        for node in blueprint.of("Activation")
        if node.settings["activation"] not in normalising.FUSIBLE
    }
    tensors: list[Any] = [keras.Input(blueprint.input_shape, name="input")]
    for node in blueprint.nodes[1:]:
        how = keras.layers.BatchNormalization if node.index in before_tanh else normalisation
        tensors.append(_call(keras, node, [tensors[index] for index in node.inputs], how))
    model = keras.Model(tensors[0], tensors[-1], name="blueprint")
    # The budget was checked on our own figures: were they wrong, nothing would have been checked.
    assert model.count_params() == blueprint.parameters, "Keras counts other parameters than the blueprint"
    assert model.output_shape[1:] == blueprint.output_shape, "Keras sees another shape than the blueprint"
    return model


def _call(keras: Any, node: Node, inputs: list[Any], normalisation: Any) -> Any:
    if node.op == "Pad":  # no layer pads channels
        return keras.ops.pad(inputs[0], ((0, 0), *node.settings["widths"]))
    layers = {
        "Conv2D": keras.layers.Conv2D,
        "Dense": keras.layers.Dense,
        "BatchNormalization": normalisation,
        "Activation": keras.layers.Activation,
        "MaxPooling2D": keras.layers.MaxPooling2D,
        "AveragePooling2D": keras.layers.AveragePooling2D,
        "GlobalAveragePooling2D": keras.layers.GlobalAveragePooling2D,
        "GlobalMaxPooling2D": keras.layers.GlobalMaxPooling2D,
        "Flatten": keras.layers.Flatten,
        "Dropout": keras.layers.Dropout,
        "Add": keras.layers.Add,
        "Concatenate": keras.layers.Concatenate,
    }
    name = f"{re.sub('(?<=[a-z])(?=[A-Z])', '_', node.op).lower()}_{node.index}"
    layer = layers[node.op](**_arguments(keras, node.settings), name=name)
    return layer(inputs if node.op in ("Add", "Concatenate") else inputs[0])


def _arguments(keras: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Our settings in Keras's words."""
    arguments: dict[str, Any] = {}
    for name, value in settings.items():
        if name.endswith("_l2"):
            arguments[name.removesuffix("_l2") + "_regularizer"] = (
                keras.regularizers.L2(value) if value else None
            )
        elif not name.endswith("_initializer"):
            arguments[name] = value
        elif value is not None:
            arguments[name] = _initialiser(keras, **value)
    return arguments


def _initialiser(keras: Any, name: str, **scalars: Any) -> Any:
    """A fresh one each time: Keras's draw the same numbers again when they are used again."""
    if name == "RandomUniform":
        scalars = {"minval": -scalars["limit"], "maxval": scalars["limit"]}
    initialisers = {
        "Zeros": keras.initializers.Zeros,
        "Ones": keras.initializers.Ones,
        "RandomNormal": keras.initializers.RandomNormal,
        "TruncatedNormal": keras.initializers.TruncatedNormal,
        "RandomUniform": keras.initializers.RandomUniform,
        "VarianceScaling": keras.initializers.VarianceScaling,
        "Orthogonal": keras.initializers.Orthogonal,
    }
    return initialisers[name](**scalars)
