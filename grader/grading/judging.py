"""From evidence to verdicts: what every judge shares. Trusted: nothing here imports or runs a submission.

A judge is a function from a Case to a Verdict, one for each check of the manifest. It asks the case for what
a call returned; where the call did not end well or returned something else, the case raises Unmet, and that
is the verdict. So a judge itself is about its one property only. Where that property cannot be looked at,
because of something that another check reports, the judge raises Blocked.
"""

import importlib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, NoReturn

import numpy as np

from grader import blueprint
from grader.config.manifest import Check, Task
from grader.config.profiles import CLASSES
from grader.errors import BlueprintRefused, GraderFault, ManifestError
from grader.grading import built
from grader.grading.evidence import Array, Call, Evidence, Network, Other, Raised
from grader.results.record import Status
from grader.results.verdict import Verdict

IMAGE = (32, 32, 3)  # of either data set
NOT_TRAINABLE = "not_trainable"  # the rule for a network that cannot be rebuilt
REFERENCE = "resnet"  # the task whose described network is trained on what `prepare` returns


class Unmet(Exception):
    """What a check asks for does not hold; the message is for the student."""

    def __init__(
        self, message: str, *, hint: str | None = None, rule: str = "", partly: bool = False
    ) -> None:
        super().__init__(message)
        self.verdict = Verdict(status=Status.FAILED, message=message, hint=hint, rule=rule, partly=partly)


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
        raise Unmet(self._how_it_ended(name, call), hint=None if misfit else "", rule="raises")

    def _how_it_ended(self, name: str, call: Call | None) -> str:
        if call is None:
            why = self.ended.get("share", "the process ended")
            return f"Nothing is known of the call {name!r}: {why} before it."
        how = self.ended.get(call.function)
        match call.status:
            case "missing":
                return f"{self.task.module} has no function {call.function}."
            case "not implemented":
                return f"{call.function} is not written yet."
            case "timed out":
                return (
                    f"{call} had not returned {_after(call.exception)} and was stopped{_at(call.exception)}."
                )
            case "skipped" | "running" if how:
                return f"{call.function} was called {how}."
            case "skipped" | "running":
                return f"{call} did not return: the process ended."
            case _:
                return f"{call} raised {_sentence(str(call.exception))}"

    def value(self, name: str) -> Any:
        """What the call returned, whatever it is."""
        return self.call(name).value

    def array(self, name: str, *, dtype: str | None = None, shape: tuple[int, ...] | None = None) -> Array:
        """The array that the call returned; Unmet if it is none, or not of this dtype or shape."""
        value = self.value(name)
        if not is_array(value, dtype=dtype, shape=shape):
            self.fail(name, described(value), described_array(dtype, shape))
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
                f"{self.evidence.calls[name]} returned a model that cannot be used: {_sentence(read)}",
                hint="",
                rule=NOT_TRAINABLE,
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
            hint = f"{call.function} gives nothing back: end the function with return."
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
    handed_over, as_built = _handed_over(case), _as_built(case)
    described = replace(case, evidence=built.looked_at(case.evidence), _read={})
    # The first check of a function is whether it built something that can be used.
    whether_built = {next(c.id for c in case.task.checks if f in c.functions) for f in case.task.functions}
    for check in case.task.checks:
        if check.train is None:
            seen = case
            if case.task.builder and check.id not in whether_built:
                seen = described
            if case.task.builder in check.functions:
                seen = handed_over if check.id == built.BUILDS else as_built
            verdicts[check.id] = _closed(check, seen, verdicts) or _decide(
                check, judges[check.id], seen, verdicts
            )
    return {
        check.id: _earned(check, case.task, verdicts) for check in case.task.checks if check.train is None
    }


def _handed_over(case: Case) -> Case:
    evidence = built.handed_over(case.task, case.evidence)
    return case if evidence is case.evidence else replace(case, evidence=evidence, _read={})


def _as_built(case: Case) -> Case:
    evidence = built.as_built(case.task, case.evidence)
    return case if evidence is case.evidence else replace(case, evidence=evidence, _read={})


