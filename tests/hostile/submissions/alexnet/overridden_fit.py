"""Tries a subclass of keras.Model whose fit, evaluate and predict report what it likes; gains nothing because
a class with code of its own has no blueprint, and the trainer's model has Keras's fit.
"""

import keras
import numpy as np


class Perfect(keras.Model):
    def call(self, x):
        return x

    def fit(self, *args, **kwargs):
        return {"accuracy": [1.0]}

    def evaluate(self, *args, **kwargs):
        return [0.0, 1.0]

    def predict(self, x, **kwargs):
        return np.eye(100)[np.zeros(len(x), int)]

    def get_config(self):
        return {"accuracy": 1.0}


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    print("attack: a model that fits itself", flush=True)
    return Perfect()
