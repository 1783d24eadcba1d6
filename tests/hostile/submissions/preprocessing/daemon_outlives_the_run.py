"""Tries to leave a daemon behind, twice forked, in its own session, with every signal ignored, that writes
evidence later; gains nothing because the sandbox's first process takes all others with it, before anything
is read.
"""

import os
import signal
import sys
import time

if os.fork() == 0:
    try:
        os.setsid()
    except OSError:
        pass  # then a daemon of the same session
    if os.fork() == 0:
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        print("attack: a daemon", flush=True)
        os.closerange(0, 3)
        while True:
            time.sleep(0.05)
            with open("/output/evidence.json", "w") as file:
                file.write('{"score": 100}')
    os._exit(0)
os.wait()
sys.exit(0)
