"""Stretches of days in the region's time: what a form asks for, and the moments at which they begin and end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

EARLIEST = dt.date(2000, 1, 1)
LATEST = dt.date(2200, 1, 1)
MOST_DAYS = 3 * 366
CHOICES: Mapping[str, tuple[str, int]] = {
    "7": ("7 hari", 7),
    "30": ("30 hari", 30),
    "90": ("90 hari", 90),
    "365": ("12 bulan", 365),
}
"""Periods that end today: name in the address, label, days."""
USUAL = "30"


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included, in one time zone. `choice` is empty for days that were picked freely."""

    first: dt.date
    last: dt.date
    zone: ZoneInfo
    choice: str = ""

    @property
    def start(self) -> dt.datetime:
        """The moment at which the period begins."""
        return start_of(self.first, self.zone)

    @property
    def end(self) -> dt.datetime:
        """The moment at which the period is over, itself not part of it."""
        return start_of(self.last + dt.timedelta(days=1), self.zone)

    @property
    def days(self) -> int:
        """Its length."""
        return (self.last - self.first).days + 1


def parse_day(text: str) -> dt.date | None:
    """Read a day as a form sends it (YYYY-MM-DD); None for anything else, and for days nobody means."""
    try:
        day = dt.date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
    return day if EARLIEST <= day <= LATEST else None


def parse_days(given: Mapping[str, str]) -> tuple[dt.date | None, dt.date | None]:
    """Read the first and the last day that a form asks for, whichever way round it gives them; None for each that it does not."""
    first, last = parse_day(given.get("dari", "")), parse_day(given.get("sampai", ""))
    return (last, first) if first and last and last < first else (first, last)


def start_of(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Answer the moment at which a day begins."""
    return dt.datetime.combine(day, dt.time(), zone)


def read(given: Mapping[str, str], today: dt.date, zone: ZoneInfo) -> Period:
    """Read the period that a form asks for: days picked freely before one of the choices, and the usual one for nonsense."""
    first, last = parse_days(given)
    if first or last:
        last = min(last or today, today)
        first = min(first, today) if first else last - dt.timedelta(days=CHOICES[USUAL][1] - 1)
        return Period(max(first, last - dt.timedelta(days=MOST_DAYS - 1)), last, zone)
    choice = given.get("masa", USUAL)
    if choice not in CHOICES:
        choice = USUAL
    return Period(today - dt.timedelta(days=CHOICES[choice][1] - 1), today, zone, choice)
