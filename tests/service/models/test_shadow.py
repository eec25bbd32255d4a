"""A challenger beside the model in use: asked about everything, believed in nothing, in nobody's way."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from model.complaint import Complaint
from model.ledger import Event
from model.registry import Registry
from model.routing import Candidate, Routing
from service.clock import now
from service.complaints import intake, replay, retention, review
from service.complaints.review import Choice
from service.models import shadow, shadow_worker
from service.models.shadow import Difference, Figures, Right
from service.models.shadow_worker import ShadowWorker
from service.outbound import feed
from service.pages import history, statistics
from service.pages.history import Filters
from service.pages.periods import Period
from service.parts import Parts
from service.promise import proportions
from service.settings import Settings
from service.storage.tables import complaint, routing, standing, verdict
from service.telemetry import metrics
from service.web.schemas import ComplaintIn
from tests.patience import wait_until
from tests.service.conftest import both

if TYPE_CHECKING:
    from tests.service.conftest import Person

AT = "2026-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Contrary:
    """Says PLN of every lamp, and what the model in use says of the rest; a text can make it fail or wait."""

    usual: Any
    go_on: threading.Event

    @property
    def version(self) -> str:
        return str(self.usual.version)

    @property
    def register(self) -> Any:
        return self.usual.register

    @property
    def manifest(self) -> Any:
        return self.usual.manifest

    def route(self, asked: Complaint) -> Routing:
        if "gagal" in asked.text:
            raise IndexError(asked.text)
        if "lambat" in asked.text:
            self.go_on.wait(10)
        said: Routing = self.usual.route(asked)
        return replace(said, agency="pln", candidates=(Candidate("pln", 0.8),)) if "lampu" in asked.text else said


class Desk:
    """An app with a challenger beside its model, and its worker, which works when told."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.parts: Parts = app.extensions["salur"]
        self.worker: ShadowWorker = app.extensions["salur-shadow"]
        self.go_on = threading.Event()
        usual = self.parts.models.load

        def load(folder: Path) -> Any:
            made = usual(folder)
            return Contrary(made, self.go_on) if folder.name == "calon" else made

        self.parts.models.load = load
        self.parts.models.registry = Registry(self.parts.settings.models, load)
        self.registry = self.parts.models.registry

    def start(self) -> None:
        self.registry.start_shadow("calon", why="mencoba", who="ani", at=now().isoformat())

    def take(self, text: str) -> int:
        return intake.take_in(self.parts, "uji", ComplaintIn.model_validate({"text": text})).number

    def decide(self, number: int, agency: str, *, blind: bool = False) -> None:
        with self.parts.database.write() as connection:
            row = connection.execute(select(standing).where(standing.c.complaint_id == number)).one()
            saved = review.record(connection, row, Choice(agency), origin="desk")
            connection.execute(update(verdict).where(verdict.c.id == saved.verdict_id).values(blind=blind))

    def answers(self) -> list[Any]:
        with self.parts.database.read() as connection:
            return list(connection.execute(select(routing).where(routing.c.shadow).order_by(routing.c.complaint_id)))

    def figures(self) -> Figures:
        beside = self.registry.shadow()
        assert beside
        with self.parts.database.read() as connection:
            return shadow.figures(connection, beside, "palsu-1")


@pytest.fixture
def make_desk(make_app: Callable[..., Flask], settings: Settings) -> Iterator[Callable[..., Desk]]:
    (settings.models / "calon").mkdir()
    (settings.models / "calon" / "ok").touch()
    made: list[Desk] = []

    def make(**changes: Any) -> Desk:
        made.append(Desk(make_app(**changes)))
        return made[-1]

    yield make
    for desk in made:
        desk.go_on.set()
        desk.worker.stop()


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    made = make_desk()
    made.start()
    return made


