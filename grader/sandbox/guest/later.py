"""Makes a probe's second process another one: its number, and what Python says of the time.

Loaded by harness.py for `--later`, before anything of the submission runs. What is the same in both processes
although the seed alone should decide (a split that is remembered, or made from the day, from a process number
or from the hash of a text) is different here.
"""

import datetime
import os
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

# By more than a year and a month, so that year, month, day, hour, minute and second are all others.
SHIFT = 400 * 86400 + 7 * 3600 + 37 * 60 + 23


def go_on_in_another_process() -> NoReturn:
    """Starts this program again, as a child with a number of its own, and ends as the child ends.

    In a sandbox the first process of each job has the same number. The seed for hashes of text is another one
    without further ado: Python draws it for each process (started with -I, it leaves PYTHONHASHSEED out).
    """
    child = os.posix_spawn(sys.executable, [*sys.orig_argv, "--spawned"], os.environ)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os._exit(code if code >= 0 else 128 - code)


def move_clocks() -> None:
    """Moves what Python's standard library says of the time, by SHIFT.

    What asks the kernel past it still finds the real time: NumPy's datetime64("now"), the times of files, C.
    """
    for name in ("time", "monotonic", "perf_counter", "clock_gettime"):
        for unit, shift in (("", SHIFT), ("_ns", SHIFT * 10**9)):
            if hasattr(time, name + unit):  # Windows has no clock_gettime
                setattr(time, name + unit, _moved(getattr(time, name + unit), shift))
    # Each of these has the present time for its default.
    for name in ("localtime", "gmtime", "ctime"):
        setattr(time, name, _of_now(getattr(time, name), time.time))
    setattr(time, "asctime", _of_now(time.asctime, time.localtime))  # noqa: B010  (it has another signature)
    setattr(time, "strftime", _strftime(time.strftime, time.localtime))  # noqa: B010
    for kind in _moved_dates(time.time):
        setattr(datetime, kind.__name__, kind)


def _moved(read: Callable[..., Any], shift: int) -> Callable[..., Any]:
    return lambda *arguments: read(*arguments) + shift


def _of_now(convert: Callable[[Any], Any], now: Callable[[], Any]) -> Callable[..., Any]:
    return lambda when=None: convert(now() if when is None else when)


def _strftime(convert: Callable[[str, Any], str], now: Callable[[], Any]) -> Callable[..., str]:
    return lambda form, when=None: convert(form, now() if when is None else when)


def _moved_dates(time: Callable[[], float]) -> list[type]:
    """`date` and `datetime` whose today is the moved one; values of the original classes are theirs, too."""

    class Kind(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, cls.__bases__[0])

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, cls.__bases__[0])

    class Date(datetime.date, metaclass=Kind):
        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(time())

    class DateTime(datetime.datetime, metaclass=Kind):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return cls.fromtimestamp(time(), tz)

        @classmethod
        def utcnow(cls) -> Any:
            return cls.fromtimestamp(time(), datetime.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> Any:
            return cls.now()

    Date.__name__, DateTime.__name__ = "date", "datetime"
    return [Date, DateTime]
