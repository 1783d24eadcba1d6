"""Slots: how many run at a time, in which order, and alone."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from grader.slots import Slots


class TestSlots:
    """Turns side by side, one after the other, and alone."""

    def test_no_more_than_there_are(self) -> None:
        """Eight ask for one of two places: at no time are three held."""
        slots, held, most = Slots(2), 0, 0
        lock = threading.Lock()

        def work() -> None:
            nonlocal held, most
            with slots.turn():
                with lock:
                    held += 1
                    most = max(most, held)
                time.sleep(0.01)
                with lock:
                    held -= 1

        with ThreadPoolExecutor(8) as pool:
            for future in [pool.submit(work) for _ in range(8)]:
                future.result()
        assert most == 2

    def test_in_the_order_of_asking(self) -> None:
        """With one place the first to ask is the first to hold it."""
        slots, order = Slots(1), list[int]()

        def work(number: int) -> None:
            with slots.turn():
                order.append(number)

        with ThreadPoolExecutor(4) as pool:
            with slots.turn():
                futures = _one_after_the_other(slots, [partial(pool.submit, work, n) for n in range(4)])
            for future in futures:
                future.result()
        assert order == [0, 1, 2, 3]

    def test_alone_is_alone(self) -> None:
        """It starts when the others are done, and who asks after it waits for its end."""
        slots, events = Slots(2), list[str]()

        def work(name: str, *, alone: bool) -> None:
            with slots.turn(alone=alone):
                events.append(f"{name} begins")
                time.sleep(0.02)
                events.append(f"{name} ends")

        with ThreadPoolExecutor(3) as pool:
            with slots.turn():
                futures = _one_after_the_other(
                    slots,
                    [partial(pool.submit, work, name, alone=name == "alone") for name in ("alone", "after")],
                )
                assert events == []
            for future in futures:
                future.result()
        assert events == ["alone begins", "alone ends", "after begins", "after ends"]

    def test_an_error_gives_the_place_back(self) -> None:
        slots = Slots(1)
        for _ in range(2):
            with suppress(ValueError), slots.turn():
                raise ValueError


def _one_after_the_other(slots: Slots, starts: list[Callable[[], "Future[None]"]]) -> list["Future[None]"]:
    """Starts each when the one before is in the queue."""
    futures = []
    for number, start in enumerate(starts, 1):
        futures.append(start())
        while len(slots._queue) < number:
            time.sleep(0.001)
    return futures
