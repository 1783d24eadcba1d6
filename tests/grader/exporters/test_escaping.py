"""Whatever a submission calls itself and says is shown as plain text: in terminals, tables and JSON."""

import csv
import io
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grader import intake
from grader.config import manifest, profiles
from grader.exporters import gradescope, marks_csv, terminal
from grader.grading import run as grading
from grader.grading.plan import Plan
from grader.results.record import Run, SubmissionResult
from grader.sandbox import Availability, End, Outcome, Program

ROOT = Path(__file__).parents[3]

NASTY = {
    "terminal": "\x1b[2J\x1b]0;title\x07\x9b31m\x08\x7f\r100/100",
    "reversed": "\u202e001/001\u2066\u200b\ufeff",
    "lines": "a\nb\u2028c\u2029d\x85e\x0bf\x00g",
    "markup": "[bold red]x[/bold red][link=http://evil]y[/link][/]",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;",
    "formula": "=cmd|' /C calc'!A0",
    "formula after a semicolon": "a;=1+1",
    "formula after a quote": '","=1+1","',
    "full width": "\uff1d1+1",
    "not a character": "\ud800\ufffe\U000e0041",
}


class Saying:
    """An engine in which every function says the same, wherever a submission can put words."""

    name, isolates = "saying", True

    def __init__(self, text: str) -> None:
        self.text = text

    def availability(self) -> Availability:
        return Availability(True)

    def run(self, program: Program) -> Outcome:
        said = self.text
        call = {
            "function": said,
            "arguments": said,
            "seconds": 0.0,
            "exception": None,
            "inputs_after": {said: None},
        }
        error = {"type": said, "message": said, "file": said, "line": 3}
        node = {"op": said, "settings": {said: said}, "inputs": [said], "name": said}
        network = {
            "format": 1,
            "input_shape": [4],
            "nodes": [{"op": "Input", "settings": {}, "inputs": []}, node],
        }
        values: list[dict[str, Any]] = [
            {"kind": "text", "value": said},
            {"kind": "other", "type": said, "reason": said},
            {"kind": "number", "value": 1, "type": said},
            {"kind": "model", "refused": said},
            {"kind": "model", "blueprint": {**network, "output": 1}},
            {"kind": "tuple", "items": [{"kind": "text", "value": said}] * 2},
        ]
        names = [
            "split",
            "statistics",
            "standardise",
            "one_hot.uint8",
            "prepare",
            "default",
            "small",
            "shape",
        ]
        names += ["block.same", "block.both", "tiny", "rounding", "split.again"]
        calls: dict[str, Any] = {}
        for number, name in enumerate(names):
            if number % 3 == 2:
                calls[name] = {
                    **call,
                    "inputs_after": None,
                    "status": "raised",
                    "exception": error,
                    "value": None,
                }
            else:
                value = values[number % len(values)]
                calls[name] = {**call, "inputs_after": None, "status": "returned", "value": value}
        document = {
            "format": 1,
            "started": True,
            "finished": True,
            "running": said,
            "import": {"status": "ok", "exception": error},
            "calls": calls,
        }
        (program.output / "evidence.json").write_text(json.dumps(document))
        return Outcome(End.EXIT, 0, 0.0, None, f"the probe has started\n{said}")


def graded(text: str, folder: Path) -> list[SubmissionResult]:
    """Results of submissions that are called by the text, have files called by it, and say it."""
    tasks = manifest.load(ROOT / "assignment" / "tasks.toml")
    usable = text.replace("/", "_").replace("\0", "_").encode("utf-8", "replace").decode()
    for name in (usable, f"x{usable}"):
        (folder / name).mkdir(parents=True)
        for task in tasks.tasks[: 3 if name == usable else 1]:
            (folder / name / task.module).write_text("")
        (folder / name / f"link{usable}").symlink_to("/")
    (folder / f"y{usable}.zip").write_bytes(b"PK\x05\x06")
    run = Run(profile="p", data="d", data_pin="", provisional_because="", engine="e", seed=1, versions={})
    profile = profiles.load(ROOT / "params.yaml").profile("offline")
    plan = Plan(tasks, profile, Saying(text), run, None)
    return grading.grade(intake.find([folder], [task.module for task in tasks.tasks]), plan)


def unfit(text: str) -> set[str]:
    """The characters that control a terminal or hide, but for the ends of lines."""
    return {c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and c != "\n"}


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
class TestTextFromASubmission:
    def test_is_plain_in_a_terminal(self, text: str, tmp_path: Path) -> None:
        """No control and no format character; markup is shown as it was written."""
        results = graded(text, tmp_path / "class")
        assert len(results) == 3
        summary = terminal.Summary()
        for result in results:
            summary.add(result)
        shown = terminal.as_text([*map(terminal.submission, results), summary.table()])
        assert not unfit(shown)
        coloured = io.StringIO()
        console = Console(file=coloured, force_terminal=True, width=100, color_system="truecolor")
        for result in results:
            console.print(terminal.submission(result))
        assert not unfit(re.sub(r"\x1b\[[0-9;]*m", "", coloured.getvalue()))  # colours are ours
        if "[bold red]" in text:
            assert "[bold red]" in shown

    def test_is_no_formula_in_a_table(self, text: str, tmp_path: Path) -> None:
        """No cell begins like one, whether a comma or a semicolon is taken to end a cell."""
        written = marks_csv.marks_csv(graded(text, tmp_path / "class"))
        assert not unfit(written.replace("\r\n", "\n"))
        for separator in (",", ";", "\t"):
            for row in csv.reader(io.StringIO(written), delimiter=separator):
                for cell in row:
                    assert not cell.lstrip(' "').startswith(("=", "+", "-", "@", "\uff1d", "\uff0b"))

    def test_is_plain_in_json(self, text: str, tmp_path: Path) -> None:
        """results.json is plain text to whoever shows it, and says so."""
        for result in graded(text, tmp_path / "class"):
            if not result.problem:
                written = gradescope.results(result)
                assert written["output_format"] == written["test_output_format"] == "text"
                json.dumps(written, ensure_ascii=False).encode()
                assert not unfit("".join(_strings(written)))


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [text for item in items for text in _strings(item)]
