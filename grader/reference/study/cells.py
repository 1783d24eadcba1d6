"""The study's trainings: which there are, and how they are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from grader import blueprint
from grader.config.profiles import Profile, StudyCell
from grader.errors import UsageError
from grader.reference import matrix, solutions
from grader.session import Session
from grader.training import pool, progress
from grader.training.job import Job, Result
from grader.training.job import pin as pin_of

PROFILE = "study"


@dataclass(frozen=True)
class Cell:
    """One training of the study.

    Attributes:
        name: in params.yaml.
        asked: what stands there.
        profile: the study's, with the cell's own recipe.
        arguments: what the builder was called with besides `num_classes`.
        job: the training.
    """

    name: str
    asked: StudyCell
    profile: Profile
    arguments: Mapping[str, object]
    job: Job


def cells(session: Session, names: Sequence[str] = ()) -> list[Cell]:
    """Those of these names, or all; their networks are read from reference/study/networks/.

    Raises:
        UsageError: there is no such cell, or the profile is another.
        ManifestError: a network was not described yet, or params.yaml is wrong.
    """
    params = session.params
    if session.profile.name != PROFILE or not params.study:
        raise UsageError(f"profile {session.profile.name} has no cells", fix=f"Use: --profile {PROFILE}")
    pin = pin_of(session.profile.data, session.root, scored_on="validation")
    made = []
    for name in names or params.study:
        profile = params.of_cell(name)
        asked = params.study[name]
        described = solutions.load(session.reference, asked.task)
        (network,) = (one.network for one in described.networks if one.labels == asked.labels)
        job = Job.of(
            blueprint.read(network, profile.budget),
            asked.labels,
            profile.grading_seed,
            profile,
            pin,
            session.executor.backend,
            scored_on="validation",
        )
        made.append(Cell(name, asked, profile, described.arguments, job))
    return made


def train(
    wanted: Sequence[Cell], session: Session, *, workers: int, console: Console, store: Path
) -> dict[str, Result]:
    """Trains what is not stored, so many side by side, a thread each; the results by cell.

    Raises:
        GraderFault: some could not be done; the others are kept, and so are the epochs of these.
    """
    names = {cell.job.digest: cell.name for cell in wanted}
    with progress.Display(console, 0, names) as display:
        outcomes = pool.run(
            [cell.job for cell in wanted],
            executor=session.executor,
            store=store,
            workers=workers,
            listener=display,
            checkpoints=matrix.checkpoints(session.profile, store),
        )
    trained = matrix.all_trained(outcomes, names)
    return {cell.name: trained[cell.job.digest] for cell in wanted}
