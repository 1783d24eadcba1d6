"""Tries to hand in results along with its work: evidence.json, results.json, marks.csv, trainings,
thresholds, arrays; gains nothing because results are written by the grader, in its own folder, from what
it judged.
"""

import os
import shutil

for name in os.listdir(os.path.dirname(__file__)):
    if name.endswith((".json", ".csv", ".npy")):
        try:
            shutil.copy(os.path.join(os.path.dirname(__file__), name), f"/output/{name}")
        except OSError:
            pass
print("attack: results are handed in", flush=True)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
