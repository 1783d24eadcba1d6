"""Measures what a right `prepare` comes to: reference/<profile>/prepared.json.

The solution's `prepare` is called as a submission's is (grader/grading/handing.py), under each reference
seed, and the reference network is trained on what it hands over, under the same seed.
"""

from pathlib import Path

from grader import scratch
from grader.blueprint import training_form
from grader.config.profiles import CLASSES
from grader.errors import ManifestError
from grader.grading import handing, to_train
from grader.results.verdict import Verdict
from grader.session import Session
from grader.slots import Slots
from grader.thresholds.prepared import TASK, PreparedRuns, of_runs, save_prepared
from grader.training.job import Conditions, Job, Result
from grader.training.pool import Listener, Pool


def measure(session: Session, listener: Listener) -> PreparedRuns:
    """Trains what is not stored, one after another, and writes the file.

    Raises:
        ManifestError: the solution hands over nothing that can be trained on, or no threshold follows.
        TrainerFault: a training could not be done.
    """
    profile, backend = session.profile, session.executor.backend
    task = session.manifest.task(TASK)
    network = to_train.reference_network(CLASSES["coarse"], profile.builders)
    network = training_form(network, profile.budget).network
    runs: list[Result] = []
    with (
        scratch.Folder("prepared") as folder,
        Pool(session.executor, session.store, slots=Slots(1), listener=listener) as pool,
    ):
        given = handing.Given.of(session.course, profile.train, Path(folder))
        for seed in (profile.grading_seed, *profile.reference_seeds):
            handed = handing.hand_over(
                session.engine, task, session.root / "solutions", given, seed=seed, least=profile.recipe.batch
            )
            if isinstance(handed, Verdict):
                raise ManifestError(f"the solution's prepare cannot be trained on: {handed.message}")
            arrays = handed.save(Path(folder))
            job = Job.of(
                network,
                "coarse",
                seed,
                profile,
                session.pin,
                backend,
                prepared=handed.digest,
                arrays=arrays,
            )
            outcome = pool.submit(job).result()
            arrays.unlink()
            if not isinstance(outcome, Result):
                raise outcome
            runs.append(outcome)
    found = PreparedRuns(
        profile=profile.name,
        conditions=Conditions.of(profile, session.pin, backend),
        builder=profile.builders.get(to_train.REFERENCE, {}),
        grading_seed=profile.grading_seed,
        given=len(given.images),
        blueprint=network.digest,
        threshold=of_runs(runs, profile.grading_seed, network.digest),
        runs=tuple(runs),
    )
    save_prepared(found, session.reference)
    return found
