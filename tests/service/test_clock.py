"""Working days of Indonesia and the deadlines counted in them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.faults import InvalidData
from service.clock import WorkCalendar, load_calendar

WITA = ZoneInfo("Asia/Makassar")
CALENDAR = WorkCalendar(WITA)
DAYS = st.dates(dt.date(2024, 1, 1), dt.date(2027, 12, 31))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (dt.date(2026, 3, 2), True),
        (dt.date(2026, 3, 7), False),  # Saturday
        (dt.date(2026, 8, 17), False),  # Independence Day, a Monday
        (dt.date(2026, 3, 19), False),  # Nyepi
        (dt.date(2026, 3, 20), False),  # cuti bersama of Idulfitri
        (dt.date(2026, 12, 24), False),  # cuti bersama of Christmas
    ],
)
def test_holidays_and_shared_leave_are_no_working_days(day: dt.date, works: bool) -> None:
    assert CALENDAR.is_working(day) is works


def test_the_day_of_arrival_does_not_count() -> None:
    assert CALENDAR.add(dt.date(2026, 3, 2), 3) == dt.date(2026, 3, 5)
    assert CALENDAR.add(dt.date(2026, 3, 6), 1) == dt.date(2026, 3, 9)


def test_a_complaint_late_at_night_in_utc_is_of_the_next_day_here() -> None:
    assert CALENDAR.local_day(dt.datetime(2026, 3, 1, 17, 0, tzinfo=dt.UTC)) == dt.date(2026, 3, 2)


@given(start=DAYS, days=st.integers(1, 60))
def test_counting_back_gives_what_was_added(start: dt.date, days: int) -> None:
    end = CALENDAR.add(start, days)
    assert CALENDAR.is_working(end)
    assert CALENDAR.between(start, end) == days == -CALENDAR.between(end, start)


def test_local_exceptions_win(tmp_path: Path) -> None:
    file = tmp_path / "libur.csv"
    file.write_text("date,name,kind\n2026-10-12,HUT Kutai Timur,libur\n2026-12-24,dipakai bekerja,kerja\n")
    calendar = load_calendar(WITA, file)
    assert not calendar.is_working(dt.date(2026, 10, 12))
    assert calendar.is_working(dt.date(2026, 12, 24))


def test_a_year_whose_shared_leave_nobody_told_is_known_to_be_unknown(tmp_path: Path) -> None:
    """From 2028 on the library knows no cuti bersama: the government names it a year at a time."""
    assert CALENDAR.untold_year(dt.date(2026, 11, 2), 60) is None
    assert CALENDAR.untold_year(dt.date(2027, 9, 1), 60) is None
    assert CALENDAR.untold_year(dt.date(2027, 12, 1), 60) == 2028
    assert CALENDAR.untold_year(dt.date(2028, 3, 1), 3) == 2028
    file = tmp_path / "libur.csv"
    file.write_text("date,name,kind\n2028-10-12,HUT Kutai Timur,libur\n2028-04-24,cuti bersama dibatalkan,kerja\n")
    assert load_calendar(WITA, file).untold_year(dt.date(2028, 3, 1), 3) == 2028
    file.write_text("date,name,kind\n2028-04-24,Cuti Bersama Idulfitri,libur\n")
    calendar = load_calendar(WITA, file)
    assert not calendar.is_working(dt.date(2028, 4, 24))
    assert calendar.untold_year(dt.date(2028, 3, 1), 3) is None
    assert calendar.untold_year(dt.date(2028, 12, 28), 10) == 2029
    assert load_calendar(WITA, None).is_working(dt.date(2028, 4, 24))


def test_a_broken_file_of_exceptions_names_every_line(tmp_path: Path) -> None:
    file = tmp_path / "libur.csv"
    file.write_text("date,name,kind\n12-10-2026,x,libur\n\n2026-10-12,x,cuti\n")
    with pytest.raises(InvalidData) as refused:
        load_calendar(WITA, file)
    assert [fault.line for fault in refused.value.faults] == [2, 4]


def test_exceptions_between_semicolons_are_refused_with_the_remedy(tmp_path: Path) -> None:
    file = tmp_path / "libur.csv"
    file.write_text("date;name;kind\n2026-10-12;HUT Kutai Timur;libur\n")
    with pytest.raises(InvalidData, match="commas, not semicolons"):
        load_calendar(WITA, file)


def test_an_empty_file_excepts_no_day(tmp_path: Path) -> None:
    file = tmp_path / "libur.csv"
    file.write_text("")
    assert load_calendar(WITA, file).exceptions == {}


def test_a_file_of_exceptions_without_its_header_is_refused_and_loses_no_day(tmp_path: Path) -> None:
    file = tmp_path / "libur.csv"
    file.write_text("2026-10-12,HUT Kutai Timur,libur\n")
    with pytest.raises(InvalidData, match=r"libur\.csv:1: column missing: date, kind"):
        load_calendar(WITA, file)


def test_a_year_without_working_days_is_an_error_not_an_endless_search() -> None:
    never = {dt.date(2026, 1, 1) + dt.timedelta(days=offset): False for offset in range(2_000)}
    with pytest.raises(InvalidData, match="no 3 working days"):
        WorkCalendar(WITA, never).add(dt.date(2026, 1, 1), 3)
