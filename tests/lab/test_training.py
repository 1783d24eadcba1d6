"""Recipes, draws and the training loop, on pictures small enough to take no time."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from lab import metrics, training
from lab.checkpoints import Checkpoint
from lab.training import Examples, Recipe

pytestmark = pytest.mark.slow

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


def models(
    recipe: Recipe, examples: Examples, steps: int = 100
) -> tuple[keras.Model, keras.Model, keras.Model]:
    """The three ways into `network`."""
    scale = training._Scale.of(examples.images)
    return training._models(network(), examples, scale, recipe, steps)


class TestDraws:
    """draws."""

    SHAPE = (70, 8, 8, 3)

    def test_same_seed_and_epoch_same_draws(self) -> None:
        """Order and augmentation follow from seed and epoch alone, and differ between epochs."""

        def drawn(seed: int, epoch: int) -> bytes:
            return training.draws(self.SHAPE, RECIPE, seed=seed, epoch=epoch).tobytes()

        assert drawn(1, 0) == drawn(1, 0)
        assert drawn(1, 0) != drawn(1, 1)
        assert drawn(1, 0) != drawn(2, 0)

    def test_every_image_once(self) -> None:
        """An epoch is a permutation; what fills no batch is left out. Nothing moves that was not asked to."""
        plain = RECIPE.model_copy(update={"shift": 0, "flip": False})
        rows = training.draws(self.SHAPE, plain, seed=0, epoch=0)
        assert (rows.shape, rows.dtype) == ((64, 6), np.int32)
        assert len(set(rows[:, 0])) == 64
        assert set(rows[:, 0]) <= set(range(70))
        assert rows[:, 0].tolist() != sorted(rows[:, 0])
        assert not rows[:, 1:].any()

    def test_ranges(self) -> None:
        """Shifts reach both ways, half of the images are mirrored, a square's centre falls anywhere."""
        recipe = RECIPE.model_copy(update={"shift": 2, "cutout": 4})
        rows = np.concatenate(
            [training.draws(self.SHAPE, recipe, seed=0, epoch=epoch) for epoch in range(20)]
        )
        for column in (1, 2):
            assert set(rows[:, column]) == {-2, -1, 0, 1, 2}
        assert 0.45 < rows[:, 3].mean() < 0.55
        for column in (4, 5):
            assert set(rows[:, column]) == set(range(-2, 6))

    def test_cutout_moves_nothing_else_in_the_first_batch(self) -> None:
        """What is drawn for a batch besides the squares is the same with and without them."""
        cut = RECIPE.model_copy(update={"cutout": 4})
        with_squares, without = (
            training.draws(self.SHAPE, recipe, seed=0, epoch=0)[: RECIPE.batch] for recipe in (cut, RECIPE)
        )
        assert (with_squares[:, :4] == without[:, :4]).all()


class TestWindow:
    """What the device makes of rows."""

    @pytest.mark.parametrize("cutout", [0, 3])
    def test_as_numpy_would(self, cutout: int) -> None:
        """Windows into the image with a border of the mean colour, mirrored or not, a square blanked."""
        examples = blotches(70)
        examples.images.setflags(write=False)
        recipe = RECIPE.model_copy(update={"shift": 2, "cutout": cutout})
        learner, _, _ = models(recipe, examples)
        rows = training.draws(examples.images.shape, recipe, seed=0, epoch=0)
        found = keras.ops.convert_to_numpy(learner.window(rows))
        assert found.dtype == np.float32
        scale = training._Scale.of(examples.images)
        plain = (examples.images.astype(np.float32) - scale.mean) / scale.deviation
        for image, (index, down, right, mirror, top, left) in zip(found, rows, strict=True):
            wanted = np.zeros((12, 12, 3), np.float32)
            wanted[2:10, 2:10] = plain[index]
            wanted = wanted[down + 2 : down + 10, right + 2 : right + 10]
            wanted = (wanted[:, ::-1] if mirror else wanted).copy()
            wanted[max(0, top) : max(0, top + cutout), max(0, left) : max(0, left + cutout)] = 0
            np.testing.assert_allclose(image, wanted, atol=1e-6)
        assert not np.allclose(found, plain[rows[:, 0]])

    def test_stays_as_it_is_stored(self) -> None:
        """The images take a byte a channel on the device, and no step trains them."""
        examples = blotches(70)
        learner, _, _ = models(RECIPE, examples)
        assert learner.window.pixels.dtype == "uint8"
        assert len(learner.trainable_variables) == len(network().trainable_variables)

    def test_rate_of_the_optimizer(self) -> None:
        """The learning rate at a step is that step's, to the last bit of a float32."""
        learner, _, _ = models(RECIPE, blotches(70))
        used = [float(learner.optimizer._learning_rate(step)) for step in range(100)]
        assert used == [float(np.float32(RECIPE.rate(step, 100))) for step in range(100)]


