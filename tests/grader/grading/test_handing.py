"""What `prepare` hands over: read as bounded arrays, recognised, trained on.

`prepare` is called for real, in a process of its own without a sandbox, on 1,000 images of the embedded set;
what is trained is the reference network, in a child as `grade` starts it.
"""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from grader.blueprint import training_form
from grader.config import manifest, profiles
from grader.errors import TrainerFault
from grader.grading import handing, to_train
from grader.grading.handing import Given
from grader.grading.textures import RECOGNISED, recognise, texture
from grader.results.record import Status
from grader.results.verdict import Verdict
from grader.sandbox.unisolated import NoneEngine
from grader.training import backends, pool
from grader.training.executors import Local
from grader.training.handed import Handed
from grader.training.job import Job, Result
from lab import synthetic
from tests.grader.training import tiny

ROOT = Path(__file__).parents[3]
TASK = manifest.load(ROOT / "solutions" / "tasks.toml").task("preprocessing")
SOLUTION = (ROOT / "solutions" / "preprocessing.py").read_text()
OFFLINE = profiles.load(ROOT / "params.yaml").profile("offline")
Hands = Callable[..., Handed | Verdict]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    return Given.of(synthetic.embedded_course(), 800, tmp_path_factory.mktemp("given"))


@pytest.fixture
def hand_over(tmp_path: Path, given: Given) -> Hands:
    """Has `prepare` of the solution called, with more code at the end of its file."""

    def called(code: str = "", images: Given = given) -> Handed | Verdict:
        (tmp_path / "preprocessing.py").write_text(f"{SOLUTION}\n\n{dedent(code)}")
        return handing.hand_over(NoneEngine(), TASK, tmp_path, images, seed=3, least=32)

    return called


class TestGiven:
    """Given.of."""

    def test_the_training_part_is_as_large_as_the_profile_trains_on(self, given: Given) -> None:
        assert len(given.images) == 1000
        assert np.unique(given.labels, return_counts=True)[1].tolist() == [50] * 20

    def test_there_is_a_most(self, tmp_path: Path) -> None:
        assert len(Given.of(synthetic.embedded_course(), 49_000, tmp_path).images) == handing.MOST_IMAGES


class TestHandedOver:
    """hand_over, of a `prepare` whose arrays can be trained on."""

    def test_of_the_solution(self, hand_over: Hands, given: Given) -> None:
        handed = hand_over()
        assert isinstance(handed, Handed)
        assert (handed.x_train.shape, handed.y_train.shape) == ((800, 32, 32, 3), (800, 20))
        assert abs(handed.x_train.mean()) < 1e-3
        assert handed.x_test.shape == (200, 32, 32, 3)
        assert (handed.answers >= 0).all()
        # As they are in the set: each class of the 20 has what the training part does not.
        left = np.bincount(given.labels, minlength=20) - handed.y_train.sum(axis=0).astype(int)
        assert np.bincount(handed.answers, minlength=20).tolist() == left.tolist()

    def test_a_dtype_changes_nothing(self, hand_over: Hands) -> None:
        right = hand_over()
        other = hand_over("""
            _right = prepare
            def prepare(*args, **kwargs):
                x, y, v, w = _right(*args, **kwargs)
                return [x.astype(np.float64), y.astype(int), v.astype(np.float64), w.astype(bool)]
        """)
        assert isinstance(right, Handed)
        assert isinstance(other, Handed)
        assert other.digest == right.digest

    def test_more_images_than_there_are(self, hand_over: Hands) -> None:
        """Copies of images are trained on like others, as far as there is room for them."""
        handed = hand_over("""
            _right = prepare
            def prepare(*args, **kwargs):
                x, y, v, w = _right(*args, **kwargs)
                return np.concatenate([x, x[:, :, ::-1]]), np.concatenate([y, y]), v, w
        """)
        assert isinstance(handed, Handed)
        assert handed.x_train.shape == (1000, 32, 32, 3)
        assert np.array_equal(handed.x_train[800:], handed.x_train[:200, :, ::-1])
        assert handed.x_test.shape == (200, 32, 32, 3)

    def test_answers_are_true_whatever_labels_come_back(self, hand_over: Hands) -> None:
        right = hand_over()
        other = hand_over("""
            _right = prepare
            def prepare(*args, **kwargs):
                x, y, v, w = _right(*args, **kwargs)
                return x, y[::-1], 255 * v[::-1] + 7, w
        """)
        assert isinstance(right, Handed)
        assert isinstance(other, Handed)
        assert other.answers.tolist() == right.answers[::-1].tolist()
        assert not np.array_equal(other.y_train, right.y_train)

    def test_images_that_are_none_of_those_given_have_no_answer(self, hand_over: Hands) -> None:
        handed = hand_over("""
            _right = prepare
            def prepare(*args, **kwargs):
                x, y, v, w = _right(*args, **kwargs)
                v[:50] = np.random.default_rng(0).normal(size=v[:50].shape)
                return x, y, v, w
        """)
        assert isinstance(handed, Handed)
        assert (handed.answers == -1).tolist() == [True] * 50 + [False] * 150

    @pytest.mark.parametrize(
        ("change", "counted"),
        [
            ("v[:] = v[:1]", 1),  # one image, learned by heart or not
            ("v[:] = x[:len(v)]", 0),  # the training part
            ("v[:100] = x[:100]", 100),
        ],
    )
    def test_images_that_tell_nothing_have_no_answer(
        self, hand_over: Hands, change: str, counted: int
    ) -> None:
        handed = hand_over(f"""
            _right = prepare
            def prepare(*args, **kwargs):
                x, y, v, w = _right(*args, **kwargs)
                {change}
                return x, y, v, w
        """)
        assert isinstance(handed, Handed)
        assert (handed.answers >= 0).sum() == counted

    def test_one_class_alone_is_not_scored(self, hand_over: Hands) -> None:
        handed = hand_over("""
            def prepare(images, labels, num_classes, **kwargs):
                order = np.argsort(labels == 7, kind="stable")
                x, y = images[order] / 255.0, one_hot(labels[order], num_classes)
                return x[:-100], y[:-100], x[-100:], y[-100:]
        """)
        assert isinstance(handed, Handed)
        assert (handed.answers == 7).sum() == 10


