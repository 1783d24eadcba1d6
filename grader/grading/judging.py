"""From evidence to verdicts: what every judge shares. Trusted: nothing here imports or runs a submission.

A judge is a function from a Case to a Verdict, one for each check of the manifest. It asks the case for what
a call returned; where the call did not end well or returned something else, the case raises Unmet, and that
is the verdict. So a judge itself is about its one property only. Where that property cannot be looked at,
because of something that another check reports, the judge raises Blocked.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import numpy as np

from grader import blueprint
from grader.config.manifest import Check, Task
from grader.errors import BlueprintRefused, GraderFault, ManifestError
from grader.grading import built
from grader.grading.evidence import Array, Call, Evidence, Network, Other, Raised
from grader.grading.values import described, described_array, is_array, wrap
from grader.results.record import Status
from grader.results.verdict import Verdict

# The rules for a network that cannot be rebuilt, and for one of which a layer does not train with the rest.
NOT_TRAINABLE, FIXED = "not_trainable", "fixed"


_SYMBOLIC = "take a Keras tensor"  # see grader/sandbox/guest/wording.py
_READ_ONLY = "Read-only file system"
_WRITES = (
    "Functions that write files fail where they are graded. Return what you have made, and let the caller "
    "save it."
)


class Unmet(Exception):
    """What a check asks for does not hold; the message is for the student."""

    def __init__(
        self, message: str, *, hint: str | None = None, rule: str = "", partly: bool = False
    ) -> None:
        super().__init__(message)
        self.verdict = Verdict.failed(message, hint=hint, rule=rule, partly=partly)


class NoNetwork(Unmet):
    """A call gave no network: where that is the builder's, it is for the check `builds` to report."""

    def __init__(self, unmet: Unmet) -> None:
        super().__init__(str(unmet))
        self.verdict = unmet.verdict


class Blocked(Exception):
    """A check cannot be looked at: an earlier one failed, or what it would praise is not there.

    Args:
        check: the check of the same task that must hold first.
        message: for the student, in place of the sentence that names that check.
    """

    def __init__(self, check: str = "", *, message: str = "") -> None:
        super().__init__(message or check)
        self.check = check
        self.message = message


