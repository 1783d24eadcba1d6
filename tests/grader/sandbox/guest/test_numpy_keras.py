"""Keras on NumPy, as a probe imports it: quick, with nothing drawn, and with word of what is left out."""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from grader.sandbox.guest import numpy_keras

GUEST = Path(numpy_keras.__file__)


@pytest.fixture
def lacking(tmp_path: Path) -> Path:
    return tmp_path / "lacking"


def run(code: str, folder: Path) -> Any:
    """What `found` is after Keras was imported and some code ran, in a process of its own."""
    program = (
        "import importlib.util, json, os, pathlib, sys\n"
        f"spec = importlib.util.spec_from_file_location('numpy_keras', {str(GUEST)!r})\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        f"module.import_keras(pathlib.Path({str(folder)!r}))\n"
        f"{dedent(code)}\n"
        "print('found:', json.dumps(found))\n"
    )
    done = subprocess.run([sys.executable, "-I", "-B", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rpartition("found:")[2])


class TestImport:
    def test_imports_little(self, tmp_path: Path) -> None:
        """Nothing that takes long, and no thread that a library starts."""
        loaded = set(run("import keras; found = [name.partition('.')[0] for name in sys.modules]", tmp_path))
        assert "keras" in loaded
        assert not loaded & {"tensorflow", "jax", "matplotlib", "sklearn", "IPython", "h5py", "torch"}

    def test_leaves_no_stand_in_behind(self, tmp_path: Path, lacking: Path) -> None:
        """Whoever imports one of these libraries afterwards gets the library."""
        code = """
            import matplotlib, scipy, scipy.linalg, sklearn
            from scipy import linalg
            found = [scipy.linalg.det([[2.0]]), linalg.inv([[0.5]])[0][0], sklearn.__name__]
        """
        assert run(code, tmp_path) == [2.0, 2.0, "sklearn"]
        assert not lacking.exists()

    def test_jax_is_what_it_was(self, tmp_path: Path) -> None:
        """There or not: a stand-in is neither."""
        code = """
            try:
                import jax
                found = hasattr(jax, "__version__")
            except ModuleNotFoundError:
                found = True
        """
        assert run(code, tmp_path) is True

    def test_seeding_does_not_import_tensorflow(self, tmp_path: Path) -> None:
        code = "import keras; keras.utils.set_random_seed(1); found = 'tensorflow' in sys.modules"
        assert run(code, tmp_path) is False


class TestWeights:
    @pytest.mark.parametrize(
        "initialiser",
        [
            *("he_normal", "glorot_uniform", "lecun_normal", "orthogonal", "zeros", "random_normal"),
            *("truncated_normal", "random_uniform", "variance_scaling"),
        ],
    )
    def test_are_not_drawn(self, initialiser: str, tmp_path: Path) -> None:
        """They have their shape and type, and the layer has its initialiser."""
        code = f"""
            import keras
            layer = keras.layers.Dense(7, kernel_initializer={initialiser!r})
            layer.build((None, 5))
            kernel = layer.kernel
            found = [list(kernel.shape), kernel.dtype, float(abs(keras.ops.convert_to_numpy(kernel)).sum()),
                     type(layer.kernel_initializer).__name__, layer.count_params()]
        """
        *same, name, count = run(code, tmp_path)
        assert same == [[5, 7], "float32", 0.0]
        assert name.lower() == initialiser.replace("_", "")
        assert count == 42

    def test_what_is_no_chance_is_as_it_was(self, tmp_path: Path) -> None:
        code = """
            import keras
            class Own(keras.initializers.HeNormal):
                def __call__(self, shape, dtype=None):
                    return super().__call__(shape, dtype) * 0 + 3
            layer = keras.layers.Dense(2, kernel_initializer=Own(), bias_initializer="ones")
            layer.build((None, 2))
            found = [w.tolist() for w in layer.get_weights()]
        """
        assert run(code, tmp_path) == [[[3.0, 3.0], [3.0, 3.0]], [1.0, 1.0]]

    def test_what_refuses_a_bias_refuses_it(self, tmp_path: Path) -> None:
        """In Keras's words: the message is the student's to read."""
        code = """
            import keras
            try:
                keras.layers.Dense(2, bias_initializer="orthogonal").build((None, 2))
                found = ""
            except ValueError as error:
                found = str(error)
        """
        assert "at least two-dimensional" in run(code, tmp_path)

    def test_take_no_memory(self, tmp_path: Path) -> None:
        """A layer of half a gigabyte."""
        code = """
            import keras, resource
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            layer = keras.layers.Dense(2**13, use_bias=False)
            layer.build((None, 2**14))
            found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        """
        assert run(code, tmp_path) < 20 * 1024

    def test_that_no_sandbox_could_hold_take_none_either(self, tmp_path: Path, lacking: Path) -> None:
        """An AlexNet that forgot its pooling can be looked at, and that is what is reported of it."""
        code = """
            import keras, resource
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            layers = [keras.layers.Dense(2**13, use_bias=False) for _ in range(40)]
            for layer in layers:
                layer.build((None, 2**14))
            try:
                layers[-1].kernel.value[:] = 1
                found = [layers[-1].count_params(), 2**40]
            except ValueError:
                taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
                found = [layers[-1].count_params(), taken]
        """
        count, kilobytes = run(code, tmp_path)
        assert count == 2**27
        assert kilobytes < 20 * 1024
        assert not lacking.exists()


class TestLacking:
    @pytest.mark.parametrize(
        "code",
        [
            "keras.layers.Conv2D(2, 3)(np.zeros((1, 8, 8, 3), 'float32'))",
            "keras.ops.lu_factor(np.eye(2))",
            "keras.ops.fft((np.ones(4), np.zeros(4)))",
        ],
    )
    def test_is_said_and_raises(self, code: str, tmp_path: Path, lacking: Path) -> None:
        attempt = f"""
            import keras
            import numpy as np
            try:
                found = str({code})
            except NotImplementedError as error:
                found = str(error)
        """
        assert "is not there where networks are only described" in run(attempt, tmp_path)
        assert lacking.exists()

    def test_networks_that_are_only_built_lack_nothing(self, tmp_path: Path, lacking: Path) -> None:
        code = """
            import keras
            x = keras.Input((8, 8, 3))
            y = keras.layers.Conv2D(4, 3, padding="same")(x)
            y = keras.layers.BatchNormalization()(y)
            y = keras.layers.Activation("gelu")(y + keras.ops.relu(y) * 0)
            y = keras.layers.Concatenate()([keras.layers.AveragePooling2D(2)(y), keras.ops.max_pool(y, 2)])
            y = keras.ops.pad(y, ((0, 0), (1, 1), (1, 1), (0, 0)))
            y = keras.layers.Dropout(0.5)(keras.layers.Flatten()(y))
            model = keras.Model(x, keras.layers.Dense(10, "softmax", kernel_regularizer="l2")(y))
            model.compile("sgd", "mse", metrics=["accuracy"])
            model.summary()
            found = list(model.output_shape)
        """
        assert run(code, tmp_path) == [None, 10]
        assert not lacking.exists()
