"""Tries to read the gradebook and to reach the network with TensorFlow's own file system, sockets and
servers, past Python; gains nothing because the sandbox limits the process and not the language.
"""

import json
import os

import keras
import tensorflow as tf

TARGETS = json.load(open(os.path.join(os.path.dirname(__file__), "targets.json")))
found = []
for path in [*TARGETS["files"], "/etc/shadow", "/proc/1/environ", f"http://127.0.0.1:{TARGETS['tcp']}/", "gs://x/y"]:
    try:
        found.append(tf.io.read_file(path).numpy()[:1000])
    except Exception as error:
        found.append(type(error).__name__.encode())
for folder in TARGETS["folders"]:
    try:
        found.append(str(tf.io.gfile.listdir(folder)).encode())
    except Exception as error:
        found.append(type(error).__name__.encode())
print("attack:", found, flush=True)
with open("/output/found", "wb") as file:
    file.write(b"".join(found))


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    raise ValueError(str(found))
