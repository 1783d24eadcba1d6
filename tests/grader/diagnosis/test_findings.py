"""Every diagnosis is tried on a `prepare` that has just that fault; clean ones get none."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from grader.diagnosis.facts import Prepared, PrepareError, Trial, measure, try_out
from grader.diagnosis.findings import findings
from grader.diagnosis.trial import Score
from lab import synthetic

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
DATA = synthetic.embedded_course().prefix(1000)
ORDER = np.argsort(DATA.coarse_labels, kind="stable")  # class by class, as inspect hands them over
IMAGES, LABELS = DATA.images[ORDER], DATA.coarse_labels[ORDER]


def _solution() -> ModuleType:
    spec = importlib.util.spec_from_file_location("solution_of_prepare", ROOT / "solutions/preprocessing.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SOLUTION = _solution()
TRAIN, TEST = SOLUTION.split_indices(1000, seed=3)
MEAN, STD = SOLUTION.channel_statistics(IMAGES[TRAIN])
ROWS = np.eye(20, dtype=np.float32)[LABELS]


def standard(images: np.ndarray) -> np.ndarray:
    return SOLUTION.standardise(images, MEAN, STD)


def parts(**changed: np.ndarray) -> Prepared:
    """What the solution returns, but for what is changed."""
    right = Prepared(standard(IMAGES[TRAIN]), ROWS[TRAIN], standard(IMAGES[TEST]), ROWS[TEST])
    return right._replace(**changed)


def names(prepared: Prepared, trial: Trial | None = None) -> list[tuple[str, str]]:
    facts = measure(prepared, IMAGES, LABELS, 20)
    return [(finding.name, finding.level) for finding in findings(facts, trial)]


def raw(indices: np.ndarray) -> np.ndarray:
    return IMAGES[indices].astype(np.float32)


def written_over(patch: tuple[slice, ...], value: np.ndarray | float) -> np.ndarray:
    x = standard(IMAGES[TRAIN])
    x[patch] = value
    return x


def shuffled(rows: np.ndarray) -> np.ndarray:
    return np.random.default_rng(0).permutation(rows)


HALF = (slice(None, None, 2),)
FAULTS = {
    "training 0-1, validation 0-255": ("scales differ", parts(x_train=raw(TRAIN) / 255, x_test=raw(TEST))),
    "training 0-255, validation 0-1": ("scales differ", parts(x_train=raw(TRAIN), x_test=raw(TEST) / 255)),
    "validation left out": ("scales differ", parts(x_test=IMAGES[TEST])),
    "training left out": ("scales differ", parts(x_train=IMAGES[TRAIN])),
    "validation divided twice": ("scales differ", parts(x_test=standard(IMAGES[TEST] / 255))),
    "validation not centred": ("scales differ", parts(x_test=raw(TEST) / 255 / STD)),
    "raw mirror images": ("mixed scales", parts(x_train=written_over(HALF, raw(TRAIN)[::2, :, ::-1]))),
    "raw shifted images": ("mixed scales", parts(x_train=written_over(HALF, np.roll(raw(TRAIN)[::2], 3, 2)))),
    "raw border": (
        "mixed scales",
        parts(x_train=written_over((slice(None), slice(4)), raw(TRAIN)[:, :4])),
    ),
    "raw grey patches": (
        "mixed scales",
        parts(x_train=written_over((slice(None, None, 3), slice(8, 20), slice(8, 20)), 127.0)),
    ),
    "training labels shuffled": ("labels wrong", parts(y_train=shuffled(ROWS[TRAIN]))),
    "validation labels shuffled": ("labels wrong", parts(y_test=shuffled(ROWS[TEST]))),
    "labels not taken along": ("labels wrong", parts(y_train=ROWS[: len(TRAIN)], y_test=ROWS[len(TRAIN) :])),
    "off by one": ("labels renumbered", parts(y_train=np.roll(ROWS, 1, 1)[TRAIN])),
    "not shuffled": (
        "classes missing",
        Prepared(standard(IMAGES[:800]), ROWS[:800], standard(IMAGES[800:]), ROWS[800:]),
    ),
    "overlap": ("parts overlap", parts(x_test=standard(IMAGES[TRAIN[:200]]), y_test=ROWS[TRAIN[:200]])),
    "class numbers": ("labels not one-hot", parts(y_train=LABELS[TRAIN], y_test=LABELS[TEST])),
    "integer division": ("nothing left", parts(x_train=IMAGES[TRAIN] // 255, x_test=IMAGES[TEST] // 255)),
    "subtracted in uint8": (
        "images not recognised",
        parts(x_train=IMAGES[TRAIN] - np.uint8(120), x_test=IMAGES[TEST] - np.uint8(120)),
    ),
    "not a number": ("not a number", parts(x_train=standard(IMAGES[TRAIN]) * np.nan)),
    "flattened": (
        "shape",
        parts(x_train=raw(TRAIN).reshape(800, -1), x_test=raw(TEST).reshape(200, -1)),
    ),
}
DOUBTS = {
    "neither standardised": ("not standardised", parts(x_train=raw(TRAIN), x_test=raw(TEST))),
    "own statistics": (
        "two scales",
        parts(x_test=SOLUTION.standardise(IMAGES[TEST], *SOLUTION.channel_statistics(IMAGES[TEST]))),
    ),
    "each pixel's own": (
        "more than a scale",
        parts(
            x_train=(raw(TRAIN) - raw(TRAIN).mean(0)) / raw(TRAIN).std(0),
            x_test=(raw(TEST) - raw(TRAIN).mean(0)) / raw(TRAIN).std(0),
        ),
    ),
    "a third thrown away": (
        "images lost",
        parts(x_train=standard(IMAGES[TRAIN[:500]]), y_train=ROWS[TRAIN[:500]]),
    ),
    "sorted": (
        "in class order",
        parts(x_train=standard(IMAGES[np.sort(TRAIN)]), y_train=ROWS[np.sort(TRAIN)]),
    ),
}
OTHER_TRAIN, OTHER_TEST = SOLUTION.split_indices(1000, seed=8, test_fraction=0.4)
ALTERNATIVES = {
    "the solution": Prepared(*SOLUTION.prepare(IMAGES, LABELS, 20, seed=1)),
    "float64": Prepared(*(array.astype(np.float64) for array in parts())),
    "float16 and int8": parts(
        x_train=parts().x_train.astype(np.float16),
        x_test=parts().x_test.astype(np.float16),
        y_train=ROWS[TRAIN].astype(np.int8),
    ),
    "another fraction": Prepared(
        standard(IMAGES[OTHER_TRAIN]),
        ROWS[OTHER_TRAIN],
        standard(IMAGES[OTHER_TEST]),
        ROWS[OTHER_TEST],
    ),
    "statistics in float32": Prepared(
        *((parts()[i] * np.float32(1.0005) if i in (0, 2) else parts()[i]) for i in range(4))
    ),
    "mirrored": parts(x_train=written_over(HALF, standard(IMAGES[TRAIN])[::2, :, ::-1])),
}


class TestFindings:
    """measure and findings."""

    @pytest.mark.parametrize("fault", FAULTS)
    def test_names_the_fault_first(self, fault: str) -> None:
        """Each fault gets its own diagnosis before any other, as wrong."""
        name, prepared = FAULTS[fault]
        assert names(prepared)[0] == (name, "wrong")

    @pytest.mark.parametrize("doubt", DOUBTS)
    def test_what_does_no_harm_is_only_doubtful(self, doubt: str) -> None:
        """What the brief does not ask for, but a network can learn from, is reported and not called wrong."""
        name, prepared = DOUBTS[doubt]
        assert names(prepared)[0] == (name, "doubtful")

    @pytest.mark.parametrize("kind", ALTERNATIVES)
    def test_nothing_is_wrong_with_what_is_right(self, kind: str) -> None:
        """The solution and what is as good as it get no finding at all."""
        assert names(ALTERNATIVES[kind]) == []

    def test_says_the_ranges(self) -> None:
        """A difference in scale is reported with both ranges, and names the part that was left out."""
        facts = measure(parts(x_test=raw(TEST)), IMAGES, LABELS, 20)
        (finding,) = findings(facts, None)
        assert finding.what.startswith("validation images have values from 0 to 255, training images from -")
        assert "The validation images were not standardised like the others" in finding.fix

    def test_pictures_that_are_there_twice(self) -> None:
        """The same picture with two labels, as CIFAR-100 has, is in two parts: that is all the overlap there
        is."""
        images, labels = IMAGES.copy(), LABELS.copy()
        images[TEST[0]] = images[TRAIN[0]]
        facts = measure(
            Prepared(standard(images[TRAIN]), ROWS[TRAIN], standard(images[TEST]), ROWS[TEST]),
            images,
            labels,
            20,
        )
        assert facts.overlap == pytest.approx(1 / len(TEST))
        assert facts.used == facts.given == 999

    @pytest.mark.parametrize(
        "broken",
        [
            parts(y_train=ROWS[:3]),
            parts(x_test=np.zeros((0, 32, 32, 3)), y_test=ROWS[:0]),
            parts(y_test=np.float32(1)),
        ],
    )
    def test_refuses_what_does_not_belong_together(self, broken: Prepared) -> None:
        """Empty parts and labels of another number are reported in words."""
        with pytest.raises(PrepareError, match="x_t"):
            measure(broken, IMAGES, LABELS, 20)


class TestLag:
    """The finding about moving statistics, from scores."""

    def trial(self, inference: float, settled: float) -> Trial:
        right, lagging = Score(settled, 2.0, 20), Score(inference, 2.0 if inference == settled else 9.0, 3)
        return Trial(50, 0.99, right, lagging, lagging, right, right)

    def test_told_as_no_fault(self) -> None:
        """Statistics that have not caught up are to be known, with their numbers."""
        assert names(parts(), self.trial(0.06, 0.3)) == [("statistics lag", "to know")]

    def test_not_told_where_there_is_none(self) -> None:
        """Nothing is reported where inference mode is as good as settled statistics."""
        assert names(parts(), self.trial(0.3, 0.3)) == []


@pytest.mark.slow
class TestTryOut:
    """try_out, with the small network."""

    def test_scale_shows_on_validation_alone(self) -> None:
        """With validation at 0-255 few answers are left, at a loss that settled statistics do not lower."""
        prepared = parts(x_test=raw(TEST))
        facts = measure(prepared, IMAGES, LABELS, 20)
        trial = try_out(prepared, facts, seed=0, momentum=0.9, epochs=2)
        assert trial.test.loss > 20 * trial.train.loss
        assert trial.test_settled.loss > 20 * trial.train.loss
        assert trial.test.predicted <= 5

    def test_lag_shows_on_training_images(self) -> None:
        """Statistics that hardly move spoil inference on training images; settled ones fix it."""
        facts = measure(parts(), IMAGES, LABELS, 20)
        slow = try_out(parts(), facts, seed=0, momentum=0.999, epochs=2)
        assert slow.train.loss > slow.train_settled.loss + 0.5
        assert ("statistics lag", "to know") in names(parts(), slow)
