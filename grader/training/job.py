"""What a training is: all that can change its result, as data; and what came of it.

    job = Job.of(network, "coarse", seed, profile, pin(profile.data), executor.backend)
    job.digest                      # results are filed under it (store.py)

A job is handed to a process or a container as JSON (child.py), and its result comes back as JSON.
"""

import hashlib
import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from grader.blueprint import Blueprint, Budget
from grader.config.profiles import DataSource, LabelSet, Profile
from grader.errors import ManifestError, TrainerFault
from lab import data, synthetic, training
from lab.strict import Strict

ROOT = Path(__file__).resolve().parents[2]

# Of the processor, before a child trains: libraries and data take 8, more on slow machines.
START_SECONDS = 30.0

# Which images a trained network is scored on: the hidden set, or images of the course set that it has not
# seen. The second needs no hidden set, so that students can do it.
ScoredOn = Literal["hidden", "validation"]


# In JSON, and so in digests, a backend is called `engine`: so it was when the first results were filed.
ALIASED = ConfigDict(validate_by_name=True, serialize_by_alias=True)


class Conditions(Strict):
    """What all trainings of a profile have in common: accuracies compare only where these are equal.

    Attributes:
        recipe: how to train.
        data: which data set.
        pin: the digest of its files.
        train: images trained on, a class-balanced prefix of the course set.
        hidden: images scored on, a class-balanced prefix of the hidden set; 0 for jobs that are scored on
            validation images.
        backend: the libraries that compute, with their versions, and the kind of device; `engine` in JSON.
        code: lab.training.VERSION.
    """

    model_config = ALIASED

    recipe: training.Recipe
    data: DataSource
    pin: str
    train: int
    hidden: int
    backend: str = Field(validation_alias="engine", serialization_alias="engine")
    code: int

    @classmethod
    def of(cls, profile: Profile, pin: str, backend: str, *, scored_on: ScoredOn = "hidden") -> "Conditions":
        """Those under which a profile trains on the data of that pin with an executor's backend."""
        return cls(
            recipe=profile.recipe,
            data=profile.data,
            pin=pin,
            train=profile.train,
            hidden=profile.hidden if scored_on == "hidden" else 0,
            backend=backend,
            code=training.VERSION,
        )


