"""Tries to make the judge follow every path through eighty additions, 2^80 of them; gains nothing because
every node is visited once, and a network whose paths share nodes is refused.
"""

import keras


def _tangled(x):
    one = keras.layers.Conv2D(x.shape[-1], 1)(x)
    two = keras.layers.Conv2D(x.shape[-1], 1)(one)
    for _ in range(80):
        one, two = two, keras.layers.Add()([one, two])
    return two


def bottleneck_block(x, filters, *, stride=1):
    print("attack: tangling", flush=True)
    return _tangled(x)


def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, _tangled(inputs))
