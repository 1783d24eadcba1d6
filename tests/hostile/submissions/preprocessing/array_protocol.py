"""Tries to be another array each time it is asked through __array__, and to break the one who asks; gains
nothing because it is asked once, inside, and what it said is compared outside.
"""

import numpy as np


class Turncoat:
    asked = 0

    def __array__(self, dtype=None, copy=None):
        Turncoat.asked += 1
        print(f"attack: asked {Turncoat.asked} times", flush=True)
        if Turncoat.asked % 3 == 0:
            raise SystemExit("enough")
        if Turncoat.asked % 3 == 1:
            return np.zeros((Turncoat.asked, 3), np.float16)
        return np.array([{}, self], dtype=object)


def split_indices(*args, **kwargs):
    return Turncoat(), Turncoat()


def channel_statistics(images):
    return Turncoat(), Turncoat()


standardise = one_hot = lambda *args, **kwargs: Turncoat()
prepare = lambda *args, **kwargs: (Turncoat(),) * 4