def everything_told(desk: Desk) -> list[Any]:
    """All that pages, exports and machines are told of complaints."""
    today = now().date()
    zone = desk.parts.calendar.zone
    with desk.parts.database.read() as connection:
        return [
            statistics.figures(connection, Period(today - dt.timedelta(days=2), today + dt.timedelta(days=1), zone), today),
            [tuple(row) for row in history.find(connection, Filters(), zone, confidential=True).rows],
            [feed.entry(row) for row in feed.page(connection, 0, 100, "")],
            [intake.first_answer(connection, row) for number in (1, 2) if (row := intake.find(connection, "uji", f"U-{number}"))],
            [one.routing_id for one in replay.replay(connection, 1, desk.parts.settings.models, desk.parts.models.load)],
        ]


@both
def test_what_a_challenger_says_is_kept_and_told_to_nobody(desk: Desk) -> None:
    for number, text in ((1, "lampu pasti"), (2, "sampah")):
        intake.take_in(desk.parts, "uji", ComplaintIn.model_validate({"id": f"U-{number}", "text": text}))
    desk.decide(2, "dlh")
    feed.place(desk.parts.database)
    before = everything_told(desk)
    assert desk.worker.work_off() == 2
    assert [(row.complaint_id, row.model_version, row.agency) for row in desk.answers()] == [
        (1, "calon", "pln"),
        (2, "calon", "dlh"),
    ]
    assert json.loads(desk.answers()[0].body)["agency"] == "pln"
    assert everything_told(desk) == before
    assert before[4] == [1]


