"""Every way a call can end has its status and its words, and no evidence makes a judge fail."""

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader import blueprint
from grader.config import manifest
from grader.config.manifest import Check, Task
from grader.config.marking import Worth
from grader.errors import GraderFault
from grader.grading import judging, to_train
from grader.grading.evidence import Call, Evidence, Network, Other, Raised
from grader.grading.judging import Blocked, Case, Unmet
from grader.grading.values import described, number, numbers
from grader.results.record import Status
from grader.results.verdict import Verdict
from grader.tasks.preprocessing import probe

ROOT = Path(__file__).parents[3]
CHECK = Check(
    id="adds", title="It adds", points=1, rule="values", functions=("add",), hint="Use the plus sign."
)
TASK = Task(
    id="sums",
    title="Sums",
    module="sums.py",
    functions=("add",),
    checks=(CHECK,),
    worth=Worth(points=2, functions={"add": 2}),
)
BUDGET = blueprint.Budget(parameters=10**6, flops=10**9, activations=10**6, nodes=100)


def case(*calls: Call, **changes: Any) -> Case:
    """A case of TASK with these calls, named "0", "1" and so on."""
    found = Evidence(True, True, None, "ok", None, {str(n): call for n, call in enumerate(calls)})
    return Case(
        TASK,
        replace(found, **{k: v for k, v in changes.items() if k != "ended"}),
        {},
        changes.get("ended", {}),
    )


def call(value: Any = None, status: Any = "returned", **more: Any) -> Call:
    return Call("add", "1, 2", status, value, **more)


def raising(error: Exception) -> Callable[[Case], Verdict]:
    """A judge that raises this."""

    def judge(case: Case) -> Verdict:
        raise error

    return judge


def dense(units: int, shape: tuple[int, ...] = (32, 32, 3)) -> dict[str, Any]:
    """A network of one dense layer."""
    return {
        "format": 1,
        "input_shape": shape,
        "output": 2,
        "nodes": [
            {"op": "Input", "settings": {}, "inputs": []},
            {"op": "Flatten", "settings": {}, "inputs": [0]},
            {"op": "Dense", "settings": {"units": units}, "inputs": [1]},
        ],
    }


@pytest.fixture
def judges(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[Case], Verdict]]:
    """The judges of TASK; what a test puts in here is what decides."""
    known: dict[str, Callable[[Case], Verdict]] = {"adds": lambda case: Verdict.passed()}
    monkeypatch.setattr(judging, "judges_of", lambda task: known)
    return known


class TestCase:
    @pytest.mark.parametrize(
        ("call", "ended", "message"),
        [
            (call(status="missing"), {}, "sums.py has no function add."),
            (call(status="not implemented"), {}, "add is not written yet."),
            (call(status="timed out"), {}, "add(1, 2) did not return and was stopped when its time was up."),
            (
                call(status="timed out", exception=Raised("TimeIsUp", "40 s", "sums.py", 3)),
                {},
                "add(1, 2) did not return and was stopped after 40 s (sums.py, line 3).",
            ),
            (
                call(status="skipped"),
                {"add": "twice, and each time it was killed"},
                "add was called twice, and each time it was killed.",
            ),
            (call(status="running"), {}, "add(1, 2) did not return: the process ended."),
            (
                call(status="raised", exception=Raised("ValueError", "no", "sums.py", 3)),
                {},
                "add(1, 2) raised ValueError: no (sums.py, line 3).",
            ),
        ],
    )
    def test_a_call_that_did_not_return_says_how_it_ended(
        self, call: Call, ended: dict[str, str], message: str
    ) -> None:
        with pytest.raises(Unmet) as caught:
            case(call, ended=ended).value("0")
        assert caught.value.verdict == Verdict.failed(message, hint="", rule="raises")

    def test_a_call_that_is_not_there_was_never_made(self) -> None:
        with pytest.raises(Unmet, match="the process ended before"):
            case().value("0")

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (None, "add(1, 2) returned None; expected a float32 array of shape (2,)."),
            (
                np.zeros(2),
                "add(1, 2) returned a float64 array of shape (2,); expected a float32 array of shape (2,).",
            ),
            (np.zeros((1, 2), "f4"), "add(1, 2) returned a float32 array of shape (1, 2); expected a"),
        ],
    )
    def test_an_array_of_another_kind_says_what_came_and_what_was_expected(
        self, value: object, expected: str
    ) -> None:
        with pytest.raises(Unmet) as caught:
            case(call(value)).array("0", dtype="float32", shape=(2,))
        assert str(caught.value).startswith(expected)

    def test_a_tuple_a_list_or_the_rows_of_an_array_are_items(self) -> None:
        for value in ((1, 2), [1, 2], np.array([1, 2])):
            assert case(call(value)).items("0", 2, "two numbers") == (1, 2)
        for value in ((1,), np.array(3), "ab", None):
            with pytest.raises(Unmet, match="expected two numbers"):
                case(call(value)).items("0", 2, "two numbers")

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (3, "returned the number 3; expected a keras.Model"),
            (Network(refused="it has a Lambda"), "returned a model that cannot be used: it has a Lambda."),
            (Network({"nodes": "none"}), "returned a model that cannot be used: "),
        ],
    )
    def test_what_is_no_network_or_none_that_is_allowed_is_said(self, value: object, message: str) -> None:
        with pytest.raises(Unmet) as caught:
            case(call(value)).blueprint("0", BUDGET)
        assert message in str(caught.value)


