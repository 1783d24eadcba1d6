"""Tries to patch numpy's comparisons and numpy.testing so that nothing ever differs; gains nothing because
the patched numpy dies with the sandbox, and the judge has another.
"""

import numpy as np
import numpy.testing

for module in (np, np.testing, np.linalg):
    for name in dir(module):
        if any(part in name for part in ("assert", "equal", "close", "all", "any")):
            try:
                setattr(module, name, lambda *args, **kwargs: True)
            except (AttributeError, TypeError):
                pass
print("attack: numpy agrees with everything", flush=True)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
