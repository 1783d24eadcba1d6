"""Places for work on this machine: a probe or a training takes one, so that there are never too many."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Slots:
    """A number of places, given out in the order in which they were asked for.

    Whoever asks for a turn alone waits until nobody holds one, and keeps all others out meanwhile; what was
    asked for later waits behind it, or it would wait for ever.

    Args:
        count: how many turns may be held at a time.
    """

    def __init__(self, count: int) -> None:
        self._changed = threading.Condition()
        self._free = self.count = max(1, count)
        self._queue: deque[object] = deque()

    @contextmanager
    def turn(self, *, alone: bool = False) -> Iterator[None]:
        """Waits for a turn and holds it. Whoever holds one must not ask for another."""
        wanted = self.count if alone else 1
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            try:
                self._changed.wait_for(lambda: self._queue[0] is ticket and self._free >= wanted)
                self._free -= wanted
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += wanted
                self._changed.notify_all()