@both
def test_each_complaint_since_the_start_is_asked_about_once_and_none_before(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    desk.take("lampu lama")
    desk.start()
    numbers = [desk.take(f"lampu {number}") for number in range(shadow_worker.AT_ONCE + 5)]
    assert desk.worker.work_off() == len(numbers)
    assert desk.worker.work_off() == 0
    assert [row.complaint_id for row in desk.answers()] == numbers
    with desk.parts.database.write() as connection:  # as if it had been kept after the others, with a number drawn before
        connection.execute(delete(routing).where(routing.c.shadow, routing.c.complaint_id == numbers[3]))
    assert desk.figures().waiting == 1
    assert desk.worker.work_off() == 1
    assert [row.complaint_id for row in desk.answers()] == numbers


@both
def test_a_challenger_that_fails_on_a_complaint_is_counted_and_spoils_nothing(desk: Desk) -> None:
    assert desk.take("lampu gagal") == 1
    assert desk.take("lampu") == 2
    assert desk.worker.work_off() == 2
    figures = desk.figures()
    assert (figures.answered, figures.failed, figures.waiting, figures.compared) == (1, 1, 0, 1)
    assert [(row.agency, row.body != "") for row in desk.answers()] == [("", False), ("pln", True)]
    assert desk.worker.work_off() == 0


def test_a_challenger_that_cannot_be_loaded_is_told_once_and_waited_for(
    desk: Desk, pengelola: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk.parts.settings.models / "calon" / "ok").unlink()
    desk.take("lampu")
    monkeypatch.setattr(shadow_worker, "RETRY_SECONDS", 0.0)
    assert [desk.worker.work_off() for _ in range(3)] == [0, 0, 0]
    told = [entry for entry in desk.registry.history().entries if entry.what is Event.REFUSED]
    assert [(entry.version, entry.who) for entry in told] == [("calon", shadow_worker.NAME)]
    assert desk.figures().waiting == 1
    assert "belum dijawab model bayangan" not in pengelola.client.get("/model").text
    with desk.parts.database.write() as connection:
        connection.execute(update(complaint).values(stored_at=now() - dt.timedelta(minutes=2)))
    (desk.parts.settings.models / "shadow").write_text(f"calon\n{AT}\n")
    assert "lebih dari satu menit belum dijawab model bayangan" in pengelola.client.get("/model").text
    (desk.parts.settings.models / "calon" / "ok").touch()
    assert desk.worker.work_off() == 1


def test_a_challenger_that_cannot_be_loaded_is_tried_again_only_later_and_stands_in_no_others_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, load = list[str](), desk.parts.models.load

    def counted(folder: Path) -> Any:
        tried.append(folder.name)
        return load(folder)

    monkeypatch.setattr(desk.parts.models, "load", counted)
    (desk.parts.settings.models / "calon" / "ok").unlink()
    desk.take("lampu")
    assert [desk.worker.work_off() for _ in range(3)] == [0, 0, 0]
    assert tried.count("calon") == 1
    (desk.parts.settings.models / "calon-2").mkdir()
    (desk.parts.settings.models / "calon-2" / "ok").touch()
    (desk.parts.settings.models / "shadow").write_text(f"calon-2\n{AT}\n")
    assert desk.worker.work_off() == 1


def test_a_slow_challenger_holds_no_request_up(desk: Desk) -> None:
    desk.take("lambat")
    desk.worker.keep_watch()
    wait_until(lambda: desk.worker._router)
    began = time.monotonic()
    for number in range(5):
        assert desk.take(f"lampu {number}") == number + 2
    assert desk.answers() == []
    assert time.monotonic() - began < 5
    desk.go_on.set()
    wait_until(lambda: len(desk.answers()) == 6, 60)  # it rests three times as long as it was asked


def test_a_worker_that_is_stopped_keeps_the_answer_under_way_and_asks_no_further(desk: Desk) -> None:
    for text in ("lambat satu", "lambat dua"):
        desk.take(text)
    desk.worker.keep_watch()
    wait_until(lambda: desk.worker._router)
    threading.Timer(0.3, desk.go_on.set).start()
    desk.worker.stop()
    assert [row.complaint_id for row in desk.answers()] == [1]


def test_a_database_that_is_busy_only_delays_the_answers(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.take("lampu")
    store, refused = desk.parts.database.store, list[str]()

    def busy_at_first(work: Callable[..., Any]) -> Any:
        if not refused:
            refused.append("once")
            raise TimeoutError
        return store(work)

    monkeypatch.setattr(desk.parts.database, "store", busy_at_first)
    monkeypatch.setattr(shadow_worker, "LOOK_SECONDS", 0.01)
    desk.worker.keep_watch()
    wait_until(desk.answers)
    assert refused == ["once"]


def test_one_process_asks_and_when_it_ends_another_goes_on(desk: Desk, make_desk: Callable[..., Desk]) -> None:
    other = make_desk()
    desk.take("lampu satu")
    assert desk.worker.work_off() == 1
    desk.take("lampu dua")
    assert other.worker.work_off() == 0
    desk.worker.stop()
    assert other.worker.work_off() == 1
    assert [row.complaint_id for row in other.answers()] == [1, 2]


def test_two_that_ask_at_once_keep_one_answer(desk: Desk, make_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow_worker, "LOCK", "no/such/folder")
    other = make_desk()
    desk.take("lambat lampu")
    at_work = threading.Thread(target=desk.worker.work_off)
    at_work.start()
    other.go_on.set()
    assert other.worker.work_off() == 1
    desk.go_on.set()
    at_work.join(10)
    assert len(desk.answers()) == 1


def test_a_challenger_is_asked_no_more_once_it_is_stopped_or_live(desk: Desk) -> None:
    desk.take("lampu")
    desk.registry.stop_shadow(why="cukup", who="ani", at=AT)
    assert desk.worker.work_off() == 0
    desk.start()
    desk.registry.promote("calon", why="baik", who="ani", at=AT, force_why="bayangan")
    desk.take("lampu")
    assert desk.worker.work_off() == 0
    assert desk.answers() == []


@both
def test_who_was_right_is_counted_where_people_decided(desk: Desk) -> None:
    decided = (("lampu", "pln", True), ("lampu", "dishub", False), ("sampah", "dlh", False), ("sampah", "dpupr", False))
    for number, (text, agency, blind) in enumerate(decided, 1):
        assert desk.take(f"{text} pasti {number}") == number
        desk.decide(number, agency, blind=blind)
    desk.take("lampu lagi")
    desk.worker.work_off()
    figures = desk.figures()
    assert (figures.answered, figures.automatic, figures.compared, figures.same) == (5, 4, 5, 2)
    assert figures.decided == Right(both=1, champion=1, challenger=1, neither=1)
    assert figures.blind == Right(challenger=1)
    assert figures.decided.shares == (0.5, 0.5)
    assert figures.decided.interval == proportions.paired_interval(1, 1, 1, 1)
    assert figures.differences == [Difference("dishub", "pln", 3)]


@both
def test_figures_are_of_one_challenger_beside_one_model_and_of_what_people_gave_to_an_agency(desk: Desk) -> None:
    earlier, returned = desk.take("lampu satu"), desk.take("lampu dua")
    desk.worker.work_off()
    with desk.parts.database.write() as connection:
        connection.execute(
            update(routing).where(~routing.c.shadow, routing.c.complaint_id == earlier).values(model_version="palsu-0")
        )
        row = connection.execute(select(standing).where(standing.c.complaint_id == returned)).one()
        review.record(connection, row, Choice(outcome="returned"), origin="desk")
    figures = desk.figures()
    assert (figures.answered, figures.compared, figures.decided) == (2, 1, Right())
    (desk.parts.settings.models / "calon-2").mkdir()
    (desk.parts.settings.models / "calon-2" / "ok").touch()
    (desk.parts.settings.models / "shadow").write_text(f"calon-2\n{AT}\n")
    figures = desk.figures()
    assert (figures.answered, figures.automatic, figures.compared, figures.waiting) == (0, 0, 0, 2)
    assert desk.worker.work_off() == 2
    assert [(row.model_version, row.agency) for row in desk.answers()] == [("calon", "pln"), ("calon-2", "dishub")] * 2


def test_the_page_shows_a_challenger_with_its_figures(desk: Desk, pengelola: Person) -> None:
    number = desk.take("lampu")
    desk.decide(number, "pln", blind=True)
    desk.worker.work_off()
    page = pengelola.client.get("/model").text
    assert "tanpa melihat usulan" in page
    assert "100,0 poin" in page
    assert "0 dari 1" in page
    assert "<td>Dinas Perhubungan</td><td>PLN</td>" in page


@both
def test_purging_takes_a_challengers_words_along(desk: Desk) -> None:
    first, second = desk.take("lampu satu"), desk.take("lampu dua")
    for number in (first, second):
        desk.decide(number, "pln")
    beside = desk.registry.shadow()
    assert beside
    with desk.parts.database.read() as connection:
        rows = shadow.waiting(connection, beside, 10)
    said = [shadow.Said(row.id, desk.parts.models.require().route(intake.as_stored(row))) for row in rows]
    with desk.parts.database.write() as connection:
        shadow.keep(connection, beside, said[:1])
    assert retention.purge(desk.parts.database, now() + dt.timedelta(days=1)).complaints == 2
    with desk.parts.database.write() as connection:  # it was on its way when the complaint was purged
        shadow.keep(connection, beside, said[1:])
    assert [(row.complaint_id, row.body) for row in desk.answers()] == [(first, "")]
    assert desk.worker.work_off() == 0
    desk.take("lampu tiga")
    assert desk.worker.work_off() == 1, "of the two without an answer one has no words any more"


def test_what_a_challenger_answers_is_counted_for_prometheus(desk: Desk) -> None:
    before = metrics._SHADOW.labels("failed")._value.get(), metrics._SHADOW.labels("answered")._value.get()
    desk.take("lampu")
    desk.take("gagal")
    desk.worker.work_off()
    after = metrics._SHADOW.labels("failed")._value.get(), metrics._SHADOW.labels("answered")._value.get()
    assert (after[0] - before[0], after[1] - before[1]) == (1, 1)
    page = desk.app.test_client().get("/metrics").text
    assert "salur_shadow_trouble 0.0" in page


# the interval of pairs


def test_the_interval_of_pairs_is_newcombes() -> None:
    assert proportions.paired_interval(36, 2, 12, 0) == pytest.approx((0.0569, 0.3404), abs=1e-4)
    assert proportions.paired_interval(36, 12, 2, 0) == pytest.approx((-0.3404, -0.0569), abs=1e-4)


def test_the_interval_of_pairs_is_wide_where_little_is_known() -> None:
    assert proportions.paired_interval(0, 0, 0, 0) == (-1.0, 1.0)
    low, high = proportions.paired_interval(3, 0, 0, 0)
    assert low < -0.3
    assert high > 0.3
