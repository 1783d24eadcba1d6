"""Tries to walk sys._getframe and the traceback up to the harness, for expected values, and to mark the
evidence as finished and passed; gains nothing because there are no expected values there, and marks are
not kept there.
"""

import sys


def _climb():
    frame = sys._getframe()
    found = {}
    while frame is not None:
        for name, value in list(frame.f_locals.items()):
            found[name] = value
            if type(value).__name__ == "Calls":
                value._document["finished"] = True
                for call in value._document["calls"].values():
                    call["status"] = "returned"
        frame = frame.f_back
    print("attack: seen", sorted(found), flush=True)
    return next((found[name] for name in ("expected", "solution", "answers", "labels") if name in found), None)


def split_indices(*args, **kwargs):
    return _climb()


channel_statistics = standardise = one_hot = prepare = split_indices