@dataclass(frozen=True)
class Case:
    """One task of one submission, as a judge sees it.

    Attributes:
        task: what was asked.
        evidence: what the student's functions did.
        inputs: what they were given: `draw(seed)` of the task's probe.
        ended: for each function that ended the whole process, and for "import", how often and how it did so;
            more in grader.grading.probing.Probed.
        refused: why the evidence as a whole cannot be used, if it cannot.
    """

    task: Task
    evidence: Evidence
    inputs: Mapping[str, Any]
    ended: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    _read: dict[tuple[str, blueprint.Budget], blueprint.Blueprint | str] = field(
        default_factory=dict, repr=False, compare=False
    )

    def call(self, name: str) -> Call:
        """The call of that name, which returned; Unmet says how it ended otherwise."""
        call = self.evidence.calls.get(name)
        if call is not None and call.status == "returned":
            return call
        # A check's own hint is about what came back: nothing has. But where layers do not fit one another,
        # Keras says ValueError, and what goes where is what hints of networks are about.
        misfit = (
            self.task.builder and call and call.exception is not None and call.exception.type == "ValueError"
        )
        # And a network that is too large for the sandbox lacks what makes it smaller.
        misfit = misfit or (self.task.builder and call and "memory" in self.ended.get(call.function, ""))
        said = call.exception.message if call and call.exception else ""
        misfit = misfit and _SYMBOLIC not in said  # that message says what to write
        hint = _WRITES if _READ_ONLY in said else ""
        raise Unmet(self._how_it_ended(name, call), hint=None if misfit else hint, rule=self._raises(name))

    def _raises(self, name: str) -> str:
        """The rule for a call that did not return: whether others do, so that it is its arguments."""
        call = self.evidence.calls.get(name)
        others = call is not None and any(
            other.status == "returned" and other.exception is None and other.function == call.function
            for other in self.evidence.calls.values()
        )
        return "argument" if others and name != built.DEFAULT else "raises"

    def _how_it_ended(self, name: str, call: Call | None) -> str:
        if call is None:
            why = self.ended.get("share", "the process ended")
            return f"There is no result of the call {name!r}: {why} before it."
        how = self.ended.get(call.function)
        match call.status:
            case "missing":
                return f"{self.task.module} has no function {call.function}."
            case "not implemented":
                return f"{call.function} is not written yet."
            case "timed out":
                return f"{call} did not return and was stopped {_after(call.exception)}{_at(call.exception)}."
            case "skipped" | "running" if how:
                return f"{call.function} was called {how}."
            case "skipped" | "running":
                return f"{call} did not return: the process ended."
            case _:
                return f"{call} raised {sentence(str(call.exception))}"

    def value(self, name: str) -> Any:
        """What the call returned, whatever it is."""
        return self.call(name).value

    def array(self, name: str, *, dtype: str | None = None, shape: tuple[int, ...] | None = None) -> Array:
        """The array that the call returned; Unmet if it is none, or not of this dtype or shape."""
        value = self.value(name)
        if not is_array(value, dtype=dtype, shape=shape):
            self.fail(name, described(value), described_array(dtype, shape), hint=wrap(value))
        return np.asarray(value)

    def items(self, name: str, count: int, of: str) -> tuple[Any, ...]:
        """The items of the tuple or list that the call returned; `of` says what was expected."""
        value = self.value(name)
        # Two lists of numbers of one length come back as the rows of one array.
        if isinstance(value, np.ndarray) and value.ndim > 0 and len(value) == count:
            value = tuple(value)
        if not isinstance(value, tuple | list) or len(value) != count:
            self.fail(name, described(value), of, rule="incomplete")
        return tuple(value)

    def blueprint(self, name: str, budget: blueprint.Budget) -> blueprint.Blueprint:
        """The network that the call returned; Unmet if it is none, or cannot be read within the budget."""
        value = self.value(name)
        if not isinstance(value, Network):
            self.fail(name, described(value), "a keras.Model")
        key = (name, budget)  # every check of a task reads the same few networks
        if key not in self._read:
            self._read[key] = value.refused or _read(value.description, budget)
        read = self._read[key]
        if isinstance(read, str):
            # The reason says what to do; the check's own hint is about another thing.
            raise Unmet(
                f"{self.evidence.calls[name]} returned a model that cannot be used: {sentence(read)}",
                hint="",
                rule=FIXED if value.fixed else NOT_TRAINABLE,
            )
        return read

    def fail(
        self,
        name: str,
        came: str,
        expected: str,
        *,
        hint: str | None = None,
        rule: str = "",
        partly: bool = False,
    ) -> NoReturn:
        """Raises Unmet with what was called, what came back and what was expected.

        Without a `hint` the manifest's is shown; without a `rule` the check's own is charged. `partly`
        says that some of what came back is right.
        """
        call = self.evidence.calls[name]
        if call.value is None or (isinstance(call.value, Other) and call.value.type == "NoneType"):
            hint = f"{call.function} returns nothing: end the function with return."
        where = f" ({call.defined_at})" if call.defined_at else ""
        did = "returned" if call.made is None or call.value is not call.made else "built"
        message = f"{call} {did} {came}; expected {expected}{where}."
        raise Unmet(message, hint=hint, rule=rule, partly=partly)


Judge = Callable[[Case], Verdict]