class TestJudge:
    def test_a_check_that_holds_is_passed(self, judges: object) -> None:
        assert judging.judge(case(call(3))) == {"adds": Verdict.passed()}

    def test_the_untouched_stub_is_not_attempted_but_one_call_that_is_written_counts(
        self, judges: object
    ) -> None:
        stub = call(status="not implemented")
        assert judging.judge(case(stub, stub))["adds"].status is Status.NOT_ATTEMPTED
        assert judging.judge(case(stub, call(3)))["adds"].status is Status.PASSED

    def test_a_check_is_blocked_until_those_it_builds_on_have_passed(
        self, judges: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later = CHECK.model_copy(update={"id": "later", "after": ("adds",)})
        two = replace(case(call(3)), task=TASK.model_copy(update={"checks": (CHECK, later)}))
        judges["later"] = judges["adds"]
        assert judging.judge(two)["later"].status is Status.PASSED
        judges["adds"] = lambda case: Verdict.failed("no")
        assert judging.judge(two)["later"] == Verdict(
            status=Status.BLOCKED, message="This check must pass first: It adds."
        )

    def test_a_judge_that_cannot_look_names_the_check_that_must_hold_first(
        self, judges: dict[str, Any]
    ) -> None:
        later = CHECK.model_copy(update={"id": "later"})
        two = replace(case(call(3)), task=TASK.model_copy(update={"checks": (CHECK, later)}))
        judges["later"] = raising(Blocked("adds"))
        message = "This check must pass first: It adds."
        assert judging.judge(two)["later"] == Verdict(status=Status.BLOCKED, message=message)
        judges["later"] = raising(Blocked(message="There is nothing to add."))
        message = "There is nothing to add."
        assert judging.judge(two)["later"] == Verdict(status=Status.BLOCKED, message=message)

    def test_a_judge_that_waits_for_a_check_that_is_not_there_is_the_graders_fault(
        self, judges: dict[str, Any]
    ) -> None:
        judges["adds"] = raising(Blocked("subtracts"))
        with pytest.raises(GraderFault, match="the judge of sums/adds waits for 'subtracts', which is not"):
            judging.judge(case(call(3)))

    @pytest.mark.parametrize(
        ("right", "statuses", "message"),
        [
            (("one", "two"), (Status.PASSED, Status.PASSED), ""),
            (("two",), (Status.PASSED, Status.PASSED), ""),
            (
                (),
                (Status.BLOCKED, Status.PASSED),
                "This check passes, but counts only when one of these passes: One; Two.",
            ),
        ],
    )
    def test_a_form_earns_with_what_is_right_in_it(
        self, judges: dict[str, Any], right: tuple[str, ...], statuses: tuple[Status, ...], message: str
    ) -> None:
        """Without it the form is blocked; what comes after it is looked at all the same."""
        form = CHECK.model_copy(update={"id": "form", "earned_with": ("one", "two")})
        after = CHECK.model_copy(update={"id": "after", "after": ("form",)})
        values = [CHECK.model_copy(update={"id": name, "title": name.title()}) for name in ("one", "two")]
        judges.update(dict.fromkeys(("form", "after", *right), judges["adds"]))
        judges.update({v.id: lambda case: Verdict.failed("no") for v in values if v.id not in right})
        task = TASK.model_copy(update={"checks": (form, after, *values)})
        verdicts = judging.judge(replace(case(call(3)), task=task))
        assert (verdicts["form"].status, verdicts["after"].status) == statuses
        assert verdicts["form"].message == message
        assert verdicts["form"].fraction == (1.0 if right else 0.0)

    def test_a_form_that_fails_keeps_its_own_reason(self, judges: dict[str, Any]) -> None:
        form = CHECK.model_copy(update={"id": "form", "earned_with": ("adds",)})
        judges |= {"form": lambda case: Verdict.failed("no array"), "adds": lambda case: Verdict.failed("no")}
        task = TASK.model_copy(update={"checks": (form, CHECK)})
        assert judging.judge(replace(case(call(3)), task=task))["form"].message == "no array"
        stub = replace(case(call(status="not implemented")), task=task)
        assert judging.judge(stub)["form"].status is Status.NOT_ATTEMPTED

    @pytest.mark.parametrize(
        ("changes", "status", "message"),
        [
            ({"imported": "missing file"}, Status.NOT_ATTEMPTED, "There is no sums.py."),
            ({"imported": "timed out"}, Status.FAILED, "Importing sums.py was stopped when its time was up"),
            (
                {"imported": "timed out", "import_error": Raised("TimeIsUp", "30 s of processor time")},
                Status.FAILED,
                "Importing sums.py was stopped after 30 s of processor time. A module should define",
            ),
            (
                {"imported": "running", "ended": {"import": "twice, and each time it was killed"}},
                Status.FAILED,
                "sums.py was imported twice, and each time it was killed.",
            ),
            (
                {
                    "imported": "raised",
                    "import_error": Raised("ModuleNotFoundError", "No module named 'torch'"),
                },
                Status.FAILED,
                "No module named 'torch'. Besides your own files you can import Python's standard library",
            ),
        ],
    )
    def test_a_module_that_cannot_be_imported_decides_every_check(
        self, judges: object, changes: dict[str, Any], status: Status, message: str
    ) -> None:
        verdict = judging.judge(case(**changes))["adds"]
        assert verdict.status is status
        assert message in verdict.message

    def test_evidence_that_cannot_be_used_fails_every_check(self, judges: object) -> None:
        verdict = judging.judge(replace(case(), refused="more than 200 files were left behind"))["adds"]
        assert verdict.status is Status.FAILED
        assert "more than 200 files" in verdict.message

    def test_a_probe_that_did_not_start_is_the_machines_fault(self, judges: object) -> None:
        with pytest.raises(GraderFault, match="did not start"):
            judging.judge(case(started=False))

    def test_a_judge_that_fails_is_the_graders_fault(self, judges: dict[str, Any]) -> None:
        judges["adds"] = lambda case: 1 / 0
        with pytest.raises(GraderFault, match="the judge of sums/adds failed: ZeroDivisionError"):
            judging.judge(case(call(3)))


class TestNetwork:
    CHECK = CHECK.model_copy(update={"id": "learns", "train": "coarse", "after": ("adds",)})
    DESCRIBED = blueprint.read(dense(20), BUDGET)

    def test_failed_checks_do_not_stop_a_training(self) -> None:
        """What a network learns is measured whatever is wrong with it, as long as something is right."""
        found = Evidence(True, True, None, "ok", None, {"train.coarse": call(Network(dense(20)))})
        failed = {"adds": Verdict.failed("no"), "other": Verdict.passed()}
        either = self.CHECK.model_copy(update={"after": (), "earned_with": ("adds", "other")})
        trained = to_train.network(Case(TASK, found, {}), either, failed, BUDGET, self.DESCRIBED)
        assert isinstance(trained, blueprint.Blueprint)
        nothing = {**failed, "other": Verdict.failed("no")}
        verdict = to_train.network(Case(TASK, found, {}), either, nothing, BUDGET, self.DESCRIBED)
        assert isinstance(verdict, Verdict)
        assert (verdict.status, verdict.fraction) == (Status.BLOCKED, 0)
        assert "once there is more that is right in it" in verdict.message

    def test_what_costs_more_than_what_was_asked_for_is_not_trained(self) -> None:
        """The verdict has both numbers, and is no fault of the machine."""
        smaller = blueprint.read(dense(15), BUDGET)
        found = Evidence(True, True, None, "ok", None, {"train.coarse": call(Network(dense(20)))})
        verdict = to_train.network(
            Case(TASK, found, {}), self.CHECK, {"adds": Verdict.passed()}, BUDGET, smaller
        )
        assert isinstance(verdict, Verdict)
        assert (verdict.status, verdict.in_share) == (Status.FAILED, True)
        assert (
            "has 61,460 parameters; the one that was asked for has 46,095, and no more than 57,618 are"
            in (verdict.message)
        )
        assert "was not trained" in verdict.message

    def test_a_training_is_blocked_like_any_check(self) -> None:
        earlier = {"adds": Verdict.failed("no")}
        verdict = to_train.network(case(call(3)), self.CHECK, earlier, BUDGET, self.DESCRIBED)
        assert isinstance(verdict, Verdict)
        assert verdict.status is Status.BLOCKED

    def built(self, units: int, shape: tuple[int, ...] = (32, 32, 3)) -> blueprint.Blueprint | Verdict:
        """What becomes of a network of one dense layer that was built to be trained."""
        found = Evidence(True, True, None, "ok", None, {"train.coarse": call(Network(dense(units, shape)))})
        return to_train.network(
            Case(TASK, found, {}), self.CHECK, {"adds": Verdict.passed()}, BUDGET, self.DESCRIBED
        )

    def test_what_was_built_for_it_is_the_network(self) -> None:
        network = self.built(20)
        assert isinstance(network, blueprint.Blueprint)
        assert network.output_shape == (20,)

    def test_scores_are_trained_with_a_softmax_after_them(self) -> None:
        """And what ends in one as it is."""
        network = self.built(20)
        assert isinstance(network, blueprint.Blueprint)
        assert (network.output.op, network.output.settings["activation"]) == ("Activation", "softmax")
        assert blueprint.with_probabilities(network, BUDGET) is network

    @pytest.mark.parametrize(("units", "shape"), [(21, (32, 32, 3)), (20, (28, 28, 3)), (20, (32, 32, 1))])
    def test_what_does_not_fit_the_images_is_not_trained(self, units: int, shape: tuple[int, ...]) -> None:
        """It could not start, as if by a fault of the machine: it earns as its structure does."""
        verdict = self.built(units, shape)
        assert isinstance(verdict, Verdict)
        assert (verdict.status, verdict.in_share) == (Status.FAILED, True)
        assert f"returned a network from {shape} to ({units},); expected one from (32, 32, 3) to (20,)" in (
            verdict.message
        )

    def test_a_builder_that_did_not_return_fails_the_check(self) -> None:
        verdict = to_train.network(case(), self.CHECK, {"adds": Verdict.passed()}, BUDGET, self.DESCRIBED)
        assert isinstance(verdict, Verdict)
        assert (verdict.status, verdict.in_share, verdict.fraction) == (Status.FAILED, False, 0)

    def test_a_network_that_cannot_be_read_earns_as_its_structure_does(self) -> None:
        found = Evidence(
            True, True, None, "ok", None, {"train.coarse": call(Network(refused="it has a Lambda"))}
        )
        verdict = to_train.network(
            Case(TASK, found, {}), self.CHECK, {"adds": Verdict.passed()}, BUDGET, self.DESCRIBED
        )
        assert isinstance(verdict, Verdict)
        assert (verdict.status, verdict.in_share) == (Status.FAILED, True)


class TestWords:
    @pytest.mark.parametrize(
        ("value", "words"),
        [
            (None, "None"),
            (True, "True"),
            (0.123456, "the number 0.123"),
            ("it", "the text 'it'"),
            ((), "an empty tuple"),
            ([], "an empty list"),
            ((1, None), "a tuple of 2: the number 1, None"),
            (["a"] * 9, "a list of 9: " + "the text 'a', " * 4 + "…"),
            (np.zeros((2, 3), "i4"), "an int32 array of shape (2, 3)"),
            (np.uint8(3), "a uint8"),
            (Network(), "a model"),
            (Other("dict"), "a dict"),
            (Other("ndarray", "of object values"), "a ndarray (of object values)"),
        ],
    )
    def test_a_value_in_a_few_words(self, value: object, words: str) -> None:
        assert described(value) == words

    def test_what_is_nested_takes_no_more_words(self) -> None:
        """Evidence may hold a tree of a hundred thousand tuples: a message is a line all the same."""
        tree: Any = None
        for _ in range(8):
            tree = (tree,) * 4
        assert described(tree) == "a tuple of 4: " + ", ".join(["a tuple of 4"] * 4)

    def test_numbers_are_short(self) -> None:
        assert numbers([1 / 3, 31, float("nan")]) == "(0.333, 31, nan)"
        assert number(123456.0) == "1.23e+05"


# ------------------------------------------------------------------ no evidence makes a judge fail

PREPROCESSING = manifest.load(ROOT / "solutions/tasks.toml").task("preprocessing")
SEED = 11


def right_calls() -> dict[str, Call]:
    """What the solution's functions give."""
    spec = importlib.util.spec_from_file_location("solved", ROOT / "solutions/preprocessing.py")
    assert spec
    assert spec.loader
    solved = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(solved)
    calls: dict[str, Call] = {}

    class Recorder:
        def call(
            self, name: str, function: str, *args: Any, keep_inputs: bool = False, **kwargs: Any
        ) -> None:
            value = getattr(solved, function)(*args, **kwargs)
            after = (
                {str(n): a for n, a in enumerate(args) if isinstance(a, np.ndarray)} if keep_inputs else {}
            )
            calls[name] = Call(function, "…", "returned", value, inputs_after=after)

    probe.probe(Recorder(), probe.draw(SEED))
    probe.later(Recorder(), probe.draw(SEED))
    return calls


RIGHT = right_calls()

dtypes = st.sampled_from(["?", "u1", "u8", "i1", "i8", "f2", "f4", "f8"])
arrays = dtypes.flatmap(
    lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats()
    | st.text(max_size=5)
    | arrays
    | st.just(Other("set"))
    | st.just(Network({})),
    lambda inner: st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple),
    max_leaves=4,
)