def network(
    case: Case,
    check: Check,
    verdicts: Mapping[str, Verdict],
    budget: blueprint.Budget,
    described: blueprint.Blueprint,
) -> blueprint.Blueprint | Verdict:
    """The network to be trained for a check, or the verdict where there is none that may be.

    Whether checks of the structure failed makes no difference: what can be trained is.

    Args:
        case: its evidence has the network under the name `train.<label set>`.
        check: one that a training decides.
        verdicts: of the other checks.
        budget: the most that any training may take.
        described: the network that should have been built; no other may cost much more than this one.
    """
    case = _as_built(case)
    closed = _closed(check, case, verdicts)
    if closed is not None:
        return closed
    if check.earned_with and not any(verdicts[other].status is Status.PASSED for other in check.earned_with):
        return Verdict(status=Status.BLOCKED, message="It is trained once there is more that is right in it.")
    assert check.train
    name = f"train.{check.train}"
    try:
        found = case.blueprint(name, budget)
        value = case.call(name).value
        if isinstance(value, Network) and (value.flaw or found.of("Unknown")):
            message = f"{case.call(name)} returned a model that cannot be trained: {_sentence(value.flaw)}"
            return Verdict.failed(message, hint="").model_copy(update={"in_share": True})
        inputs, outputs = IMAGE, (CLASSES[check.labels],)
        # A training that could not start would look like a fault of the machine.
        whole = (found.input_shape, found.output_shape) == (inputs, outputs)
        if not whole and built.is_partial(case.call(name)):
            return _blocked_by(built.BUILDS, case.task)
        if (found.input_shape, found.output_shape) != (inputs, outputs):
            # Another number of classes is one mistake; what is no list of numbers is of no use to anybody.
            in_share = len(found.output_shape) == len(outputs)
            came = f"a network from {found.input_shape} to {found.output_shape}"
            expected = f"one from {inputs} to {outputs}"
            wrong = f"{case.call(name)} returned {came}; expected {expected}. It was not trained."
            return Verdict.failed(wrong).model_copy(update={"in_share": in_share})
    except Unmet as unmet:
        # There is a network, and its structure is judged: only trained it cannot be.
        call = case.evidence.calls.get(name)
        there = call is not None and isinstance(call.value, Network)
        verdict = _not_built(case, verdicts) or unmet.verdict
        return verdict.model_copy(update={"in_share": there})
    over = blueprint.excess(found, described)
    if over is not None:
        return _too_costly(case.call(name), over)
    return blueprint.with_probabilities(found, budget)


def _not_built(case: Case, verdicts: Mapping[str, Verdict]) -> Verdict | None:
    """The verdict on a training without a network, where another check has reported why there is none."""
    for check in case.task.checks:
        others = _is_alone(case) and case.task.builder not in check.functions
        failed = check.id in verdicts and verdicts[check.id].status is Status.FAILED
        if failed and (others or (check.id == built.BUILDS and case.task.builder)):
            return _blocked_by(check.id, case.task)
    return None


def prepared(case: Case, check: Check, verdicts: Mapping[str, Verdict]) -> Verdict | None:
    """The verdict on a check that trains on what `prepare` returns, if nothing has to be trained; else None.

    Args:
        case: of the task's probe.
        check: one with `train = "prepared"`.
        verdicts: of the other checks.
    """
    closed = _closed(check, case, verdicts)
    if closed is not None:
        return closed
    judge = importlib.import_module(f"grader.tasks.{case.task.id}.judge")
    verdict: Verdict | None = judge.prepared(case, verdicts)
    return verdict


def _too_costly(call: Call, over: blueprint.Excess) -> Verdict:
    return Verdict.failed(
        f"{call}: the network has {over.found:,} {over.what}; the one that was asked for has "
        f"{over.described:,}, and no more than {over.most:,} are trained. It was not trained.",
        hint="Only a network of about the size that was asked for is trained. Look for layers that are too "
        "many or too large, and fix the failed checks above first: model.summary() shows yours.",
        found=over.found,
        described=over.described,
        most=over.most,
    ).model_copy(update={"in_share": True})


def described_network(task: Task, num_classes: int, arguments: Mapping[str, Any]) -> blueprint.Blueprint:
    """The network that a task's builder should build for these arguments, as the course would build it."""
    return _described(task, num_classes, arguments)


