"""One slip at a builder's end costs what it is, and the network that was built is judged all the same."""

from typing import Any

import pytest

from grader.grading import built
from grader.grading.evidence import Call, Evidence, Network, Other, Raised
from grader.results.record import Status
from grader.results.verdict import Verdict

SEED = 5
END = {
    "alexnet": 'return keras.Model(inputs, outputs, name="alexnet")',
    "resnet": 'return keras.Model(inputs, outputs, name="resnet")',
    "wide_resnet": 'return keras.Model(inputs, outputs, name="wide_resnet")',
}
SLIPS = {
    "no return": "keras.Model(inputs, outputs)",
    "neither a model nor a return": "pass",
    "the output alone": "return outputs",
    "input and output": "return inputs, outputs",
    "a model and a number": "return 1, keras.Model(inputs, outputs)",
    "a misspelt name": "return keras.Modell(inputs, outputs)",
    "a method that is not there": "return keras.Model(inputs, outputs).compiled()",
}
STUB = '\n\ndef bottleneck_block(x, filters, *, stride=1):\n    raise NotImplementedError("not written")\n'
RAISES = "\n\ndef bottleneck_block(x, filters, *, stride=1):\n    return x.no_such_thing\n"
BLOCK = {"block.builds", "block.convolutions", "block.normalisation", "block.activation"}
BLOCK |= {"block.addition", "block.shortcut", "block.stride"}


def failed(verdicts: dict[str, Verdict]) -> set[str]:
    return {check for check, verdict in verdicts.items() if verdict.status is Status.FAILED}


def passed(verdicts: dict[str, Verdict]) -> set[str]:
    return {check for check, verdict in verdicts.items() if verdict.status is Status.PASSED}


class TestNotHandedOver:
    @pytest.mark.parametrize("slip", SLIPS)
    @pytest.mark.parametrize("task", END)
    def test_costs_one_check(self, network_judge: Any, task: str, slip: str) -> None:
        judge = network_judge(task)
        verdicts = judge(judge.edited((END[task], SLIPS[slip])), judge.probe.draw(SEED))
        assert failed(verdicts) == {"builds"}
        assert passed(verdicts) == verdicts.keys() - {"builds"}

    def test_says_what_came_back(self, network_judge: Any) -> None:
        judge = network_judge("wide_resnet")
        verdicts = judge(judge.edited((END["wide_resnet"], "return outputs")), judge.probe.draw(SEED))
        assert "returned a KerasTensor; expected a keras.Model" in verdicts["builds"].message

    def test_other_mistakes_are_reported(self, network_judge: Any) -> None:
        """With the words that the network was built, and not returned."""
        judge = network_judge("alexnet")
        fixed = ("inputs = keras.Input(shape=input_shape)", "inputs = keras.Input(shape=(32, 32, 3))")
        verdicts = judge(judge.edited(fixed, (END["alexnet"], "return outputs")), judge.probe.draw(SEED))
        assert failed(verdicts) == {"builds", "input_shape"}
        assert ") built a model for inputs of shape (32, 32, 3)" in verdicts["input_shape"].message

    def test_half_a_network(self, network_judge: Any) -> None:
        """What a builder that raised had not made yet is not held against it, and not praised either."""
        judge = network_judge("alexnet")
        last = 'outputs = keras.layers.Dense(num_classes, activation="softmax", name="probabilities")(x)'
        source = judge.edited((last, "outputs = y"))
        verdicts = judge(source, judge.probe.draw(SEED))
        assert failed(verdicts) == {"builds"}
        assert "NameError" in verdicts["builds"].message
        assert {"convolutions", "normalisation", "pooling"} <= passed(verdicts)
        for check in ("dense", "softmax", "classes"):
            assert verdicts[check].status is Status.BLOCKED
            assert "raised an exception after 31 layers" in verdicts[check].message

    def test_nothing_built(self, network_judge: Any) -> None:
        judge = network_judge("alexnet")
        verdicts = judge(
            "def build_alexnet(num_classes, **options):\n    return None\n", judge.probe.draw(SEED)
        )
        assert failed(verdicts) == {"builds"}
        assert not passed(verdicts)


class TestALayerThatRaises:
    """What a builder would have built, had it not raised there, is judged all the same."""

    @pytest.mark.parametrize(
        ("task", "edit", "fails"),
        [
            ("alexnet", ("(dropout, name", "(dropout + 1, name"), {"builds"}),
            (
                "alexnet",
                ('BatchNormalization(name=f"dense', 'BatchNormalization(eps=1e-5, name=f"dense'),
                {"builds"},
            ),
            (
                "alexnet",
                (
                    '    x = keras.layers.Flatten(name="flatten")(x)',
                    "    x = keras.layers.MaxPooling2D(9)(x)",
                ),
                {"builds"},
            ),
            (
                "wide_resnet",
                ("AveragePooling2D(3, strides=2", "AveragePooling2D(3"),
                {"builds", "block.shortcut"},
            ),
            ("wide_resnet", ("filters - x.shape[-1]", "filters"), {"builds"}),
            ("resnet", ("width * 2**stage, stride", "width * 2 * stage, stride"), {"builds", "blocks"}),
        ],
    )
    def test_costs_what_it_is(
        self, network_judge: Any, task: str, edit: tuple[str, str], fails: set[str]
    ) -> None:
        judge = network_judge(task)
        verdicts = judge(judge.edited(edit), judge.probe.draw(SEED))
        assert failed(verdicts) == fails
        assert verdicts["builds"].rule == "raises"
        assert "raised " in verdicts["builds"].message
        assert len(passed(verdicts)) > len(verdicts) / 2

    def test_a_block(self, network_judge: Any) -> None:
        """The builder has done all it should, and so has the block but for one thing."""
        judge = network_judge("resnet")
        edit = (
            "_convolution(x, 4 * filters, kernel=1, stride=stride)",
            "_convolution(x, 4 * filters, kernel=1)",
        )
        verdicts = judge(judge.edited(edit), judge.probe.draw(SEED))
        assert failed(verdicts) == {"block.shortcut"}
        assert verdicts["block.shortcut"].rule == "raises"

    def test_a_block_that_gives_nothing_back(self, network_judge: Any) -> None:
        judge = network_judge("resnet")
        source = judge.solution.replace("    return keras.layers.ReLU()(", "    keras.layers.ReLU()(")
        assert source != judge.solution
        verdicts = judge(source, judge.probe.draw(SEED))
        assert failed(verdicts) == {"block.builds"}
        assert passed(verdicts) == verdicts.keys() - {"block.builds"}


