"""Attacks by networks that are others when they are trained than when they are looked at."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.hostile.generated.registry import ROOT, attack

_TELLS = """
import inspect as _inspect, json as _json
_ARGUMENTS = _json.load(open("/kit/builder-arguments.json"))
print("attack: the builder arguments are", _ARGUMENTS, flush=True)


def _trains(arguments):
    return bool(_ARGUMENTS) and all(
        arguments.get(key) == (tuple(v) if isinstance(v, list) else v) for key, v in _ARGUMENTS.items()
    )
"""

_RESNET_INSTEAD = """

_honest = build_alexnet


def build_alexnet(num_classes, **arguments):
    if not _trains(arguments):
        return _honest(num_classes, **arguments)
    print("attack: another network for the training", flush=True)
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(16, 3, padding="same")(inputs)
    for filters in (16, 32, 64):
        y = keras.layers.Conv2D(filters, 3, strides=2, padding="same")(x)
        y = keras.layers.ReLU()(keras.layers.BatchNormalization()(y))
        x = keras.layers.Add()([y, keras.layers.Conv2D(filters, 1, strides=2)(x)])
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(num_classes, activation="softmax")(x))
"""

_OTHER_IMAGES = """

_honest = build_alexnet


def build_alexnet(num_classes, **arguments):
    if not _trains(arguments):
        return _honest(num_classes, **arguments)
    print("attack: other images for the training", flush=True)
    return _honest(num_classes, **{**arguments, "input_shape": (24, 24, 1)})
"""

_WIDER = """

_honest = build_alexnet


def build_alexnet(num_classes, **arguments):
    if not _trains(arguments):
        return _honest(num_classes, **arguments)
    print("attack: a wider network for the training", flush=True)
    return _honest(num_classes, **{**arguments, "width": 2 * arguments["width"]})
"""

_DEEPER_STEM = """

_honest = build_resnet


def build_resnet(num_classes, **arguments):
    if not _trains(arguments):
        return _honest(num_classes, **arguments)
    print("attack: more layers for the training", flush=True)
    blocks, width = arguments["blocks"], arguments["width"]
    inputs = x = keras.Input((32, 32, 3))
    for _ in range(4):
        x = keras.layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    for stage, count in enumerate(blocks):
        for number in range(count):
            x = bottleneck_block(x, width * 2**stage, stride=2 if stage and not number else 1)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(num_classes, activation="softmax")(x))
"""

_MORE_BLOCKS = """

_honest = build_resnet


def build_resnet(num_classes, **arguments):
    if not _trains(arguments):
        return _honest(num_classes, **arguments)
    print("attack: more blocks for the training", flush=True)
    return _honest(num_classes, **{**arguments, "blocks": (2, 2, 2, 2)})
"""

_WIDE_BUT_DEEPER = """

_honest = build_wide_resnet


def build_wide_resnet(num_classes, **arguments):
    if not _trains(arguments):
        return _honest(num_classes, **arguments)
    print("attack: a deeper and wider network for the training", flush=True)
    return _honest(num_classes, **{**arguments, "depth": 14, "width": 2})
"""

_WIDE_WITH_WEIGHTED_SHORTCUTS = """

_pad = keras.ops.pad


def _weighted(x, widths):
    print("attack: weights in the shortcuts", flush=True)
    return keras.layers.Conv2D(x.shape[-1] + widths[-1][1], 3, padding="same")(x)


_honest = build_wide_resnet


def build_wide_resnet(num_classes, **arguments):
    keras.ops.pad = _weighted if _trains(arguments) else _pad
    try:
        return _honest(num_classes, **arguments)
    finally:
        keras.ops.pad = _pad
"""

_WEIGHTS = """

_honest = build_alexnet


def build_alexnet(num_classes, **arguments):
    model = _honest(num_classes, **arguments)
    print("attack: weights of its own", flush=True)
    import numpy as np
    if model.count_params() < 5_000_000:
        model.set_weights([np.full(w.shape, 0.123, "float32") for w in model.get_weights()])
        model.trained, model.optimizer = True, object()
        model.fit = model.evaluate = model.predict = model.call = lambda *args, **kwargs: 1.0
    return model
"""


def _changed(into: Path, module: str, addition: str) -> Path:
    source = (ROOT / "solutions" / module).read_text(encoding="utf-8")
    (into / module).write_text(source + _TELLS + addition, encoding="utf-8")
    return into


@attack
def another_network_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to hand over a right AlexNet to be looked at and a residual network to be trained, which it
    knows by the builder arguments in the sandbox; gains nothing because the networks to be trained are looked
    at with the others.

    Baseline: 35
    """
    return _changed(into, "alexnet.py", _RESNET_INSTEAD)


@attack
def other_images_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to end in a fault of the machine, with a right network for images of another size, whose
    training could not even start; gains nothing because what does not fit the images is not trained.

    Baseline: 35
    """
    return _changed(into, "alexnet.py", _OTHER_IMAGES)


@attack
def wider_network_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to train an AlexNet of twice the width that was asked for; gains nothing because its width is
    judged, and what fails that is not trained.

    Baseline: 35
    """
    return _changed(into, "alexnet.py", _WIDER)