class TestRefused:
    """hand_over, of what no network can be trained on: a verdict that says why, and no fault."""

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            ("raise KeyError('x')", "raised KeyError: 'x'"),
            ("return None", "returned None; expected four"),
            ("return images", "expected four arrays of finite numbers"),
            ("return images, labels, images, labels", "a float32 array of shape (1000,) for one of them"),
            (
                "x = np.zeros((9000, 32, 32, 3)); return x, x[:9], x, x[:9]",
                "an array of shape (9000, 32, 32, 3)",
            ),
            (
                "x, y = np.zeros((1001, 32, 32, 3)), np.zeros((900, 20)); return x, y, x, y",
                "a part of 1,001 rows for 1,000 images",
            ),
            (
                "x, y = np.full((900, 32, 32, 3), 1e60), np.zeros((900, 20)); return x, y, x, y",
                "values that are not finite, in float32",
            ),
            (
                "x, y = np.zeros((90, 32, 32, 3)), np.zeros((91, 20)); return x, y, x, y",
                "90 images with 91 labels",
            ),
            (
                "x, y = np.zeros((9, 32, 32, 3)), np.zeros((9, 20)); return x, y, x, y",
                "a training part of 9 images",
            ),
            ("import os; os._exit(3)", "it ended the whole Python process (exit code 3)"),
        ],
    )
    def test_says_why(self, hand_over: Hands, body: str, says: str) -> None:
        body = body.replace("; ", "\n    ")
        verdict = hand_over(f"def prepare(images, labels, num_classes, **kwargs):\n    {body}")
        assert isinstance(verdict, Verdict)
        assert verdict.status is Status.FAILED
        assert verdict.fraction == 0
        assert says in verdict.message

    def test_a_file_that_cannot_be_imported(self, hand_over: Hands) -> None:
        verdict = hand_over("raise OSError('no disk')")
        assert isinstance(verdict, Verdict)
        assert "raised OSError: no disk" in verdict.message


class TestRecognise:
    """textures.recognise."""

    def test_whatever_the_scaling(self) -> None:
        images = synthetic.embedded_course().images[::50]
        some = np.arange(len(images))[::-3]
        scaled = images[some] * np.array([0.1, -0.0 + 3, 700]) - np.array([5, 0.4, 1e5])
        found, likeness = recognise(scaled, texture(images))
        assert found.tolist() == some.tolist()
        assert likeness.min() > 0.99

    def test_noise_is_none_of_them(self) -> None:
        images = synthetic.embedded_course().images[::50]
        noise = np.random.default_rng(0).normal(size=(30, 32, 32, 3))
        assert recognise(noise, texture(images))[1].max() < RECOGNISED


