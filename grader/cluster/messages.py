"""What is asked of a worker and what it answers: bytes, read by strict models on both ends.

    data = probe_request(program)                  # the grader's end
    request, files = read_probe_request(data)            # the worker's

No message holds hidden images or labels, nor what was made of them: of the grader's own files only those
travel that a sandbox may see, and what lies in the checkout is named and not sent.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from grader.cluster.bundle import Files, Message, opened, packed, single, tree
from grader.errors import MessageRefused
from grader.sandbox.base import MIB, End, Limits, Outcome, Program
from grader.training.job import Job, Overrun, Result
from grader.training.job import Outcome as Trained
from lab.strict import Strict

REQUEST_BYTES = 80 * MIB  # of files: a submission has 64 MiB at most (grader/intake/bounds.py)
REPLY_BYTES = 32 * MIB  # of files: evidence has a few; what is larger is made where it is read
SENT_BYTES = MIB  # of one file that is sent beside it
CHECKOUT = Path(__file__).resolve().parents[2]
SUBMISSION, READABLE, OUTPUT = "submission", "readable", "output"
# What a sandbox may see of the grader, and nothing else of the checkout.
_OWN = re.compile(r"grader/(sandbox/guest|tasks/[a-z0-9_]+/probe\.py)")
_Text = Annotated[str, Field(max_length=4096)]


class _Limits(Strict):
    """As of grader.sandbox.Limits; never more than a probe has by default."""

    wall_seconds: float = Field(gt=0, le=Limits.wall_seconds)
    cpu_seconds: float = Field(gt=0, le=Limits.cpu_seconds)
    cores: float = Field(gt=0, le=Limits.cores)
    memory_bytes: int = Field(gt=0, le=Limits.memory_bytes)
    processes: int = Field(gt=0, le=Limits.processes)
    file_bytes: int = Field(gt=0, le=Limits.file_bytes)
    output_bytes: int = Field(gt=0, le=Limits.output_bytes)
    printed_bytes: int = Field(gt=0, le=Limits.printed_bytes)


class ProbeRequest(Message):
    """A program that is to run in a worker's sandbox.

    Attributes:
        arguments: as of Program.
        own: for paths inside, which file or folder of its own checkout the worker shows there.
        sent: for paths inside, the name of the file that comes with the message.
        limits: as of Program.
        alone: whether nothing else may run on the worker meanwhile.
    """

    kind: Literal["probe"] = "probe"
    arguments: tuple[_Text, ...] = Field(max_length=100)
    own: dict[_Text, _Text] = Field(max_length=10)
    sent: dict[_Text, _Text] = Field(max_length=10)
    limits: _Limits
    alone: bool = False

    @model_validator(mode="after")
    def _of_the_guest(self) -> "ProbeRequest":
        for path in self.own.values():
            if not _OWN.fullmatch(path):
                raise ValueError("a file of the checkout that no sandbox may see")
        for inside in (*self.own, *self.sent):
            if not re.fullmatch(r"/kit(/[A-Za-z0-9_.-]+)+", inside) or ".." in inside:
                raise ValueError("a path inside that is not below /kit")
        return self


class ProbeReply(Message):
    """How it ended; its output folder comes with it. The fields are those of grader.sandbox.Outcome.

    Attributes:
        fault: why there is nothing else; empty if there is.
        large: whether it left more than a message takes: then nothing comes with it.
    """

    kind: Literal["probed"] = "probed"
    large: bool = False
    fault: str = Field(default="", max_length=2000)
    end: End | None = None
    exit_code: int = 0
    seconds: float = Field(default=0.0, ge=0)
    peak_memory_bytes: int | None = None
    printed: str = Field(default="", max_length=Limits.printed_bytes)
    cpu_seconds: float | None = None


class TrainRequest(Message):
    """A training.

    Attributes:
        digest: of the job.
        job: what is trained; never one on arrays that a submission's `prepare` handed over.
        alone, afresh: as of Pool.submit.
    """

    kind: Literal["train"] = "train"
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    job: Job
    alone: bool = False
    afresh: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> "TrainRequest":
        if self.job.prepared or self.job.arrays:
            raise ValueError("a job on arrays, which stay where they are")
        if self.job.digest != self.digest:
            raise ValueError("a job that is not the digest's")
        return self


class _Overrun(Strict):
    what: Literal["time", "memory"]
    given: float = Field(gt=0)


class TrainReply(Message):
    """What came of it: one of the three."""

    kind: Literal["trained"] = "trained"
    result: Result | None = None
    overrun: _Overrun | None = None
    fault: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _one(self) -> "TrainReply":
        if sum((self.result is not None, self.overrun is not None, bool(self.fault))) != 1:
            raise ValueError("an answer has a result, an overrun or a fault")
        return self


# --- probes -----------------------------------------------------------------------------------------------


def travels(program: Program, root: Path) -> bool:
    """Whether a program may run elsewhere: not with files of a checkout that no other sandbox may see.

    Images that `prepare` is given lie there, in .kit.
    """
    return all(
        _own(path) or not any(path.resolve().is_relative_to(one) for one in (root.resolve(), CHECKOUT))
        for path in program.readable.values()
    )


def probe_request(program: Program, *, alone: bool = False) -> bytes:
    """A program as bytes.

    Args:
        program: one that `travels`.
        alone: see ProbeRequest.

    Raises:
        MessageRefused: it is larger than may be sent.
    """
    files = tree(program.submission, SUBMISSION, most_bytes=REQUEST_BYTES - 10 * SENT_BYTES)
    own, sent, contents = {}, {}, Files()
    for number, (inside, path) in enumerate(program.readable.items()):
        if named := _own(path):
            own[inside] = named
            continue
        content = path.read_bytes()
        if len(content) > SENT_BYTES:
            raise MessageRefused(f"{inside} is larger than what is sent beside a submission")
        sent[inside] = str(number)
        one = single(content, READABLE, str(number))
        contents += one if not contents.entries else Files(one.entries[1:], one.contents[1:])
    request = ProbeRequest(
        arguments=program.arguments,
        own=own,
        sent=sent,
        limits=_Limits(**asdict(program.limits)),
        alone=alone,
    )
    return packed(request, files + contents)


def read_probe_request(data: object) -> tuple[ProbeRequest, Files]:
    """MessageRefused if it is none."""
    request, files = opened(data, ProbeRequest, most_bytes=REQUEST_BYTES, below=(SUBMISSION, READABLE))
    there = {entry.path for entry in files.entries if entry.size is not None}
    if missing := [name for name in request.sent.values() if f"{READABLE}/{name}" not in there]:
        raise MessageRefused(f"a message without the file {missing[0][:100]!r} that it names")
    return request, files


def program_of(request: ProbeRequest, files: Files, folder: Path) -> Program:
    """The program that a request asks for, its files written into an empty folder."""
    for name in (SUBMISSION, READABLE, OUTPUT):
        (folder / name).mkdir()
        files.write(folder / name, below=name)
    readable = {inside: CHECKOUT / path for inside, path in request.own.items()}
    readable |= {inside: folder / READABLE / name for inside, name in request.sent.items()}
    return Program(
        arguments=request.arguments,
        submission=folder / SUBMISSION,
        output=folder / OUTPUT,
        readable=readable,
        limits=Limits(**request.limits.model_dump()),
    )


def probe_reply(outcome: Outcome, program: Program) -> bytes:
    """How a program ended, with its output folder, as bytes."""
    try:
        files = tree(program.output, OUTPUT, most_bytes=REPLY_BYTES)
    except MessageRefused:
        return packed(ProbeReply(large=True))
    # What UTF-8 cannot say was replaced when it was read.
    return packed(ProbeReply(**asdict(outcome)), files)


def read_probe_reply(data: object, program: Program) -> Outcome | str | None:
    """How it ended, its files written into the program's output folder.

    Returns:
        the fault of a worker as text, None where the program left more than a message takes.

    Raises:
        MessageRefused: it is no answer to that program.
    """
    reply, files = opened(data, ProbeReply, most_bytes=REPLY_BYTES, below=(OUTPUT,))
    if reply.large:
        return None
    if reply.fault or reply.end is None:
        return reply.fault or "a worker said nothing"
    if any((entry.size or 0) > program.limits.file_bytes for entry in files.entries):
        raise MessageRefused("a file that is larger than a program may write")
    if len(reply.printed) > program.limits.printed_bytes:
        raise MessageRefused("more text than is kept of a program")
    files.write(program.output, below=OUTPUT)
    fields = reply.model_dump(exclude={"kind", "large", "fault", "end"})
    return Outcome(end=reply.end, **fields)


# --- trainings --------------------------------------------------------------------------------------------


def train_request(job: Job, *, alone: bool = False, afresh: bool = False) -> bytes:
    """A job as bytes."""
    return packed(TrainRequest(digest=job.digest, job=job, alone=alone, afresh=afresh))


def read_train_request(data: object) -> TrainRequest:
    """MessageRefused if it is none."""
    return opened(data, TrainRequest, most_bytes=0)[0]


def train_reply(outcome: Trained) -> bytes:
    """What came of a job, as bytes."""
    if isinstance(outcome, Result):
        return packed(TrainReply(result=outcome))
    if isinstance(outcome, Overrun):
        return packed(TrainReply(overrun=_Overrun(what=outcome.what, given=outcome.given)))
    return packed(TrainReply(fault=str(outcome)[:2000] or "a training failed"))


def read_train_reply(data: object, job: Job) -> Trained | str:
    """What came of that very job, or the fault of a worker. MessageRefused if it is anything else."""
    reply = opened(data, TrainReply, most_bytes=0)[0]
    if reply.overrun is not None:
        return Overrun(reply.overrun.what, reply.overrun.given)
    result = reply.result
    if result is None:
        return reply.fault
    said: Mapping[str, object] = {
        "digest": job.digest,
        "labels": job.labels,
        "seed": job.seed,
        "pin": job.conditions.pin,
        "backend": job.conditions.backend,
    }
    for field, value in said.items():
        if getattr(result, field) != value:
            raise MessageRefused(f"a result of another training: its {field} is not the job's")
    if not result.intact:
        raise MessageRefused("a result that was changed on its way")
    return result


def fault_reply(kind: Literal["probe", "train"], message: str) -> bytes:
    """That something could not be done, as bytes."""
    text = message[:2000] or "a worker failed"
    return packed(ProbeReply(fault=text) if kind == "probe" else TrainReply(fault=text))


def _own(path: Path) -> str:
    """What a file or folder of the checkout is called there, if a sandbox may see it; else empty."""
    resolved = path.resolve()
    name = resolved.relative_to(CHECKOUT).as_posix() if resolved.is_relative_to(CHECKOUT) else ""
    return name if _OWN.fullmatch(name) else ""
