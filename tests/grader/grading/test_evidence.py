"""Evidence is read or refused: whatever lies in the folder, EvidenceRefused is all that comes out."""

import contextlib
import io
import json
import os
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import EvidenceRefused
from grader.grading import evidence
from grader.grading.evidence import Evidence, Network, Other, Raised, read_array

CALL = {
    "function": "f",
    "arguments": "1",
    "status": "returned",
    "exception": None,
    "seconds": 0.1,
    "value": {"kind": "array", "file": "a0001.npy", "type": "ndarray"},
    "inputs_after": None,
}
DOCUMENT = {
    "format": 1,
    "started": True,
    "finished": True,
    "running": None,
    "import": {"status": "ok", "exception": None},
    "calls": {"first": CALL},
}


def npy(array: object) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(array), allow_pickle=True)
    return file.getvalue()


def write(folder: Path, document: Any = DOCUMENT, **arrays: bytes) -> Path:
    text = document if isinstance(document, str) else json.dumps(document)
    (folder / "evidence.json").write_text(text)
    for name, content in {"a0001": npy(np.arange(3)), **arrays}.items():
        (folder / f"{name}.npy").write_bytes(content)
    return folder


def with_value(value: Any) -> dict[str, Any]:
    return {**DOCUMENT, "calls": {"first": {**CALL, "value": value}}}


class TestLeft:
    """What evidence was read from can be kept, and is then read through the same door."""

    def test_has_what_was_used_and_no_more(self, tmp_path: Path) -> None:
        left = Evidence.read(write(tmp_path, a0002=npy([1]), lacking=b"")).left
        assert set(left) == {"evidence.json", "a0001.npy"}
        again = Evidence.of(left)
        assert again.calls["first"].value.tolist() == [0, 1, 2]
        assert again.left == left

    def test_nothing_comes_back_as_nothing(self) -> None:
        assert Evidence.of({}) == Evidence.of(Evidence.nothing().left) == Evidence.nothing()

    @pytest.mark.parametrize("lacking", [True, False])
    def test_what_was_asked_for_and_left_out_is_remembered(self, lacking: bool, tmp_path: Path) -> None:
        write(tmp_path)
        if lacking:
            (tmp_path / evidence.LACKING).touch()
        found = Evidence.read(tmp_path)
        assert found.lacking == Evidence.of(found.left).lacking == lacking

    @pytest.mark.parametrize(
        "left",
        [
            {"evidence.json": b"{"},
            {"evidence.json": b" " * (evidence.MAX_JSON_BYTES + 1)},
            {"evidence.json": json.dumps(DOCUMENT).encode()},
            {"evidence.json": json.dumps(DOCUMENT).encode(), "a0001.npy": npy([{}])},
        ],
        ids=["no JSON", "too much", "no array", "objects"],
    )
    def test_is_refused_as_a_folder_would_be(self, left: dict[str, bytes]) -> None:
        with pytest.raises(EvidenceRefused):
            Evidence.of(left)


class TestRead:
    def test_an_empty_folder_is_a_probe_that_did_not_start(self, tmp_path: Path) -> None:
        assert Evidence.read(tmp_path) == Evidence.nothing()
        assert not Evidence.nothing().started

    def test_what_was_written_is_read(self, tmp_path: Path) -> None:
        found = Evidence.read(write(tmp_path))
        assert (found.started, found.finished, found.imported) == (True, True, "ok")
        assert found.calls["first"].value.tolist() == [0, 1, 2]
        assert str(found.calls["first"]) == "f(1)"

    @pytest.mark.parametrize(
        ("value", "read"),
        [
            ({"kind": "none"}, None),
            ({"kind": "bool", "value": True}, True),
            ({"kind": "number", "value": 3, "type": "int"}, 3),
            ({"kind": "text", "value": "a\x1b[31m\u202eb"}, "a [31m b"),
            ({"kind": "tuple", "items": [{"kind": "none"}]}, (None,)),
            ({"kind": "list", "items": []}, []),
            ({"kind": "model", "blueprint": {"nodes": [1]}}, Network({"nodes": [1]})),
            ({"kind": "model", "refused": "a Lambda\n"}, Network(refused="a Lambda")),
            ({"kind": "other", "type": "set", "reason": "x" * 900}, Other("set", "x" * 299 + "…")),
        ],
    )
    def test_every_kind_of_value_is_read(self, tmp_path: Path, value: Any, read: object) -> None:
        assert Evidence.read(write(tmp_path, with_value(value))).calls["first"].value == read

    def test_exceptions_are_read_as_plain_text(self, tmp_path: Path) -> None:
        error = {"type": "E\x1b", "message": "m" * 900, "file": "a\n.py", "line": 3}
        document = {**DOCUMENT, "import": {"status": "raised", "exception": error}, "calls": {}}
        assert Evidence.read(write(tmp_path, document)).import_error == Raised(
            "E", "m" * 499 + "…", "a .py", 3
        )

    def test_a_second_process_adds_calls_that_no_other_can(self, tmp_path: Path) -> None:
        """Names that begin with "later." are its alone, and it has no others."""
        found = [
            Evidence.read(write(tmp_path, {**DOCUMENT, "calls": calls}))
            for calls in ({"a": CALL, "later.a": CALL}, {"later.b": CALL, "b": CALL})
        ]
        assert set(found[0].with_later(found[1]).calls) == {"a", "later.b"}
        assert set(found[0].with_later(None).calls) == {"a"}

    def test_brackets_in_text_do_not_count_as_depth(self, tmp_path: Path) -> None:
        value = {"kind": "text", "value": '[{"' * 300}
        assert Evidence.read(write(tmp_path, with_value(value))).started


