"""Messages come back as they were sent; whatever else comes is refused before anything is written."""

import json
import os
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from grader.cluster import bundle, messages
from grader.cluster.bundle import MAGIC
from grader.errors import MessageRefused
from grader.sandbox import GUEST, End, Limits, Outcome, Program
from grader.training.job import Overrun, Result
from tests.grader.training.tiny import job

OUTCOME = Outcome(End.EXIT, 0, 1.5, 1000, "the probe has started\n", 1.25)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    (tmp_path / "submission" / "inner").mkdir(parents=True)
    (tmp_path / "submission" / "alexnet.py").write_text("x = 1\n")
    (tmp_path / "submission" / "inner" / os.fsdecode(b"caf\xe9 %2F.txt")).write_bytes(b"\0\xff")
    (tmp_path / "output").mkdir()
    (tmp_path / "arguments.json").write_text("{}")
    return Program(
        arguments=("/kit/guest/harness.py", "--module", "alexnet.py"),
        submission=tmp_path / "submission",
        output=tmp_path / "output",
        readable={"/kit/guest": GUEST, "/kit/builder-arguments.json": tmp_path / "arguments.json"},
    )


def forged(head: object, body: bytes = b"") -> bytes:
    """A message with any head."""
    text = json.dumps(head).encode()
    return MAGIC + struct.pack(">I", len(text)) + text + body


def with_paths(*paths: tuple[str, int | None], body: bytes = b"") -> bytes:
    """An answer to a probe with these files."""
    import hashlib

    said = {"end": "exit", "exit_code": 0, "seconds": 1.0, "printed": ""}
    entries = [{"path": path, "size": size} for path, size in paths]
    return forged({"message": said, "entries": entries, "sha256": hashlib.sha256(body).hexdigest()}, body)


