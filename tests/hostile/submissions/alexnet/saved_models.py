"""Tries to have the grader load a .keras file, an .h5 and a SavedModel with code in them, returned as paths
and left in the output; gains nothing because no saved model is ever opened (CVE-2024-3660, CVE-2025-1550,
CVE-2025-8747).
"""

import zipfile

import keras

CONFIG = """{"module": "keras.layers", "class_name": "Lambda", "config": {"function": {"class_name": "__lambda__",
"config": {"code": "evil"}}}, "build_config": {"module": "os", "class_name": "system"}, "compile_config": {}}"""


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    with zipfile.ZipFile("/output/model.keras", "w") as archive:
        archive.writestr("config.json", CONFIG)
        archive.writestr("metadata.json", '{"keras_version": "3.0.0"}')
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.save("/output/other.keras")
    print("attack: saved", flush=True)
    return "/output/model.keras" if num_classes % 2 else "https://example.org/model.keras"
