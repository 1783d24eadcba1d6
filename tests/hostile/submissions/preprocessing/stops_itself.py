"""Tries to be stopped for ever with SIGSTOP, so that whoever waits for it waits too; gains nothing because
SIGKILL ends a stopped process as well, when the time is over.
"""

import os
import signal

print("attack: stopping", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
