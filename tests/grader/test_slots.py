"""Slots: how many run at a time, in which order, and alone."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TypeVar

import pytest

from grader.errors import GraderFault
from grader.slots import Slots

T = TypeVar("T")


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

    def test_nothing_runs_beside_a_turn_alone(self) -> None:
        """Forty, and eight of them alone; one that waits is not kept waiting by those that come after it."""
        slots, seen, running = Slots(4), list[tuple[bool, ...]](), list[bool]()
        lock = threading.Lock()

        def take(alone: bool) -> None:
            with slots.turn(alone=alone):
                with lock:
                    running.append(alone)
                time.sleep(0.01)
                with lock:
                    seen.append(tuple(running))
                    running.remove(alone)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(take, [n % 5 == 4 for n in range(40)]))
        assert len(seen) == 40
        assert {together for together in seen if True in together} == {(True,)}
        assert any(len(together) > 1 for together in seen)

    def test_giving_up(self) -> None:
        """Who waits can be made to give up; the place is for who comes next."""
        slots, leaving = Slots(1), threading.Event()

        def work(*, unless: Callable[[], bool] = lambda: False) -> bool:
            with slots.turn(unless=unless):
                return True

        with ThreadPoolExecutor(2) as pool:
            with slots.turn():
                starts = [partial(pool.submit, work, unless=leaving.is_set), partial(pool.submit, work)]
                gives_up, stays = _one_after_the_other(slots, starts)
                slots.look_again()
                time.sleep(0.02)
                assert not gives_up.done()
                leaving.set()
                slots.look_again()
                assert isinstance(gives_up.exception(5), CancelledError)
                assert not stays.done()
            assert stays.result(5)

    def test_an_error_gives_the_place_back(self) -> None:
        slots = Slots(1)
        for _ in range(2):
            with suppress(ValueError), slots.turn():
                raise ValueError

    def test_closed_while_some_wait(self) -> None:
        """Those that wait are refused at once, though nobody gives a place back; so are those to come."""
        slots = Slots(1)

        def work() -> None:
            with slots.turn():
                raise AssertionError

        with ThreadPoolExecutor(2) as pool, slots.turn():
            futures = _one_after_the_other(slots, [partial(pool.submit, work)] * 2)
            slots.close()
            for future in futures:
                assert isinstance(future.exception(timeout=5), GraderFault)
        with pytest.raises(GraderFault, match="stopped"):
            work()


def _one_after_the_other(slots: Slots, starts: list[Callable[[], "Future[T]"]]) -> list["Future[T]"]:
    """Starts each when the one before is in the queue."""
    futures = []
    for number, start in enumerate(starts, 1):
        futures.append(start())
        while len(slots._queue) < number:
            time.sleep(0.001)
    return futures