def reference_network(num_classes: int, builders: Mapping[str, Mapping[str, Any]]) -> blueprint.Blueprint:
    """The network that is trained on what `prepare` returned: the described one of the task REFERENCE.

    Args:
        num_classes: that it tells apart.
        builders: of a profile: by task, what its builder is called with.
    """
    # Not out of a manifest: a run of one task alone has another's network all the same.
    return _described(_Named(REFERENCE), num_classes, builders.get(REFERENCE, {}))


class _Named(NamedTuple):
    """A task of which no more is wanted than its judge."""

    id: str


def _described(task: Task | _Named, num_classes: int, arguments: Mapping[str, Any]) -> blueprint.Blueprint:
    judge = importlib.import_module(f"grader.tasks.{task.id}.judge")
    network: blueprint.Blueprint = judge.described(num_classes, **arguments)
    return network


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


def is_array(value: Any, *, dtype: str | None = None, shape: tuple[int, ...] | None = None) -> bool:
    """Whether a value is an array of this dtype (any, if None) and shape (any, if None)."""
    return (
        isinstance(value, np.ndarray)
        and (dtype is None or value.dtype == dtype)
        and (shape is None or value.shape == shape)
    )


def described(value: Any, *, inside: bool = False) -> str:
    """A value in a few words; what a tuple holds is named, but not what a tuple in a tuple holds."""
    match value:
        case None | bool():
            return str(value)
        case np.ndarray():
            return described_array(str(value.dtype), value.shape)
        case tuple() | list() if not value:
            return f"an empty {type(value).__name__}"
        case tuple() | list():
            whole = f"a {type(value).__name__} of {len(value)}"
            items = ", ".join(described(item, inside=True) for item in value[:4])
            return whole if inside else f"{whole}: {items}{', …' if len(value) > 4 else ''}"
        case int() | float():
            return f"the number {number(value)}"
        case str():
            return f"the text {value[:60]!r}"
        case Network():
            return "a model"
        case Other():
            return f"{_article(value.type)} ({value.reason})" if value.reason else _article(value.type)
        case _:
            return _article(type(value).__name__)


def described_array(dtype: str | None, shape: Iterable[int] | None) -> str:
    """An array in a few words; what is None is left out."""
    kind = "an array" if dtype is None else f"{_article(dtype)} array"
    return kind if shape is None else f"{kind} of shape {tuple(shape)}"


def number(value: float) -> str:
    """A number with three digits that count.

    >>> number(0.123456), number(31), number(float("nan"))
    ('0.123', '31', 'nan')
    """
    if isinstance(value, int) or not math.isfinite(value):
        return str(value)
    return f"{value:.3g}"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th.

    >>> ordinal(2), ordinal(13), ordinal(21)
    ('2nd', '13th', '21st')
    """
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def apart(came: float, expected: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart.

    >>> apart(0.39612, 0.39583), apart(0.5, 0.25)
    (('0.3961', '0.3958'), ('0.5', '0.25'))
    """
    for digits in range(3, 18):
        both = f"{came:.{digits}g}", f"{expected:.{digits}g}"
        if both[0] != both[1]:
            return both
    return number(came), number(expected)


def numbers(values: Iterable[float]) -> str:
    """A few numbers in brackets.

    >>> numbers([0.5, 0.25])
    '(0.5, 0.25)'
    """
    return "(" + ", ".join(number(value) for value in values) + ")"


def likeness(
    came: Array | float, mistakes: Mapping[str, Array | float], *, rtol: float = 0.0, atol: float = 0.0
) -> str:
    """Which well-known wrong answer a value is, in words that follow on it; empty if it is none of them.

    >>> likeness(50.0, {"per cent": 50.0, "a count": 12.0})
    ', which is per cent'
    """
    for name, value in mistakes.items():
        if np.shape(came) == np.shape(value) and np.allclose(came, value, rtol=rtol, atol=atol):
            return f", which is {name}"
    return ""


def _article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"


def _read(description: Any, budget: blueprint.Budget) -> blueprint.Blueprint | str:
    """The network, or why it cannot be read."""
    try:
        return blueprint.read(description, budget)
    except BlueprintRefused as error:
        return error.message


def _after(stopped: Raised | None) -> str:
    """After which time something was stopped; evidence has it as the message of an exception."""
    return f"after {stopped.message}" if stopped and stopped.message else "in time"


