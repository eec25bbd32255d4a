"""The blind audit and the breaker: who is drawn, what is compared, and when an agency is stopped. On both databases."""

from __future__ import annotations

import datetime as dt
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, select, update
from structlog.testing import capture_logs

from service.clock import now
from service.complaints import review
from service.complaints.review import Choice
from service.desk import waiting
from service.desk.cases import load, members
from service.desk.waiting import Filter
from service.promise import audit, breakers
from service.promise.breakers import InvalidBreaker
from service.promise.proportions import evidence_against
from service.storage.database import Database
from service.storage.tables import audit_case, audit_log, breaker, routing, standing, verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy import Connection

    from tests.service.conftest import Api, Person

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
VERSION = "palsu-1"


@pytest.fixture
def drawing(make_app: Callable[..., Flask], key: str, api: Api) -> Api:
    """The intake system of a desk that draws every automatic routing."""
    return type(api)(make_app(audit_share=1.0).test_client(), key)


def arrive(api: Api, text: str) -> int:
    answer = api.post("/complaints", json={"text": text, "kecamatan": "Bengalon"})
    assert answer.json is not None
    return int(answer.json["number"])


def judge(database: Database, number: int, who: int, choice: Choice) -> review.Saved:
    with database.write() as connection:
        return review.decide(connection, number, choice, who, None, 10)


def cases(database: Database) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(select(audit_case).order_by(audit_case.c.complaint_id)))


def test_a_drawn_routing_waits_blind_and_is_not_told(drawing: Api, database: Database) -> None:
    answer = drawing.post("/complaints", json={"id": "A-1", "text": "sampah pasti", "kecamatan": "Bengalon"}).json
    assert answer is not None
    assert (answer["decision"], answer["reasons"]) == ("review", ["audit-sample"])
    (drawn,) = cases(database)
    assert (drawn.agency, drawn.model_version, drawn.agrees) == ("dlh", VERSION, None)
    with database.read() as connection:
        assert connection.execute(select(standing.c.queue)).scalar_one() == "audit"
    feed = drawing.get("/decisions").json
    assert feed is not None
    assert feed["decisions"] == []


def test_neither_a_filter_nor_a_count_of_the_queue_tells_what_the_model_said_of_a_blind_case(
    drawing: Api, database: Database
) -> None:
    arrive(drawing, "sampah pasti")
    open_ = arrive(drawing, "sampah")
    today = dt.date(2026, 3, 4)
    with database.read() as connection:
        assert [one.id for one in waiting.entries(connection, Filter(instansi="dlh"), today, now(), 10)[0]] == [open_]
        assert {one.agency for one in waiting.entries(connection, Filter(), today, now(), 10)[0]} == {"", "dlh"}
        counts = waiting.count(connection, today)
        assert (counts.total, counts.agencies) == (2, {"dlh": 1})


@pytest.mark.parametrize(
    ("choice", "agrees"),
    [
        (Choice("dlh"), True),
        (Choice("dpupr"), False),
        (Choice(outcome="not-a-complaint"), False),
        (Choice(outcome="needs-info", missing=("lokasi",), question="Di mana?"), None),
    ],
)
def test_the_verdict_is_compared_only_afterwards(
    drawing: Api, database: Database, siti: int, choice: Choice, agrees: bool | None
) -> None:
    saved = judge(database, arrive(drawing, "sampah pasti"), siti, choice)
    (compared,) = cases(database)
    assert compared.agrees is agrees
    assert compared.verdict_id == (None if agrees is None else saved.verdict_id)
    with database.read() as connection:
        assert connection.execute(select(verdict.c.blind)).scalar_one() is True


def test_a_wrong_unit_is_a_wrong_address(drawing: Api, database: Database, siti: int) -> None:
    judge(database, arrive(drawing, "pak lurah pasti"), siti, Choice("kecamatan", unit="Sangatta Utara"))
    judge(database, arrive(drawing, "bu lurah pasti"), siti, Choice("kecamatan", unit="Bengalon"))
    assert [case.agrees for case in cases(database)] == [False, True]


def test_where_only_one_side_names_a_unit_the_family_decides(drawing: Api, database: Database, siti: int) -> None:
    judge(database, arrive(drawing, "pak lurah pasti"), siti, Choice("kecamatan"))  # as an export may say it
    drawing.post("/complaints", json={"text": "bu lurah pasti"})
    judge(database, 2, siti, Choice("kecamatan", unit="Bengalon"))
    assert [(case.unit, case.agrees) for case in cases(database)] == [("Bengalon", True), ("", True)]


