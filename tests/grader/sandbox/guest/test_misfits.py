"""A builder goes on where a layer cannot be made or applied, and nothing of Keras stays changed."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

GUEST = Path(__file__).parents[4] / "grader/sandbox/guest/misfits.py"


@pytest.fixture(scope="module")
def misfits() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kit_misfits_tested", GUEST)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _shortcut(layers: Any, x: Any) -> Any:
    y = layers.Conv2D(8, 3, strides=2, padding="same")(x)
    return layers.Add()([x, layers.Conv2D(8, 3, padding="same")(y)])


class TestPassedOver:
    @pytest.mark.parametrize(
        ("build", "shape", "says"),
        [
            (lambda layers, x: layers.Conv2D(5, 20)(x), (None, 12, 12, 5), "Conv2D: ValueError: Computed"),
            (lambda layers, x: layers.Conv2D(5, 99, strides=5)(x), (None, 3, 3, 5), "Conv2D: ValueError"),
            (
                lambda layers, x: layers.Conv2D(0, 3)(x),
                (None, 12, 12, 3),
                "Conv2D: ValueError: Invalid",
            ),
            (lambda layers, x: layers.Dense(7, size=3)(x), (None, 12, 12, 7), "Dense: "),
            (lambda layers, x: layers.Dropout(2)(x), (None, 12, 12, 3), "Dropout: ValueError"),
            (lambda layers, x: layers.MaxPooling2D()(layers.Flatten()(x)), (None, 432), "MaxPooling2D: "),
            (_shortcut, (None, 6, 6, 8), "Add: ValueError: Inputs have incompatible shapes"),
            (lambda layers, x: x + layers.Flatten()(x), (None, 432), "Add: ValueError"),
        ],
    )
    def test_a_layer_that_raises(self, misfits: ModuleType, build: Any, shape: Any, says: str) -> None:
        import keras

        with misfits.passed_over() as reasons:
            x = keras.Input((12, 12, 3))
            y = build(keras.layers, x)
            model = keras.Model(x, keras.layers.Flatten()(y) if len(y.shape) == 4 else y)
        assert y.shape == shape
        assert len(reasons) == 1
        assert reasons[0].startswith(says)
        assert sum(type(layer) is misfits.Misfit for layer in model.layers) == 1

    def test_what_is_right_stays_as_it_is(self, misfits: ModuleType) -> None:
        import keras

        with misfits.passed_over() as reasons:
            x = keras.Input((12, 12, 3))
            y = keras.Sequential([keras.layers.Conv2D(4, 3), keras.layers.ReLU()])(x) + 0
        assert y.shape == (None, 10, 10, 4)
        assert not reasons

    def test_no_more_than_some(self, misfits: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        import keras

        monkeypatch.setattr(misfits, "MOST", 2)
        x = keras.Input((12, 12, 3))
        with misfits.passed_over() as reasons:
            y = keras.layers.Conv2D(5, 20)(keras.layers.Conv2D(5, 20)(x))
            with pytest.raises(ValueError, match="Computed output size"):
                keras.layers.Conv2D(5, 20)(y)
        assert len(reasons) == 2

    def test_what_is_given_no_tensor_raises(self, misfits: ModuleType) -> None:
        import keras

        with misfits.passed_over(), pytest.raises(ValueError, match="None"):
            keras.layers.Conv2D(5, 3)(None)

    def test_afterwards_all_is_as_before(self, misfits: ModuleType) -> None:
        import keras
        from keras.src.ops.operation import Operation

        kept = keras.layers.Layer.__call__, Operation.symbolic_call, keras.layers.Conv2D.__init__
        with pytest.raises(KeyError), misfits.passed_over():
            raise KeyError
        assert (keras.layers.Layer.__call__, Operation.symbolic_call, keras.layers.Conv2D.__init__) == kept
        with pytest.raises(ValueError, match="Computed output size"):
            keras.layers.Conv2D(5, 20)(keras.Input((12, 12, 3)))
