"""Similar sources: planted copies are found, others are not, and no file can hold up the search."""

from pathlib import Path

import pytest

from grader import similar
from grader.similar import Found, Work
from tests.grader.similar import copies

CODE = (copies.ROOT / "bank/resnet/right/like_torchvision.py").read_text("utf-8")


def names(found: Found) -> set[frozenset[str]]:
    return {frozenset(pair.names) for pair in found.pairs}


@pytest.fixture(scope="module")
def found() -> Found:
    return copies.compare(copies.submissions(0))


@pytest.mark.slow
class TestCopies:
    """What docs/similar.md says of 200, for those whose files are by hands of their own."""

    def test_planted_and_no_others(self, found: Found) -> None:
        """Renamed, reordered, and one helper of two files; of 87 right submissions no innocent pair."""
        assert found.why_not == ""
        assert found.left_out == ()
        assert names(found) == copies.PLANTED

    def test_marked(self, found: Found) -> None:
        """What is marked is within the text, in order."""
        files = {work.name: work.files for work in copies.submissions(0).works}
        for pair in found.pairs:
            for side in (side for part in pair.parts for side in part.sides):
                flat = [place for span in side.spans for place in span]
                assert flat == sorted(flat)
                assert flat[0] >= 0
                assert flat[-1] <= len(files[side.name][side.file])


class TestSearch:
    def test_a_large_group_buries_nobody(self) -> None:
        """Eight have one file, 28 pairs; two others one of another task: theirs is listed second."""
        many = [Work(name=f"m{n}", files={"resnet.py": f"{CODE}\nx_{n} = {n}\n"}) for n in range(8)]
        other = (copies.ROOT / "bank/evaluation/right/loops.py").read_text("utf-8")
        two = [Work(name=n, files={"evaluation.py": f"{other}\n{n} = 1\n"}) for n in ("one", "two")]
        found = similar.search([*many, *two], {}, most=3)
        assert frozenset(("one", "two")) in {frozenset(pair.names) for pair in found.pairs[:2]}
        assert {pair.group for pair in found.pairs} == {8, 2}
        assert found.more == 29 - 3

    def test_handed_out(self) -> None:
        """What all have from the assignment is nobody's copy."""
        stub = (copies.ROOT / "assignment/resnet.py").read_text("utf-8")
        works = [Work(name=name, files={"resnet.py": stub + f"\n\n{name} = 1\n"}) for name in ("a", "b")]
        assert similar.search(works, {"resnet.py": stub}).pairs == ()

    @pytest.mark.slow
    def test_hostile_files(self) -> None:
        """Deep nesting, a huge line, the same line ten thousand times, no Python: the others are compared."""
        hostile = {
            "deep": "(" * 90_000 + ")" * 90_000,
            "long": "x = " + "+".join(["1"] * 60_000),
            "same": "a = b + c\n" * 10_000,
            "same2": "a = b + c\n" * 9_999,
            "binary": "".join(map(chr, range(1, 3000))) * 20,
            "quotes": "'" * 50_000 + '"' * 50_000,
        }
        works = [Work(name=name, files={"resnet.py": text}) for name, text in hostile.items()]
        works += [Work(name=name, files={"resnet.py": CODE + f"\n{name} = 1\n"}) for name in ("one", "two")]
        found = similar.search(works, {}, seconds=50)
        assert found.why_not == ""
        assert frozenset(("one", "two")) in names(found)

    def test_takes_too_long(self) -> None:
        """It is stopped, and says so."""
        works = [Work(name=name, files={"a.py": CODE}) for name in ("one", "two")]
        assert "longer than" in similar.search(works, {}, seconds=0.01).why_not

    def test_too_few(self) -> None:
        assert "two to compare" in similar.search([], {}).why_not


class TestKept:
    def test_reads_text_alone(self, tmp_path: Path) -> None:
        """A link, a large file, a name that leads elsewhere: left out; other encodings are read."""
        folder = tmp_path / "a" / "submission"
        folder.mkdir(parents=True)
        (folder / "resnet.py").write_bytes(b"\xef\xbb\xbfx = 1\r\n# \xff\n")
        (folder / "large.py").write_bytes(b"#" * 300_000)
        (tmp_path / "secret").write_text("secret")
        (folder / "link.py").symlink_to(tmp_path / "secret")
        works, left_out = similar.kept(tmp_path, ["a", "b", "../a", "a"])
        assert [(work.name, dict(work.files)) for work in works] == [
            ("a", {"resnet.py": "x = 1\n# \ufffd\n"})
        ]
        assert len(left_out) == 2
        assert "more than 200 kB" in left_out[0]
