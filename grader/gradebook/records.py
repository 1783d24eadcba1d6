"""What is recorded: the bodies of entries, each validated when it is written and when it is read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from grader.gradebook import chain
from grader.results.record import Run
from lab.strict import Strict

Kind = Literal["run", "submission", "mark", "fault", "override", "forgotten"]


class StudentId(Strict):
    """A student, as the platform knows them.

    Attributes:
        key: stable and unique in the class, on one line.
        name: as a person writes it; may be empty.
        ids: by what they are of, such as "canvas" or "email".
        section: may be empty.
    """

    key: str = Field(min_length=1)
    name: str = ""
    ids: Mapping[str, str] = Field(default_factory=dict)
    section: str = ""

    @property
    def shown(self) -> str:
        """The name, or else the key."""
        return self.name or self.key


class RunStarted(Strict):
    """A run began.

    Attributes:
        command: that repeats it.
        kit: the version of the grader.
        pins: of data and known results, by what they pin.
        new_seed: whether its seed is the class's from here on.
        course: the text of the course's own choices that were in force; empty for none.
        about: profile, data, engine, seed, versions.
    """

    event: Literal["started"] = "started"
    command: str
    kit: str
    pins: Mapping[str, str] = Field(default_factory=dict)
    new_seed: bool = False
    course: str = ""
    about: Run


class RunEnded(Strict):
    """A run ended; one that was killed has no such record. `how` is one line, such as "finished"."""

    event: Literal["ended"] = "ended"
    how: str


class Submitted(Strict):
    """One attempt of one student; a group has one such record for each member.

    Attributes:
        student: whose it is.
        name: the folder that results are filed under; the same for all members of a group.
        attempt: its number from 1; 0 for a student of the roster who handed in nothing.
        files: the digest over the files that were graded; empty if there are none.
        handed_in: as the platform has it, with its zone.
        late: as the platform has it; None if it does not say.
        source: the path that was graded, as the user named it.
        notes: what intake remarked.
        problem: why it cannot be graded; empty if it can.
    """

    student: StudentId
    name: str
    attempt: int = Field(ge=0)
    files: str = ""
    handed_in: datetime | None = None
    late: bool | None = None
    source: str = ""
    notes: tuple[str, ...] = ()
    problem: str = ""


class ContentKey(Strict):
    """All that a mark depends on: the same key, the same mark.

    Attributes:
        files: the digest over the files that were graded.
        seed: of the probe inputs.
        kit: the version of the grader.
        profile: its name.
        manifest: the digest over tasks, weights and rules.
        pins: of data and known results, by what they pin.
    """

    files: str
    seed: int
    kit: str
    profile: str
    manifest: str
    pins: Mapping[str, str] = Field(default_factory=dict)

    @property
    def digest(self) -> str:
        """64 hex digits."""
        return chain.digest("", "", "", self.model_dump(mode="json"))


class Marked(Strict):
    """A submission got a mark.

    Attributes:
        attempt: its number.
        key: what the mark depends on.
        points: earned and to be earned, by task.
        result: the whole SubmissionResult, as JSON; left out where only the above is read.
    """

    attempt: int
    key: ContentKey
    points: Mapping[str, tuple[float, float]]
    result: Mapping[str, Any] | None = None


class Faulted(Strict):
    """The machine failed on a submission; an earlier mark stays.

    Attributes:
        attempt: its number.
        files: the digest over its files.
        message: what failed.
        result: what was decided all the same, as JSON.
    """

    attempt: int
    files: str
    message: str
    result: Mapping[str, Any] | None = None


class Overridden(Strict):
    """A person changed the points of one task for one student; points None takes that back."""

    task: str
    points: float | None
    who: str
    why: str = Field(min_length=1)


class Forgotten(Strict):
    """The content of these entries was erased, for a student who left. It does not say who that was."""

    entries: tuple[int, ...]
    who: str