@st.composite
def altered(draw: st.DrawFn, value: Any) -> Any:
    """A right value with a piece of it replaced, of another dtype, cut, or filled with something odd."""
    if isinstance(value, tuple) and draw(st.booleans()):
        place = draw(st.integers(0, len(value) - 1))
        return (*value[:place], draw(altered(value[place])), *value[place + 1 :])
    if isinstance(value, np.ndarray):
        match draw(st.integers(0, 4)):
            case 0:
                with np.errstate(all="ignore"):
                    return value.astype(draw(dtypes))
            case 1:
                return value[: draw(st.integers(0, 2))]
            case 2:
                return np.concatenate([value, value])
            case 3:
                odd = (
                    [0, 1, 255, 2**62, -(2**62)] if value.dtype.kind == "i" else [0, np.nan, np.inf, 3e38, -1]
                )
                filled = value.copy()
                filled[: draw(st.sampled_from([1, len(value)]))] = draw(st.sampled_from(odd))
                return filled
    return draw(values)


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Call]:
    """The right calls, some of which returned something else or did not return."""
    found = dict(RIGHT)
    for name in draw(st.sets(st.sampled_from(sorted(RIGHT)), min_size=1, max_size=3)):
        match draw(st.integers(0, 5)):
            case 0:
                found[name] = replace(
                    found[name], status=draw(st.sampled_from(["raised", "missing", "running"]))
                )
            case 1:
                del found[name]
            case 2:
                found[name] = replace(found[name], inputs_after={"0": draw(values), "1": draw(values)})
            case _:
                found[name] = replace(found[name], value=draw(altered(found[name].value)))
    return found


class TestRandom:
    def test_the_right_calls_pass(self) -> None:
        verdicts = judging.judge(
            Case(PREPROCESSING, Evidence(True, True, None, "ok", None, RIGHT), probe.draw(SEED))
        )
        assert {v.status for v in verdicts.values()} == {Status.PASSED}

    @pytest.mark.slow
    @given(calls())
    @settings(max_examples=250, deadline=None)
    @pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
    def test_whatever_came_back_every_check_has_a_verdict(self, found: dict[str, Call]) -> None:
        evidence = Evidence(True, True, None, "ok", None, found)
        verdicts = judging.judge(Case(PREPROCESSING, evidence, probe.draw(SEED)))
        assert verdicts.keys() == {check.id for check in PREPROCESSING.checks if not check.train}
        assert all(v.message for v in verdicts.values() if v.status is not Status.PASSED)
        assert all(len(v.message) < 1000 for v in verdicts.values())
        # What a check waits for has failed, or waits itself: nobody is sent to look for a fault that is none.
        first = {f"This check must pass first: {check.title}.": check.id for check in PREPROCESSING.checks}
        waits = [first[v.message] for v in verdicts.values() if v.message in first]
        assert all(verdicts[check].status is not Status.PASSED for check in waits)
