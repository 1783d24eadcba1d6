"""Tries to hide its processor time: children that live for some hundredths of a second burn it, and with
SIGCHLD ignored no parent ever adds up what they took; gains nothing because processor time is counted for all
processes of a sandbox, the dead among them, and the clock ends it where it cannot be.
"""

import json
import os
import signal
import time

TARGETS = json.load(open(os.path.join(os.path.dirname(__file__), "targets.json")))
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("attack: burning", flush=True)


def split_indices(*args, **kwargs):
    end = time.monotonic() + TARGETS["wall_seconds"] - 2
    while time.monotonic() < end:
        try:
            if os.fork() == 0:
                until = time.process_time() + 0.03
                while time.process_time() < until:
                    pass
                os._exit(0)
            time.sleep(0.01)
        except OSError:
            time.sleep(0.01)
        except BaseException:
            pass
    os._exit(0)


channel_statistics = standardise = one_hot = prepare = split_indices
