"""Memory that is freed goes back to the system at once, where the C library is glibc."""

import ctypes
from contextlib import suppress

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
_BYTES = 1024 * 1024


def give_back() -> None:
    """Has each block of a mebibyte or more mapped on its own from now on; does nothing without glibc.

    Of itself glibc raises that threshold to the largest block that was freed, 32 MiB at the most, and takes
    later ones from its heaps: what is freed there stays with the process wherever something small lies above.
    """
    with suppress(OSError, AttributeError, TypeError):  # no glibc: macOS, Windows, musl
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _BYTES)
