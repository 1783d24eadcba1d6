"""Tries to end in a fault of the machine in place of a zero: two runs end themselves when so little of the
task's processor time is left that the next one cannot even start; gains nothing because then the runs before
have used the time up.
"""

import os
import time

print("attack: leaving next to nothing", flush=True)


def split_indices(*args, **kwargs):
    while time.process_time() < 2.9:  # of six seconds for all runs; a start takes some tenths
        pass
    os._exit(1)


channel_statistics = standardise = one_hot = prepare = split_indices