class TestLines:
    """Where layers were made is read as text that can be shown, or refused."""

    def model(self, **fields: Any) -> dict[str, Any]:
        place = {"name": "conv1", "file": "alexnet.py", "lines": [93, 40], **fields}
        return with_value({"kind": "model", "blueprint": {}, "lines": [place]})

    def test_read(self, tmp_path: Path) -> None:
        value = Evidence.read(write(tmp_path, self.model())).calls["first"].value
        assert isinstance(value, Network)
        assert value.made_at == {"conv1": "alexnet.py, line 40, which calls line 93"}

    @pytest.mark.parametrize(
        "fields",
        [
            {"file": "<b>alexnet.py"},
            {"file": "alex\x1b[31mnet.py"},
            {"file": "x" * 81},
            {"lines": []},
            {"lines": [1, 2, 3, 4]},
            {"lines": [-1]},
            {"lines": ["1"]},
            {"more": 1},
        ],
    )
    def test_refused(self, tmp_path: Path, fields: dict[str, Any]) -> None:
        with pytest.raises(EvidenceRefused):
            Evidence.read(write(tmp_path, self.model(**fields)))

    def test_too_many(self, tmp_path: Path) -> None:
        document = self.model()
        value = document["calls"]["first"]["value"]
        value["lines"] = value["lines"] * (evidence.MAX_PLACES + 1)
        with pytest.raises(EvidenceRefused):
            Evidence.read(write(tmp_path, document))


