"""Tries to rewrite small integers, None's neighbours and code objects through ctypes, so that 0 is 1 for the
harness; gains nothing because integers of another process are other integers.
"""

import ctypes
import sys

main = sys.modules["__main__"]
print("attack: rewriting", flush=True)
main.Calls.call.__code__ = (lambda self, name, function, /, *args, then=None, keep_inputs=False, **kwargs: None).__code__
for number in (200, 201):
    ctypes.memmove(id(number) + 24, id(100) + 24, 4)


def split_indices(*args, **kwargs):
    return 200, 201


channel_statistics = standardise = one_hot = prepare = split_indices
