"""Places for work on this machine: a probe or a training takes one, so that there are never too many."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager

from grader.errors import GraderFault


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
        self._closed = False

    def close(self) -> None:
        """Lets nobody in any more, those that wait included; turns that are held run to their end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @contextmanager
    def turn(self, *, alone: bool = False, unless: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Waits for a turn and holds it. Whoever holds one must not ask for another.

        Args:
            alone: whether nobody else may hold one meanwhile.
            unless: whether to give up waiting; asked when somebody gives a turn back, and at `look_again`.

        Raises:
            CancelledError: `unless` came true first.
            GraderFault: there are no turns any more, since the grader is being stopped.
        """
        wanted = self.count if alone else 1
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            try:
                self._changed.wait_for(
                    lambda: unless() or self._closed or (self._queue[0] is ticket and self._free >= wanted)
                )
                if unless():
                    raise CancelledError
                if self._closed:
                    raise GraderFault("the grader was stopped")
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

    def look_again(self) -> None:
        """Has everybody who waits look whether to give up."""
        with self._changed:
            self._changed.notify_all()