class Job(Strict):
    """One training. Equal digests mean equal results.

    Attributes:
        blueprint: the canonical form of the network; it is rebuilt from this.
        labels: what it learns to tell apart.
        seed: of everything that is drawn.
        conditions: all the rest that can change the result.
        observe: whether the result is to have an observation; what else is in it stays the same.
        validation: how many images, the next ones of the course set after those trained on, an observed
            training is scored on after each epoch, and one that is scored on validation images at its end.
        scored_on: which images the result's accuracy is of; no hidden set is read for validation images.
        budget: what the network may take at most; no part of the digest.
        limit_seconds: of the processor, after which the training is killed; no part of the digest. On a GPU,
            and where a system does not tell processor time, of the wall clock.
    """

    blueprint: dict[str, Any]
    labels: LabelSet
    seed: int
    conditions: Conditions
    observe: bool = False
    validation: int = 0
    scored_on: ScoredOn = "hidden"
    budget: Budget
    limit_seconds: float

    @model_validator(mode="after")
    def _consistent(self) -> "Job":
        if self.scored_on == "validation" and not self.validation:
            raise ValueError("a job that is scored on validation images has none")
        return self

    @classmethod
    def of(
        cls,
        blueprint: Blueprint,
        labels: LabelSet,
        seed: int,
        profile: Profile,
        pin: str,
        backend: str,
        *,
        observe: bool = False,
        scored_on: ScoredOn = "hidden",
    ) -> "Job":
        """The training of a network under a profile, on the data of that pin, by an executor's backend.

        Args:
            pin: as `pin` gives it for the profile's data and the same `scored_on`.

        Raises:
            ManifestError: it is to be scored on validation images, and the profile has none.
        """
        if scored_on == "validation" and not profile.validation:
            raise ManifestError(f"params.yaml: profiles.{profile.name}.validation: no images to score on")
        return cls(
            blueprint=blueprint.canonical,
            labels=labels,
            seed=seed,
            conditions=Conditions.of(profile, pin, backend, scored_on=scored_on),
            observe=observe,
            validation=profile.validation if observe or scored_on == "validation" else 0,
            scored_on=scored_on,
            budget=profile.budget,
            limit_seconds=profile.limit_seconds,
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that can change the result, hexadecimal."""
        content = self.model_dump(mode="json", exclude={"budget", "limit_seconds"})
        if self.scored_on == "hidden":
            del content["scored_on"]  # results from before there was a choice keep their digests
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Observation(Strict):
    """What an observed training tells besides: see lab.training.Training.

    Attributes:
        validation_accuracy: after each epoch; empty if the profile has no validation images.
        validation_loss: likewise; None where the loss ran away.
        predictions: a class index for each image scored on, as base64 of uint8; empty if the loss ran away.
    """

    validation_accuracy: tuple[float, ...]
    validation_loss: tuple[float | None, ...]
    predictions: str


class Result(Strict):
    """What came of a job.

    Attributes:
        digest: the job's.
        accuracy: on the images it was scored on, 0 to 1; chance if the loss ran away.
        loss: cross-entropy on them; None if the loss ran away.
        train_accuracy: for each epoch.
        train_loss: likewise; None where it ran away.
        parameters: of the network.
        seconds: of the training, without the start of the process.
        cpu_seconds: of the processor in that time, all threads together.
        observed: if the job asked for it.
        labels, seed, pin, backend: the job's, for the record; the backend is `engine` in JSON.
        versions: of the libraries.
        machine: processor and system, for the record: the last digits of an accuracy depend on them.
    """

    model_config = ALIASED

    digest: str
    accuracy: float = Field(ge=0, le=1)
    loss: float | None
    train_accuracy: tuple[float, ...]
    train_loss: tuple[float | None, ...]
    parameters: int
    seconds: float
    cpu_seconds: float
    observed: Observation | None = None
    labels: LabelSet
    seed: int
    pin: str
    backend: str = Field(validation_alias="engine", serialization_alias="engine")
    versions: dict[str, str]
    machine: str

    @property
    def spent(self) -> float:
        """Seconds of that which a limit is in: of the processor, or of the clock where a GPU computes."""
        return self.seconds if self.backend.endswith(" gpu") else self.cpu_seconds


class Overrun(TrainerFault):
    """A training passed a limit and was stopped. It is the machine's fault until more is known.

    Attributes:
        what: which limit it was.
        given: that limit, in seconds or bytes.
        described: the seconds that a training of the described network took under its limits, once it has
            shown that they are enough: then the network is at fault. None as long as nobody knows.
    """

    def __init__(self, what: Literal["time", "memory"], given: float, described: float | None = None) -> None:
        took = (
            f"longer than {given:.0f} s"
            if what == "time"
            else f"more than {given / 1024**3:.1f} GiB of memory"
        )
        super().__init__(f"a training took {took} and was stopped")
        self.what, self.given, self.described = what, given, described


Outcome = Result | TrainerFault


@dataclass(frozen=True)
class Step:
    """How far a training is. A child prints one as a line of JSON.

    Attributes:
        epoch: counted from 0.
        step: of `steps`, all epochs counted.
        accuracy: on this epoch's training images so far.
        seconds_left: at the pace so far.
    """

    epoch: int
    step: int
    steps: int
    accuracy: float
    seconds_left: float


def limit_seconds(described_seconds: float, most: float = math.inf) -> float:
    """What a training is given: twice what the described network's takes, besides the start."""
    return min(most, START_SECONDS + 2 * described_seconds)


def pin(source: DataSource, root: Path = ROOT, *, scored_on: ScoredOn = "hidden") -> str:
    """What stands for every byte of the data that a job needs; the embedded set is drawn for it (2 s).

    Args:
        source: which data set.
        root: the checkout.
        scored_on: for validation images that is the course set alone, and the hidden one need not be there.
    """
    if source == "embedded":
        course = synthetic.embedded_course().pin
        return course if scored_on == "validation" else f"{course}+{synthetic.embedded_hidden().pin}"
    course = data.course_pin(root).pin
    return course if scored_on == "validation" else f"{course}+{data.hidden_pin(root).pin}"
