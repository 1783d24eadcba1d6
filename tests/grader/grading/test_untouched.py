"""What is the stub that was handed out, and what is not: only the first is marked without being run."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.config import manifest
from grader.config.manifest import Task
from grader.grading import judging, probing, untouched
from grader.results.record import Status
from grader.sandbox import select

ROOT = Path(__file__).parents[3]
ASSIGNMENT = ROOT / "assignment"
TASKS = manifest.load(ASSIGNMENT / "tasks.toml").tasks
IDS = [task.id for task in TASKS]
ALEXNET = next(task for task in TASKS if task.id == "alexnet")


def is_untouched(source: str | bytes, folder: Path, task: Task = ALEXNET) -> bool:
    file = folder / task.module
    file.write_bytes(source.encode() if isinstance(source, str) else source)
    return untouched.is_untouched(file, ASSIGNMENT / task.module, task.functions)


@pytest.fixture
def stub() -> str:
    return (ASSIGNMENT / ALEXNET.module).read_text(encoding="utf-8")


@pytest.mark.parametrize("task", TASKS, ids=IDS)
class TestStub:
    def test_as_it_was_handed_out(self, task: Task) -> None:
        assert untouched.evidence(task, ASSIGNMENT) is not None

    def test_a_solution_is_none(self, task: Task) -> None:
        assert untouched.evidence(task, ROOT / "solutions") is None

    def test_nor_is_a_solution_compared_with_itself(self, task: Task) -> None:
        """A student's `check` compares the folder that they work in with itself."""
        assert untouched.evidence(task, ROOT / "solutions", ROOT / "solutions") is None

    def test_nor_is_a_file_with_one_function_written(self, task: Task, tmp_path: Path) -> None:
        """It goes the normal way, so that what is written gets its marks."""
        source = (ASSIGNMENT / task.module).read_text(encoding="utf-8")
        written = source.replace(f'raise NotImplementedError("{task.functions[0]}', 'return print("', 1)
        assert written != source
        assert not is_untouched(written, tmp_path, task)
        assert untouched.evidence(task, tmp_path, tmp_path) is None

    def test_is_marked_as_if_it_had_been_probed(self, task: Task) -> None:
        """The same verdicts, word for word."""
        probed = probing.probe(
            select("none", own_code=True), task, ASSIGNMENT, seed=1, builder_arguments={}
        ).evidence
        found = untouched.evidence(task, ASSIGNMENT)
        assert found is not None
        drawn = judging.inputs(task, 1, {})
        verdicts = judging.judge(judging.Case(task, found, drawn))
        assert verdicts == judging.judge(judging.Case(task, probed, drawn))
        assert {verdict.status for verdict in verdicts.values()} == {Status.NOT_ATTEMPTED}


class TestSameTree:
    @pytest.mark.parametrize(
        "change",
        [
            lambda source: source + "\n# I did not get to this.\n",
            lambda source: source.replace("def build_alexnet(\n", "def build_alexnet(  # ?\n\n"),
            lambda source: source.replace("Builds the network", "It should build the network"),
            lambda source: source.replace("raise NotImplementedError(", "raise NotImplementedError (  "),
            lambda source: "\ufeff" + source.replace("\n", "\r\n"),
            lambda source: "# -*- coding: utf-8 -*-\n" + source,
        ],
        ids=["a note", "blank lines", "a docstring", "spaces", "Windows", "a coding"],
    )
    def test_is_untouched(self, change: Callable[[str], str], stub: str, tmp_path: Path) -> None:
        assert change(stub) != stub
        assert is_untouched(change(stub), tmp_path)

    @pytest.mark.parametrize(
        "change",
        [
            lambda source: source.replace("import keras", "import keras, os"),
            lambda source: source.replace("width: float = 1.0", "width: float = 2.0"),
            lambda source: source.replace("raise NotImplementedError", "return NotImplementedError"),
            lambda source: source.replace(" is not written yet", " is hard"),
            lambda source: source + "\nprint(1)\n",
            lambda source: source.replace('"""Task 2', 'r"""Task 2').replace("32x32", "\\d"),
            lambda source: source.replace("import keras", "import keras\nassert keras"),
            lambda source: "# coding: latin-1\n" + source,
            lambda source: source.replace("raise", "  raise"),
            lambda source: source.replace("\n", "\n\0"),
            lambda source: source[:-2],
            lambda source: "",
        ],
    )
    def test_another_is_not(self, change: Callable[[str], str], stub: str, tmp_path: Path) -> None:
        assert change(stub) != stub
        assert not is_untouched(change(stub), tmp_path)


class TestHostile:
    """The parser reads what a student wrote; it is asked no more than it can take."""

    @pytest.mark.parametrize(
        "source",
        [
            "(" * 100_000,
            "x = " + "-" * 100_000 + "1",
            "x = " + "not " * 4_000 + "1",
            "\n".join(" " * n + "if 1:" for n in range(3_000)),
            "x = " + "a." * 5_000 + "a",
            "x = " + "f'{" * 200 + "}'" * 200,
            "x = " + "9" * 20_000,
            "\\\n" * 20_000,
            b"\xff\xfe" * 1_000,
        ],
    )
    def test_is_answered_at_once(self, source: str | bytes, tmp_path: Path) -> None:
        assert not is_untouched(source, tmp_path)
        own = b"\n" + (source if isinstance(source, bytes) else source.encode())
        assert not is_untouched((ASSIGNMENT / ALEXNET.module).read_bytes() + own, tmp_path)

    def test_what_is_longer_is_not_parsed(
        self, stub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        parsed: list[str] = []
        parse = untouched.ast.parse
        monkeypatch.setattr(untouched.ast, "parse", lambda text: parsed.append(text) or parse(text))
        assert not is_untouched(stub + "#" * untouched.MORE_BYTES + "!", tmp_path)
        assert not is_untouched(stub + "a = 1\n" * 20, tmp_path)
        assert set(parsed) == {stub}

    def test_a_folder_or_nothing_in_its_place(self, tmp_path: Path) -> None:
        assert not untouched.is_untouched(tmp_path, ASSIGNMENT / ALEXNET.module, ALEXNET.functions)
        assert not untouched.is_untouched(tmp_path / "no", tmp_path / "no", ALEXNET.functions)


class TestHandedOut:
    """What makes a file a stub, where it is compared with itself."""

    @pytest.mark.parametrize(
        "line",
        [
            "import helpers",
            "from .a import b",
            "x = open('a')",
            "class A:\n    print(1)",
            "@f\nclass A:\n    a: int",
        ],
    )
    def test_a_module_that_does_something_is_none(self, line: str, stub: str, tmp_path: Path) -> None:
        shutil.copy(ASSIGNMENT / "tasks.toml", tmp_path)
        (tmp_path / ALEXNET.module).write_text(stub.replace("import keras\n", f"import keras\n{line}\n"))
        assert untouched.evidence(ALEXNET, tmp_path, tmp_path) is None

    def test_nor_is_one_that_lacks_a_function(self, stub: str, tmp_path: Path) -> None:
        (tmp_path / ALEXNET.module).write_text("import keras\n")
        assert untouched.evidence(ALEXNET, tmp_path, tmp_path) is None