class TestScale:
    """The trusted standardisation."""

    def test_mean_zero_deviation_one(self) -> None:
        """The training images have mean 0 and deviation 1 in each channel; the result is float32."""
        images = blotches(200).images
        scaled = keras.ops.convert_to_numpy(training._Scale.of(images)(images))
        assert scaled.dtype == np.float32
        np.testing.assert_allclose(scaled.mean((0, 1, 2)), 0, atol=1e-4)
        np.testing.assert_allclose(scaled.std((0, 1, 2)), 1, atol=1e-4)

    def test_one_colour(self) -> None:
        """A channel that never changes does not divide by zero."""
        images = np.full((4, 8, 8, 3), 7, np.uint8)
        assert (keras.ops.convert_to_numpy(training._Scale.of(images)(images)) == 0).all()


class TestInPrecision:
    """_in_precision."""

    def test_mixed(self) -> None:
        """Layers compute in bfloat16, weights and the last layer are float32, and the setting is put back."""
        before = keras.config.dtype_policy().name
        mixed = training._in_precision(network, "mixed_bfloat16")
        assert keras.config.dtype_policy().name == before
        computed = [layer.compute_dtype for layer in mixed.layers[1:]]
        assert computed == ["bfloat16"] * (len(computed) - 1) + ["float32"]
        assert {weight.dtype for weight in mixed.weights} == {"float32"}

    def test_put_back_after_a_fault(self) -> None:
        """A builder that fails leaves the setting as it was."""
        before = keras.config.dtype_policy().name
        with pytest.raises(ZeroDivisionError):
            training._in_precision(lambda: 1 // 0, "mixed_bfloat16")
        assert keras.config.dtype_policy().name == before

    def test_float32(self) -> None:
        """The default changes nothing."""
        assert {layer.compute_dtype for layer in training._in_precision(network, "float32").layers} == {
            "float32"
        }


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

    @pytest.mark.parametrize("average", [0.0, 0.5])
    def test_validation_changes_nothing(self, average: float) -> None:
        """A training that is watched gives the same numbers to the last bit, and is scored as at its end."""
        train_set, test_set = blotches(192), blotches(96, seed=1)
        recipe = RECIPE.model_copy(update={"average": average})
        alone = training.train(network, train_set, test_set, recipe, seed=5)
        watched = training.train(network, train_set, test_set, recipe, seed=5, validation=test_set)
        assert (alone.accuracy, alone.loss, alone.train_loss) == (
            watched.accuracy,
            watched.loss,
            watched.train_loss,
        )
        assert (alone.validation_accuracy, alone.validation_loss) == ((), ())
        assert alone.validation_predictions is None
        assert len(watched.validation_accuracy) == len(watched.validation_loss) == RECIPE.epochs
        assert watched.validation_loss[-1] == watched.loss
        assert watched.validation_loss[0] != watched.loss

    @pytest.mark.parametrize("stopped_after", [0, 1, 2])
    @pytest.mark.parametrize("average", [0.0, 0.5])
    def test_goes_on_from_a_checkpoint(self, tmp_path: Path, average: float, stopped_after: int) -> None:
        """A training that was stopped in an epoch gives the same, to the last bit, when it goes on."""
        train_set, test_set = blotches(192), blotches(96, seed=1)
        recipe = RECIPE.model_copy(update={"average": average})

        def trained(report: training.Report, checkpoint: Checkpoint | None) -> training.Training:
            return training.train(
                network,
                train_set,
                test_set,
                recipe,
                seed=5,
                report=report,
                validation=test_set,
                checkpoint=checkpoint,
            )

        seen: list[int] = []

        def stop(*, epoch: int, step: int, steps: int, accuracy: float) -> None:
            if epoch == stopped_after:
                raise KeyboardInterrupt

        def look(*, epoch: int, step: int, steps: int, accuracy: float) -> None:
            seen.append(epoch)

        checkpoint = Checkpoint(tmp_path / "kept" / "one.npz", key="this")
        with pytest.raises(KeyboardInterrupt):
            trained(stop, checkpoint)
        went_on = trained(look, checkpoint)
        assert min(seen) == stopped_after
        whole = trained(lambda **_: None, None)
        timeless = {"seconds": 0.0, "cpu_seconds": 0.0, "validation_predictions": None}
        assert replace(went_on, **timeless) == replace(whole, **timeless)
        np.testing.assert_array_equal(went_on.validation_predictions, whole.validation_predictions)

    def test_validation_predictions(self) -> None:
        """They are class indices, and give the accuracy at the end."""
        validation = blotches(96, seed=1)
        result = training.train(
            network, blotches(192), blotches(30, seed=2), RECIPE, seed=5, validation=validation
        )
        said = result.validation_predictions
        assert said is not None
        assert (said.shape, said.dtype) == ((96,), np.uint8)
        assert (said == validation.labels).mean() == result.validation_accuracy[-1]
        assert result.cpu_seconds > 0

    def test_no_settling(self) -> None:
        """With 0 batches to settle on, the network's own moving statistics are used."""
        recipe = RECIPE.model_copy(update={"settle": 0})
        result = training.train(network, blotches(192), blotches(96, 1), recipe, seed=5)
        settled = training.train(network, blotches(192), blotches(96, 1), RECIPE, seed=5)
        assert result.train_loss == settled.train_loss
        assert result.loss != settled.loss

    @pytest.mark.parametrize(("average", "of_last"), [(0.0, 1), (0.1, 1), (0.4, 4), (1.0, 10)])
    def test_averaged_weights(self, average: float, of_last: int) -> None:
        """What is scored has the mean of the weights after each of the last steps; training does not."""
        examples = blotches(60)
        recipe = RECIPE.model_copy(
            update={"epochs": 10, "batch": 60, "peak_rate": 1e-3, "settle": 0, "average": average}
        )
        built: list[keras.Model] = []
        after: list[list[np.ndarray]] = []  # each step: a pass is one batch

        def plain() -> keras.Model:
            inputs = keras.Input((8, 8, 3))
            outputs = keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(inputs))
            built.append(keras.Model(inputs, outputs))
            return built[0]

        def report(**_: object) -> None:
            after.append(built[0].get_weights())

        result = training.train(plain, examples, examples, recipe, seed=5, report=report, validation=examples)
        for found, wanted in zip(built[0].get_weights(), after[-1], strict=True):
            np.testing.assert_array_equal(found, wanted)

        kernel, bias = (np.mean(weights[-of_last:], axis=0) for weights in zip(*after, strict=True))
        scaled = keras.ops.convert_to_numpy(training._Scale.of(examples.images)(examples.images))
        exponents = np.exp(scaled.reshape(60, -1) @ kernel + bias)
        probabilities = exponents / exponents.sum(axis=1, keepdims=True)
        assert result.loss == pytest.approx(metrics.cross_entropy(probabilities, examples.labels), rel=1e-4)
        assert result.validation_loss[-1] == result.loss

    def test_reports_every_few_steps(self) -> None:
        """The report hears of steps in order, with their epoch, and of the last of each epoch."""
        heard = []

        def report(*, epoch: int, step: int, steps: int, accuracy: float) -> None:
            heard.append((epoch, step, steps))
            assert 0 <= accuracy <= 1

        training.train(network, blotches(80), blotches(30), RECIPE, seed=0, report=report)
        assert heard == sorted(set(heard))
        assert {(0, 5, 15), (1, 10, 15), (2, 15, 15)} <= set(heard)
        assert len(heard) > 3
        assert all((step - 1) // 5 == epoch for epoch, step, _ in heard)

    def test_loss_that_runs_away(self) -> None:
        """Weights that become infinite end the training at chance, without numbers that JSON lacks."""
        wild = RECIPE.model_copy(update={"peak_rate": 1e30})

        def no_normalisation() -> keras.Model:
            inputs = keras.Input((8, 8, 3))
            x = keras.layers.Dense(8)(keras.layers.Flatten()(inputs))
            return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))

        result = training.train(
            no_normalisation, blotches(64), blotches(30), wild, seed=0, validation=blotches(30)
        )
        assert result.accuracy == pytest.approx(1 / 3)
        assert result.loss is None
        assert result.validation_predictions is None
        assert result.train_loss[-1] is None
        assert result.validation_accuracy[-1] == pytest.approx(1 / 3)
        assert result.validation_loss[-1] is None
