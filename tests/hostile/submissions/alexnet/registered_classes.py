"""Tries to have classes of its own found under Keras's names, through the registry of serialisable objects,
custom scopes and get_config; gains nothing because nothing is deserialised: a description has words, and
each word is ours to build.
"""

import keras


@keras.saving.register_keras_serializable(package="keras.layers", name="Dense")
class Dense(keras.layers.Dense):
    def call(self, x, training=None):
        return super().call(x) * 0 + 1

    def get_config(self):
        return {"module": "os", "class_name": "system", "config": "id"}

    @classmethod
    def from_config(cls, config):
        raise SystemExit("attack: deserialised")


keras.saving.get_custom_objects()["Dense"] = keras.saving.get_custom_objects()["ReLU"] = Dense
Dense.__module__, Dense.__qualname__ = "keras.src.layers.core.dense", "Dense"


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    print("attack: under another's name", flush=True)
    with keras.saving.custom_object_scope({"Dense": Dense}):
        return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), Dense(num_classes)])
