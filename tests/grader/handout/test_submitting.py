"""The zip that is handed in, and what a grader sees of it."""

import io
import json
import zipfile

import pytest

from grader.handout.submitting import NAME, compare, digest, pack

FILES = {"alexnet.py": b"import keras\n", "preprocessing.py": "x = 'ä'\r\n".encode()}


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


class TestPack:
    """The same files give the same bytes."""

    def test_deterministic(self) -> None:
        turned = dict(reversed(FILES.items()))
        assert pack(FILES, kit="0.1.0") == pack(turned, kit="0.1.0")
        assert pack({**FILES, "alexnet.py": b""}, kit="0.1.0") != pack(FILES, kit="0.1.0")

    def test_holds_the_files_and_the_record(self) -> None:
        there = unpacked(pack(FILES, kit="0.1.0"))
        assert {name: there[name] for name in FILES} == FILES
        assert json.loads(there[NAME])["digest"] == digest(FILES)


class TestCompare:
    """What is noted."""

    def test_matches(self) -> None:
        there = unpacked(pack(FILES, kit="0.1.0"))
        assert compare(there, there[NAME]) == f"The digest of `nox -s submit` matches: {digest(FILES)[:12]}."

    def test_differs(self) -> None:
        record = unpacked(pack(FILES, kit="0.1.0"))[NAME]
        changed = {"alexnet.py": b"import os\n", "new.py": b""}
        assert compare(changed, record) == (
            "Files differ from what `nox -s submit` wrote: missing: preprocessing.py; changed: alexnet.py; "
            "added: new.py."
        )

    def test_without_a_record(self) -> None:
        assert compare(FILES, None) == ""

    def test_a_record_that_was_changed(self) -> None:
        record = json.loads(unpacked(pack(FILES, kit="0.1.0"))[NAME])
        record["digest"] = "0" * 64
        assert "was changed after" in compare(FILES, json.dumps(record).encode())

    @pytest.mark.parametrize("record", [b"", b"\xff\xfe", b"[]", b"{}", b"[" * 100_000, b'{"format": "x"}'])
    def test_anything_else(self, record: bytes) -> None:
        assert "cannot be read" in compare(FILES, record)

    def test_names_are_made_fit_to_be_shown(self) -> None:
        record = unpacked(pack({"a\x1b[2J\u202e.py": b""}, kit="0.1.0"))[NAME]
        assert "\x1b" not in compare({}, record)
