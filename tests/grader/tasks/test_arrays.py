"""What the judges of functions on arrays share."""

import numpy as np
import pytest

from grader.tasks.arrays import whole


class TestWhole:
    @pytest.mark.parametrize("dtype", ["int8", "uint64", "float16", "float32", "float64"])
    def test_in_any_dtype(self, dtype: str) -> None:
        """Whole numbers are whole numbers, however they are written."""
        came = whole(np.array([0, 3, 7], dtype))
        assert came is not None
        assert came.dtype == np.int64
        assert came.tolist() == [0, 3, 7]

    @pytest.mark.parametrize("value", [[0.5], [np.nan], [np.inf], [2.0**53], "3", None])
    def test_nothing_else(self, value: object) -> None:
        """A share, no number, one too large to be exact, and what is no array are none."""
        assert whole(np.array(value) if isinstance(value, list) else value) is None

    def test_a_signaling_nan_warns_nobody(self) -> None:
        """Its bits make the processor complain when it is rounded; a warning would be an error here."""
        assert whole(np.array([0x7FA00000], np.uint32).view(np.float32)) is None
