"""The JSON files of reference/<profile>/: how they are read and written, and what is shown for a bad one."""

import json
from pathlib import Path
from typing import Protocol, Self, TypeVar

from pydantic import ValidationError

from grader.errors import ManifestError
from lab.files import write_atomically
from lab.strict import Strict, explained


class OfProfile(Protocol):
    """The content of a file that says which profile it belongs to."""

    @property
    def profile(self) -> str:
        """Its name."""
        ...

    @classmethod
    def model_validate_json(cls, json_data: bytes) -> Self:
        """As pydantic has it."""
        ...


Model = TypeVar("Model", bound=OfProfile)


def read(model: type[Model], path: Path, folder: Path) -> Model:
    """A file of a profile's folder; ManifestError names it and the fault."""
    try:
        content = model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}", fix=rerun(folder.name)) from error
    except ValidationError as error:
        raise ManifestError(f"{path}: {explained(error)}", fix=rerun(folder.name)) from error
    if content.profile != folder.name:
        raise ManifestError(f"{path} is of profile {content.profile}", fix=rerun(folder.name))
    return content


def write(path: Path, content: Strict) -> None:
    """Writes one, whole or not at all."""
    data = content.model_dump(mode="json")
    write_atomically(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def rerun(profile: str) -> str:
    """The command that measures a profile."""
    return f"Run: nox -s reference -- --profile {profile}"
