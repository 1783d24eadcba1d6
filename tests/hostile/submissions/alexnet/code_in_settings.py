"""Tries to bring code along in settings of built-in layers: activations, constraints, regularisers,
initialisers, dtype policies, low-rank updates, quantisation; gains nothing because a setting is a word or
a number, or is refused.
"""

import itertools

import keras
import numpy as np

count = itertools.count()


def _model(input_shape, num_classes, **settings):
    layers = [keras.Input(input_shape), keras.layers.Flatten(), keras.layers.Dense(num_classes, **settings)]
    return keras.Sequential(layers)


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    number = next(count) % 7
    print("attack: code in setting", number, flush=True)
    if number == 0:
        return _model(input_shape, num_classes, activation=lambda x: x * 0)
    if number == 1:
        return _model(input_shape, num_classes, kernel_regularizer=lambda w: 0.0, activity_regularizer="l2")
    if number == 2:
        return _model(input_shape, num_classes, bias_initializer=lambda shape, dtype=None: np.ones(shape))
    if number == 3:
        return _model(input_shape, num_classes, dtype="float16")
    model = _model(input_shape, num_classes)
    if number == 4:
        model.layers[-1].enable_lora(2)
    if number == 5:
        model.layers[-1].quantize("int8")
    if number == 6:
        model.layers[-1].kernel_initializer = keras.initializers.Constant(np.ones((3, 3)))
        model.layers[-1].call = lambda x: x
    return model
