"""How the tests are shared out among pytest-xdist's workers: which stay together, and which go first.

A worker takes one group after the other. A group is a file, since the tests of a file share what is
expensive: a graded class, a process with Keras, a copy of the checkout. Some files are joined and some are
divided:

    JOINED   tests that look at what is the whole machine's (a share of the processors, memory, containers,
             planted files) are one group, so that they never run at the same time
    DIVIDED  of long files whose tests share nothing, each function is a group

The longest groups start first, or the last one would run alone.
"""

import fnmatch
import re

JOINED = {
    "the machine": (
        "tests/grader/sandbox/test_*.py",
        "tests/grader/training/test_executors.py",
        "tests/grader/commands/test_doctor.py",
        "tests/hostile/*",
    ),
}
DIVIDED = (
    "tests/grader/proof/test_bank.py",
    "tests/grader/training/test_pool.py",
    "tests/grader/reference/test_reference.py",
    "tests/lab/test_fetch.py",
    "tests/test_pipeline.py",
)
# What takes more than ten seconds on two cores, longest first: `--durations=0` has the seconds.
FIRST = (
    "the machine",
    "tests/test_documented_commands.py",
    "tests/lab/test_backends.py",
    "tests/grader/web/test_browser.py",
    "tests/grader/commands/test_grade.py",
    "tests/grader/commands/test_grade_dry_run.py",
    "tests/grader/cluster/test_overnight.py",
    "tests/grader/proof/test_backends_agree.py",
    "tests/grader/proof/test_bank.py::test_mutant",
    "tests/grader/proof/test_bank.py::test_right",
    "tests/grader/commands/test_inspect.py",
    "tests/grader/gradebook/test_ledger.py",
    "tests/grader/gradebook/test_derive.py",
    "tests/grader/commands/test_gradebook.py",
    "tests/grader/reference/test_reference.py::test_solutions_are_those_that_were_measured",
    "tests/test_pipeline.py::test_goes_on",
    "tests/grader/training/test_pool.py::test_jax",
    "tests/grader/grading/test_handing.py",
    "tests/grader/grading/test_evidence.py",
    "tests/test_pipeline.py::test_only_written_otherwise",
    "tests/grader/diagnosis/test_findings.py",
    "tests/grader/reference/test_report.py",
    "tests/grader/intake/test_nothing_vanishes.py",
    "tests/grader/intake/test_taking.py",
    "tests/test_notebook.py",
    "tests/lab/test_archive.py",
    "tests/grader/sandbox/guest/test_harness.py",
    "tests/grader/grading/test_backends.py",
    "tests/test_adding_a_task.py",
    "tests/lab/test_synthetic.py",
    "tests/grader/benchmark/test_peers.py",
    "tests/grader/training/test_pool.py::test_validation",
    "tests/grader/training/test_pool.py::test_trains_each_once_and_repeats_to_the_bit",
    "tests/grader/sandbox/guest/test_describe.py",
    "tests/lab/test_training.py",
    "tests/grader/reference/test_failure.py",
    "tests/grader/tasks/test_described.py",
    "tests/grader/blueprint/test_forms.py",
    "tests/grader/blueprint/test_forms_exact.py",
)


def group(nodeid: str) -> str:
    """The group of a test."""
    file, _, rest = nodeid.partition("::")
    for name, patterns in JOINED.items():
        if any(fnmatch.fnmatchcase(file, pattern) for pattern in patterns):
            return name
    if file in DIVIDED:
        return f"{file}::{re.split(r'::', rest.partition('[')[0])[-1]}"
    return file


def rank(name: str) -> int:
    """The place of a group in the order in which they start."""
    return FIRST.index(name) if name in FIRST else len(FIRST)