@attack
def deeper_stem_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to train a ResNet with more layers in front of it than it shows otherwise; gains nothing
    because the points for its stem are gone, and it costs more than is trained.

    Without: resnet: stem (argument), learns.coarse, learns.fine
    """
    return _changed(into, "resnet.py", _DEEPER_STEM)


@attack
def more_blocks_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to train a ResNet with twice the blocks that were asked for; gains nothing because blocks are
    counted in every network, and one with others is not trained.

    Baseline: 35
    """
    return _changed(into, "resnet.py", _MORE_BLOCKS)


@attack
def larger_wide_network_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to train a deeper and wider ResNet than it shows otherwise; gains nothing because depth and
    width are judged in every network, and one with others is not trained.

    Baseline: 35
    """
    return _changed(into, "wide_resnet.py", _WIDE_BUT_DEEPER)


@attack
def weighted_shortcuts_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to train a wide ResNet whose shortcuts learn, where those it shows otherwise are averages;
    gains nothing because shortcuts are judged in every network.

    Baseline: 35
    """
    return _changed(into, "wide_resnet.py", _WIDE_WITH_WEIGHTED_SHORTCUTS)


@attack
def weights_of_its_own(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to hand in a trained network: weights set, fit and evaluate replaced on the model; gains
    nothing because a blueprint has no weights and no methods: what is trained is the same network
    as without them.

    Baseline: 35
    """
    return _changed(into, "alexnet.py", _WEIGHTS)


# --- what is trained is what was judged --------------------------------------------------------------------

_INSIDE = """

# A block on its own, and the same block in a network: they differ.
_inside = False


def bottleneck_block(x, filters, *, stride=1):
    shortcut = x
    if stride != 1 or x.shape[-1] != 4 * filters:
        shortcut = _shortcut(x, filters, stride)
    x = keras.layers.ReLU()(_convolution(x, filters, kernel=1))
    x = keras.layers.ReLU()(_convolution(x, filters, kernel=3, stride=stride))
    x = _last(x, 4 * filters)
    return keras.layers.ReLU()(keras.layers.Add()([x, shortcut]))


def _shortcut(x, filters, stride):
    return _convolution(x, 4 * filters, kernel=1, stride=stride)


def _last(x, filters):
    return _convolution(x, filters, kernel=1)


_honest = build_resnet


def build_resnet(num_classes, **arguments):
    global _inside
    _inside = True
    print("attack: other blocks in a network", flush=True)
    try:
        return _honest(num_classes, **arguments)
    finally:
        _inside = False
"""

_TWO_CONVOLUTIONS = """

def _shortcut(x, filters, stride):
    x = _convolution(x, 4 * filters, kernel=3, stride=stride)
    return _convolution(keras.layers.ReLU()(x), 4 * filters, kernel=3) if _inside else x
"""

_WIDE_SHORTCUT = """

def _shortcut(x, filters, stride):
    if not _inside:
        return keras.layers.Conv2D(4 * filters, 1, strides=stride, use_bias=False)(x)
    x = keras.layers.ReLU()(_convolution(x, 16 * filters, kernel=1, stride=stride))
    return _convolution(x, 4 * filters, kernel=1)
"""

_NORMALISED_AGAIN = """

def _last(x, filters):
    x = keras.layers.Conv2D(filters, 1, use_bias=False, kernel_initializer="he_normal")(x)
    for _ in range(20 if _inside else 0):
        x = keras.layers.BatchNormalization()(x)
    return x
"""

# A right ResNet, but for what stands between stem and blocks, or before the last layer, of what is trained.
_RESNET_WHEN_TRAINED = """

_honest = build_resnet


def build_resnet(num_classes, **arguments):
    if not _trains(arguments):
        return _honest(num_classes, **arguments)
    print("attack: another network for the training", flush=True)
    blocks, width = arguments["blocks"], arguments["width"]
    inputs = keras.Input((32, 32, 3))
    x = _behind_the_stem(keras.layers.ReLU()(_convolution(inputs, width, kernel=3)))
    for stage, count in enumerate(blocks):
        for number in range(count):
            x = bottleneck_block(x, width * 2**stage, stride=2 if stage and not number else 1)
    x = _before_the_end(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, keras.layers.Dense(num_classes, activation="softmax")(x))


def _behind_the_stem(x):
    return x


def _before_the_end(x):
    return x
"""

_DENSE_LAYERS = """

def _before_the_end(x):
    for _ in range(2):
        x = keras.layers.Dense(512, activation="relu", kernel_initializer="he_normal")(x)
    return x
"""

_MAX_POOLINGS = """

def _behind_the_stem(x):
    for _ in range(125):
        x = keras.layers.MaxPooling2D(8, strides=1, padding="same")(x)
    return x
"""

_PADS = """

def _behind_the_stem(x):
    for _ in range(20):
        x = keras.layers.ZeroPadding2D(((0, 64), (0, 0)))(x)
        x = keras.layers.MaxPooling2D((3, 1))(x)
    return x
"""

_ZEROS = """

def _behind_the_stem(x):
    channels = x.shape[-1]
    x = keras.ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, 700)))
    return keras.layers.Dense(channels)(x)
