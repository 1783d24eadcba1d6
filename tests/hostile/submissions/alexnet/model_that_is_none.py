"""Tries to pass an object off as a keras.Model by a __class__ that lies and attributes that agree; gains
nothing because types are compared, and a description has to hold on the other side.
"""

import keras


class Actor:
    built, name, inputs, outputs = True, "model", [], []

    @property
    def __class__(self):
        print("attack: asked for its class", flush=True)
        return keras.Sequential

    def __getattr__(self, name):
        return lambda *args, **kwargs: self


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    print("attack: acting", flush=True)
    return Actor()
