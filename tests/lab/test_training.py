"""Recipes, batches and the training loop, on pictures small enough to take no time."""

import keras
import numpy as np
import pytest

from lab import training
from lab.training import Examples, Recipe

RECIPE = Recipe(
    epochs=3,
    batch=16,
    peak_rate=0.1,
    warm_up=0.25,
    momentum=0.9,
    weight_decay=5e-4,
    label_smoothing=0.0,
    shift=1,
    flip=True,
    settle=4,
)


def blotches(n: int, seed: int = 0) -> Examples:
    """Pictures of 8x8 whose class shows in their colour, under noise."""
    draw = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    images = draw.integers(0, 160, (n, 8, 8, 3))
    images[np.arange(n), :, :, labels] += 60
    return Examples(images.astype(np.uint8), labels, 3)


def network() -> keras.Model:
    """A convolution, batch normalisation with the slowest momentum there is, dropout."""
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, padding="same")(inputs)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.99)(x))
    x = keras.layers.Dropout(0.1)(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))


class TestRecipe:
    """Recipe."""

    def test_rate_rises_and_falls(self) -> None:
        """The learning rate reaches its peak once the warm-up is over and ends just above zero."""
        rates = [RECIPE.rate(step, 100) for step in range(100)]
        assert max(rates) == pytest.approx(0.1)
        assert rates.index(max(rates)) in (24, 25)
        assert rates[:25] == sorted(rates[:25])
        assert rates[25:] == sorted(rates[25:], reverse=True)
        assert 0 < rates[-1] < 0.002
        assert 0 < rates[0] < 0.005

    @pytest.mark.parametrize("wrong", [{"epochs": 0}, {"warm_up": 1.0}, {"peak_rate": 0}, {"typo": 1}])
    def test_refuses_nonsense(self, wrong: dict[str, object]) -> None:
        """A value out of range, or a field that does not exist, is an error."""
        with pytest.raises(ValueError):
            Recipe.model_validate({**RECIPE.model_dump(), **wrong})


class TestBatches:
    """batches."""

    def test_same_seed_and_epoch_same_batches(self) -> None:
        """Order and augmentation follow from seed and epoch alone, and differ between epochs."""

        def drawn(seed: int, epoch: int) -> list[bytes]:
            found = training.batches(blotches(64), RECIPE, seed=seed, epoch=epoch)
            return [images.tobytes() + labels.tobytes() for images, labels in found]

        assert drawn(1, 0) == drawn(1, 0)
        assert drawn(1, 0) != drawn(1, 1)
        assert drawn(1, 0) != drawn(2, 0)

    def test_every_image_once_with_its_label(self) -> None:
        """Without augmentation an epoch is a permutation; what fills no batch is left out."""
        examples = blotches(70)
        plain = RECIPE.model_copy(update={"shift": 0, "flip": False})
        found = list(training.batches(examples, plain, seed=0, epoch=0))
        assert [len(images) for images, _ in found] == [16, 16, 16, 16]
        label_of = {
            image.tobytes(): label for image, label in zip(examples.images, examples.labels, strict=True)
        }
        seen = [
            (image.tobytes(), label)
            for images, labels in found
            for image, label in zip(images, labels, strict=True)
        ]
        assert len({image for image, _ in seen}) == 64
        assert all(label_of[image] == label for image, label in seen)

    def test_shift_and_flip(self) -> None:
        """Each image is a window into itself with a border of the mean colour, mirrored or not."""
        examples = blotches(16)
        ((images, _),) = training.batches(examples, RECIPE, seed=0, epoch=0)
        border = examples.images.mean((0, 1, 2)).round().astype(np.uint8)
        possible = set()
        for image in examples.images:
            padded = np.broadcast_to(border, (10, 10, 3)).copy()
            padded[1:9, 1:9] = image
            for y in range(3):
                for x in range(3):
                    window = padded[y : y + 8, x : x + 8]
                    possible |= {window.tobytes(), window[:, ::-1].tobytes()}
        assert {image.tobytes() for image in images} <= possible
        assert not {image.tobytes() for image in images} <= {image.tobytes() for image in examples.images}

    def test_leaves_the_examples_alone(self) -> None:
        """Augmentation works on copies: read-only images will do."""
        examples = blotches(32)
        before = examples.images.tobytes()
        examples.images.setflags(write=False)
        list(training.batches(examples, RECIPE, seed=0, epoch=0))
        assert examples.images.tobytes() == before


class TestScale:
    """The trusted standardisation."""

    def test_mean_zero_deviation_one(self) -> None:
        """The training images have mean 0 and deviation 1 in each channel; the result is float32."""
        images = blotches(200).images
        scaled = training._Scale.of(images)(images)
        assert scaled.dtype == np.float32
        np.testing.assert_allclose(scaled.mean((0, 1, 2)), 0, atol=1e-4)
        np.testing.assert_allclose(scaled.std((0, 1, 2)), 1, atol=1e-4)

    def test_one_colour(self) -> None:
        """A channel that never changes does not divide by zero."""
        images = np.full((4, 8, 8, 3), 7, np.uint8)
        assert (training._Scale.of(images)(images) == 0).all()


class TestTrain:
    """train."""

    def test_learns_and_repeats(self) -> None:
        """A network learns what there is to learn; the same seed gives the same numbers, another others."""
        train_set, test_set = blotches(192), blotches(96, seed=1)
        first, again = (training.train(network, train_set, test_set, RECIPE, seed=5) for _ in range(2))
        other = training.train(network, train_set, test_set, RECIPE, seed=6)
        assert first.accuracy > 0.6
        assert (first.accuracy, first.loss, first.train_loss) == (
            again.accuracy,
            again.loss,
            again.train_loss,
        )
        assert first.loss != pytest.approx(other.loss, rel=1e-3)
        assert len(first.train_accuracy) == len(first.train_loss) == RECIPE.epochs
        assert first.parameters == network().count_params()

    def test_momentum_of_batch_normalisation_does_not_matter(self) -> None:
        """Moving statistics are taken afresh at the end: how fast they would follow changes nothing."""

        def quick() -> keras.Model:
            model = network()
            for layer in model.layers:
                if isinstance(layer, keras.layers.BatchNormalization):
                    layer.momentum = 0.5
            return model

        results = [
            training.train(build, blotches(192), blotches(96, 1), RECIPE, seed=5)
            for build in (network, quick)
        ]
        assert results[0].loss == pytest.approx(results[1].loss, rel=1e-4)

    def test_reports_every_step(self) -> None:
        """The report hears of each step once, in order, with the epoch it belongs to."""
        heard = []

        def report(*, epoch: int, step: int, steps: int, accuracy: float) -> None:
            heard.append((epoch, step, steps))
            assert 0 <= accuracy <= 1

        training.train(network, blotches(48), blotches(30), RECIPE, seed=0, report=report)
        assert heard == [(step // 3, step + 1, 9) for step in range(9)]

    def test_loss_that_runs_away(self) -> None:
        """Weights that become infinite end the training at chance, without numbers that JSON lacks."""
        wild = RECIPE.model_copy(update={"peak_rate": 1e30})

        def no_normalisation() -> keras.Model:
            inputs = keras.Input((8, 8, 3))
            x = keras.layers.Dense(8)(keras.layers.Flatten()(inputs))
            return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))

        result = training.train(no_normalisation, blotches(64), blotches(30), wild, seed=0)
        assert result.accuracy == pytest.approx(1 / 3)
        assert result.loss is None
        assert result.train_loss[-1] is None
