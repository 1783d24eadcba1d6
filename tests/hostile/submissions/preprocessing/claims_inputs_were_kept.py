"""Tries to earn the point for leaving inputs alone, by functions that do nothing, with inputs_after filled in
by itself; gains nothing because that point comes after the functions' own checks.
"""

import sys

main = sys.modules["__main__"]
_result = main.Calls._result


def result(self, value, then):
    print("attack: nothing was changed, nothing was done", flush=True)
    return {"kind": "none"}


main.Calls._result = result


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
