"""What is shown of an exception: whole sentences, the cause, and what to write instead."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from grader.config import manifest
from grader.results.verdict import Verdict

ROOT = Path(__file__).parents[4]
TASK = manifest.load(ROOT / "solutions" / "tasks.toml").task("alexnet")
KERAS = (
    "Exception encountered when calling AveragePooling2D.call().\n\n"
    "\x1b[1mComputed output size would be zero or negative. "
    "Received: `inputs.shape=[None 7 5 64]`.\x1b[0m\n\n"
    "Arguments received by AveragePooling2D.call():\n"
    "  • args=('<KerasTensor shape=(None, 7, 5, 64)>',)\n  • kwargs=<class 'inspect._empty'>"
)
NETWORK = """
import keras
import numpy as np


def own(x):
    return x


def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
    x = inputs = keras.Input(input_shape)
    {}
    x = keras.layers.Dense(num_classes, activation="softmax")(keras.layers.Flatten()(x))
    return keras.Model(inputs, x)
"""


@pytest.fixture(scope="module")
def wording() -> ModuleType:
    path = ROOT / "grader/sandbox/guest/wording.py"
    spec = importlib.util.spec_from_file_location("kit_wording", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestOfException:
    """Keras's own texts, cleaned."""

    def test_what_surrounds_a_text_of_keras_is_left_out(self, wording: ModuleType) -> None:
        assert wording.of_exception(ValueError(KERAS), "/nowhere/") == (
            "AveragePooling2D: Computed output size would be zero or negative. "
            "Received: `inputs.shape=[None 7 5 64]`."
        )

    def test_other_texts_are_as_they_are(self, wording: ModuleType) -> None:
        assert wording.of_exception(ValueError("two\nlines"), "/nowhere/") == "two\nlines"


class TestCut:
    """At sentences, or at words."""

    @pytest.mark.parametrize(
        ("text", "limit", "expected"),
        [
            ("Short.", 10, "Short."),
            ("One sentence. Another one.", 20, "One sentence."),
            ("no sentence ends within this", 20, "no sentence ends …"),
            ("Is 3.5 a sentence? No, it", 24, "Is 3.5 a sentence?"),
        ],
    )
    def test_cut(self, wording: ModuleType, text: str, limit: int, expected: str) -> None:
        cut = wording.cut(text, limit)
        assert cut == expected
        assert len(cut) <= limit


class TestMessages:
    """From the harness to the words for a student."""

    @pytest.fixture
    def builds(
        self, tmp_path: Path, judged_in_harness: Callable[..., dict[str, Verdict]]
    ) -> Callable[[str], Verdict]:
        def run(line: str) -> Verdict:
            submission = tmp_path / "submission"
            submission.mkdir()
            (submission / "alexnet.py").write_text(NETWORK.format(line))
            return judged_in_harness(TASK, submission, tmp_path, 3)["builds"]

        return run

    def test_a_function_on_a_keras_tensor(self, builds: Callable[[str], Verdict]) -> None:
        verdict = builds("x = np.pad(x, ((0, 0), (0, 0), (0, 0), (1, 1)))")
        assert (
            "np.pad cannot take a Keras tensor: keras.ops.pad(x, ...) does the same (alexnet.py, line 12)."
        ) in verdict.message
        assert verdict.hint == ""

    @pytest.mark.slow
    def test_a_function_of_tensorflow(self, builds: Callable[[str], Verdict]) -> None:
        verdict = builds("import tensorflow as tf; x = tf.concat([x, x], axis=-1)")
        assert (
            "raised ValueError: tf.concat cannot take a Keras tensor: keras.ops.concatenate([x, y]) does the "
            "same (alexnet.py, line 12)."
        ) in verdict.message

    def test_all_that_cannot_be_used_is_named_at_once(self, builds: Callable[[str], Verdict]) -> None:
        layers = "x = L.Resizing(16, 16)(x); x = L.Lambda(lambda y: keras.ops.zeros_like(y))(x)"
        more = "x = L.Lambda(own)(x); x = L.LeakyReLU()(x); x = L.LeakyReLU()(x)"
        message = builds(f"L = keras.layers; {layers}; {more}").message
        for part in (
            "Resizing 'resizing' (alexnet.py, line 12) prepares images",
            "Lambda 'lambda' (alexnet.py, line 12) is your own code",
            "Write keras.ops.zeros_like(x) in its place",
            "Lambda 'lambda_1' (alexnet.py, line 12) is your own code",
            "LeakyReLU 'leaky_re_lu' (alexnet.py, line 12) is not among the layers of this assignment. "
            "Write keras.layers.ReLU(). The same goes for 1 more.",
        ):
            assert part in message
        assert message.count("Use keras.layers") == 1
