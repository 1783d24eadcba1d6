"""Reads params.yaml into typed objects, or says which line of it is wrong and how.

A profile is everything that decides what an accuracy means: which images, which recipe, how large the
networks are built. Changing any of it makes the profile's thresholds stale (see grader/thresholds).
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from grader.blueprint import Budget
from grader.errors import ManifestError, UsageError
from lab.strict import Strict, explained
from lab.training import Recipe

LabelSet = Literal["coarse", "fine"]
CLASSES: dict[LabelSet, int] = {"coarse": 20, "fine": 100}
DataSource = Literal["embedded", "cifar-100"]
Device = Literal["cpu", "gpu"]
Backend = Literal["tensorflow", "jax"]

# What a builder may be called with: data that can be written into params.yaml and into a digest.
Argument = bool | int | float | tuple[int, ...]

_PER_CLASS = Field(gt=0, multiple_of=CLASSES["fine"])  # a class-balanced prefix: as many of each fine class


class Profile(Strict):
    """One way to grade.

    Attributes:
        name: as on the command line.
        data: which data set.
        train: images trained on, the first so many of each class of the course set.
        hidden: images scored on, the first so many of each class of the hidden set.
        recipe: how every network is trained.
        builders: for each task that trains, what its builder is called with besides `num_classes`.
        budget: the most that a network may take to be trained: a few times what the solutions take.
        grading_seed: of the trainings that give marks; never one of the reference runs.
        extra_seeds: of the two trainings that are added where the first one came close to its threshold.
        reference_seeds: of the trainings of the solutions that set the thresholds.
        limit_seconds: of processor time (on a GPU, of the clock): the most that any training gets. Usually it
            gets twice what the described network's takes: see grader/grading/decide.py.
        device: what trains. A profile for a GPU never trains on anything else.
        backend: of Keras, with which it trains.
        checkpoints: whether a training keeps where it stands after each epoch, in .kit/checkpoints, and goes
            on from there when it was stopped: for those that take hours. It changes no result.
        validation: images scored on after each epoch of an observed training, the next so many of each class
            of the course set after those trained on.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    data: DataSource
    train: Annotated[int, _PER_CLASS]
    hidden: Annotated[int, _PER_CLASS]
    recipe: Recipe
    builders: dict[str, dict[str, Argument]] = Field(min_length=1)
    budget: Budget
    grading_seed: int = Field(ge=0)
    extra_seeds: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]
    reference_seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=5)
    limit_seconds: float = Field(gt=0)
    device: Device = "cpu"
    backend: Backend = "tensorflow"
    checkpoints: bool = False
    validation: Annotated[int, Field(ge=0, multiple_of=CLASSES["fine"])] = 0

    @model_validator(mode="after")
    def _consistent(self) -> "Profile":
        if len(set(self.reference_seeds)) != len(self.reference_seeds):
            raise ValueError("a seed is twice in reference_seeds")
        if self.grading_seed in self.reference_seeds:
            raise ValueError(f"grading_seed {self.grading_seed} is one of reference_seeds")
        if len({*self.extra_seeds, self.grading_seed}) != 3 or set(self.extra_seeds) & set(
            self.reference_seeds
        ):
            raise ValueError(
                "extra_seeds are two fresh ones, neither of them grading_seed or one of reference_seeds"
            )
        if self.recipe.batch > self.train:
            raise ValueError(
                f"recipe.batch is {self.recipe.batch}, but there are {self.train} images to train on"
            )
        return self

    @property
    def provisional(self) -> bool:
        """Whether marks of this profile are provisional whatever its thresholds: no real images."""
        return self.data == "embedded"


class StudyCell(Strict):
    """One training of the study: see grader/reference/study.

    Attributes:
        task: whose network, as the solution builds it with the profile's arguments.
        labels: what it learns to tell apart.
        recipe: fields that differ from the profile's, for a cell with settings of its own.
        goal: the accuracy on held-back images that it is to reach, 0 to 1; None if it has none.
    """

    task: str
    labels: LabelSet
    recipe: dict[str, Any] = Field(default_factory=dict)
    goal: float | None = Field(default=None, gt=0, lt=1)


class Params(Strict):
    """All of params.yaml.

    Attributes:
        pins: of the data sets that DVC tracks, as grader.training.job.pin gives them.
        profiles: by name.
        candidates: for some of them, what recipes were compared before one was chosen: by a name that says
            how it differs, the fields that differ. See grader/reference/candidates.py.
        study: the trainings of the profile `study`, by name, in the order in which they are started.
    """

    pins: dict[DataSource, str] = Field(default_factory=dict)
    profiles: dict[str, Profile] = Field(min_length=1)
    candidates: dict[str, dict[str, dict[str, Any]]] = Field(default_factory=dict)
    study: dict[Annotated[str, Field(pattern=r"^[a-z0-9-]+$")], StudyCell] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _name_profiles(cls, data: Any) -> Any:
        """A profile's name is its key; it is not written twice."""
        if not isinstance(data, dict) or not isinstance(data.get("profiles"), dict):
            return data
        named = {
            key: {**profile, "name": key} if isinstance(profile, dict) else profile
            for key, profile in data["profiles"].items()
        }
        return {**data, "profiles": named}

    def profile(self, name: str) -> Profile:
        """The profile of that name; UsageError names those there are."""
        if name not in self.profiles:
            raise UsageError(
                f"there is no profile {name!r}", fix=f"The profiles are: {', '.join(self.profiles)}"
            )
        return self.profiles[name]

    def of_cell(self, name: str, profile: str = "study") -> Profile:
        """The study's profile with a cell's own recipe; UsageError and ManifestError as of the others."""
        if name not in self.study:
            raise UsageError(f"the study has no cell {name!r}", fix=f"Its cells are: {', '.join(self.study)}")
        written = self.profile(profile).model_dump()
        changed = {**written, "recipe": {**written["recipe"], **self.study[name].recipe}}
        try:
            return Profile.model_validate(changed)
        except ValidationError as error:
            where = f"study.{name}"
            raise ManifestError(f"params.yaml: {explained(error, within=where)}") from error

    def candidates_of(self, name: str) -> dict[str, Profile]:
        """The profile as it is, and with each of its candidates' changes; ManifestError names a wrong one."""
        written = self.profile(name).model_dump()
        compared = {"as it is": self.profile(name)}
        for title, changes in self.candidates.get(name, {}).items():
            changed = {**written, **changes, "recipe": {**written["recipe"], **changes.get("recipe", {})}}
            try:
                compared[title] = Profile.model_validate(changed)
            except ValidationError as error:
                where = f"candidates.{name}.{title}"
                raise ManifestError(f"params.yaml: {explained(error, within=where)}") from error
        return compared


def load(path: Path) -> Params:
    """Reads params.yaml; ManifestError names the file, the place and the fault."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_NoDuplicates)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from error
    except yaml.YAMLError as error:
        raise ManifestError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    try:
        return Params.model_validate(data)
    except ValidationError as error:
        raise ManifestError(f"{path}: {explained(error)}") from error


class _NoDuplicates(yaml.SafeLoader):
    """YAML in which a key that is there twice is an error: PyYAML would keep the last one and say nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # refused below
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} is there twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)
