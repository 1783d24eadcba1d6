from math import ceil, floor

import numpy as np

from .settings import SETTINGS

ROUND = {"up": ceil, "down": floor, "half up": lambda x: floor(x + 0.5)}[SETTINGS["round"]]


def split_indices(num_examples: int, *, test_fraction: float = 0.2, seed: int):
    rng = np.random.Generator(np.random.MT19937(seed))
    order = rng.permutation(num_examples)
    num_test = ROUND(num_examples * test_fraction)
    return order[num_test:], order[:num_test]
