"""Tries to stand in for the libraries that the harness imports, with numpy.py, json.py, keras/, random.py and
others beside its file; gains nothing because a submission's folder comes last on the path, after all
libraries.
"""

print("attack: shadows are there", flush=True)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