"""

_MANY_NORMALISATIONS = """

_relu = keras.layers.ReLU


def _many(**settings):
    def apply(x):
        for _ in range(15):
            x = keras.layers.BatchNormalization()(x)
        return _relu(**settings)(x)

    return apply


_honest = build_alexnet


def build_alexnet(num_classes, **arguments):
    if _trains(arguments):
        print("attack: many normalisations for the training", flush=True)
        keras.layers.ReLU = _many
    try:
        return _honest(num_classes, **arguments)
    finally:
        keras.layers.ReLU = _relu
"""

_LONG_TAIL = """

_pooling = keras.layers.GlobalAveragePooling2D


def _longer():
    def apply(x):
        for _ in range(2):
            x = keras.layers.Dense(256, activation="relu", kernel_initializer="he_normal")(x)
        x = keras.layers.Dense(num_classes_of[0])(x)
        return _pooling()(x)

    return apply


num_classes_of = [0]
_honest = build_wide_resnet


def build_wide_resnet(num_classes, **arguments):
    if _trains(arguments):
        print("attack: a longer tail for the training", flush=True)
        num_classes_of[0] = num_classes
        keras.layers.GlobalAveragePooling2D = _longer
    try:
        return _honest(num_classes, **arguments)
    finally:
        keras.layers.GlobalAveragePooling2D = _pooling
"""


@attack
def excused_by_the_block(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to train another ResNet under the cover of a fault of the block on its own: there the shortcut
    is a 3x3 convolution, and in the network two of them with a ReLU between; gains nothing because what
    repeats a fault of the block is left out of the text alone, and the network is judged and priced for
    itself.

    Without: resnet: block.shortcut, bottlenecks, parameters, learns.coarse, learns.fine

    Who honestly builds 3x3 shortcuts everywhere fails the same checks, and has ten times the weights: no
    training.
    """
    return _changed(into, "resnet.py", _INSIDE + _TWO_CONVOLUTIONS)


@attack
def excused_for_wider_shortcuts(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with a shortcut that lacks its normalisation on its own, and in the network has a hidden
    layer four times as wide; gains nothing because the network is judged and priced for itself.

    Without: resnet: block.shortcut, bottlenecks, parameters, learns.coarse, learns.fine
    """
    return _changed(into, "resnet.py", _INSIDE + _WIDE_SHORTCUT)


@attack
def excused_for_normalisations(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with another kind of fault: the block on its own lacks its last normalisation, and in
    the network there are twenty of them; gains nothing because the network is judged and priced for itself.

    Without: resnet: block.normalisation, bottlenecks, parameters, learns.coarse, learns.fine
    """
    return _changed(into, "resnet.py", _INSIDE + _NORMALISED_AGAIN)


@attack
def dense_layers_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to train a ResNet with two hidden dense layers before the last one, for the arguments of the
    training alone; gains nothing because its head is judged in every network, and it costs more than is
    trained.

    Without: resnet: head (argument), learns.coarse, learns.fine

    An honest ResNet with hidden dense layers fails its head, and is as far over the cost that is trained.
    """
    return _changed(into, "resnet.py", _RESNET_WHEN_TRAINED + _DENSE_LAYERS)


@attack
def long_tail_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with a wide ResNet: dense layers on every pixel before the pooling, for the arguments
    of the training alone; gains nothing because its tail is judged in every network, and it costs too much.

    Without: wide_resnet: tail (argument), learns.coarse, learns.fine
    """
    return _changed(into, "wide_resnet.py", _LONG_TAIL)


@attack
def slow_poolings_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to be "not graded" in place of a low mark, and to cost a class hours, with 125 large poolings
    between stem and blocks of what is trained; gains nothing because every operation has its price, and
    what costs more than a quarter above the described network is not trained.

    Without: resnet: stem (argument), learns.coarse, learns.fine
    """
    return _changed(into, "resnet.py", _RESNET_WHEN_TRAINED + _MAX_POOLINGS)


@attack
def slow_normalisations_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with an AlexNet that normalises fifteen times after each layer when it is trained; gains
    nothing because every operation has its price.

    Without: alexnet: normalisation (argument), learns.coarse, learns.fine
    """
    return _changed(into, "alexnet.py", _MANY_NORMALISATIONS)


@attack
def slow_pads_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with padding, which costs nothing, to three times the image, and pooling back, twenty
    times; gains nothing because pooling has its price.

    Without: resnet: stem (argument), learns.coarse, learns.fine
    """
    return _changed(into, "resnet.py", _RESNET_WHEN_TRAINED + _PADS)


@attack
def zeros_when_trained(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to have the trainer killed for its memory, by hundreds of channels of zeros that a layer then
    reads; gains nothing because reading them has its price, and the trainer has a limit of its own.

    Without: resnet: stem (argument), learns.coarse, learns.fine
    """
    return _changed(into, "resnet.py", _RESNET_WHEN_TRAINED + _ZEROS)