def _at(stopped: Raised | None) -> str:
    """In which line of the student's own, in brackets; empty where that is not known."""
    return f" ({stopped.file}, line {stopped.line})" if stopped and stopped.file and stopped.line else ""


def _sentence(text: str) -> str:
    """A text that ends in one full stop."""
    return text.rstrip(". ") + "."


def _closed(check: Check, case: Case, earlier: Mapping[str, Verdict]) -> Verdict | None:
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
        # The builder's networks have no part of a function that another stood in for, or that is not written.
        without = _is_alone(case) or earlier[needed].status is Status.NOT_ATTEMPTED
        if without and case.task.builder and case.task.builder not in _functions(needed, case.task):
            continue
        if earlier[needed].rule == NOT_TRAINABLE:
            continue  # what cannot be trained can be looked at, as far as it was described
        if earlier[needed].status is not Status.PASSED:
            return _blocked_by(needed, case.task)
    return None


def _functions(check: str, task: Task) -> tuple[str, ...]:
    return next(other.functions for other in task.checks if other.id == check)


def _is_alone(case: Case) -> bool:
    """Whether the networks of a case were built with a stand-in for another function."""
    return any(call.aside for call in case.evidence.calls.values())


def _blocked_by(check: str, task: Task) -> Verdict:
    return Verdict(status=Status.BLOCKED, message=f"First this must hold: {_title(check, task)}.")


def _title(check: str, task: Task) -> str:
    return next(other.title for other in task.checks if other.id == check)


def _earned(check: Check, task: Task, verdicts: Mapping[str, Verdict]) -> Verdict:
    """The verdict on a check once all are known: what is praised must come with something that is right."""
    verdict = verdicts[check.id]
    others = [verdicts[other].status for other in check.earned_with]
    if verdict.status is not Status.PASSED or not others or Status.PASSED in others:
        return verdict
    titles = "; ".join(_title(other, task) for other in check.earned_with)
    these = "one of these passes" if len(others) > 1 else "this passes"
    return Verdict(status=Status.BLOCKED, message=f"This holds. It counts once {these}: {titles}.")


def _not_made_yet(raised: Call) -> str:
    layers = "1 layer" if raised.layers == 1 else f"{raised.layers} layers"
    return f"{raised} raised an exception after {layers}. This does not hold in them, or cannot be seen yet."


def uncallable(case: Case) -> Verdict | None:
    """The verdict on every check alike, where nothing of the module could be called."""
    module, evidence = case.task.module, case.evidence
    if case.refused:
        return Verdict.failed(f"What {module} left behind cannot be used: {case.refused}.", hint="")
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
                f"Importing {module} had not ended {_after(stopped)}{_at(stopped)}: only definitions belong "
                "at its left margin.",
                hint="",
            )
        case "running":
            how = case.ended.get("import", "and it ended the process")
            return Verdict.failed(f"{module} was imported {how}.", hint="")
        case "raised":
            known = ""
            if evidence.import_error and evidence.import_error.type == "ModuleNotFoundError":
                known = (
                    " Besides your own files there are Python's standard library, numpy, keras, tensorflow,"
                )
                known += " scikit-learn and matplotlib."
            return Verdict.failed(
                f"Importing {module} raised {_sentence(str(evidence.import_error))}{known}", hint=""
            )


def _decide(check: Check, judge: Judge, case: Case, earlier: Mapping[str, Verdict]) -> Verdict:
    try:
        verdict = judge(case)
    except NoNetwork as missing:
        # One cause: that call, or its like, has failed `builds` already.
        reported = earlier.get(built.BUILDS)
        if reported is not None and reported.status is Status.FAILED:
            return _blocked_by(built.BUILDS, case.task)
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
        return _blocked_by(blocked.check, case.task)
    except Exception as error:
        raise GraderFault(
            f"the judge of {case.task.id}/{check.id} failed: {type(error).__name__}: {error}"
        ) from error
    raised = next(filter(built.is_partial, case.evidence.calls.values()), None)
    if verdict.status is Status.FAILED and raised is not None:
        # What is missing was perhaps not made yet, and what is made may be another layer's.
        return Verdict(status=Status.BLOCKED, message=_not_made_yet(raised))
    return verdict
