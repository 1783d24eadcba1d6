"""Over the whole bank, what a probe finds on Keras's NumPy backend is what it finds on TensorFlow.

    KIT_WHOLE_BANK=1 python -m pytest tests/grader/proof/test_backends_agree.py

Without the variable, what is right and one mutant of each check. Where evidence is the same, digests of
networks, verdicts and messages are, too. What ends on NumPy in a way that the grader does not take for an
answer is left to TensorFlow by the grader as well (probing.py).
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.config import manifest
from grader.grading import backends, probing
from grader.grading.evidence import Call, Evidence, Network
from grader.proof import bank
from grader.proof.bank import Entry
from tests.grader.forking import Forking

ROOT = Path(__file__).parents[3]
TASKS = manifest.load(ROOT / "solutions" / "tasks.toml")
SEED = 5
# What a submission is trained as, small: the networks of these calls are digested.
ARGUMENTS = {
    "alexnet": '{"width": 0.1}',
    "resnet": '{"blocks": [1, 1], "width": 4}',
    "wide_resnet": '{"depth": 8}',
}


def entries() -> list[Any]:
    """Those that may be probed on NumPy; slow are all but the first right one of each task."""
    parameters, seen = [], set()
    for entry in bank.entries(ROOT, TASKS):
        kind = entry.task.id, entry.mutant and entry.mutant.check
        chosen = entry.mutant is None or kind not in seen or "KIT_WHOLE_BANK" in os.environ
        if chosen:
            quick = entry.mutant is None and kind not in seen
            parameters.append(pytest.param(entry, id=entry.folder, marks=() if quick else pytest.mark.slow))
            seen.add(kind)
    return parameters


def plain(calls: dict[str, Call]) -> dict[str, Any]:
    """Calls, but for how long they took."""
    return {name: replace(call, seconds=0.0) for name, call in calls.items()}


@pytest.mark.parametrize("entry", entries())
def test_the_same_evidence(
    entry: Entry, tmp_path: Path, processes: dict[str, tuple[Forking, Forking]]
) -> None:
    task, submission = entry.task, tmp_path / "submission"
    submission.mkdir()
    bank.write(ROOT, entry, submission)
    if backends.of(task, submission) != "numpy":
        return  # it names TensorFlow, or no Keras at all
    (tmp_path / "arguments.json").write_text(ARGUMENTS.get(task.id, "{}"))
    outputs = {"numpy": tmp_path / "numpy", "tensorflow": tmp_path / "tensorflow"}
    started = {"numpy": processes["numpy"][0], "tensorflow": processes["keras"][0]}
    for backend, output in outputs.items():
        output.mkdir()
        command = [ROOT / "grader/sandbox/guest/harness.py", "--probe", probing.TASKS / task.id / "probe.py"]
        command += ["--module", task.module, "--submission", submission, "--output", output]
        command += ["--builder-arguments", tmp_path / "arguments.json", "--backend", backend]
        started[backend].start(*command, "--seed", SEED, "--seconds", 120, "--clock", 300)
    codes = [process.wait() for process in started.values()]
    on_numpy, on_tensorflow = (Evidence.read(output) for output in outputs.values())
    if not probing._is_sure(on_numpy, task):
        assert entry.mutant, "what is right should not need TensorFlow unless it names it"
        return
    assert codes == [0, 0]
    assert (on_numpy.imported, str(on_numpy.import_error)) == (
        on_tensorflow.imported,
        str(on_tensorflow.import_error),
    )
    if task.builder:
        assert plain(dict(on_numpy.calls)) == plain(dict(on_tensorflow.calls))
        assert (
            any(isinstance(call.value, Network) for call in on_numpy.calls.values()) or on_numpy.import_error
        )
        return
    # Arrays that differ are judged, and what then fails is probed on TensorFlow (examine.py).
    for name, call in on_tensorflow.calls.items():
        found = on_numpy.calls[name]
        assert found.status == call.status
        if isinstance(call.value, np.ndarray):
            assert isinstance(found.value, np.ndarray)
            np.testing.assert_allclose(found.value, call.value, rtol=1e-5, atol=1e-6)
