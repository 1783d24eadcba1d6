"""Tries to cost another student their marks: twenty processes that spin, each in a session of its own so that
the kernel does not count them as one; gains nothing because a sandbox has its share of the processors, however
many processes it starts.

Beside: that is whom it starves
"""

import json
import os
import time

TARGETS = json.load(open(os.path.join(os.path.dirname(__file__), "targets.json")))
SPINNERS, SECONDS = 20, TARGETS["wall_seconds"] - 2
print("attack: spinning", flush=True)
end = time.monotonic() + SECONDS


def spin():
    for _ in range(SPINNERS):
        try:
            if os.fork() == 0:
                try:
                    os.setsid()
                except OSError:
                    pass
                while time.monotonic() < end:
                    pass
                os._exit(0)
        except OSError:
            break
    while time.monotonic() < end:
        pass
    os._exit(0)


spin()