class TestRefused:
    @pytest.mark.parametrize(
        ("document", "message"),
        [
            ("", "is not JSON"),
            ("{", "is not JSON"),
            ("[]", "evidence.json"),
            ("9" * 5000, "is not JSON"),
            ("[" * 100_000, "nested too deeply"),
            ('{"a":' * 65 + "1" + "}" * 65, "nested too deeply"),
            ({**DOCUMENT, "format": 2}, "format"),
            ({**DOCUMENT, "mark": 100}, "mark: Extra inputs"),
            ({**DOCUMENT, "started": "yes"}, "started"),
            ({**DOCUMENT, "calls": {str(n): CALL for n in range(201)}}, "201 fields"),
            ({**DOCUMENT, "calls": {"first": {**CALL, "status": "passed"}}}, "status"),
            ({**DOCUMENT, "calls": {"first": {**CALL, "seconds": float("nan")}}}, "seconds"),
            ({**DOCUMENT, "calls": {"first": {**CALL, "function": "f" * 3000}}}, "function"),
            (with_value({"kind": "pickle"}), "kind"),
            (with_value({"kind": "number", "value": 10**400, "type": "int"}), "value"),
            (with_value({"kind": "list", "items": [{"kind": "none"}] * 33}), "items"),
            (with_value({"kind": "array", "file": "../a0001.npy", "type": ""}), "file"),
            (with_value({"kind": "array", "file": "/etc/passwd", "type": ""}), "file"),
            (with_value({"kind": "array", "file": "a0001.npy\n", "type": ""}), "file"),
            (with_value({"kind": "array", "file": "a0002.npy", "type": ""}), "a0002.npy is not there"),
        ],
    )
    def test_a_document_that_breaks_the_form_is_refused(
        self, tmp_path: Path, document: Any, message: str
    ) -> None:
        with pytest.raises(EvidenceRefused) as caught:
            Evidence.read(write(tmp_path, document))
        assert message in str(caught.value)
        assert len(str(caught.value)) < 500

    @pytest.mark.slow
    @pytest.mark.parametrize("unit", ['"', '\\"', "\\", '"\\', '"[', "[{", "]", '{"":', '"a",', "9", "1e9,"])
    @pytest.mark.parametrize("start", ["", '"', "["])
    def test_eight_megabytes_of_anything_are_refused_in_seconds(
        self, tmp_path: Path, start: str, unit: str
    ) -> None:
        """No text takes more time than its length: nothing stops the reader, and a class waits behind it."""
        text = start + unit * ((evidence.MAX_JSON_BYTES - 1) // len(unit))
        (tmp_path / "evidence.json").write_text(text)
        began = time.process_time()
        with pytest.raises(EvidenceRefused):
            Evidence.read(tmp_path)
        assert time.process_time() - began < 20

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "document",
        [
            {"calls": {str(n): {} for n in range(100_000)}},
            {"calls": {"first": {"inputs_after": {str(n): {} for n in range(100_000)}}}},
            {str(n): n for n in range(100_000)},
            {**DOCUMENT, "calls": {str(n): {str(m): m for m in range(200)} for n in range(200)}},
            with_value({"kind": "list", "items": [{str(m): m for m in range(200)}] * 500}),
        ],
    )
    def test_a_crowd_of_errors_takes_little_memory(self, tmp_path: Path, document: Any) -> None:
        """What is wrong with each of a hundred thousand items is not collected: the first is enough."""
        write(tmp_path, document)
        tracemalloc.start()
        with pytest.raises(EvidenceRefused):
            Evidence.read(tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 64 * 1024 * 1024

    @pytest.mark.parametrize("name", ["evidence.json", "a0001.npy"])
    @pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
    def test_nothing_but_a_regular_file_is_opened(self, tmp_path: Path, name: str, kind: str) -> None:
        folder = tmp_path / "output"
        folder.mkdir()
        write(folder)
        (folder / name).rename(tmp_path / name)
        match kind:
            case "link":
                (folder / name).symlink_to(tmp_path / name)
            case "pipe":
                os.mkfifo(folder / name)
            case "folder":
                (folder / name).mkdir()
        if name == "evidence.json":
            assert not Evidence.read(folder).started
        else:
            with pytest.raises(EvidenceRefused, match="not a regular file"):
                Evidence.read(folder)

    def test_a_link_that_takes_a_files_place_is_not_followed(self, tmp_path: Path) -> None:
        """As if a process had outlived the sandbox: the listing saw a file, the opening finds a link."""
        files = evidence._Files(write(tmp_path))
        (tmp_path / "a0001.npy").rename(tmp_path / "real.npy")
        (tmp_path / "a0001.npy").symlink_to(tmp_path / "real.npy")
        with pytest.raises(EvidenceRefused, match="cannot be read"):
            files.read("a0001.npy", 1000)

    def test_too_many_files_are_refused(self, tmp_path: Path) -> None:
        write(tmp_path)
        for number in range(200):
            (tmp_path / str(number)).touch()
        with pytest.raises(EvidenceRefused, match="more than 200 files"):
            Evidence.read(tmp_path)

    def test_too_large_a_file_is_refused_before_it_is_read(self, tmp_path: Path) -> None:
        write(tmp_path)
        for name, size, message in (
            ("a0001.npy", evidence.MAX_FILE_BYTES + 1, "a0001.npy has"),
            ("evidence.json", evidence.MAX_JSON_BYTES + 1, "evidence.json has"),
            ("other", evidence.MAX_TOTAL_BYTES, "MiB were left behind"),
        ):
            with (tmp_path / name).open("ab") as file:
                file.truncate(size)
            with pytest.raises(EvidenceRefused, match=message):
                Evidence.read(tmp_path)

    def test_a_folder_that_is_gone_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(EvidenceRefused, match="cannot be read"):
            Evidence.read(tmp_path / "none")


class TestReadArray:
    @pytest.mark.parametrize(
        "array",
        [
            np.float32(3),
            np.zeros(0),
            np.zeros((0, 3), ">i8"),
            np.arange(6, dtype=">u2").reshape(2, 3),
            np.asfortranarray(np.arange(6.0).reshape(2, 3)),
            np.array([True, False]),
            np.ones((2, 1, 3, 1, 2, 1), np.float16),
        ],
    )
    def test_what_numpy_saves_is_read_in_native_byte_order_and_read_only(self, array: np.ndarray) -> None:
        read = read_array(npy(array))
        assert read.dtype == array.dtype.newbyteorder("=")
        assert np.array_equal(read, array)
        assert not read.flags.writeable

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\x93NUMPY",
            npy(np.array([None])),
            npy(np.zeros(2, complex)),
            npy(np.zeros(2, "S3")),
            npy(np.zeros(2, [("a", int)])),
            npy(np.zeros([1] * 7)),
            npy(np.zeros(3))[:-1],
            npy(np.zeros(3)) + b"\0",
            npy(np.zeros(3)).replace(b"<f8", b"<f1"),
            npy(np.zeros(3)).replace(b"<f8", b"<b8"),
            npy(np.zeros(3)).replace(b"(3,)", b"(__import__('os'),)"),
            npy(np.zeros(0)).replace(b"(0,)", b"(0, 999999999999, 999999999999)"),
            npy(np.zeros(3)).replace(b"(3,), }" + b" " * 20, b"(3, 999999999999, 9, ), }".ljust(27)),
            npy(np.zeros(3)).replace(b"False", b"True "),
        ],
    )
    def test_anything_else_is_refused(self, content: bytes) -> None:
        with pytest.raises(EvidenceRefused):
            read_array(content)

    def test_a_byte_that_is_no_truth_value_counts_as_true(self) -> None:
        assert read_array(npy(np.array([True, True])).replace(b"\x01\x01", b"\x02\x00")).tolist() == [
            True,
            False,
        ]

    @given(st.data())
    @settings(max_examples=500, deadline=None)
    def test_mutated_files_are_read_or_refused(self, data: st.DataObject) -> None:
        content = bytearray(npy(np.arange(4, dtype="<i2").reshape(2, 2)))
        for _ in range(data.draw(st.integers(1, 4))):
            place = data.draw(st.integers(0, len(content) - 1))
            content[place] = data.draw(st.integers(0, 255))
        content = content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
        with contextlib.suppress(EvidenceRefused):
            assert read_array(bytes(content)).size <= 8


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to every item of a JSON document."""
    items = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else []
    )
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with the item at a path replaced."""
    if not path:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = replaced(document[path[0]], path[1:], value)
    return copy