def test_what_the_agency_says_later_changes_nothing_of_what_was_judged_blind(drawing: Api, database: Database, siti: int) -> None:
    drawing.post("/complaints", json={"id": "R", "text": "sampah pasti", "kecamatan": "Bengalon"})
    saved = judge(database, 1, siti, Choice("dlh"))
    come_back(drawing, "R")
    assert [(case.agrees, case.verdict_id) for case in cases(database)] == [(True, saved.verdict_id)]


def test_a_case_stays_blind_while_the_reporter_is_asked(
    make_app: Callable[..., Flask], drawing: Api, petugas: Person, database: Database
) -> None:
    number = arrive(drawing, "sampah pasti")
    token = petugas.token(f"/aduan/{number}")
    asked = {"csrf_token": token, "keadaan": "0", "aksi": "kurang-informasi", "kurang": "waktu", "pertanyaan": "Kapan?"}
    petugas.client.post(f"/aduan/{number}", data=asked)
    with database.read() as connection:
        row = connection.execute(select(standing.c.state, standing.c.agency)).one()
    assert tuple(row) == ("asked", "")
    page = petugas.client.get(f"/aduan/{number}").text
    assert 'class="choice' in page
    assert "choice-share" not in page
    answered = petugas.send(f"/aduan/{number}", f"/aduan/{number}", keadaan="1", putusan="dlh")
    assert answered.status_code == 303
    (case,) = cases(database)
    assert case.agrees is True
    with database.read() as connection:
        assert connection.execute(select(verdict.c.blind).order_by(verdict.c.id)).scalars().all() == [True, True]


def test_a_complaint_is_blind_from_its_draw_until_its_verdict_and_no_other_is(drawing: Api, database: Database, siti: int) -> None:
    drawn, other = arrive(drawing, "sampah pasti"), arrive(drawing, "sampah")

    def blind() -> list[bool]:
        with database.read() as connection:
            return [case.blind for number in (drawn, other) if (case := load(connection, number))]

    assert blind() == [True, False]
    saved = judge(database, drawn, siti, Choice("dpupr"))
    assert blind() == [False, False]
    with database.write() as connection:
        review.undo(connection, drawn, saved.verdict_id, siti, 10)
    assert blind() == [True, False]


def test_two_verdicts_that_stop_an_agency_at_once_stop_it_once(database: Database) -> None:
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer")
    both = threading.Barrier(2, timeout=60)

    def stop(_: int) -> bool:
        with database.write() as connection:
            assert not breakers.stopped(connection, VERSION)
            both.wait()
            try:
                return bool(breakers.open_breaker(connection, "dlh", VERSION, "Terlalu banyak keliru."))
            except breakers.InvalidBreaker:
                return False

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(stop, range(2))) == [False, True]


def test_a_verdict_that_looked_before_another_stopped_the_agency_does_not_stop_it_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer")
    look = breakers.stopped

    def look_and_be_overtaken(connection: Connection, version: str) -> frozenset[str]:
        seen = look(connection, version)
        monkeypatch.setattr(breakers, "stopped", look)
        with database.write() as other:
            breakers.open_breaker(other, "dlh", VERSION, "Terlalu banyak keliru.")
        return seen

    monkeypatch.setattr(breakers, "stopped", look_and_be_overtaken)
    with database.write() as connection, pytest.raises(InvalidBreaker):
        breakers.open_breaker(connection, "dlh", VERSION, "Terlalu banyak keliru.")
    with database.read() as connection:
        assert connection.execute(select(breaker.c.closed_at)).scalars().all() == [None]


def test_an_undone_verdict_opens_the_case_again(drawing: Api, database: Database, siti: int) -> None:
    saved, other = (judge(database, arrive(drawing, f"sampah pasti {which}"), siti, Choice("dpupr")) for which in "ab")
    with database.write() as connection:
        review.undo(connection, saved.complaint_id, saved.verdict_id, siti, 10)
    assert [(case.agrees, case.verdict_id) for case in cases(database)] == [(None, None), (False, other.verdict_id)]
    with database.read() as connection:
        assert connection.execute(select(standing.c.queue).order_by(standing.c.complaint_id)).scalars().all() == ["audit", ""]


