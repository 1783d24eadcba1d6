"""Tries to bring terminal codes, markup and formulas into feedback by the names of layers; gains nothing
because names are shortened, stripped of what does not print, and dropped from the canonical form.
"""

import keras

NAMES = ["=cmd|'!A0", "<script>alert(1)</script>", "[bold red]100[/]", "\x1b[2J\x1b]0;x\x07", "\u202e001", "x" * 5000]


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    print("attack: odd names", flush=True)
    inputs = keras.Input(input_shape, name="".join(NAMES).replace("/", ""))
    x = inputs
    for name in NAMES:
        layer = keras.layers.Softmax(axis=1, name="plain" if "/" in name else name)
        layer.name = name
        x = layer(x)
    return keras.Model(inputs, x, name=NAMES[num_classes % len(NAMES)].replace("/", ""))
