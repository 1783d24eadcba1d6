"""A share of the processors for programs that no control group bounds: each is held to cores of its own.

A program is pinned before it runs, and the filter of system calls refuses sched_setaffinity, so that it
stays there however many processes and sessions it starts. Where programs are more than cores, some share one.
"""

import math
import os
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_used: Counter[int] = Counter()  # programs of this process on each core


@contextmanager
def reserved(cores: float) -> Iterator[set[int]]:
    """Cores, by number, to which the fewest other programs of this process are held; taken until it is left.

    Args:
        cores: a share, of which a part of a core is a whole one.

    Returns:
        None at all where cores cannot be chosen (macOS, Windows).
    """
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    with _lock:
        # Of equals any: another grader on this machine chooses as well, and does not see these programs.
        order = sorted(usable, key=lambda core: (_used[core], secrets.randbits(16)))
        chosen = set(order[: math.ceil(cores)])
        _used.update(chosen)
    try:
        yield chosen
    finally:
        with _lock:
            _used.subtract(chosen)


def pinned(cores: set[int]) -> list[str]:
    """The start of a command line that runs the rest on these cores alone."""
    return ["taskset", "--cpu-list", ",".join(map(str, sorted(cores)))] if cores else []