def test_an_audit_case_is_never_served_by_its_neighbours_verdict(drawing: Api, database: Database, siti: int) -> None:
    text = "sampah menumpuk di belakang pasar induk sudah seminggu tidak diangkut"
    first, drawn = arrive(drawing, text), arrive(drawing, f"{text} pasti")
    with database.write() as connection:
        assert review.first_of(connection, drawn) == first
        assert [(one.id, one.agency, one.serves) for one in members(connection, first)] == [(drawn, "", False)]
        assert [(one.id, one.agency, one.serves) for one in members(connection, drawn)] == [(first, "dlh", True)]
        saved = review.decide(connection, first, Choice("dpupr"), siti, None, 10, others=[drawn])
        assert [(one.id, one.agency, one.serves) for one in members(connection, drawn)] == [(first, "dpupr", False)]
    assert saved.others == ()
    assert cases(database)[0].agrees is None


def test_a_broken_promise_opens_the_breaker_and_holds_what_comes_next(drawing: Api, database: Database, siti: int) -> None:
    stopped_after = 0
    for number in range(1, 30):
        saved = judge(database, arrive(drawing, f"sampah pasti nomor {number}"), siti, Choice("dpupr"))
        if saved.stopped:
            stopped_after = number
            break
    assert 2 <= stopped_after <= 5, "errors alone speak soon, one alone not yet"
    with database.read() as connection:
        assert breakers.stopped(connection, VERSION) == {"dlh"}
        (opened,) = breakers.open_for(connection, VERSION)
        assert f"{stopped_after} dari {stopped_after}" in opened.why
        assert "breaker-opened" in connection.execute(select(audit_log.c.action)).scalars().all()
    held = drawing.post("/complaints", json={"text": "sampah pasti lagi", "kecamatan": "Bengalon"}).json
    free = drawing.post("/complaints", json={"text": "KTP pasti", "kecamatan": "Bengalon"}).json
    assert held is not None
    assert free is not None
    assert held["reasons"] == ["breaker-open"]
    assert free["reasons"] == ["audit-sample"]


def test_a_promise_that_holds_opens_nothing(drawing: Api, database: Database, siti: int) -> None:
    for number in range(25):
        judge(database, arrive(drawing, f"sampah pasti nomor {number}"), siti, Choice("dpupr" if number == 20 else "dlh"))
    with database.read() as connection:
        assert breakers.stopped(connection, VERSION) == frozenset()
        (error,) = audit.live_errors(connection, VERSION)
    assert (error.agency, error.cases, error.wrong, error.waiting) == ("dlh", 25, 1, 0)
    assert error.low < 0.04 < error.high
    assert error.share == 0.04


def test_what_agencies_send_back_counts_against_the_promise_too(api: Api, database: Database, siti: int) -> None:
    for number in range(12):
        api.post("/complaints", json={"id": f"R-{number}", "text": f"sampah pasti nomor {number}", "kecamatan": "Bengalon"})
    with database.read() as connection:
        assert breakers.stopped(connection, VERSION) == frozenset()
    for number in range(6):
        answer = api.post(f"/complaints/R-{number}/outcome", json={"outcome": "bukan-wewenang", "agency": "dpupr"})
        assert answer.status_code == 200, answer.text
    with database.read() as connection:
        assert breakers.stopped(connection, VERSION) == {"dlh"}
        (opened,) = breakers.newest(connection, 9)
        assert "dikembalikan" in opened.why
    with database.write() as connection:
        breakers.close_breaker(connection, opened.id, "Kamus sampah sudah diperbaiki.", siti)
    come_back(api, "R-6")  # and counting begins anew
    with database.read() as connection:
        assert breakers.stopped(connection, VERSION) == frozenset()


ENOUGH = next(n for n in range(2, 10) if evidence_against(audit.TARGET, n, n) >= 2 / breakers.FALSE_ALARM)
"""Errors that stop an agency of which nothing else is known."""


def come_back(api: Api, *names: str, outcome: str = "bukan-wewenang") -> None:
    for name in names:
        said = {"outcome": outcome} | ({"agency": "dpupr"} if outcome != "accepted" else {})
        assert api.post(f"/complaints/{name}/outcome", json=said).status_code == 200


