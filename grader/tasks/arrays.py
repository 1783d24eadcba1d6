"""What the judges of functions on arrays share."""

from collections.abc import Mapping

import numpy as np

from grader.judging import Case, Unmet, ordinal


def check_kept(case: Case, given: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Raises Unmet where a call has changed an array that it was given.

    Args:
        case: its calls have kept their inputs.
        given: by call, the arrays among its arguments as the probe drew them, by position.
    """
    for name, before in given.items():
        after = case.call(name).inputs_after
        for position, array in before.items():
            kept = after.get(position)
            if not isinstance(kept, np.ndarray) or not np.array_equal(kept, array):
                raise Unmet(
                    f"{case.call(name)} changed its {ordinal(int(position) + 1)} argument; "
                    "expected it to be left as it was."
                )
