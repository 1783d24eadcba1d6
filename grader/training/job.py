"""What a training is: all that can change its result, as data; and what came of it.

    job = Job.of(network, "coarse", seed, profile, pin(profile.data), executor.backend)
    job.digest                      # results are filed under it (store.py)

A job is handed to a process or a container as JSON (child.py), and its result comes back as JSON.
"""

import base64
import hashlib
import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

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


# Of what a digest is made from. Another version files every training anew: raise it when the meaning of a
# field changes, and not for a new field, which is left out of a digest where it is at its default.
DIGEST_VERSION = 2


class Conditions(Strict):
    """What all trainings of a profile have in common: results compare only where these are equal.

    Attributes:
        recipe: how to train.
        data: which data set.
        pin: the digest of its files.
        train: images trained on, a class-balanced prefix of the course set.
        hidden: images scored on, a class-balanced prefix of the hidden set; 0 for jobs that are scored on
            validation images.
        validation: images scored on after each epoch, the next ones of the course set after those trained on.
        backend: the libraries that compute, with their versions, and the kind of device.
        code: lab.training.VERSION.
    """

    recipe: training.Recipe
    data: DataSource
    pin: str
    train: int
    hidden: int
    validation: int = 0
    backend: str
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
            validation=profile.validation,
            backend=backend,
            code=training.VERSION,
        )


class Job(Strict):
    """One training. Equal digests mean equal results.

    Attributes:
        blueprint: the canonical form of the network's training form; it is rebuilt from this.
        labels: what it learns to tell apart.
        seed: of everything that is drawn.
        conditions: all the rest that can change the result.
        scored_on: which images the result's accuracy is of; no hidden set is read for validation images.
        prepared: the digest of the arrays that it trains on and is scored on in place of any data set, as
            `prepare` of a submission handed them over (handed.py); then nothing is read of the data that the
            conditions name. Empty for every other job.
        arrays: the file that has them; no part of the digest.
        checkpoint: the file in which it keeps where it stands after each epoch, and from which it goes on;
            empty to keep none. Whether it does changes no result: no part of the digest.
        budget: what the network may take at most; no part of the digest.
        limit_seconds: of the processor, after which the training is killed; no part of the digest. On a GPU,
            and where a system does not tell processor time, of the wall clock.
    """

    blueprint: dict[str, Any]
    labels: LabelSet
    seed: int
    conditions: Conditions
    scored_on: ScoredOn = "hidden"
    prepared: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    arrays: str = ""
    checkpoint: str = ""
    budget: Budget
    limit_seconds: float

    @model_validator(mode="after")
    def _consistent(self) -> "Job":
        if self.scored_on == "validation" and not self.conditions.validation:
            raise ValueError("a job that is scored on validation images has none")
        return self

    @classmethod
    def of(
        cls,
        network: Blueprint,
        labels: LabelSet,
        seed: int,
        profile: Profile,
        pin: str,
        backend: str,
        *,
        scored_on: ScoredOn = "hidden",
        prepared: str = "",
        arrays: Path | None = None,
    ) -> "Job":
        """The training of a network under a profile, on the data of that pin, by an executor's backend.

        Args:
            network: what is trained: a training form (grader.blueprint.training_form), where it is a
                submission's or a solution's.
            pin: as `pin` gives it for the profile's data and the same `scored_on`.
            prepared, arrays: see the class.

        Raises:
            ManifestError: it is to be scored on validation images, and the profile has none.
        """
        if scored_on == "validation" and not profile.validation:
            raise ManifestError(f"params.yaml: profiles.{profile.name}.validation: no images to score on")
        return cls(
            blueprint=network.canonical,
            labels=labels,
            seed=seed,
            conditions=Conditions.of(profile, pin, backend, scored_on=scored_on),
            scored_on=scored_on,
            prepared=prepared,
            arrays=str(arrays or ""),
            budget=profile.budget,
            limit_seconds=profile.limit_seconds,
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that can change the result, hexadecimal.

        Fields at their defaults are left out, those of the conditions and of the recipe too: so a new field
        whose default means that nothing is different leaves every result where it is filed.
        """
        content = self.model_dump(
            mode="json", exclude={"budget", "limit_seconds", "arrays", "checkpoint"}, exclude_defaults=True
        )
        return _sha256({"version": DIGEST_VERSION, **content})


class Result(Strict):
    """What came of a job; made by `sealed`. Nothing in it is of single hidden images or their labels.

    Attributes:
        digest: the job's.
        accuracy: on the images it was scored on, 0 to 1; chance if the loss ran away.
        loss: cross-entropy on them; None if the loss ran away.
        train_accuracy: for each epoch.
        train_loss: likewise; None where it ran away.
        validation_accuracy: on the validation images after each epoch; empty where the job has none.
        validation_loss: likewise; None where the loss ran away.
        validation_predictions: what the trained network said of each validation image, a class index each,
            as base64 of uint8; empty where the job has none, or the loss ran away.
        parameters: of the network.
        seconds: of the training, without the start of the process.
        cpu_seconds: of the processor in that time, all threads together.
        labels, seed, pin, backend: the job's, for the record.
        versions: of the libraries.
        machine: processor and system, for the record: the last digits of an accuracy depend on them.
        when: the day on which it was trained, UTC, such as 2026-11-27.
        content: SHA-256 of everything else, so that a file that was damaged or edited is none.
    """

    digest: str
    accuracy: float = Field(ge=0, le=1)
    loss: float | None
    train_accuracy: tuple[float, ...]
    train_loss: tuple[float | None, ...]
    validation_accuracy: tuple[float, ...]
    validation_loss: tuple[float | None, ...]
    validation_predictions: str
    parameters: int
    seconds: float
    cpu_seconds: float
    labels: LabelSet
    seed: int
    pin: str
    backend: str
    versions: dict[str, str]
    machine: str
    when: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    content: str

    @classmethod
    def sealed(cls, **fields: Any) -> Self:
        """One of these fields, with the digest of its content."""
        made = cls(**fields, content="")
        return cls(**fields, content=made._digest_of_content())

    @property
    def intact(self) -> bool:
        """Whether it is as it was when it was sealed."""
        return self.content == self._digest_of_content()

    @property
    def predictions(self) -> npt.NDArray[np.uint8]:
        """What it said of each validation image, uint8 (validation,); empty if that is not known."""
        return np.frombuffer(base64.b64decode(self.validation_predictions), np.uint8)

    @property
    def spent(self) -> float:
        """Seconds of that which a limit is in: of the processor, or of the clock where a GPU computes."""
        return self.seconds if self.backend.endswith(" gpu") else self.cpu_seconds

    @property
    def where(self) -> str:
        """The processor that trained it and the day, such as `AMD EPYC 9B14, 2026-11-27`."""
        processor = self.machine.partition(",")[0].replace("(R)", "").replace("(TM)", "")
        return f"{' '.join(processor.split()) or 'a machine without a name'}, {self.when}"

    def _digest_of_content(self) -> str:
        # Without defaults, as a job's: a new field must not make all that is stored look damaged.
        return _sha256(self.model_dump(mode="json", exclude={"content"}, exclude_defaults=True))


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


def beside(folder: Path, job: Job) -> Path:
    """Where a job finds what it trains on, that is no data set: in the folder that its own file is in."""
    return folder / f"{job.prepared}.npz"


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


def _sha256(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