class TestProbes:
    """A program, its way there and back."""

    def test_arrives_as_it_was(self, program: Program, tmp_path: Path) -> None:
        """Names that are not UTF-8 too; what the worker has itself is named and not sent."""
        request, files = messages.read_probe_request(messages.probe_request(program, alone=True))
        (there := tmp_path / "there").mkdir()
        made = messages.program_of(request, files, there)
        assert request.alone
        assert made.arguments == program.arguments
        assert made.limits == program.limits
        assert made.readable["/kit/guest"] == GUEST
        assert made.readable["/kit/builder-arguments.json"].read_text() == "{}"
        for one in (program, made):
            assert [os.fsencode(path.name) for path in (one.submission / "inner").iterdir()] == [
                b"caf\xe9 %2F.txt"
            ]
        assert (made.submission / "alexnet.py").read_text() == "x = 1\n"

    def test_what_it_left_comes_back(self, program: Program, tmp_path: Path) -> None:
        """Regular files and folders, empty ones too; links are left where they are."""
        far = replace(program, output=tmp_path / "far")
        (far.output / "a" / "empty").mkdir(parents=True)
        (far.output / "a" / "evidence.json").write_text("{}")
        (far.output / "link").symlink_to("/etc/passwd")
        answer = messages.probe_reply(OUTCOME, far)
        assert messages.read_probe_reply(answer, program) == OUTCOME
        assert sorted(path.relative_to(program.output).as_posix() for path in program.output.rglob("*")) == [
            "a",
            "a/empty",
            "a/evidence.json",
        ]

    def test_what_is_too_large_is_made_here(
        self, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A submission that leaves more than a message takes gets no fault of the machine for it."""
        monkeypatch.setattr(messages, "REPLY_BYTES", 10)
        far = replace(program, output=tmp_path / "far")
        far.output.mkdir()
        (far.output / "large").write_bytes(b"x" * 11)
        assert messages.read_probe_reply(messages.probe_reply(OUTCOME, far), program) is None

    def test_images_stay(self, program: Program, tmp_path: Path) -> None:
        """What lies in the checkout beside the grader's own probes never travels."""
        (tmp_path / ".kit").mkdir()
        (tmp_path / ".kit" / "images.npy").write_bytes(b"")
        assert messages.travels(program, tmp_path / "elsewhere")
        private = {**program.readable, "/kit/images.npy": tmp_path / ".kit" / "images.npy"}
        assert not messages.travels(replace(program, readable=private), tmp_path)
        hidden = {"/kit/x": messages.CHECKOUT / "grader" / "hidden.dvc"}
        assert not messages.travels(replace(program, readable=hidden), tmp_path / "elsewhere")

    @pytest.mark.parametrize(
        "own", ["grader/hidden", "data", "../secret", "grader/sandbox/guest/../../hidden"]
    )
    def test_a_worker_shows_its_own_probes_alone(self, program: Program, own: str) -> None:
        """No message makes a worker show its hidden labels in a sandbox."""
        data = messages.probe_request(program)
        there = data.replace(b'"grader/sandbox/guest"', json.dumps(own).encode())
        length = len(data) - len(there)
        (old,) = struct.unpack_from(">I", data, len(MAGIC))
        there = there[: len(MAGIC)] + struct.pack(">I", old - length) + there[len(MAGIC) + 4 :]
        with pytest.raises(MessageRefused, match="no sandbox may see"):
            messages.read_probe_request(there)

    def test_limits_are_no_larger_than_a_probe_has(self, program: Program) -> None:
        """Nobody gets more of a worker than the grader would give."""
        with pytest.raises(ValueError):
            messages.probe_request(replace(program, limits=Limits(cpu_seconds=10_000)))


@pytest.mark.parametrize(
    "paths",
    [
        [("output", None), ("output/../../evil", 0)],
        [("output", None), ("output/..", None), ("output/../evil", 0)],
        [("/etc", None), ("/etc/passwd", 0)],
        [("output", None), ("output//evil", 0)],
        [("output", None), ("output/.", None)],
        [("output", None), ("output/%2Fetc", 0)],
        [("output", None), ("output/%2e%2e", 0)],
        [("output", None), ("output/%00", 0)],
        [("output", None), ("output/a", 0), ("output/a", 0)],
        [("output", None), ("output/a", 0), ("output/a/b", 0)],
        [("output", None), ("output/a/b", 0)],
        [("output", None), ("output/" + "x" * 256, 0)],
        [("output", 0)],
        [("submission", None), ("submission/a", 0)],
        [("output", None), *((f"output/{n}", 0) for n in range(10_100))],
    ],
)
def test_paths_that_lead_elsewhere(program: Program, paths: list[tuple[str, int | None]]) -> None:
    """Nothing is written of a message in which one path may not be."""
    with pytest.raises(MessageRefused):
        messages.read_probe_reply(with_paths(*paths), program)
    assert not list(program.output.iterdir())


@pytest.mark.parametrize(
    "data",
    [
        None,
        "text",
        b"",
        MAGIC,
        MAGIC + b"\xff\xff\xff\xff",
        forged([]),
        forged({"message": {}, "entries": [], "sha256": "0" * 64}, b"x"),
        with_paths(("output", None), ("output/a", 5), body=b"1234"),
        with_paths(("output", None), ("output/a", 4), body=b"1234")[:-1] + b"5",
        with_paths(("output", None), ("output/a", -1)),
        b"\x80\x04\x95" + b"cos\nsystem\n(S'true'\ntR.",
    ],
    ids=range(11),
)
def test_no_message(program: Program, data: object) -> None:
    """Bytes that are something else, or were changed on their way."""
    with pytest.raises(MessageRefused):
        messages.read_probe_reply(data, program)


def test_a_file_that_no_program_may_write(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of a file and of all of them hold for what comes back as well."""
    small = replace(program, limits=Limits(file_bytes=3))
    answer = with_paths(("output", None), ("output/a", 4), body=b"1234")
    with pytest.raises(MessageRefused, match="larger than a program may write"):
        messages.read_probe_reply(answer, small)
    monkeypatch.setattr(messages, "REPLY_BYTES", 3)
    with pytest.raises(MessageRefused, match="of files"):
        messages.read_probe_reply(answer, program)


class TestTrainings:
    """A job, and what came of it."""

    def test_goes_there_and_back(self) -> None:
        """With its digest; a result has to be that job's, and whole."""
        asked = job(seed=5)
        request = messages.read_train_request(messages.train_request(asked, alone=True))
        assert (request.job, request.digest, request.alone) == (asked, asked.digest, True)
        overrun = messages.read_train_reply(messages.train_reply(Overrun("time", 30.0)), asked)
        assert isinstance(overrun, Overrun)
        assert (overrun.what, overrun.given) == ("time", 30.0)

    def test_another_result(self) -> None:
        """One of another training, and one that was edited, are refused."""
        asked = job(seed=5)
        right = result(asked.digest, asked)
        assert messages.read_train_reply(messages.train_reply(right), asked) == right
        with pytest.raises(MessageRefused, match="its digest"):
            messages.read_train_reply(messages.train_reply(result("0" * 64, asked)), asked)
        edited = right.model_copy(update={"accuracy": 1.0})
        with pytest.raises(MessageRefused, match="changed"):
            messages.read_train_reply(messages.train_reply(edited), asked)

    def test_a_wrong_digest(self) -> None:
        """A job under another's digest is refused; so is one on arrays of a submission."""
        data = messages.train_request(job(seed=5))
        with pytest.raises(MessageRefused, match="not the digest's"):
            messages.read_train_request(
                data.replace(job(seed=5).digest.encode(), job(seed=6).digest.encode())
            )
        prepared = bundle.packed(
            messages.TrainRequest.model_construct(
                kind="train",
                digest="0" * 64,
                job=job(seed=5).model_copy(update={"prepared": "0" * 64}),
                alone=False,
                afresh=False,
            )
        )
        with pytest.raises(MessageRefused, match="arrays"):
            messages.read_train_request(prepared)


def result(digest: str, asked: object) -> Result:
    """A result that says it is that training's."""
    return Result.sealed(
        digest=digest,
        accuracy=0.5,
        loss=1.0,
        train_accuracy=(0.5,),
        train_loss=(1.0,),
        validation_accuracy=(),
        validation_loss=(),
        validation_predictions="",
        parameters=10,
        seconds=1.0,
        cpu_seconds=1.0,
        labels=asked.labels,  # type: ignore[attr-defined]
        seed=asked.seed,  # type: ignore[attr-defined]
        pin=asked.conditions.pin,  # type: ignore[attr-defined]
        backend=asked.conditions.backend,  # type: ignore[attr-defined]
        versions={},
        machine="a machine",
        when="2026-11-26",
    )
