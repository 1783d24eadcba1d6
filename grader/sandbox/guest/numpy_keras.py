"""Imports Keras on its NumPy backend, as far as networks need it to be built and described.

Loaded by harness.py for `--backend numpy`, before anything of the submission runs. TensorFlow takes ten times
as long to import, and what a probe writes down of a network, its layers and how they connect, is the same.

Three things are left out, since none has a part in that: libraries that Keras imports if they are there (for
drawing, saving, wrapping); what its NumPy backend computes convolutions with (JAX, SciPy); and the drawing of
first weights, which takes nearly all of the time of building a network. Whoever asks for one of the first two
gets an error, and the file `lacking` beside the evidence says so: then the probe is repeated on TensorFlow,
where all of it is there, before it costs a mark.
"""

import gc
import math
import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

# Keras does without them if they are not there. What imports them itself afterwards finds them.
OPTIONAL = (
    *("h5py", "huggingface_hub", "IPython", "matplotlib", "pandas", "PIL", "pydot", "pydot_ng"),
    *("pydotplus", "requests", "sklearn", "tensorflow", "torch", "cv2"),
)
# Its NumPy backend imports these, and uses them for a few computations alone.
STOOD_IN_FOR = ("jax", "scipy.linalg", "keras.src.backend.jax")

# Of all weights of a process together. Those of a right submission take 150 MB.
MOST_BYTES = 1024**3


def import_keras(output: Path) -> None:
    """Imports Keras; `output` is the folder for the file `lacking`."""
    os.environ["KERAS_BACKEND"] = "numpy"
    finder = _Finder(output / "lacking")
    sys.meta_path.insert(0, finder)
    gc.disable()  # importing makes much, and leaves none of it for the collector
    try:
        import keras  # noqa: F401
    finally:
        gc.freeze()
        gc.enable()
        sys.meta_path.remove(finder)
        for name in finder.made:
            del sys.modules[name]
            parent, _, child = name.rpartition(".")
            if parent in sys.modules:
                vars(sys.modules[parent]).pop(child, None)
    from keras.src.utils import module_utils

    # To seed it, Keras would import all of TensorFlow.
    module_utils.tensorflow._available = False
    _draw_no_weights()


def _draw_no_weights() -> None:
    """Has random first weights be zeros, which take neither time nor, until they are written, memory.

    Of a network with more than a sandbox could hold they cannot be written to either: it can be looked at.
    """
    import keras
    import numpy as np
    from keras.src.backend.common import KerasVariable

    chance = {
        *(keras.initializers.RandomNormal, keras.initializers.RandomUniform, keras.initializers.Zeros),
        *(keras.initializers.TruncatedNormal, keras.initializers.VarianceScaling),
        *(keras.initializers.GlorotNormal, keras.initializers.GlorotUniform, keras.initializers.HeNormal),
        *(keras.initializers.HeUniform, keras.initializers.LecunNormal, keras.initializers.LecunUniform),
        keras.initializers.Orthogonal,
    }
    draw = KerasVariable._initialize_with_initializer
    left = MOST_BYTES

    def initialize(variable: Any, initializer: Any) -> None:
        # Some refuse to draw for a bias, which has one dimension; that is cheap, and theirs to say.
        if type(initializer) in chance and len(variable._shape) > 1 and variable._dtype == "float32":
            nonlocal left
            left -= 4 * math.prod(variable._shape)
            zeros = np.zeros if left >= 0 else _nothing
            variable._initialize(zeros(variable._shape, np.float32))
        else:
            draw(variable, initializer)

    KerasVariable._initialize_with_initializer = initialize


def _nothing(shape: Sequence[int], dtype: Any) -> Any:
    """Zeros of any size that take the memory of one."""
    import numpy as np

    return np.broadcast_to(dtype(0), shape)


class _Finder(MetaPathFinder, Loader):
    """Finds nothing in place of what is optional, and stand-ins for the rest of what is left out."""

    def __init__(self, note: Path) -> None:
        self._note = note
        self.made: list[str] = []  # names of stand-ins

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] in OPTIONAL:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if any(name == module or name.startswith(f"{module}.") for module in STOOD_IN_FOR):
            return ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        self.made.append(spec.name)
        return _StandIn(spec.name, self._note)

    def exec_module(self, module: ModuleType) -> None:
        """It has nothing to execute."""


class _StandIn(ModuleType):
    """A module, or anything in it, that was left out."""

    def __init__(self, name: str, note: Path) -> None:
        super().__init__(name)
        self.__dict__["_note"] = note

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _StandIn(f"{self.__name__}.{name}", self.__dict__["_note"])

    def __call__(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        self.__dict__["_note"].touch()
        raise NotImplementedError(f"{self.__name__} is not there where networks are only described")
