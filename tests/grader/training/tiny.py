"""A network that trains in a second, its jobs, and a listener that notes what it is called with."""

import sys
from typing import Any

from grader import blueprint
from grader.blueprint import Budget
from grader.config.profiles import Profile
from grader.training import backends, executors
from grader.training.job import Job, Outcome, Result, Step, pin
from grader.training.pool import Listener
from lab.training import Recipe

PIN = pin("embedded")
BACKEND = backends.name()
PROFILE = Profile(
    name="tiny",
    data="embedded",
    train=200,
    hidden=100,
    recipe=Recipe(
        epochs=2,
        batch=50,
        peak_rate=0.1,
        warm_up=0.25,
        momentum=0.9,
        weight_decay=5e-4,
        label_smoothing=0.0,
        shift=2,
        flip=True,
        settle=2,
    ),
    builders={"alexnet": {}},
    budget=Budget(parameters=10**6, flops=10**8, activations=10**6, nodes=50),
    grading_seed=0,
    reference_seeds=(1, 2, 3, 4, 5),
    extra_seeds=(6, 7),
    limit_seconds=300,
)
NETWORK = blueprint.read(
    {
        "format": 1,
        "input_shape": [32, 32, 3],
        "output": 5,
        "nodes": [
            {"op": "Input", "settings": {}, "inputs": []},
            {"op": "Conv2D", "settings": {"filters": 4, "kernel_size": 3, "strides": 4}, "inputs": [0]},
            {"op": "BatchNormalization", "settings": {}, "inputs": [1]},
            {"op": "Dropout", "settings": {"rate": 0.2}, "inputs": [2]},
            {"op": "Flatten", "settings": {}, "inputs": [3]},
            {"op": "Dense", "settings": {"units": 20, "activation": "softmax"}, "inputs": [4]},
        ],
    },
    PROFILE.budget,
)


def job(seed: int = 0, **changes: Any) -> Job:
    """A training of the network, changed as said; `conditions` may be a few of their fields."""
    made = Job.of(NETWORK, "coarse", seed, PROFILE, PIN, BACKEND)
    if isinstance(changes.get("conditions"), dict):
        changes["conditions"] = made.conditions.model_copy(update=changes["conditions"])
    return made.model_copy(update=changes)


def result(of: Job, **changes: Any) -> Result:
    """A result of a job that nobody trained for."""
    own = {"digest": of.digest, "labels": of.labels, "seed": of.seed, "pin": of.conditions.pin}
    return made(**{**own, "backend": of.conditions.backend, **changes})


def made(**changes: Any) -> Result:
    """A result that belongs to no job."""
    fields: dict[str, Any] = {
        "digest": "0" * 64,
        "accuracy": 0.5,
        "loss": None,
        "train_accuracy": (0.25,),
        "train_loss": (None,),
        "validation_accuracy": (),
        "validation_loss": (),
        "validation_predictions": "",
        "parameters": 1,
        "seconds": 1.0,
        "cpu_seconds": 1.0,
        "labels": "coarse",
        "seed": 0,
        "pin": PIN,
        "backend": BACKEND,
        "versions": {},
        "machine": "",
        "when": "2026-11-26",
    }
    return Result.sealed(**{**fields, **changes})


class Heard(Listener):
    """Notes its calls, with the seeds of their jobs."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []
        self.steps: list[Step] = []
        self.unkept_lines: list[str] = []

    def stored(self, job: Job, result: Result) -> None:
        self.calls.append(("stored", job.seed))

    def started(self, job: Job) -> None:
        self.calls.append(("started", job.seed))

    def step(self, job: Job, step: Step) -> None:
        self.steps.append(step)

    def ended(self, job: Job, outcome: Outcome) -> None:
        self.calls.append(("ended", job.seed))

    def unkept(self, why: str) -> None:
        self.calls.append(("unkept", -1))
        self.unkept_lines.append(why)


class Doing(executors.Local):
    """An executor of children that run a given script, and train nothing."""

    def __init__(self, code: str, **options: Any) -> None:
        super().__init__(**options)
        self._code = code

    def _command(self, arguments: list[str]) -> list[str]:
        return [sys.executable, "-S", "-c", f"import sys, time\n{self._code}", *arguments]


# A child's code: it trains nothing, and hands in a result.
FINISH = """
import hashlib, json
job = json.load(open(sys.argv[1]))
digest = sys.argv[2].rsplit("/", 1)[1].removesuffix(".json")
result = dict(digest=digest, accuracy=0.5, loss=1.0, train_accuracy=[0.5], train_loss=[1.0],
    validation_accuracy=[], validation_loss=[], validation_predictions="", parameters=1, seconds=1.0,
    cpu_seconds=1.0, labels=job["labels"], seed=job["seed"], pin=job["conditions"]["pin"],
    backend=job["conditions"]["backend"], versions={}, machine="", when="2026-11-26")
result["content"] = hashlib.sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()
json.dump(result, open(sys.argv[2], "w"))
"""

# The code of a process that does one job after another, each as `does(job)` says, which is defined before it.
SERVE = """
import json, os
folder, out = os.path.dirname(sys.argv[1]), os.path.dirname(sys.argv[2])
names = dict(job=os.path.basename(sys.argv[1]), result=os.path.basename(sys.argv[2]))
done = 0
while names:
    sys.argv[1:3] = [f"{folder}/{names['job']}", f"{out}/{names['result']}"]
    does(json.load(open(sys.argv[1])), done)
    exec(FINISH)
    print(json.dumps(dict(done=names["result"])), flush=True)
    done += 1
    names = json.loads(sys.stdin.readline() or "null")
"""


def serving(code: str, **options: Any) -> Doing:
    """An executor of processes that do many jobs; `code` is the body of does(job, done)."""
    body = "".join(f"\n    {line}" for line in code.splitlines())
    return Doing(f"import time\nFINISH = {FINISH!r}\ndef does(job, done):{body}\n{SERVE}", **options)
