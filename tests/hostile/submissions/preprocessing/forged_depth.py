"""Tries to overflow the reader's stack with evidence that is nested a million times; gains nothing because
the depth is counted before anything is parsed.
"""

import os

with open("/output/evidence.json", "w") as file:
    file.write('{"calls":' * 100_000 + "[" * 1_000_000)
print("attack: nested", flush=True)
os._exit(0)
