"""Tries to be picked up as configuration: conftest.py, sitecustomize.py, a .pth, pytest.ini, pyproject.toml,
noxfile.py, .env, tasks.toml, judge.py; gains nothing because a submission's files are read by the harness
alone, and by name.
"""

print("attack: planted", flush=True)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
