"""Results of trainings, one file each, named after the job's digest."""

import errno
import os
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from grader.training.job import Job, Result
from lab.files import write_atomically


def find(job: Job, folder: Path) -> Result | None:
    """The job's result if the folder has it; one that cannot be read, or was edited, is as good as none."""
    try:
        result = Result.model_validate_json(_path(job, folder).read_bytes())
    except (OSError, ValidationError):
        return None
    return result if result.digest == job.digest and result.intact else None


def keep(job: Job, result: Result, folder: Path) -> None:
    """Files a job's result, in place of what was there; OSError if it cannot be written."""
    write_atomically(_path(job, folder), result.model_dump_json(indent=1) + "\n")


def seconds(folder: Path, pin: str, most: int = 50) -> list[float]:
    """What the trainings on some data took, by the clock, that were filed last; may be empty."""
    found = []
    with suppress(OSError):
        for path in sorted(folder.glob("*.json"), key=lambda path: -path.stat().st_mtime_ns)[:most]:
            with suppress(OSError, ValidationError):
                result = Result.model_validate_json(path.read_bytes())
                if result.pin == pin:
                    found.append(result.seconds)
    return found


def prepare(folder: Path) -> None:
    """Makes the folder if need be; OSError if that is not possible, or nothing can be written there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise OSError(errno.EACCES, "it cannot be written to", str(folder))


def _path(job: Job, folder: Path) -> Path:
    return folder / f"{job.digest}.json"