class TestWithoutTheBlock:
    @pytest.mark.parametrize(("block", "status"), [(STUB, Status.NOT_ATTEMPTED), (RAISES, Status.FAILED)])
    def test_a_right_builder(self, network_judge: Any, block: str, status: Status) -> None:
        judge = network_judge("resnet")
        verdicts = judge(judge.solution + block, judge.probe.draw(SEED))
        assert verdicts["block.builds"].status is status
        assert passed(verdicts) == verdicts.keys() - BLOCK

    def test_a_wrong_builder(self, network_judge: Any) -> None:
        judge = network_judge("resnet")
        stem = ("_convolution(inputs, width, kernel=3)", "_convolution(inputs, width, kernel=7)")
        verdicts = judge(judge.edited(stem) + STUB, judge.probe.draw(SEED))
        assert failed(verdicts) == {"stem"}
        assert "with a right bottleneck_block in place of yours: " in verdicts["stem"].message

    def test_a_wrong_loop(self, network_judge: Any) -> None:
        judge = network_judge("resnet")
        strides = ("stride = 2 if stage > 0 and block == 0 else 1", "stride = 1")
        verdicts = judge(judge.edited(strides) + STUB, judge.probe.draw(SEED))
        assert failed(verdicts) == {"strides"}

    def test_no_blocks(self, network_judge: Any) -> None:
        """A stem and a head are next to nothing, with a stand-in as without."""
        judge = network_judge("resnet")
        call = "x = bottleneck_block(x, width * 2**stage, stride=stride)"
        verdicts = judge(judge.edited((call, "pass")) + STUB, judge.probe.draw(SEED))
        assert passed(verdicts) == set()

    def test_blocks_of_its_own(self, network_judge: Any) -> None:
        """A builder that has no use for the function is judged on what it built."""
        judge = network_judge("resnet")
        source = judge.solution.replace("bottleneck_block(", "own_block(") + STUB
        verdicts = judge(source, judge.probe.draw(SEED))
        assert {verdicts[check].status for check in BLOCK} == {Status.NOT_ATTEMPTED}
        assert passed(verdicts) == verdicts.keys() - BLOCK

    def test_nothing_written(self, network_judge: Any) -> None:
        judge = network_judge("resnet")
        builder = 'def build_resnet(num_classes, **options):\n    raise NotImplementedError("not written")\n'
        verdicts = judge(STUB + builder, judge.probe.draw(SEED))
        assert {verdict.status for verdict in verdicts.values()} == {Status.NOT_ATTEMPTED}


class TestAsBuilt:
    """Which calls count, where several came to different ends."""

    MADE = Network({"format": 1})
    RAISED = Raised("ValueError", "no")

    def built(self, network_judge: Any, **calls: Call) -> Evidence:
        evidence = Evidence(True, True, None, "ok", None, calls)
        return built.as_built(network_judge("alexnet").task, evidence)

    def call(self, status: Any, **more: Any) -> Call:
        return Call("build_alexnet", "7", status, **more)

    def test_one_that_returned_comes_before_one_that_raised(self, network_judge: Any) -> None:
        raised = self.call("raised", exception=self.RAISED, made=self.MADE)
        seen = self.built(network_judge, default=raised, small=self.call("returned", value=self.MADE))
        assert seen.calls["default"].status == "raised"

    def test_where_all_raised(self, network_judge: Any) -> None:
        raised = self.call("raised", exception=self.RAISED, made=self.MADE)
        seen = self.built(network_judge, default=raised)
        assert seen.calls["default"].value is self.MADE
        assert built.is_partial(seen.calls["default"])

    def test_what_was_completed_is_all_of_it(self, network_judge: Any) -> None:
        raised = self.call("raised", exception=self.RAISED, made=self.MADE, completed=True)
        seen = self.built(network_judge, default=raised)
        assert seen.calls["default"].value is self.MADE
        assert not built.is_partial(seen.calls["default"])

    def test_what_was_returned_comes_before_what_was_made(self, network_judge: Any) -> None:
        """Evidence that says both has been made up: it gains nothing."""
        forged = self.call("returned", value=Network(refused="no"), made=self.MADE)
        assert self.built(network_judge, default=forged).calls["default"] == forged

    def test_other_functions(self, network_judge: Any) -> None:
        other = Call("helper", "7", "returned", value=Other("KerasTensor"), made=self.MADE)
        assert self.built(network_judge, default=other).calls["default"] == other
