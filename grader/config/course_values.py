"""How course.toml writes times, shares and weights.

Each function takes what the TOML parser gave, and raises ValueError with what is wrong, put after it.
"""

import difflib
import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cache
from typing import Any

from grader.config.marking import STEP

YEARS = range(2000, 2200)  # of a time that can be meant

_UNITS = {"week": 7, "day": 1, "h": 3600, "hour": 3600, "min": 60, "minute": 60}  # of days, or of seconds
_IN_DAYS = ("week", "day")
_PART = re.compile(r"(\d{1,6}) *(week|day|hour|h|minute|min)s?\b *", re.ASCII)
_MOST_DAYS = 3660
MOST_POINTS = 100_000


@dataclass(frozen=True)
class Duration:
    """A time to wait: days by the clock (to the same hour of a later day), then seconds."""

    days: int = 0
    seconds: int = 0

    def __str__(self) -> str:
        return in_words(self.days, timedelta(seconds=self.seconds))

    def after(self, start: datetime, zone: tzinfo) -> datetime:
        """The moment so long after another, in UTC.

        Where clocks are put forward or back at that hour, it is the later of the two moments that can be
        meant: in favour of whoever waits for it.
        """
        if not self.days:
            return start.astimezone(UTC) + timedelta(seconds=self.seconds)
        wall = start.astimezone(zone).replace(tzinfo=None, fold=0) + timedelta(days=self.days)
        moments = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return max(moments) + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class Weight:
    """What a task counts: so many points, or per cent of all points."""

    amount: Decimal
    per_cent: bool

    def __str__(self) -> str:
        return f"{self.amount.normalize():f}" + ("%" if self.per_cent else " points")


def in_words(days: int, rest: timedelta) -> str:
    """Such as "1 day 3 h", "45 min" or "20 s": the two largest units.

    >>> in_words(1, timedelta(hours=3, minutes=20))
    '1 day 3 h'
    """
    seconds = int(rest.total_seconds())
    parts = {"day" if days == 1 else "days": days, "h": seconds // 3600, "min": seconds // 60 % 60}
    parts["s"] = seconds % 60
    return " ".join([f"{count} {unit}" for unit, count in parts.items() if count][:2]) or "0 s"


def duration(value: Any) -> Duration:
    if isinstance(value, Duration):
        return value
    if not isinstance(value, str):
        raise ValueError("is not a time in quotes with its unit")
    parts = list(_PART.finditer(value))
    if not parts or "".join(part[0] for part in parts) != value:
        raise ValueError("is not a time with its unit")
    if len({part[2] for part in parts}) < len(parts):
        raise ValueError("has a unit twice")
    days = sum(int(part[1]) * _UNITS[part[2]] for part in parts if part[2] in _IN_DAYS)
    seconds = sum(int(part[1]) * _UNITS[part[2]] for part in parts if part[2] not in _IN_DAYS)
    if days + seconds / 86400 > _MOST_DAYS:
        raise ValueError(f"is longer than {_MOST_DAYS} days")
    return Duration(days, seconds)


def moment(value: Any) -> datetime:
    """A datetime of TOML, still without a zone if it has no offset."""
    if isinstance(value, str):
        raise ValueError("is text: a time has no quotes")
    if not isinstance(value, datetime):
        raise ValueError("is not a date with a time")
    if value.year not in YEARS:
        raise ValueError(f"is not in the years {YEARS[0]} to {YEARS[-1]}")
    return value


def moment_or_duration(value: Any) -> datetime | Duration:
    if isinstance(value, str | Duration):
        return duration(value)
    if isinstance(value, int | float):
        raise ValueError("is a number without a unit")
    return moment(value)


def share(value: Any) -> Decimal:
    """A share from 0 to 1, written in per cent."""
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str):
        raise ValueError("is not a share in quotes with its sign %")
    number = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?) ?%", value, re.ASCII)
    if not number:
        raise ValueError("is not a share in per cent")
    if Decimal(number[1]) > 100:
        raise ValueError("is more than 100%")
    return Decimal(number[1]) / 100


def weight(value: Any) -> Weight:
    if isinstance(value, Weight):
        return value
    if isinstance(value, str):
        found = Weight(share(value) * 100, per_cent=True)
    elif isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_POINTS:
        found = Weight(Decimal(str(value)), per_cent=False)
    else:
        raise ValueError("is neither points nor per cent")
    if not found.amount:
        raise ValueError("counts nothing: leave the task out")
    if not found.per_cent and found.amount % Decimal(str(STEP)):
        raise ValueError("is not in whole or half points")
    return found


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())  # looks at 600 files


def zone(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is not a name in quotes")
    known = _zones()
    if value not in known:
        if not known:
            raise ValueError("cannot be looked up: this machine has no database of time zones")
        near = difflib.get_close_matches(value, sorted(known), n=1)
        raise ValueError("is not a time zone" + (f"; did you mean {near[0]}?" if near else ""))
    return value
