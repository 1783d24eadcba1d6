"""What intake speaks of: sources, students, attempts, what was handed in, a class. Data, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Part:
    """A file, archive or folder that is one part of a submission.

    Attributes:
        path: where it lies.
        under: its name in the submission, with `/` between folders; empty for a folder whose files belong
            at the submission's top.
    """

    path: Path
    under: str = ""


@dataclass(frozen=True)
class Source:
    """One submission as it was handed in.

    Attributes:
        name: what it is shown and filed under.
        path: a folder or an archive; where there are parts, the folder that they lie in.
        named: whether somebody named this very path: it may then be a link. An entry of a class may not.
        parts: what it consists of, where that is not all of `path`: platforms put many students' files into
            one folder.
    """

    name: str
    path: Path
    named: bool = True
    parts: tuple[Part, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every path that belongs to it."""
        return tuple(part.path for part in self.parts) or (self.path,)


@dataclass(frozen=True)
class Submission:
    """One submission, taken in.

    Attributes:
        name: for tables and file names: one plain line.
        folder: a copy with the task files at its top, regular files only.
        notes: what was tidied or left behind, each a sentence for its author.
        missing: for each task file that is not there, a sentence that says so.
    """

    name: str
    folder: Path
    notes: tuple[str, ...]
    missing: dict[str, str]


@dataclass(frozen=True)
class Student:
    """Somebody of the class.

    Attributes:
        key: stable and unique in a class, one plain line: the platform's own id or login, else the
            folder's name, with its section before it.
        name: as a person writes it; empty where neither platform nor roster says.
        ids: by what they are: "canvas", "moodle", "brightspace", "sid", "sis", "email", "login".
        section: the name of the folder or the roster's; may be empty.
    """

    key: str
    name: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)
    section: str = ""


@dataclass(frozen=True)
class Attempt:
    """One of the times that somebody handed in.

    Attributes:
        number: from 1, in order of time.
        source: its files.
        handed_in: as the platform says; without a time zone where it names none; None where it says nothing.
        late: as the platform says; None where it says nothing.
    """

    number: int
    source: Source
    handed_in: datetime | None = None
    late: bool | None = None


@dataclass(frozen=True)
class HandedIn:
    """What a student or a group handed in.

    Attributes:
        name: distinct in a class and safe as a folder's name on every system: results are filed under it.
        students: one, or the members of a group.
        attempts: in order; the last is graded unless the course says otherwise. None only with a problem.
        notes: how it was read, where that was not plain; each a sentence.
        problem: why nothing of it can be graded; empty if it may be.
    """

    name: str
    students: tuple[Student, ...]
    attempts: tuple[Attempt, ...]
    notes: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Class:
    """All that was handed in, and by whom.

    Attributes:
        layout: "canvas", "moodle", "gradescope", "blackboard", "brightspace", "repositories", "sections",
            "folders" or "single"; "several" where the given paths differ.
        said: how it was read, in one line: "Canvas download: 8 students, 9 files, 1 late".
        handed_in: one for each student or group, in order of name within each path.
        left_out: what belongs to nobody; each a sentence that begins with the path.
        absent: of the roster, who handed in nothing.
    """

    layout: str
    said: str
    handed_in: tuple[HandedIn, ...]
    left_out: tuple[str, ...] = ()
    absent: tuple[Student, ...] = ()
