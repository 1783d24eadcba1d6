"""What the solutions reach under each profile: the stages of dvc.yaml, and `nox -s reference` that runs them.

    solutions.py   the networks that a solution builds, as data
    matrix.py      which trainings there are, which are stored, how long the rest will take
    stages.py      each stage of dvc.yaml as a function; `python -m grader.reference STAGE` calls it
    pipeline.py    `nox -s reference`: `dvc repro`, with a word on what it will do
    versions.py    what the stages depend on in place of sources: versions of code, guarded by fingerprints
    packages.py    and the versions of the packages that compute, from uv.lock

Everything is written to reference/<profile>/, in git. Trainings are kept in .kit/trainings as well, where
those of `grade` are: whatever ends a run, the next one goes on from there.
"""

WORKERS = "KIT_WORKERS"  # dvc.yaml names no number of workers: it belongs to the machine, not to the results
