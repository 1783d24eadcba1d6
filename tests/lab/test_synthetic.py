"""The embedded set: the same everywhere, and as hard as it should be."""

import math

import numpy as np
import pytest

from lab import synthetic
from lab.data import DataSet
from lab.synthetic import embedded_course, embedded_hidden

COURSE_PIN = "88dfd8fb6704dd217a59e944d6115b59"
HIDDEN_PIN = "8c870a882ce9e8e371b1721f7f89f99a"


class TestBytes:
    """What is drawn does not depend on the machine, nor on what was drawn before."""

    def test_digests(self) -> None:
        assert embedded_course().pin == COURSE_PIN
        assert embedded_hidden().pin == HIDDEN_PIN

    def test_a_picture_depends_on_its_class_and_the_seed_alone(self) -> None:
        some = synthetic.draw(42, 100, synthetic.SEED, 0)
        np.testing.assert_array_equal(some, embedded_course().images[4200:4300])
        assert not np.array_equal(some[:20], synthetic.draw(42, 20, synthetic.SEED, 1))

    def test_tables_round_the_same_everywhere(self) -> None:
        """Before it is rounded, no entry is so near a half that a C library's last digit could tip it."""
        sines = [synthetic.ONE * math.sin(2 * math.pi * i / 1024) for i in range(1024)]
        odd = range(-255, 256, 2)
        angles = [1024 * math.atan2(v, u) / (2 * math.pi) for u in odd for v in odd]
        for values in (sines, angles):
            to_a_half = abs(np.array(values) % 1 - 0.5)
            assert to_a_half.min() > 1e-7


class TestDataSet:
    """It has the form of CIFAR-100."""

    @pytest.mark.parametrize(("drawn", "per_class"), [(embedded_course, 100), (embedded_hidden, 20)])
    def test_form(self, drawn: "type[DataSet]", per_class: int) -> None:
        pictures = drawn()
        assert pictures.name == "the embedded set"
        assert (pictures.images.dtype, pictures.images.shape) == (np.uint8, (100 * per_class, 32, 32, 3))
        np.testing.assert_array_equal(pictures.fine_labels, np.repeat(np.arange(100), per_class))
        assert pictures.fine_labels.dtype == pictures.coarse_labels.dtype == np.uint8
        assert set(np.bincount(pictures.coarse_of_fine)) == {5}
        np.testing.assert_array_equal(pictures.coarse_of_fine[pictures.fine_labels], pictures.coarse_labels)
        assert len(set(pictures.fine_names)) == 100
        assert len(set(pictures.coarse_names)) == 20
        for fine, coarse in zip(pictures.fine_names, pictures.coarse_of_fine, strict=True):
            assert fine.startswith(f"{pictures.coarse_names[coarse]}: ")

    def test_no_picture_is_in_both(self) -> None:
        course = {bytes(image) for image in embedded_course().images}
        assert len(course) == len(embedded_course())
        assert course.isdisjoint(bytes(image) for image in embedded_hidden().images)

    def test_drawn_once(self) -> None:
        assert embedded_course() is embedded_course()


@pytest.mark.slow
class TestDifficulty:
    """Learnt on 4,000 pictures and scored on the hidden 2,000."""

    def test_a_linear_model_fails(self) -> None:
        """Logistic regression on pixels: coarse 9% (chance 5%), fine 4% (chance 1%)."""
        from sklearn.linear_model import LogisticRegression

        course, hidden = embedded_course().prefix(4000), embedded_hidden()
        model = LogisticRegression(C=1e-3, max_iter=50)
        model.fit(course.images.reshape(4000, -1) / np.float32(127.5) - 1, course.coarse_labels)
        pixels = hidden.images.reshape(2000, -1) / np.float32(127.5) - 1
        assert 0.05 < model.score(pixels, hidden.coarse_labels) < 0.2

    @pytest.mark.parametrize(("kind", "least", "most"), [("coarse", 0.5, 0.85), ("fine", 0.1, 0.6)])
    def test_a_small_network_learns(self, kind: str, least: float, most: float) -> None:
        """Three convolutions, 4 epochs: coarse 69%, standard deviation 2.3; fine 26%, 1.8 (5 seeds)."""
        import keras

        course, hidden = embedded_course().prefix(4000), embedded_hidden()
        keras.utils.set_random_seed(0)
        layers = keras.layers
        network = keras.Sequential([keras.Input((32, 32, 3)), layers.Rescaling(1 / 64, -2)])
        for filters in (16, 32, 64):
            network.add(layers.Conv2D(filters, 3, padding="same"))
            network.add(layers.BatchNormalization(momentum=0.9))
            network.add(layers.ReLU())
            network.add(layers.MaxPooling2D())
        network.add(layers.GlobalAveragePooling2D())
        network.add(layers.Dense(len(course.class_names(kind)), activation="softmax"))
        rate = keras.optimizers.schedules.PolynomialDecay(0.05, 250, 0.0)
        network.compile(
            keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        network.fit(course.images, course.labels(kind), batch_size=64, epochs=4, verbose=0)
        _, accuracy = network.evaluate(hidden.images, hidden.labels(kind), verbose=0)
        assert least < accuracy < most
