"""Verdicts made into marks, on their own: what is charged, how much, and what holds of any mark."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.config import manifest
from grader.config.manifest import Check, Manifest, Task
from grader.config.marking import Marking, Rule, Worth
from grader.grading import marking
from grader.results.record import WHOLE, CheckResult, Status, TaskResult
from grader.results.verdict import Verdict
from tests.grader.grading.test_untouched import ASSIGNMENT
from tests.grader.marks import sound

SHIPPED = manifest.load(ASSIGNMENT / "tasks.toml")


def check(name: str, *functions: str, **more: object) -> Check:
    """A check that is worth half a point, or 5 if it trains."""
    given = {"points": 5.0 if "train" in more else 0.5, "rule": "moderate", **more}
    return Check(id=name, title=f"{name} holds", functions=functions, hint="Look at the plus sign.", **given)


# 30 points: 10 by training, 12 for the larger function and 8 for the smaller one.
TASK = Task(
    id="sums",
    title="Sums",
    module="sums.py",
    functions=("part", "build"),
    builder="build",
    checks=(
        check("part.form", "part", earned_with=("part.values", "part.order")),
        check("part.values", "part"),
        check("part.order", "part"),
        check("part.ties", "part", rule="small"),
        check("build.values", "part", "build", follows=("part.values",)),
        check("build.order", "part", "build", after=("build.values",)),
        check("build.ties", "part", "build", rule="small"),
        check("build.size", "part", "build", rule="large"),
        check("learns.coarse", "part", "build", train="coarse", earned_with=("build.values",)),
        check("learns.fine", "part", "build", train="fine", earned_with=("build.values",)),
    ),
    worth=Worth(points=30, training=10, functions={"part": 8, "build": 12}),
)
RULES = tuple(
    Rule(id=level, level=level, says=f"the consequence is {level}")
    for level in ("small", "moderate", "large", "ruin")
)
RULES += (Rule(id="crash", level="large", effect=True, says="it raises, for whatever reason"),)
LEVELS = {"small": 0.05, "moderate": 0.1, "large": 0.2, "ruin": 0.5}  # of 30: 1.5, 3, 6, 15
TASKS = Manifest(
    title="One",
    tasks=(TASK,),
    marking=Marking(format=1, each_check=0.5, levels=LEVELS, tasks={"sums": TASK.worth}, rules=RULES),
)
ALL = [one.id for one in TASK.checks]
PART, BUILD = ALL[:4], ALL[4:8]
TRAINED = ALL[8:]
BLOCKED = Verdict(status=Status.BLOCKED, message="This check must pass first: part.values holds.")
STUB = Verdict(status=Status.NOT_ATTEMPTED, message="part is not written yet.")


def failed(rule: str = "", **more: object) -> Verdict:
    return Verdict.failed("It does not hold.", rule=rule).model_copy(update=more)


def learned(fraction: float) -> Verdict:
    """Of a training that earned this part of its points."""
    return Verdict.passed() if fraction == 1 else Verdict.failed("Too little.", fraction=fraction)


def verdicts(**changes: Verdict) -> dict[str, Verdict]:
    """All passed but these; an underscore between two words is a dot."""
    changed = {name.replace("_", "."): verdict for name, verdict in changes.items()}
    assert changed.keys() <= set(ALL)
    return {name: changed.get(name, Verdict.passed()) for name in ALL}


def marked(found: Mapping[str, Verdict], tasks: Manifest = TASKS) -> dict[str, CheckResult]:
    """The lines by their check."""
    lines = sound(marking.mark(tasks.tasks[0], found, tasks))
    return {line.check: line for line in lines}


def points(**changes: Verdict) -> float:
    return sum(line.points for line in marked(verdicts(**changes)).values())


class TestBothEnds:
    """Everything, and nothing."""

    @pytest.mark.parametrize("task", SHIPPED.tasks, ids=lambda task: task.id)
    def test_everything_passed_is_everything(self, task: Task) -> None:
        lines = sound(marking.mark(task, {one.id: Verdict.passed() for one in task.checks}, SHIPPED))
        assert {line.status for line in lines} == {Status.PASSED}
        assert all(line.points == line.max_points for line in lines)
        trained = sum(one.points for one in task.checks if one.train)
        assert sum(line.points for line in lines) == task.worth.structure + trained

    @pytest.mark.parametrize("task", SHIPPED.tasks, ids=lambda task: task.id)
    def test_everything_not_attempted_is_nothing(self, task: Task) -> None:
        lines = sound(marking.mark(task, dict.fromkeys([one.id for one in task.checks], STUB), SHIPPED))
        assert {line.status for line in lines} == {Status.NOT_ATTEMPTED}
        assert {line.points for line in lines} == {0}

    @pytest.mark.parametrize("task", SHIPPED.tasks, ids=lambda task: task.id)
    @pytest.mark.parametrize("verdict", [failed(), BLOCKED], ids=["failed", "blocked"])
    def test_nothing_right_is_nothing(self, task: Task, verdict: Verdict) -> None:
        lines = sound(marking.mark(task, dict.fromkeys([one.id for one in task.checks], verdict), SHIPPED))
        assert {line.points for line in lines} == {0}

    def test_without_trainings_there_are_no_points_for_them(self) -> None:
        structure = {name: Verdict.passed() for name in ALL if name not in TRAINED}
        lines = marked(structure)
        assert not lines.keys() & set(TRAINED)
        assert sum(line.points for line in lines.values()) == 20
        assert sum(line.max_points for line in lines.values()) == 20


class TestCharged:
    """One cause, charged once."""

    @pytest.mark.parametrize(("rule", "cost"), [("small", 1.5), ("moderate", 3), ("large", 6), ("ruin", 15)])
    def test_a_mistake_costs_what_its_rule_says(self, rule: str, cost: float) -> None:
        assert points(build_size=failed(rule)) == 30 - cost

    def test_without_a_rule_of_its_own_the_checks_is_charged(self) -> None:
        assert points(build_size=failed()) == 30 - 6

    def test_the_line_says_what_and_why(self) -> None:
        """The failed one; `whole` has the sum, and no other line has lost anything."""
        lines = marked(verdicts(build_size=failed("moderate")))
        line = lines.pop("build.size")
        assert (line.deduction, line.consequence, line.rule) == (3, "the consequence is moderate", "moderate")
        assert (line.points, line.max_points) == (0, 0.5)
        assert (line.message, line.hint) == ("It does not hold.", "Look at the plus sign.")
        assert lines[WHOLE].message == "-3: build.size holds: the consequence is moderate."
        assert lines[WHOLE].status is Status.FAILED
        del lines[WHOLE]
        assert all(
            (one.points, one.deduction, one.consequence) == (one.max_points, 0, "") for one in lines.values()
        )

    def test_what_is_blocked_costs_nothing_more(self) -> None:
        """Nor does it lose its own points: what keeps it from being looked at is charged."""
        alone = points(build_values=failed())
        assert alone == 30 - 3
        assert points(build_values=failed(), build_order=BLOCKED) == alone
        assert points(build_values=failed(), build_order=BLOCKED, build_ties=BLOCKED) == alone

    def test_but_where_all_is_blocked_nothing_was_seen_to_be_right(self) -> None:
        """Unless the judge says that some of it is."""
        blocked = {"build_order": BLOCKED, "build_ties": BLOCKED, "build_size": BLOCKED}
        assert points(build_values=failed(), **blocked) == 30 - 12
        assert points(build_values=failed(partly=True), **blocked) == 30 - 3

    def test_what_follows_costs_nothing_more(self) -> None:
        alone = points(part_values=failed())
        assert points(part_values=failed(), build_values=failed("large")) == alone == 30 - 3
        line = marked(verdicts(part_values=failed(), build_values=failed("large")))["build.values"]
        assert (line.status, line.deduction, line.consequence) == (Status.FAILED, 0, "")

    def test_the_same_failure_without_that_cause_is_a_mistake_of_its_own(self) -> None:
        assert points(build_values=failed("large")) == 30 - 6

    def test_mistakes_in_two_functions_add_up(self) -> None:
        assert points(part_values=failed("large"), build_size=failed("moderate")) == 30 - 9

    def test_mistakes_in_one_function_cost_no_more_than_it_is_worth(self) -> None:
        """8 points for `part`; three mistakes of 6 would be 18."""
        three = {"part_values": failed("large"), "part_order": failed("large"), "part_ties": failed("large")}
        two = dict(list(three.items())[:2])
        assert points(**two) == 30 - 8
        said = marked(verdicts(**two))[WHOLE].message
        assert said.splitlines()[-1].startswith("Together: 8 of 20 points")
        assert said.count("-6: ") == 2

    def test_or_than_the_gravest_of_them(self) -> None:
        assert points(part_values=failed("ruin"), part_order=failed("large")) == 30 - 15

    def test_what_raises_is_taken_to_come_of_the_other_mistakes_of_its_function(self) -> None:
        assert points(build_size=failed("crash")) == 30 - 6
        assert points(build_size=failed("crash"), build_ties=failed("small")) == 30 - 6
        assert points(build_size=failed("crash"), build_ties=failed("large"), build_order=failed()) == 30 - 9
        assert points(build_size=failed("crash"), part_ties=failed("small")) == 30 - 7.5

    @pytest.mark.parametrize("task", SHIPPED.tasks, ids=lambda task: task.id)
    def test_no_mistake_costs_more_than_to_leave_its_function_unwritten(self, task: Task) -> None:
        """With the training that needs it."""
        passed = {check.id: Verdict.passed() for check in task.checks}
        for check in (one for one in task.checks if not one.train and len(one.functions) <= 2):
            unwritten = task.worth.functions[check.functions[-1]] + task.worth.training
            for rule in SHIPPED.marking.rules:
                found = {**passed, check.id: Verdict.failed("No.", rule=rule.id)}
                lines = marking.mark(task, found, SHIPPED)
                assert task.points - sum(line.points for line in lines) <= unwritten

    def test_a_function_with_nothing_right_loses_what_it_is_worth(self) -> None:
        """And its form with it, which holds."""
        wrong = dict.fromkeys(["part_values", "part_order", "part_ties"], failed("small"))
        lines = marked(verdicts(**wrong, build_values=failed()))
        assert sum(lines[name].points for name in PART) == 0
        assert sum(line.points for line in lines.values()) == 30 - 8
        assert "-8: nothing is right in part yet." in lines[WHOLE].message

    def test_unless_a_part_of_it_is_right(self) -> None:
        wrong = dict.fromkeys(["part_order", "part_ties"], failed("small"))
        assert points(**wrong, part_values=failed("small", partly=True)) == 30 - 4.5

    def test_a_function_that_is_not_written_loses_what_it_is_worth(self) -> None:
        stubs = {name.replace(".", "_"): STUB for name in (*BUILD, *TRAINED)}
        assert points(**stubs) == 8

    def test_nor_does_a_training_make_it_one_that_nobody_can_look_at(self) -> None:
        stubs = {name.replace(".", "_"): STUB for name in BUILD}
        nothing = {name.replace(".", "_"): learned(0) for name in TRAINED}
        assert points(**stubs, **nothing) == 8

    def test_a_function_that_nobody_can_look_at_counts_as_the_rest(self) -> None:
        """`build` fails for `part` alone: what it is worth is lost in the same share, 3 of 8."""
        unseen = dict.fromkeys(["build_order", "build_ties", "build_size"], BLOCKED)
        lines = marked(verdicts(part_values=failed(), build_values=failed(), **unseen))
        assert sum(line.points for line in lines.values()) == 30 - 7.5
        assert "build cannot be looked at for this: it counts as the rest does." in lines[WHOLE].message

    def test_a_check_that_was_seen_to_be_right_keeps_its_points(self) -> None:
        every = [one.replace(".", "_") for one in (*PART[1:3], *BUILD[:3])]
        lines = marked(verdicts(**dict.fromkeys(every, failed("ruin"))))
        assert [name for name in ALL[:8] if lines[name].points] == ["part.form", "part.ties", "build.size"]


class TestTraining:
    """What is earned by accuracy."""

    @pytest.mark.parametrize(
        ("fraction", "earned"), [(1, 5), (0.5, 2.5), (0.44, 2), (0.46, 2.5), (0.04, 0), (0.99, 4.5)]
    )
    def test_in_whole_or_half_points(self, fraction: float, earned: float) -> None:
        lines = marked(verdicts(learns_fine=learned(fraction)))
        assert lines["learns.fine"].points == earned
        assert sum(line.points for line in lines.values()) == 25 + earned
        assert lines[WHOLE].status is Status.PASSED

    def test_a_network_that_learns_loses_what_its_structure_does(self) -> None:
        assert points(build_size=failed("large"), learns_coarse=learned(1), learns_fine=learned(1)) == 30 - 6

    @pytest.mark.parametrize("fraction", [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    @pytest.mark.parametrize("rule", ["small", "moderate", "large", "ruin"])
    def test_the_greater_of_the_two_is_charged(self, rule: str, fraction: float) -> None:
        """What the failed check is worth by itself is lost in any case."""
        both = {"learns_coarse": learned(fraction), "learns_fine": learned(fraction)}
        cost = {"small": 1.5, "moderate": 3, "large": 6, "ruin": 15}[rule]
        assert points(build_size=failed(rule), **both) == 30 - max(cost, 10 * (1 - fraction) + 0.5)

    def test_what_is_lost_in_training_is_said_to_be(self) -> None:
        lines = marked(verdicts(build_size=failed("large"), learns_fine=learned(0)))
        assert lines[WHOLE].message.endswith(
            "5 of this is lost in training already, and is not charged again."
        )

    def test_what_cannot_be_trained_earns_in_the_share_of_the_structure(self) -> None:
        """6 of 20 are lost: 7 of 10 are earned, and what is lost here is not lost again."""
        there = failed(in_share=True)
        lines = marked(verdicts(build_size=failed("large"), learns_coarse=there, learns_fine=there))
        assert [lines[name].points for name in TRAINED] == [3.5, 3.5]
        assert sum(line.points for line in lines.values()) == 30 - 6

    def test_but_where_nothing_else_is_wrong_that_is_what_is(self) -> None:
        there = failed(in_share=True)
        assert points(learns_coarse=there, learns_fine=there) == 20

    def test_what_is_not_done_is_not_made_up_for(self) -> None:
        """`part` is right and `build` does nothing: no mistake of it has cost the training."""
        nothing = {one.replace(".", "_"): failed() for one in BUILD}
        blocked = {one.replace(".", "_"): BLOCKED for one in TRAINED}
        assert points(**nothing, **blocked) == 8
        assert points(part_values=failed("large"), **nothing, **blocked) == 2

    def test_nor_is_anything_where_more_is_wrong_than_right(self) -> None:
        """One check holds in each function, and the network learns nothing."""
        wrong = [one.replace(".", "_") for one in (*PART[1:3], *BUILD[:3])]
        nothing = {one.replace(".", "_"): learned(0) for one in TRAINED}
        form = {"part_form": BLOCKED}
        assert points(**dict.fromkeys(wrong, failed("large")), **nothing, **form) <= 2


class TestFault:
    """The machine failed: that is no mark."""

    @pytest.mark.parametrize("name", ALL)
    def test_is_never_a_mark(self, name: str) -> None:
        lines = marked(
            {**verdicts(build_size=failed()), name: Verdict(status=Status.FAULT, message="killed")}
        )
        assert lines[WHOLE].status is Status.FAULT
        assert lines[name].status is Status.FAULT
        assert all(not line.deduction for line in lines.values())


statuses = st.sampled_from([Status.PASSED, Status.FAILED, Status.BLOCKED, Status.NOT_ATTEMPTED])
rules = st.sampled_from(["", *LEVELS])


@st.composite
def any_verdict(draw: st.DrawFn, name: str) -> Verdict:
    """One that a judge or a training may give."""
    status = draw(statuses)
    if status is Status.PASSED:
        return Verdict.passed()
    if status is not Status.FAILED:
        return Verdict(status=status, message="x")
    if name in TRAINED:
        fraction = draw(st.floats(0, 1, exclude_max=True))
        return failed(fraction=fraction, in_share=draw(st.booleans()))
    return failed(draw(rules), partly=draw(st.booleans()))


any_verdicts = st.fixed_dictionaries({name: any_verdict(name) for name in ALL})


def total(found: Mapping[str, Verdict]) -> float:
    return sum(line.points for line in marked(found).values())


class TestAlways:
    """Whatever the verdicts are."""

    @given(any_verdicts)
    def test_lines_add_up_to_a_mark(self, found: dict[str, Verdict]) -> None:
        """From 0 to the task's points, whole or half, every line too."""
        lines = marked(found)
        assert list(lines) == [*ALL, WHOLE]
        assert sum(line.max_points for line in lines.values()) == TASK.points
        mark = total(found)
        assert 0 <= mark <= TASK.points
        assert mark % 0.5 == 0

    @given(any_verdicts)
    def test_full_marks_are_for_what_is_right_alone(self, found: dict[str, Verdict]) -> None:
        right = all(verdict.status is Status.PASSED for verdict in found.values())
        if right:
            assert total(found) == TASK.points
        elif total(found) == TASK.points:
            # Blocked without a cause is what no judge says of a right submission: nothing of it has failed.
            assert all(verdict.status is not Status.FAILED for verdict in found.values())

    @given(any_verdicts)
    def test_what_passed_by_itself_is_not_taken_away(self, found: dict[str, Verdict]) -> None:
        """As long as its function has anything else right in it than its form."""
        lines = marked(found)
        for name, line in lines.items():
            if name in ("part.values", "part.order", *BUILD) and found[name].status is Status.PASSED:
                assert line.points == line.max_points

    @given(any_verdicts, st.sampled_from([name for name in ALL if name not in TRAINED]))
    def test_a_graver_mistake_never_earns_more(self, found: dict[str, Verdict], name: str) -> None:
        marks = [total({**found, name: failed(rule)}) for rule in LEVELS]
        assert marks == sorted(marks, reverse=True)

    @given(any_verdicts, st.sampled_from(TRAINED), st.lists(st.floats(0, 1), min_size=2, max_size=5))
    def test_to_learn_more_never_earns_less(
        self, found: dict[str, Verdict], name: str, fractions: list[float]
    ) -> None:
        marks = [total({**found, name: failed(fraction=fraction)}) for fraction in sorted(fractions)]
        assert marks == sorted(marks)

    @given(any_verdicts)
    def test_a_mistake_is_charged_once(self, found: dict[str, Verdict]) -> None:
        """Each failed check of the structure has its own cost in its line, and one that follows has none."""
        for name, line in marked(found).items():
            cost = 0.0
            if name not in (WHOLE, *TRAINED) and found[name].status is Status.FAILED:
                rule = found[name].rule or next(one.rule for one in TASK.checks if one.id == name)
                cost = TASKS.marking.cost("sums", rule)
            if name == "build.values" and found["part.values"].status is Status.FAILED:
                cost = 0.0
            assert line.deduction == cost

    @given(any_verdicts)
    def test_made_again_it_is_the_same(self, found: dict[str, Verdict]) -> None:
        """From the lines as they are recorded, with the same weights."""
        lines = marking.mark(TASK, found, TASKS)
        result = TaskResult(task="sums", title="Sums", checks=lines, seconds=3.0)
        read = TaskResult.model_validate_json(result.model_dump_json())
        assert marking.again(TASK, read, TASKS) == result


class TestAgain:
    """The mark made again from its lines."""

    def reweighed(self, **levels: float) -> Manifest:
        weights = TASKS.marking.model_copy(update={"levels": {**LEVELS, **levels}})
        return TASKS.model_copy(update={"marking": weights})

    def result(self, **changes: Verdict) -> TaskResult:
        return TaskResult(task="sums", title="Sums", checks=marking.mark(TASK, verdicts(**changes), TASKS))

    def test_other_weights_give_another_mark(self) -> None:
        result = self.result(build_size=failed("large"), learns_fine=learned(0.8))
        dearer = marking.again(TASK, result, self.reweighed(large=0.3))
        assert (result.points, dearer.points) == (24, 21)
        line = next(line for line in dearer.checks if line.check == "build.size")
        assert (line.deduction, line.message) == (9, "It does not hold.")

    def test_what_is_not_charged_does_not_move(self) -> None:
        result = self.result(build_size=failed("large"))
        assert marking.again(TASK, result, self.reweighed(small=0.01, ruin=0.9)) == result

    def test_a_fault_stays_one(self) -> None:
        result = self.result(learns_fine=Verdict(status=Status.FAULT, message="killed"))
        assert marking.again(TASK, result, self.reweighed(large=0.3)) == result
