"""Tries to go on for ever: ignores all signals, takes over SIGALRM, catches every exception; gains nothing
because the sandbox is killed from outside when its time is over, and its other functions do not earn what
they do not do.
"""

import signal
import sys

for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.signal = lambda *args: None
signal.setitimer = lambda *args: None
main = sys.modules["__main__"]
main.time_limit = lambda seconds: main.contextlib.nullcontext()
print("attack: no signal is heard", flush=True)


def split_indices(*args, **kwargs):
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue


channel_statistics = standardise = one_hot = prepare = split_indices