class TestFile:
    """Handed.save, Handed.load, and the job that names a file."""

    def arrays(self) -> Handed:
        draw = np.random.default_rng(0)
        return Handed(
            draw.normal(size=(200, 32, 32, 3)).astype(np.float32),
            np.eye(20, dtype=np.float32)[draw.integers(0, 20, 200)],
            draw.normal(size=(50, 32, 32, 3)).astype(np.float32),
            np.repeat(np.int16([3, -1]), 25),
        )

    def test_comes_back(self, tmp_path: Path) -> None:
        handed = self.arrays()
        again = Handed.load(handed.save(tmp_path), handed.digest)
        assert again.digest == handed.digest
        assert np.array_equal(again.x_train, handed.x_train)

    def test_other_arrays_have_another_digest(self) -> None:
        handed = self.arrays()
        assert replace(handed, x_test=handed.x_test + 1).digest != handed.digest
        assert replace(handed, answers=handed.answers[::-1]).digest != handed.digest

    def test_what_is_not_as_it_was_is_a_fault(self, tmp_path: Path) -> None:
        handed = self.arrays()
        path = handed.save(tmp_path)
        with pytest.raises(TrainerFault, match="the job is for"):
            Handed.load(path, "0" * 64)
        path.write_bytes(path.read_bytes()[:5000])
        with pytest.raises(TrainerFault, match="cannot be read"):
            Handed.load(path, handed.digest)

    def test_a_job_is_filed_under_the_content_and_not_the_place(self, tmp_path: Path) -> None:
        one = tiny.job(prepared="a" * 64, arrays="/here")
        assert one.digest == tiny.job(prepared="a" * 64, arrays="/there").digest
        assert one.digest != tiny.job(prepared="b" * 64, arrays="/here").digest
        assert one.digest != tiny.job().digest

    def test_a_file_that_is_gone_is_a_fault_of_the_machine(self, tmp_path: Path) -> None:
        gone = tiny.job(prepared="a" * 64, arrays=str(tmp_path / "gone.npz"))
        outcome = pool.run([gone], executor=Local(), store=tmp_path / "store", workers=1)[gone.digest]
        assert isinstance(outcome, TrainerFault)


class TestMemory:
    """The grader itself keeps within 400 MiB, whatever the class: `nox -s overnight` measures all of it."""

    @staticmethod
    def most(work: Callable[[], object]) -> int:
        """Bytes: the most that was allocated at once, beyond what was there, with the result."""
        tracemalloc.start()
        try:
            result = work()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            del result

    def test_textures_take_little_beside_themselves(self) -> None:
        images = np.random.default_rng(1).integers(0, 256, (3000, 32, 32, 3), dtype=np.uint8)
        assert self.most(lambda: texture(images)) < 2 * 3000 * 3072 * 4

    def test_textures_are_the_same_by_the_row(self) -> None:
        images = np.random.default_rng(1).integers(0, 256, (701, 8, 8, 3), dtype=np.uint8)
        one_by_one = [texture(images[at : at + 1]) for at in range(len(images))]
        assert np.array_equal(texture(images), np.concatenate(one_by_one))

    def test_each_piece_goes_when_it_is_copied(self) -> None:
        pieces = [np.full((40, 32, 32, 3), at, np.float32) for at in range(8)]
        array = handing._together(pieces)
        assert not pieces
        assert array.shape == (320, 32, 32, 3)
        assert array[::40, 0, 0, 0].tolist() == list(range(8))


class TestTrained:
    """What a network reaches: as far as the arrays let it, and no further."""

    def accuracy(self, handed: Handed | Verdict, folder: Path) -> float:
        assert isinstance(handed, Handed)
        network = to_train.reference_network(20, OFFLINE.builders)
        form = training_form(network, OFFLINE.budget).network
        arrays = handed.save(folder)
        job = Job.of(
            form,
            "coarse",
            0,
            OFFLINE,
            tiny.PIN,
            backends.name(),
            prepared=handed.digest,
            arrays=arrays,
        )
        outcome = pool.run([job], executor=Local(), store=folder / "store", workers=1)[job.digest]
        assert isinstance(outcome, Result)
        return outcome.accuracy

    @pytest.mark.parametrize(
        ("code", "low", "high"),
        [
            ("", 0.5, 0.8),
            ("x, y, v, w = right; return x, np.random.default_rng(0).permutation(y), v, w", 0.0, 0.12),
            ("x, y, v, w = right; return x, y, 255 * v, w", 0.0, 0.3),
            ("x, y, v, w = right; return x, np.roll(y, 1, axis=1), v, w", 0.0, 0.1),
        ],
        ids=["right", "labels not shuffled with the images", "a test part of other scale", "off by one"],
    )
    def test_two_sided(self, hand_over: Hands, tmp_path: Path, code: str, low: float, high: float) -> None:
        many = Given.of(synthetic.embedded_course(), OFFLINE.train, tmp_path)
        if code:
            body = code.replace("; ", "\n    ")
            code = "_right = prepare\ndef prepare(*args, **kwargs):\n    right = _right(*args, **kwargs)\n"
            code += f"    {body}"
        assert low <= self.accuracy(hand_over(code, many), tmp_path) <= high