@pytest.mark.parametrize("what", ["of-another-agency", "of-another-version", "of-a-person", "accepted", "mended", "undone"])
def test_an_agency_is_stopped_by_what_it_sent_back_itself_and_by_nothing_else(
    app: Flask, api: Api, database: Database, siti: int, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    names = [f"R-{number}" for number in range(ENOUGH - ("another" in what))]
    words = {"of-another-agency": "KTP pasti", "of-a-person": "sampah"}.get(what, "sampah pasti")
    for number, name in enumerate(names, 1):
        api.post("/complaints", json={"id": name, "text": f"{words} {name}", "kecamatan": "Bengalon"})
        if what == "of-a-person":
            judge(database, number, siti, Choice("dlh"))
        if what == "mended":
            judge(database, number, siti, Choice("dpupr"))
        elif what == "undone":
            come_back(api, name)
            with database.write() as connection:
                given = connection.execute(select(verdict.c.id).order_by(verdict.c.id.desc()).limit(1)).scalar_one()
                review.undo(connection, number, given, siti, 10)
        else:
            come_back(api, name, outcome="accepted" if what == "accepted" else "bukan-wewenang")
    if what == "of-another-version":
        models = app.extensions["salur"].models
        successor = replace(models.router(), version="baru-2")
        monkeypatch.setattr(models, "router", lambda: successor)
    api.post("/complaints", json={"id": "R", "text": "sampah pasti", "kecamatan": "Bengalon"})
    come_back(api, "R")
    with database.read() as connection:
        assert breakers.newest(connection, 9) == []


def test_a_complaint_that_comes_back_again_and_again_counts_once(api: Api, database: Database, siti: int) -> None:
    for number in range(12):
        api.post("/complaints", json={"id": f"R-{number}", "text": f"sampah pasti nomor {number}", "kecamatan": "Bengalon"})
    for _ in range(6):
        assert api.post("/complaints/R-0/outcome", json={"outcome": "bukan-wewenang"}).status_code == 200
        with database.write() as connection:
            seen = connection.execute(select(standing.c.verdict_id).where(standing.c.complaint_id == 1)).scalar_one()
            review.decide(connection, 1, Choice("dlh"), siti, seen, 10)
    with database.read() as connection:
        assert breakers.newest(connection, 9) == []


def test_an_agency_is_stopped_by_the_promise_that_its_routings_were_given(drawing: Api, database: Database, siti: int) -> None:
    for number in range(ENOUGH):
        answer = arrive(drawing, f"sampah pasti {number}")
        with database.write() as connection:
            said = connection.execute(select(routing.c.body).where(routing.c.complaint_id == answer)).scalar_one()
            lax = json.loads(said) | {"guarantee": {"target_error": 0.5}}
            connection.execute(update(routing).where(routing.c.complaint_id == answer).values(body=json.dumps(lax)))
        assert judge(database, answer, siti, Choice("dpupr")).stopped == ""


def test_each_agency_and_each_version_answers_for_its_own_audited_errors_alone(
    make_app: Callable[..., Flask], key: str, api: Api, database: Database, siti: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(audit_share=1.0)
    desk, models = type(api)(app.test_client(), key), app.extensions["salur"].models
    successor = replace(models.router(), version="baru-2")
    for words in ("sampah pasti", "KTP pasti", "sampah pasti"):
        for number in range(ENOUGH - 1):
            assert judge(database, arrive(desk, f"{words} {number}"), siti, Choice("dpupr")).stopped == ""
        if words == "KTP pasti":
            monkeypatch.setattr(models, "router", lambda: successor)
    assert judge(database, arrive(desk, "sampah pasti"), siti, Choice("dpupr")).stopped == "dlh"
    with database.read() as connection:
        assert [breakers.stopped(connection, version) for version in (VERSION, "baru-2")] == [frozenset(), {"dlh"}]
        assert [error.agency for error in audit.live_errors(connection)] == ["dlh", "disdukcapil"], "the worst first"


def test_metrics_and_log_tell_what_people_decide_and_whose_routing_they_stop_and_let_go_on(
    api: Api, client: FlaskClient, database: Database, siti: int
) -> None:
    def figures() -> list[float]:
        lines = dict(line.rsplit(" ", 1) for line in client.get("/metrics").text.splitlines())
        stops = [f'salur_breaker_changes_total{{agency="pln",change="{change}"}}' for change in ("opened", "closed")]
        verdicts = [f'salur_verdicts_total{{origin="desk",outcome="{outcome}"}}' for outcome in ("confirmed", "undone")]
        return [float(lines.get(name, 0)) for name in stops + verdicts]

    before = figures()
    with capture_logs() as logged, database.write() as connection:
        opened = breakers.open_breaker(connection, "pln", VERSION, "banyak keliru", siti)
        breakers.close_breaker(connection, opened, "sudah diperbaiki", siti)
    assert [(line["event"], line["agency"]) for line in logged] == [("breaker opened", "pln"), ("breaker closed", "pln")]
    number = arrive(api, "sampah")
    saved = judge(database, number, siti, Choice("dlh"))
    with database.write() as connection:
        review.undo(connection, number, saved.verdict_id, siti, 10)
    assert [after - was for was, after in zip(before, figures(), strict=True)] == [1, 1, 1, 1]


def test_a_breaker_is_closed_with_a_reason_and_counting_begins_anew(drawing: Api, database: Database, siti: int) -> None:
    for number in range(6):
        judge(database, arrive(drawing, f"sampah pasti nomor {number}"), siti, Choice("dpupr"))
    with database.write() as connection:
        (opened,) = breakers.open_for(connection, VERSION)
        with pytest.raises(InvalidBreaker, match="alasan"):
            breakers.close_breaker(connection, opened.id, "  ", siti)
        with pytest.raises(InvalidBreaker, match="500"):
            breakers.close_breaker(connection, opened.id, "x" * 501, siti)
        assert breakers.close_breaker(connection, opened.id, "Kamus sampah sudah diperbaiki.", siti) == "dlh"
        (closed,) = breakers.newest(connection, 9)
        assert (closed.closed_by, closed.closed_why) == ("Siti Aminah", "Kamus sampah sudah diperbaiki.")
        with pytest.raises(InvalidBreaker, match="sudah dicabut"):
            breakers.close_breaker(connection, opened.id, "lagi", siti)
        assert breakers.check(connection, "dlh", VERSION) is False
        assert breakers.stopped(connection, VERSION) == frozenset()


def test_what_an_earlier_model_did_lets_nothing_go_on_that_is_stopped_for_the_one_in_use(
    make_app: Callable[..., Flask], key: str, api: Api, database: Database, siti: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(audit_share=1.0)
    desk = type(api)(app.test_client(), key)
    earlier = [arrive(desk, f"sampah pasti nomor {number}") for number in range(6)]
    models = app.extensions["salur"].models
    successor = replace(models.router(), version="baru-2")
    monkeypatch.setattr(models, "router", lambda: successor)
    arrive(desk, "lampu jalan mati")
    with database.write() as connection:
        breakers.open_breaker(connection, "dlh", "baru-2", "banyak keliru", siti)
        last = connection.execute(select(routing).order_by(routing.c.id.desc()).limit(1)).one()._asdict()
        del last["id"]  # neither a version in the shadow nor a complaint that found no model makes another the one in use
        more = ({"model_version": "bayangan-3", "shadow": True}, {"model_version": ""})
        connection.execute(insert(routing), [last | other for other in more])
    for number in earlier:
        judge(database, number, siti, Choice("dpupr"))
    with database.read() as connection:
        assert breakers.stopped(connection, "baru-2") == {"dlh"}


def test_a_breaker_that_stays_open_is_shown_and_can_be_closed_however_many_came_after_it(
    pengelola: Person, database: Database, siti: int
) -> None:
    with database.write() as connection:
        first = breakers.open_breaker(connection, "dlh", VERSION, "banyak keliru", siti)
        for _ in range(51):
            later = breakers.open_breaker(connection, "dishub", VERSION, "banyak keliru", siti)
            breakers.close_breaker(connection, later, "sudah diperbaiki", siti)
    assert f'name="nomor" value="{first}"' in pengelola.client.get("/antrean/pemeriksaan").text
    answer = pengelola.send("/antrean/pemeriksaan", aksi="cabut", nomor=str(first), alasan="Kamus diperbaiki")
    assert answer.status_code == 303
    with database.read() as connection:
        assert breakers.stopped(connection, VERSION) == frozenset()


def test_the_page_tells_the_promise_of_the_model_in_use(app: Flask, petugas: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    models = app.extensions["salur"].models
    careful = replace(models.router(), manifest={"policy": {"target_error": 0.02}})
    monkeypatch.setattr(models, "router", lambda: careful)
    assert "Janjinya: paling banyak 2% keliru" in petugas.client.get("/antrean/pemeriksaan").text


def test_a_new_model_is_not_stopped_by_what_the_old_one_did(database: Database, siti: int) -> None:
    with database.write() as connection:
        breakers.open_breaker(connection, "dlh", "lama-1", "banyak keliru", siti)
        assert breakers.stopped(connection, "lama-1") == {"dlh"}
        assert breakers.stopped(connection, "baru-2") == frozenset()
        breakers.open_breaker(connection, "dlh", "baru-2", "masih keliru", siti)
        with pytest.raises(InvalidBreaker, match="sudah dihentikan"):
            breakers.open_breaker(connection, "dlh", "baru-2", "sekali lagi", siti)
        known = connection.execute(select(breaker.c.model_version, breaker.c.closed_why).order_by(breaker.c.id)).all()
    assert [tuple(row) for row in known] == [("lama-1", "Model baru-2 menggantikan model sebelumnya."), ("baru-2", None)]