def inputs(task: Task, seed: int, builder_arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What the probe of a task uses in a sandbox, drawn again on this side."""
    probe = importlib.import_module(f"grader.tasks.{task.id}.probe")
    return {**probe.draw(seed), **({"builder_arguments": dict(builder_arguments)} if task.builder else {})}


def judge(case: Case) -> dict[str, Verdict]:
    """Decides every check of a task but those that a training decides.

    A check that holds but earns its points only together with others (`earned_with`) is decided last. Until
    then it counts as passed, so that a check that comes after it is looked at all the same.

    Raises:
        GraderFault: a judge itself failed, or the probe never came as far as the submission.
        ManifestError: the manifest and the judges do not know the same checks.
    """
    judges = judges_of(case.task)
    verdicts: dict[str, Verdict] = {}
    handed_over, made = _handed_over(case), as_built(case)
    # The first check of a function is whether it built something that can be used.
    whether_built = {next(c.id for c in case.task.checks if f in c.functions) for f in case.task.functions}
    for check in case.task.checks:
        if check.train is None:
            seen = made if case.task.builder else case
            if check.id in whether_built:
                seen = handed_over if check.id == built.BUILDS else case
            verdicts[check.id] = closed(check, seen, verdicts) or _decide(
                check, judges[check.id], seen, verdicts
            )
    return {
        check.id: _earned(check, case.task, verdicts) for check in case.task.checks if check.train is None
    }


def _handed_over(case: Case) -> Case:
    evidence = built.handed_over(case.task, case.evidence)
    return case if evidence is case.evidence else replace(case, evidence=evidence, _read={})


def as_built(case: Case) -> Case:
    evidence = built.as_built(case.task, case.evidence)
    return case if evidence is case.evidence else replace(case, evidence=evidence, _read={})


def judges_of(task: Task) -> dict[str, Judge]:
    """The judge of each check; ManifestError if a check has none, a judge no check, or a builder's task no
    described network.
    """
    module = importlib.import_module(f"grader.tasks.{task.id}.judge")
    judges: dict[str, Judge] = module.CHECKS
    if task.builder and not hasattr(module, "described"):
        raise ManifestError(
            f"the judge of task {task.id!r} has no function described(num_classes, ...): "
            "what the task's builder may cost in training is measured by it"
        )
    listed = {check.id for check in task.checks if check.train is None}
    for check in sorted(listed ^ judges.keys()):
        knows, lacks = ("tasks.toml", "judge.py") if check in listed else ("judge.py", "tasks.toml")
        raise ManifestError(
            f"the check {check!r} of task {task.id!r} is in its {knows} but not in its {lacks}"
        )
    return judges


def _read(description: Any, budget: blueprint.Budget) -> blueprint.Blueprint | str:
    """The network, or why it cannot be read."""
    try:
        return blueprint.read(description, budget)
    except BlueprintRefused as error:
        return error.message


def _after(stopped: Raised | None) -> str:
    """After which time something was stopped; evidence has it as the message of an exception."""
    return f"after {stopped.message}" if stopped and stopped.message else "when its time was up"


def _at(stopped: Raised | None) -> str:
    """In which line of the student's own, in brackets; empty where that is not known."""
    return f" ({stopped.file}, line {stopped.line})" if stopped and stopped.file and stopped.line else ""


def sentence(text: str) -> str:
    """A text that ends in one full stop."""
    return text.rstrip(". ") + "."


def closed(check: Check, case: Case, earlier: Mapping[str, Verdict]) -> Verdict | None:
    """The verdict on a check that cannot be looked at: nothing to call, not written yet, or blocked."""
    if nothing := uncallable(case):
        return nothing
    for function in check.functions:
        calls = [call for call in case.evidence.calls.values() if call.function == function]
        trained = case.evidence.calls.get(f"train.{check.train}")
        if trained is not None and trained.network is not None:
            continue  # it was built without that function
        if calls and all(call.status == "not implemented" for call in calls):
            return Verdict(status=Status.NOT_ATTEMPTED, message=f"{function} is not written yet.")
    for needed in check.after:
        # Whether there is a network all the same, grader/tasks/substance.py looks.
        if needed == built.BUILDS and case.task.builder:
            continue
        if case.task.builder and _made_all_the_same(needed, case):
            continue
        # The builder's networks have no part of a function that another stood in for, or that is not written.
        without = is_alone(case) or earlier[needed].status is Status.NOT_ATTEMPTED
        if without and case.task.builder and case.task.builder not in _functions(needed, case.task):
            continue
        if earlier[needed].rule in (NOT_TRAINABLE, FIXED):
            continue  # what cannot be trained can be looked at, as far as it was described
        if earlier[needed].status is not Status.PASSED:
            return blocked_on(needed, case.task)
    return None


def _made_all_the_same(check: str, case: Case) -> bool:
    """Whether it is the first check of a function, and that has made a network, handed over or not."""
    return any(
        check == next(other.id for other in case.task.checks if function in other.functions)
        and built.gave_network(function, case.evidence)
        for function in case.task.functions
    )


def _functions(check: str, task: Task) -> tuple[str, ...]:
    return next(other.functions for other in task.checks if other.id == check)


def is_alone(case: Case) -> bool:
    """Whether the networks of a case were built with a stand-in for another function."""
    return any(call.aside for call in case.evidence.calls.values())


def blocked_on(check: str, task: Task) -> Verdict:
    return Verdict(status=Status.BLOCKED, message=f"This check must pass first: {_title(check, task)}.")


def _title(check: str, task: Task) -> str:
    return next(other.title for other in task.checks if other.id == check)


def _earned(check: Check, task: Task, verdicts: Mapping[str, Verdict]) -> Verdict:
    """The verdict on a check once all are known: what is praised must come with something that is right."""
    verdict = verdicts[check.id]
    others = [verdicts[other].status for other in check.earned_with]
    if verdict.status is not Status.PASSED or not others or Status.PASSED in others:
        return verdict
    titles = "; ".join(_title(other, task) for other in check.earned_with)
    these = "one of these passes" if len(others) > 1 else "this one passes"
    return Verdict(
        status=Status.BLOCKED, message=f"This check passes, but counts only when {these}: {titles}."
    )


def _not_made_yet(raised: Call) -> str:
    layers = "1 layer" if raised.layers == 1 else f"{raised.layers} layers"
    return f"{raised} raised an exception after {layers}. The layers built so far do not pass this check."


def uncallable(case: Case) -> Verdict | None:
    """The verdict on every check alike, where nothing of the module could be called."""
    module, evidence = case.task.module, case.evidence
    if case.refused:
        return Verdict.failed(f"The results of {module} cannot be used: {case.refused}.", hint="")
    if not evidence.started:
        raise GraderFault(f"the probe of {case.task.id} did not start")
    match evidence.imported:
        case "ok":
            return None
        case "missing file":
            return Verdict(status=Status.NOT_ATTEMPTED, message=f"There is no {module}.")
        case "timed out":
            stopped = evidence.import_error
            return Verdict.failed(
                f"Importing {module} was stopped {_after(stopped)}{_at(stopped)}. A module should define "
                "functions and run nothing when it is imported.",
                hint="",
            )
        case "running":
            how = case.ended.get("import", "and it ended the process")
            return Verdict.failed(f"{module} was imported {how}.", hint="")
        case "raised":
            known = ""
            if evidence.import_error and evidence.import_error.type == "ModuleNotFoundError":
                known = (
                    " Besides your own files you can import Python's standard library, numpy, keras, "
                    "tensorflow, scikit-learn and matplotlib."
                )
            return Verdict.failed(
                f"Importing {module} raised {sentence(str(evidence.import_error))}{known}", hint=""
            )


def _decide(check: Check, judge: Judge, case: Case, earlier: Mapping[str, Verdict]) -> Verdict:
    try:
        verdict = judge(case)
    except NoNetwork as missing:
        # One cause: that call, or its like, has failed `builds` already.
        reported = earlier.get(built.BUILDS)
        if reported is not None and reported.status is Status.FAILED:
            return blocked_on(built.BUILDS, case.task)
        verdict = missing.verdict
    except Unmet as unmet:
        verdict = unmet.verdict
    except Blocked as blocked:
        if blocked.message:
            return Verdict(status=Status.BLOCKED, message=blocked.message)
        if all(other.id != blocked.check for other in case.task.checks):
            raise GraderFault(
                f"the judge of {case.task.id}/{check.id} waits for {blocked.check!r}, which is not there"
            ) from blocked
        return blocked_on(blocked.check, case.task)
    except Exception as error:
        raise GraderFault(
            f"the judge of {case.task.id}/{check.id} failed: {type(error).__name__}: {error}"
        ) from error
    raised = next(filter(built.is_partial, case.evidence.calls.values()), None)
    if verdict.status is Status.FAILED and raised is not None:
        # What is missing was perhaps not made yet, and what is made may be another layer's.
        return Verdict(status=Status.BLOCKED, message=_not_made_yet(raised))
    return verdict
