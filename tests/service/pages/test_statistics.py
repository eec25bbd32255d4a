"""The figures of the desk, counted against cases whose answers are known."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select, update

from service.clock import WorkCalendar, now
from service.complaints import intake, review
from service.complaints.review import Choice
from service.pages import charts, figures, periods, statistics
from service.pages.figures import Figures
from service.pages.periods import Period
from service.parts import Parts
from service.security import accounts
from service.storage.tables import audit_case, complaint, decision, standing, verdict
from service.web.schemas import ComplaintIn
from tests.service.conftest import PASSWORD, both

if TYPE_CHECKING:
    from tests.service.conftest import Person

ZONE = ZoneInfo("Asia/Makassar")


class Desk:
    """Complaints and verdicts at chosen moments."""

    def __init__(self, app: Flask) -> None:
        self.parts: Parts = app.extensions["salur"]
        self.people: dict[str, int] = {}

    def person(self, name: str) -> int:
        if name not in self.people:
            with self.parts.database.write() as connection:
                self.people[name] = accounts.add(connection, name, "petugas", PASSWORD, must_change=False)
        return self.people[name]

    def add(self, text: str, received: dt.datetime) -> int:
        number = intake.take_in(self.parts, "uji", ComplaintIn.model_validate({"text": text, "received_at": received})).number
        with self.parts.database.write() as connection:
            connection.execute(update(decision).where(decision.c.complaint_id == number).values(decided_at=received))
            connection.execute(update(audit_case).where(audit_case.c.complaint_id == number).values(drawn_at=received))
        return number

    def decide(
        self, number: int, agency: str, at: dt.datetime, by: str = "siti", seconds: float | None = None, origin: str = "desk"
    ) -> None:
        account = self.person(by)
        with self.parts.database.write() as connection:
            row = connection.execute(select(standing).where(standing.c.complaint_id == number)).one()
            choice = Choice(agency) if agency else Choice(outcome="not-a-complaint")
            review.record(connection, row, choice, origin=origin, account_id=account, seconds=seconds, at=at)

    def accept(self, number: int, when: dt.datetime) -> None:
        """Let the agency that has a complaint say that it took it."""
        with self.parts.database.write() as connection:
            row = connection.execute(select(standing).where(standing.c.complaint_id == number)).one()
            review.record(connection, row, Choice(row.agency, "confirmed", row.unit), origin="api", at=when)

    def figures(self, first: dt.date, last: dt.date) -> Figures:
        with self.parts.database.read() as connection:
            return statistics.figures(connection, Period(first, last, ZONE), self.parts.calendar.today())


@pytest.fixture
def desk(app: Flask) -> Desk:
    return Desk(app)


def test_deadlines_in_a_year_whose_holidays_nobody_told_are_told_of(
    petugas: Person,
    make_app: Callable[..., Flask],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def told() -> tuple[bool, bool]:
        page, figures = petugas.client.get("/statistik").text, petugas.client.get("/metrics").text
        return "Cuti bersama tahun 2028 belum dikenal" in page, "salur_holidays_untold 1.0" in figures

    monkeypatch.setattr(WorkCalendar, "today", lambda _self: dt.date(2027, 8, 2))
    assert told() == (False, False)
    monkeypatch.setattr(WorkCalendar, "today", lambda _self: dt.date(2027, 12, 1))
    assert told() == (True, True)
    make_app()
    assert "holidays not known" in capsys.readouterr().out
    file = tmp_path / "libur.csv"
    file.write_text("date,name,kind\n2028-04-24,Cuti bersama Idulfitri,libur\n")
    make_app(holidays_file=file)
    assert "holidays not known" not in capsys.readouterr().out


def at(day: str, clock: str = "09:00") -> dt.datetime:
    return dt.datetime.fromisoformat(f"{day}T{clock}:00").replace(tzinfo=ZONE)


def on(day: str) -> dt.date:
    return dt.date.fromisoformat(day)


@both
def test_arrivals_are_counted_by_the_day_of_the_region_and_by_what_was_answered(desk: Desk) -> None:
    desk.add("lampu mati", at("2026-03-02", "00:30"))  # still the day before in UTC
    desk.add("pasti sampah", at("2026-03-02", "23:59"))
    desk.add("lampu", at("2026-03-03", "00:00"))
    desk.add("lampu", at("2026-03-04"))
    counted = desk.figures(on("2026-03-02"), on("2026-03-03"))
    assert [(one.auto, one.review, one.ask) for one in counted.arrivals] == [(1, 1, 0), (0, 1, 0)]
    assert counted.total.automatic_share == pytest.approx(1 / 3)
    assert counted.reasons == [("low-confidence", 2)]


@both
def test_overrides_are_counted_by_what_had_been_proposed(desk: Desk) -> None:
    for decided in ("dishub", "dishub", "dpupr"):
        desk.decide(desk.add("lampu mati", at("2026-03-02")), decided, at("2026-03-02", "12:00"))
    desk.decide(desk.add("sampah", at("2026-03-02")), "dlh", at("2026-03-02", "12:00"))
    counted = desk.figures(on("2026-03-01"), on("2026-03-31"))
    assert [(one.agency, one.decided, one.changed) for one in counted.overridden] == [("dishub", 3, 1), ("dlh", 1, 0)]
    assert counted.outcomes == {"confirmed": 3, "changed": 1}
    assert counted.decided == 4


@both
def test_the_time_to_a_decision_is_counted_from_when_the_citizen_wrote(desk: Desk) -> None:
    for hours in (0.5, 2, 3, 30, 100):
        received = at("2026-03-02")
        desk.decide(desk.add("lampu mati", received), "dishub", received + dt.timedelta(hours=hours))
    counted = desk.figures(on("2026-03-01"), on("2026-03-31"))
    assert [count for _, count in counted.hours] == [1, 2, 0, 1, 1]
    assert counted.median_hours == 3.5


def test_what_was_decided_elsewhere_says_nothing_about_our_speed(desk: Desk) -> None:
    desk.decide(desk.add("lampu mati", at("2026-01-02")), "dishub", at("2026-03-02"), origin="import")
    counted = desk.figures(on("2026-03-01"), on("2026-03-31"))
    assert counted.median_hours is None
    assert counted.reviewers == []
    assert counted.outcomes == {}
    assert sum(one.total for one in desk.figures(on("2026-01-01"), on("2026-01-31")).arrivals) == 1, "it waited here first"


@both
def test_what_came_with_a_decision_of_elsewhere_is_none_of_our_arrivals(desk: Desk) -> None:
    desk.add("lampu mati", at("2026-03-02"))
    desk.decide(desk.add("jalan rusak", at("2026-03-02")), "dpupr", now(), origin="import")
    counted = desk.figures(on("2026-03-01"), on("2026-03-31"))
    assert sum(one.total for one in counted.arrivals) == 1
    assert counted.settled == 1
    assert counted.reasons == [("low-confidence", 1)]


@both
def test_what_came_with_a_decision_of_elsewhere_keeps_and_misses_none_of_our_deadlines(desk: Desk) -> None:
    desk.decide(desk.add("pasti sampah", at("2026-03-02")), "dlh", now(), origin="import")
    counted = desk.figures(on("2026-03-01"), on("2026-03-31"))
    assert (counted.verified.due, counted.followed_up.due, counted.finish.due) == (0, 0, 0)


@both
def test_a_complaint_is_verified_in_time_up_to_the_end_of_the_day(desk: Desk) -> None:
    # Received on Monday: three working days end on Thursday, 5 March 2026.
    in_time, late = desk.add("lampu a", at("2026-03-02")), desk.add("lampu b", at("2026-03-02"))
    desk.add("lampu c", at("2026-03-02"))
    desk.add("pasti sampah", at("2026-03-02"))
    desk.decide(in_time, "dishub", at("2026-03-05", "23:30"))
    desk.decide(late, "dishub", at("2026-03-06", "00:30"))
    verified = desk.figures(on("2026-03-01"), on("2026-03-31")).verified
    assert (verified.kept, verified.late, verified.overdue) == (2, 1, 1)
    assert desk.figures(on("2026-04-01"), on("2026-04-30")).verified.due == 0


@both
def test_what_an_agency_accepts_is_followed_up(desk: Desk) -> None:
    # Five working days after Monday, 2 March 2026, end on Monday, 9 March.
    in_time, late, silent = (desk.add(f"pasti sampah {word}", at("2026-03-02")) for word in ("satu", "dua", "tiga"))
    desk.add("lampu yang masih menunggu", at("2026-03-02"))
    period = on("2026-03-01"), on("2026-03-31")
    assert not desk.figures(*period).followed_up.is_known, "no agency ever said anything"
    desk.accept(in_time, at("2026-03-09", "23:30"))
    desk.accept(late, at("2026-03-10", "00:30"))
    followed_up = desk.figures(*period).followed_up
    assert (followed_up.kept, followed_up.late, followed_up.overdue) == (1, 1, 1), "what waits has no agency to ask"
    desk.accept(silent, at("2026-03-11"))
    assert desk.figures(*period).followed_up.overdue == 0


def test_where_agencies_tell_at_all_a_period_of_silence_is_late_and_not_unknown(desk: Desk) -> None:
    desk.accept(desk.add("pasti sampah satu", at("2026-01-05")), at("2026-01-06"))
    desk.add("pasti sampah dua", at("2026-03-02"))
    silent = desk.figures(on("2026-03-01"), on("2026-03-31")).followed_up
    assert (silent.kept, silent.late, silent.overdue, silent.is_known) == (0, 0, 1, True)


@both
def test_what_no_agency_has_by_its_last_day_is_certainly_not_finished(desk: Desk) -> None:
    desk.add("lampu yang masih menunggu", at("2026-02-02"))
    desk.add("pasti sampah", at("2026-02-02"))
    desk.decide(desk.add("bukan aduan", at("2026-02-02")), "", at("2026-02-03"))
    finish = desk.figures(on("2026-02-01"), on("2026-03-31")).finish
    assert (finish.due, finish.unsent) == (2, 1)


def test_what_is_not_due_yet_is_neither_kept_nor_late(desk: Desk) -> None:
    desk.add("lampu mati", now())
    desk.add("pasti sampah", now())
    today = desk.parts.calendar.today()
    counted = desk.figures(today, today + dt.timedelta(days=60))
    assert (counted.verified.due, counted.followed_up.due, counted.finish.due) == (1, 0, 0), "the model's word is out in time"


@both
def test_what_agencies_answer_hides_nothing_of_what_people_did(desk: Desk) -> None:
    first, second = (desk.add(f"lampu mati {word}", at("2026-03-02")) for word in ("satu", "dua"))
    with desk.parts.database.write() as connection:
        connection.execute(update(complaint).where(complaint.c.id == second).values(similar_to=first))
    desk.decide(first, "dishub", at("2026-03-02", "10:00"), by="siti", seconds=4)
    desk.decide(second, "dpupr", at("2026-03-02", "12:00"), by="budi", seconds=8)
    before = desk.figures(on("2026-03-01"), on("2026-03-31"))
    for number in (first, second):
        desk.accept(number, at("2026-03-04"))
    after = desk.figures(on("2026-03-01"), on("2026-03-31"))
    assert after.outcomes == before.outcomes == {"confirmed": 1, "changed": 1}
    assert after.reviewers == before.reviewers
    assert after.hours == before.hours
    assert (after.same, after.compared) == (before.same, before.compared) == (0, 1)
    assert [(one.agency, one.changed) for one in after.overridden] == [("dishub", 1)], "accepted by another than was proposed"


@both
def test_the_blind_audit_is_compared_with_the_promise(make_app: Callable[..., Flask]) -> None:
    desk = Desk(make_app(audit_share=1.0))
    for decided in ("dlh", "dlh", "dlh", "dpupr", ""):
        desk.decide(desk.add("pasti sampah", at("2026-03-02")), decided, at("2026-03-03"))
    desk.add("pasti sampah", at("2026-03-02"))
    audited = desk.figures(on("2026-03-01"), on("2026-03-31")).audited
    assert (audited.cases, audited.wrong, audited.waiting) == (5, 2, 1)
    assert audited.share == pytest.approx(0.4)
    assert audited.interval[0] < 0.4 < audited.interval[1]
    assert desk.figures(on("2026-03-01"), on("2026-03-31")).overridden == [], "who saw no proposal overrode none"


@both
def test_agreement_compares_different_people_about_the_same_matter(desk: Desk) -> None:
    first, second, third = (desk.add(f"lampu mati {word}", at("2026-03-02")) for word in ("satu", "dua", "tiga"))
    with desk.parts.database.write() as connection:
        connection.execute(update(complaint).where(complaint.c.id.in_([second, third])).values(similar_to=first))
    desk.decide(first, "dishub", at("2026-03-02", "10:00"), by="siti")
    desk.decide(second, "dishub", at("2026-03-02", "11:00"), by="budi")
    desk.decide(third, "dpupr", at("2026-03-02", "12:00"), by="budi")
    counted = desk.figures(on("2026-03-01"), on("2026-03-31"))
    assert (counted.same, counted.compared) == (1, 2)


@both
def test_reviewers_are_listed_with_their_median_seconds(desk: Desk) -> None:
    for seconds in (4, 6, 100):
        desk.decide(desk.add("lampu mati", at("2026-03-02")), "dishub", at("2026-03-02", "10:00"), by="siti", seconds=seconds)
    desk.decide(desk.add("lampu mati", at("2026-03-02")), "dishub", at("2026-03-02", "10:00"), by="budi")
    reviewers = desk.figures(on("2026-03-01"), on("2026-03-31")).reviewers
    assert [(one.name, one.decided, one.seconds) for one in reviewers] == [("siti", 3, 6), ("budi", 1, None)]


def test_an_undone_verdict_is_not_counted(desk: Desk) -> None:
    number = desk.add("lampu mati", now() - dt.timedelta(hours=2))
    desk.decide(number, "dishub", now() - dt.timedelta(hours=1))
    with desk.parts.database.write() as connection:
        given = connection.execute(select(verdict.c.id)).scalar_one()
        review.undo(connection, number, given, desk.person("siti"), 10)
    today = desk.parts.calendar.today()
    assert desk.figures(today - dt.timedelta(days=2), today).decided == 0


@both
def test_an_empty_desk_has_empty_figures(desk: Desk) -> None:
    counted = desk.figures(on("2026-03-01"), on("2026-03-31"))
    assert counted.total.total == counted.decided == counted.compared == counted.returned == 0
    assert counted.verified.due == counted.followed_up.due == counted.finish.due == 0
    assert counted.audited.share is None


# periods and plots


def test_a_period_is_read_from_the_address_and_nonsense_is_the_usual_one() -> None:
    today = on("2026-03-31")
    assert periods.read({"masa": "7"}, today, ZONE) == Period(on("2026-03-25"), today, ZONE, "7")
    assert periods.read({"masa": "selamanya"}, today, ZONE).days == 30
    assert periods.read({"dari": "2026-03-10", "sampai": "2026-03-01"}, today, ZONE).first == on("2026-03-01")
    assert periods.read({"dari": "1999-01-01"}, today, ZONE).choice == periods.USUAL
    assert periods.read({"dari": "2001-01-01"}, today, ZONE).days == periods.MOST_DAYS
    assert periods.read({"sampai": "2150-01-01"}, today, ZONE).last == today
    assert periods.read({"dari": "2027-01-01", "sampai": "2027-02-01"}, today, ZONE) == Period(today, today, ZONE)


@pytest.mark.parametrize("days", [1, 7, 30, 45, 46, 90, 200, 201, 365, periods.MOST_DAYS])
def test_stretches_cover_a_period_once_and_stay_few(days: int) -> None:
    last = on("2026-03-29")
    period = Period(last - dt.timedelta(days=days - 1), last, ZONE)
    cut = figures.stretches(period)
    covered = [first + dt.timedelta(days=offset) for first, end in cut for offset in range((end - first).days + 1)]
    assert covered == [period.first + dt.timedelta(days=offset) for offset in range(days)]
    assert len(cut) <= figures.MOST_DAILY


def test_columns_stack_to_their_sum_and_stay_inside() -> None:
    drawn = charts.columns([[("auto", 3), ("review", 7)], [], [("auto", 0)]], ["a", "b", "c"])
    assert drawn.top == 10
    first = drawn.columns[0]
    assert [part.height for part in first.parts] == [60, 140]
    assert first.parts[1].y == 0
    assert drawn.columns[1].parts == drawn.columns[2].parts == []
    assert drawn.columns[2].x + drawn.columns[2].width <= charts.WIDTH


def test_a_line_breaks_where_nothing_is_known() -> None:
    assert len(charts.line([0.5, None, 0.2, 0.4])) == 2
    assert charts.line([None, None]) == []
    assert charts.line([]) == []


def test_shares_of_single_days_are_taken_together() -> None:
    days = [
        figures.Arrivals(on("2026-03-01"), on("2026-03-01"), auto, waiting) for auto, waiting in ((0, 0), (1, 0), (0, 3), (4, 0))
    ]
    assert figures.trailing_shares(days, 1) == [None, 1.0, 0.0, 1.0]
    assert figures.trailing_shares(days, 3) == [None, 1.0, 0.25, 0.625]


@pytest.mark.parametrize(("most", "top"), [(0, 4), (4, 4), (5, 5), (7, 8), (11, 20), (95, 100), (101, 200), (4_000, 4_000)])
def test_an_axis_ends_at_a_round_number(most: float, top: float) -> None:
    assert charts.nice_top(most) == top


# the page


def test_the_page_shows_figures_and_no_inline_style(desk: Desk, petugas: Person) -> None:
    desk.decide(desk.add("lampu mati", now() - dt.timedelta(hours=5)), "dpupr", now() - dt.timedelta(hours=1))
    desk.add("pasti sampah", now() - dt.timedelta(hours=3))
    for query in ("", "?masa=7", "?masa=365", "?dari=2026-01-01&sampai=2026-02-01", "?masa=%00"):
        answer = petugas.client.get(f"/statistik{query}")
        assert answer.status_code == 200
        assert not re.search(r"<[^>]+\sstyle=", answer.text)
    page = petugas.client.get("/statistik").text
    assert "<b>2</b> <span>aduan masuk</span>" in page
    assert "<b>50%</b> <span>diteruskan otomatis</span>" in page
    assert '<rect class="auto"' in page


def test_the_page_says_what_it_leaves_out(desk: Desk, petugas: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Di luar hitungan" not in petugas.client.get("/statistik").text
    monkeypatch.setattr("service.pages.statistics_page.SHOWN", 1)
    for text, agency in (("lampu satu", "dpupr"), ("lampu dua", "dlh"), ("sampah", "dpupr"), ("air", "dlh")):
        desk.decide(desk.add(text, now() - dt.timedelta(hours=5)), agency, now(), origin="import")
    desk.decide(desk.add("jalan rusak", now() - dt.timedelta(days=40)), "dpupr", now())
    page = petugas.client.get("/statistik").text
    assert 'Di luar hitungan, kecuali pada <a href="#diubah">Usulan yang diputuskan lain</a>: 4 aduan yang diimpor' in page
    changed = page[page.index('id="diubah"') : page.index('id="petugas"')]
    assert changed.count("<td><a") == 1
    assert "1 instansi lain tidak dimuat di tabel: 1 dari 2 usulan diubah." in changed
    assert "diteruskan otomatis." not in page, "nothing arrived"


def test_what_is_late_in_a_period_is_not_called_all_that_is_late_in_the_queue(desk: Desk, petugas: Person) -> None:
    for days in (20, 400):
        desk.add("lampu mati", now() - dt.timedelta(days=days))
    page = petugas.client.get("/statistik").text
    assert 'data-label="Belum, sudah lewat">1</td>' in page
    assert '<a href="/antrean?umur=terlambat">Lihat semua yang kini lewat tenggat di antrean</a>' in page
    assert "umur=terlambat" not in petugas.client.get("/statistik?masa=7").text


def test_figures_of_single_people_are_for_those_who_lead(desk: Desk, petugas: Person, somebody: Callable[..., Person]) -> None:
    desk.decide(desk.add("lampu mati", now() - dt.timedelta(hours=5)), "dpupr", now() - dt.timedelta(hours=1), by="siti")
    assert "siti" not in petugas.client.get("/statistik").text
    assert "siti" in somebody("kepala").client.get("/statistik").text


def test_an_empty_page_says_what_to_do(petugas: Person) -> None:
    assert "Belum ada aduan pada masa ini" in petugas.client.get("/statistik").text
