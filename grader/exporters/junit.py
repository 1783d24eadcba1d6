"""JUnit XML, as dashboards of test results read it: a suite a student, a case a check.

The form is that of the Ant task (JUnit.xsd of windyroad/JUnit-Schema), which the other readers take as well.
"""

import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, datetime

from grader.exporters.students import Student
from grader.results.record import WHOLE, CheckResult, Status
from grader.text import plain

_KINDS = {
    Status.FAILED: "failure",
    Status.FAULT: "error",
    Status.NOT_ATTEMPTED: "skipped",
    Status.BLOCKED: "skipped",
    Status.HELD: "skipped",
}
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}
_LONG = 10_000  # characters of a message


def suites(students: Sequence[Student]) -> str:
    """The document. A check that failed is a failure, a fault of the machine an error; what was not attempted
    or is blocked is skipped. Who handed in nothing has one skipped case, who could not be graded one error.
    """
    root = ET.Element("testsuites")
    for number, one in enumerate(students):
        suite = ET.SubElement(root, "testsuite")
        properties = ET.SubElement(suite, "properties")
        for name, value in _properties(one).items():
            ET.SubElement(properties, "property", name=name, value=plain(value))
        cases = [
            _case(suite, task.task, check, task.seconds if place == 0 else 0.0)
            for task in one.result.tasks
            for place, check in enumerate(task.checks)
            if check.check != WHOLE or len(task.checks) == 1
        ]
        if not one.result.tasks:
            cases = [_without_tasks(suite, one)]
        for stream in ("system-out", "system-err"):
            ET.SubElement(suite, stream)
        suite.attrib.update(
            name=plain(one.name or one.key) or "unnamed",
            package=plain(one.key) or "unnamed",
            id=str(number),
            hostname="localhost",
            timestamp=_when(one),
            tests=str(len(cases)),
            time=f"{sum(float(case.get('time', 0)) for case in cases):.3f}",
        )
        for attribute, kind in _COUNTED.items():
            suite.set(attribute, str(sum(case.find(kind) is not None for case in cases)))
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, task: str, check: CheckResult, seconds: float) -> ET.Element:
    case = ET.SubElement(suite, "testcase", classname=task, name=f"{check.check}: {plain(check.title)}")
    case.set("time", f"{seconds:.3f}")
    kind = _KINDS.get(check.status)
    if kind is not None:
        what = ET.SubElement(case, kind, message=plain(check.message or check.status.value))
        if kind != "skipped":
            what.set("type", plain(check.rule or check.status.value))
        what.text = _text(f"{check.message}\nHint: {check.hint}" if check.hint else check.message)
    return case


def _without_tasks(suite: ET.Element, one: Student) -> ET.Element:
    case = ET.SubElement(suite, "testcase", classname="submission", name="graded", time="0.000")
    tied = one.result.provenance
    if tied is not None and not tied.attempt:
        ET.SubElement(case, "skipped", message=one.why_not)
    else:
        ET.SubElement(case, "error", message=one.why_not, type="not graded").text = one.why_not
    return case


def _properties(one: Student) -> dict[str, str]:
    result, tied = one.result, one.result.provenance
    found = {"key": one.key, "folder": result.name, "profile": result.run.profile}
    if result.has_mark:
        found |= {"counts": f"{result.score:g}", "of": f"{result.out_of:g}"}
    if tied is not None:
        found |= {"attempt": str(tied.attempt), "files": tied.files, "seed": str(tied.seed), "kit": tied.kit}
    return found


def _when(one: Student) -> str:
    """When it was graded, in UTC and without a zone, which the schema forbids."""
    tied = one.result.provenance
    try:
        at = datetime.fromisoformat(tied.graded if tied else "")
    except ValueError:
        return "1970-01-01T00:00:00"
    return (at.astimezone(UTC) if at.tzinfo else at).strftime("%Y-%m-%dT%H:%M:%S")


def _text(text: str) -> str:
    """Lines without characters that XML forbids or a terminal obeys."""
    cut = text if len(text) <= _LONG else text[: _LONG - 1] + "…"
    return "".join(
        c for c in cut if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