RICH = {
    **DOCUMENT,
    "running": "second",
    "import": {"status": "raised", "exception": {"type": "E", "message": "m", "file": "f.py", "line": 1}},
    "calls": {
        "first": CALL,
        "second": {
            **CALL,
            "status": "raised",
            "exception": {"type": "E", "message": "m", "file": None, "line": None},
            "value": {
                "kind": "tuple",
                "items": [CALL["value"], {"kind": "number", "value": 1.5, "type": "float"}],
            },
            "inputs_after": {"0": CALL["value"], "1": {"kind": "model", "blueprint": {"nodes": []}}},
        },
    },
}


class TestRandom:
    """A thousand random and mutated documents: read or refused, and nothing else."""

    @pytest.mark.slow
    @given(st.data())
    @settings(max_examples=1000, deadline=None)
    def test_mutated_documents(self, data: st.DataObject) -> None:
        document: Any = RICH
        for _ in range(data.draw(st.integers(1, 3))):
            place = data.draw(st.sampled_from(places(document)))
            document = replaced(document, place, data.draw(anything))
        self.read(json.dumps(document))

    @given(st.text() | anything.map(json.dumps) | st.binary().map(lambda b: b.decode("latin-1")))
    @settings(max_examples=300, deadline=None)
    def test_random_documents(self, text: str) -> None:
        self.read(text)

    def read(self, text: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "evidence.json").write_bytes(text.encode("utf-8", "surrogatepass"))
            (Path(folder) / "a0001.npy").write_bytes(npy(np.arange(3)))
            with contextlib.suppress(EvidenceRefused):
                found = Evidence.read(Path(folder))
                assert all(str(call).isprintable() for call in found.calls.values())
