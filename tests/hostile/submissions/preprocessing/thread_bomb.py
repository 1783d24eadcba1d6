"""Tries to start threads without end; gains nothing because threads count as processes."""

import threading
import time

print("attack: threads", flush=True)


def split_indices(*args, **kwargs):
    started = 0
    while True:
        try:
            threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
            started += 1
        except RuntimeError:
            print("attack: stopped at", started, flush=True)
            time.sleep(0.2)


channel_statistics = standardise = one_hot = prepare = split_indices
