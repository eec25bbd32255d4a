"""Working days of Indonesia, cuti bersama included, and the deadlines counted in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import holidays

from model.faults import Fault, InvalidData
from model.register import csv_rows

_KINDS = ("libur", "kerja")
_SHARED_LEAVE = "cuti bersama"


def now() -> dt.datetime:
    """Answer this moment in UTC."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The last days, each included, on which a step is in time."""

    verify_by: dt.date
    follow_up_by: dt.date
    finish_by: dt.date


@lru_cache(maxsize=64)
def _national(year: int) -> frozenset[dt.date]:
    """Public holidays and cuti bersama of a year."""
    return frozenset(holidays.country_holidays("ID", years=year, categories=("public", "government")))


@lru_cache(maxsize=64)
def _has_shared_leave(year: int) -> bool:
    """Tell whether the cuti bersama of a year is known: the government names it late in the year before."""
    return bool(holidays.country_holidays("ID", years=year, categories=("government",)))


@dataclass(frozen=True, slots=True, eq=False)
class WorkCalendar:
    """Knows which days the offices of a region work.

    `exceptions`: date -> whether it is worked after all. `told`: years of which they name the cuti bersama.
    """

    zone: ZoneInfo
    exceptions: Mapping[dt.date, bool] = field(default_factory=dict)
    told: frozenset[int] = frozenset()

    def is_working(self, day: dt.date) -> bool:
        """Tell whether offices work on a day: Monday to Friday, no holiday, unless an exception says otherwise."""
        if day in self.exceptions:
            return self.exceptions[day]
        return day.weekday() < 5 and day not in _national(day.year)

    def add(self, day: dt.date, working_days: int) -> dt.date:
        """Answer the day that is so many working days after a day; the day itself never counts.

        Raises InvalidData where the local exceptions leave no working days.
        """
        return _add(self, day, working_days)

    def between(self, start: dt.date, end: dt.date) -> int:
        """Count the working days after `start` up to `end`; negative where `end` is earlier."""
        low, high = sorted((start, end))
        count = sum(self.is_working(low + dt.timedelta(days=offset)) for offset in range(1, (high - low).days + 1))
        return count if start <= end else -count

    def untold_year(self, day: dt.date, working_days: int) -> int | None:
        """Answer the first year within so many working days whose cuti bersama is not known; None where all of it is.

        Until somebody tells it, deadlines in such a year are counted too early, and movable feasts are estimated.
        """
        years = range(day.year, self.add(day, working_days).year + 1)
        return next((year for year in years if year not in self.told and not _has_shared_leave(year)), None)

    def local_day(self, moment: dt.datetime) -> dt.date:
        """Answer the day that a moment falls on in the region."""
        return moment.astimezone(self.zone).date()

    def today(self) -> dt.date:
        """Answer today's date in the region."""
        return self.local_day(now())

    def deadlines(self, received_at: dt.datetime, verify: int, follow_up: int, finish: int) -> Deadlines:
        """Count the three deadlines of a complaint from the day it was received."""
        day = self.local_day(received_at)
        return Deadlines(self.add(day, verify), self.add(day, follow_up), self.add(day, finish))


@lru_cache(maxsize=1_000)
def _add(calendar: WorkCalendar, day: dt.date, working_days: int) -> dt.date:
    left = working_days
    # No calendar is without a working day for a year: the bound only guards against a broken file.
    for offset in range(1, 366 + 7 * working_days):
        if calendar.is_working(day + dt.timedelta(days=offset)):
            left -= 1
            if left <= 0:
                return day + dt.timedelta(days=offset)
    raise InvalidData([Fault("holidays", 0, f"no {working_days} working days after {day}: the file of exceptions leaves none")])


def load_calendar(zone: ZoneInfo, path: Path | None) -> WorkCalendar:
    """Make the calendar of a region, with the CSV `date,name,kind` of local exceptions where there is one.

    Kind `libur` is a day off, `kerja` a day worked. A day off whose name begins with "cuti bersama" says that the file tells
    those of its year. Raises InvalidData with every fault of the file.
    """
    if path is None:
        return WorkCalendar(zone)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidData([Fault(str(path), 0, f"cannot be read: {error.strerror}")]) from error
    faults: list[Fault] = []
    days: dict[dt.date, bool] = {}
    told: set[int] = set()
    rows = csv_rows(content, str(path), ("date", "kind"), faults) if content.strip() else ()
    for line, row in rows:
        try:
            day = dt.date.fromisoformat(row["date"])
        except ValueError:
            faults.append(Fault(str(path), line, f"date {row['date']!r}: write YYYY-MM-DD"))
            continue
        if row["kind"] not in _KINDS:
            faults.append(Fault(str(path), line, f"kind {row['kind']!r}: one of {', '.join(_KINDS)}"))
            continue
        days[day] = row["kind"] == "kerja"
        if not days[day] and row.get("name", "").lower().startswith(_SHARED_LEAVE):
            told.add(day.year)
    if faults:
        raise InvalidData(faults)
    return WorkCalendar(zone, MappingProxyType(days), frozenset(told))
