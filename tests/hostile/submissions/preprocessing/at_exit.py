"""Tries to forge evidence at exit: atexit, a finaliser, a non-daemon thread, threading's and
multiprocessing's hooks; gains nothing because the harness ends without any of them, and what they wrote
would be evidence all the same.
"""

import atexit
import threading
import time
import weakref


def _forge(*_):
    with open("/output/evidence.json", "w") as file:
        file.write('{"format": 1, "score": 100}')


class Last:
    def __del__(self):
        _forge()


last = Last()
atexit.register(_forge)
weakref.finalize(last, _forge)
threading._register_atexit(_forge)
threading.Thread(target=lambda: (time.sleep(1), _forge())).start()
print("attack: waiting for the end", flush=True)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
