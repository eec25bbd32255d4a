"""Complaints taken in: masked, routed, stored once, answered, and followed to the end. On both databases."""

from __future__ import annotations

import datetime as dt
import json
import threading
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, text

from model.complaint import MAX_TEXT, MAX_TITLE
from model.privacy import mask, namesakes_of
from model.register import Register
from model.routing import Decision, Reason
from service.api import batch
from service.clock import now
from service.complaints import holds, intake, retention
from service.outbound.feed import head
from service.promise import breakers
from service.security import keys
from service.settings import Settings
from service.storage import database as memory
from service.storage.database import Database
from service.storage.tables import audit_case, complaint, decision, idempotency, routing, sketch, standing, verdict
from service.web.problems import Problem
from service.web.schemas import MAX_CHANNEL, MAX_PLACE, routing_json
from tests.service.conftest import REGISTER

if TYPE_CHECKING:
    from tests.service.conftest import Api, Person

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
UNSURE = {"id": "A-1", "text": "lampu jalan poros mati, tolong lampu diganti", "kecamatan": "Bengalon"}
SURE = {"id": "A-2", "text": "lampu mati pasti", "received_at": "2026-03-02T09:00:00+08:00"}


def _unmasked(text: str, *_: object) -> str:
    return text


def rows(database: Database, table: Any) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key)))


def test_a_complaint_is_stored_with_all_that_was_said(api: Api, database: Database) -> None:
    answer = api.post("/complaints", json=UNSURE)
    assert answer.status_code == 201
    body = answer.json
    assert body is not None
    assert (body["id"], body["decision"], body["agency"], body["reasons"]) == ("A-1", "review", "dishub", ["low-confidence"])
    assert body["routing"]["model_version"] == "palsu-1"
    assert answer.headers["Location"] == body["links"]["self"] == "/api/v1/complaints/A-1"
    (kept,), (said,), (stands,) = rows(database, complaint), rows(database, routing), rows(database, standing)
    assert (kept.source, kept.client_id, kept.text) == ("uji", "A-1", UNSURE["text"])
    assert json.loads(said.body) == body["routing"]
    assert (stands.state, stands.queue, stands.agency) == ("waiting", "review", "dishub")
    assert rows(database, decision) == []


def test_what_is_sure_goes_out_and_into_the_feed(api: Api, database: Database) -> None:
    body = api.post("/complaints", json=SURE).json
    assert body is not None
    assert (body["decision"], body["reasons"]) == ("auto", [])
    assert [row.state for row in rows(database, standing)] == ["sent"]
    feed = api.get("/decisions").json
    assert feed is not None
    assert [(entry["id"], entry["outcome"], entry["agency"]) for entry in feed["decisions"]] == [("A-2", "auto", "dishub")]


def test_deadlines_are_working_days_in_the_region(api: Api) -> None:
    body = api.post("/complaints", json=SURE).json
    assert body is not None
    # Monday 2 March 2026; 18 to 24 March are Nyepi, Idulfitri and cuti bersama.
    assert body["deadlines"] == {"verify_by": "2026-03-05", "follow_up_by": "2026-03-09", "finish_by": "2026-03-27"}


def test_personal_data_is_masked_before_it_is_stored_and_offsets_fit_what_is(api: Api, database: Database) -> None:
    body = api.post("/complaints", json={"text": "hubungi 081234567890 soal lampu mati"}).json
    assert body is not None
    (kept,) = rows(database, complaint)
    assert "0812" not in kept.text + str(rows(database, routing))
    span = body["routing"]["evidence"][0]["span"]
    assert kept.text[span["start"] : span["end"]] == "lampu"


def test_no_field_of_a_form_brings_personal_data_into_the_memory_or_back_out_of_it(api: Api, database: Database) -> None:
    sent = {name: f"lampu mati, hubungi 081234567890 ({name})" for name in ("title", "text", "kecamatan", "desa", "channel")}
    told = api.post("/complaints", json=sent | {"id": "A-1"})
    assert told.status_code == 201
    kept = {table.name: str(rows(database, table)) for table in (complaint, routing, standing, sketch)}
    assert all(kept["complaint"].count(f"[TELEPON] ({name})") == 1 for name in sent)
    assert "0812" not in " ".join((told.text, api.get("/complaints/A-1").text, *kept.values()))


def test_a_place_that_grows_by_masking_still_fits(api: Api) -> None:
    for name, times in (("desa", 28), ("kecamatan", 28), ("channel", 14)):
        assert api.post("/complaints", json={"text": "lampu mati", name: "a@b.co " * times}).status_code == 201, name


def test_the_same_id_again_is_answered_with_the_first_answer(api: Api, database: Database) -> None:
    first, again = api.post("/complaints", json=UNSURE), api.post("/complaints", json=UNSURE)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.data == again.data
    assert len(rows(database, complaint)) == 1


def test_an_id_used_for_another_complaint_is_a_conflict_not_a_loss(api: Api, database: Database) -> None:
    api.post("/complaints", json=UNSURE)
    others = ({"text": "sampah menumpuk"}, {"title": "PJU"}, {"kecamatan": "Kaubun"}, {"desa": "Kolek"}, {"confidential": True})
    assert [api.post("/complaints", json=UNSURE | other).status_code for other in others] == [409] * 5
    assert len(rows(database, complaint)) == 1


def test_what_is_sent_again_to_a_version_that_masks_more_is_the_same_complaint(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that an update broke off is sent again whole: what is stored of it must not look like another complaint."""
    asked = UNSURE | {"title": "Lampu", "text": "lampu mati, hubungi 0812-3456-7890"}
    with monkeypatch.context() as earlier:
        earlier.setattr(intake, "mask", _unmasked)
        first = api.post("/complaints", json=asked)
    again = api.post("/complaints", json=asked)
    assert (first.status_code, again.status_code) == (201, 200)
    assert api.post("/complaints", json=asked | {"text": "lampu mati, hubungi 0812-3456-7890 segera"}).status_code == 409
    assert len(rows(database, complaint)) == 1


@pytest.mark.parametrize("given", [{}, {"id": "WA-7"}], ids=["by its key alone", "by id and key"])
def test_a_key_that_comes_again_to_a_version_that_masks_more_is_answered(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    asked, headers = {"text": "lampu mati, hubungi 0812-3456-7890", **given}, {"Idempotency-Key": "k-7"}
    with monkeypatch.context() as earlier:
        earlier.setattr(intake, "mask", _unmasked)
        first = api.post("/complaints", json=asked, headers=headers)
    again = api.post("/complaints", json=asked, headers=headers)
    assert (first.status_code, again.status_code, again.data) == (201, 200, first.data)
    other = api.post("/complaints", json=asked | {"text": "lampu mati, hubungi 0812-3456-7890 segera"}, headers=headers)
    assert (other.status_code, len(rows(database, complaint))) == (422, 1)


def test_a_purged_complaint_sent_again_is_told_that_its_time_is_over(api: Api, database: Database) -> None:
    api.post("/complaints", json=SURE)
    assert retention.purge(database, now() + dt.timedelta(days=1)).complaints == 1
    for sent in (SURE, SURE | {"text": "sampah menumpuk"}):
        refused = api.post("/complaints", json=sent)
        assert refused.status_code == 409
        assert json.loads(refused.data)["detail"].endswith("was deleted when its time was over. Nothing was stored.")
    assert json.loads(api.get("/complaints/A-2").data)["routing"] is None
    assert len(rows(database, complaint)) == 1


def test_two_sources_may_use_the_same_id_and_see_only_their_own(api: Api, database: Database) -> None:
    api.post("/complaints", json=UNSURE)
    with database.write() as connection:
        _, other = keys.add(connection, "Lain", ["intake", "outcome", "feed"])
    stranger = type(api)(api._client, other)
    assert stranger.get("/complaints/A-1").status_code == 404
    assert stranger.post("/complaints/A-1/outcome", json={"outcome": "accepted"}).status_code == 404
    assert stranger.post("/complaints", json=UNSURE | {"text": "sampah pasti"}).status_code == 201
    assert [entry["source"] for entry in stranger.get("/decisions").json["decisions"]] == ["lain"]  # type: ignore[index]
    assert len(rows(database, complaint)) == 2


def test_two_sources_may_use_the_same_key_and_neither_is_given_the_others_answer(api: Api, database: Database) -> None:
    with database.write() as connection:
        _, other = keys.add(connection, "Lain", ["intake", "outcome", "feed"])
    sent, headers = {"text": "lampu mati pasti"}, {"Idempotency-Key": "k-1"}
    first, second = (one.post("/complaints", json=sent, headers=headers) for one in (api, type(api)(api._client, other)))
    assert (first.status_code, second.status_code) == (201, 201)
    assert [row.source for row in rows(database, complaint)] == ["uji", "lain"]


def test_a_key_makes_a_complaint_without_id_idempotent(api: Api, database: Database) -> None:
    sent = {"text": "lampu mati pasti"}
    first, again = (api.post("/complaints", json=sent, headers={"Idempotency-Key": "k-1"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.data == again.data
    other = api.post("/complaints", json={"text": "sampah"}, headers={"Idempotency-Key": "k-1"})
    assert other.status_code == 422
    assert other.json is not None
    assert other.json["type"].endswith("key-reused")
    assert len(rows(database, complaint)) == len(rows(database, idempotency)) == 1


@pytest.mark.parametrize("given", ["", "a b", "x" * 201, "kunci-é"])
def test_a_bad_key_is_refused(api: Api, database: Database, given: str) -> None:
    assert api.post("/complaints", json=UNSURE, headers={"Idempotency-Key": given}).status_code == 422
    assert rows(database, complaint) == []


def test_a_key_in_flight_is_told_so(api: Api, database: Database) -> None:
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer: the second request waits for the first instead")
    with database.write() as connection:
        connection.execute(text("SELECT pg_try_advisory_xact_lock(hashtextextended('uji k-9', 727))"))
        answer = api.post("/complaints", json=UNSURE, headers={"Idempotency-Key": "k-9"})
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["type"].endswith("in-flight")
    assert answer.headers["Retry-After"] == "1"
    assert rows(database, complaint) == []


def test_a_hundred_at_once_with_one_id_are_stored_once(app: Flask, key: str, database: Database, api: Api) -> None:
    statuses: list[int] = []

    def send() -> None:
        mine = type(api)(app.test_client(), key)
        statuses.extend(mine.post("/complaints", json=SURE).status_code for _ in range(5))

    senders = [threading.Thread(target=send) for _ in range(20)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(statuses) == [200] * 99 + [201]
    assert len(rows(database, complaint)) == len(rows(database, decision)) == 1


def test_without_a_model_the_complaint_is_kept_for_a_person(api: Api, database: Database, settings: Settings) -> None:
    (settings.models / "current").unlink()
    body = api.post("/complaints", json=SURE).json
    assert body is not None
    assert (body["decision"], body["reasons"], body["routing"]) == ("review", ["no-model"], None)
    assert [row.queue for row in rows(database, standing)] == ["no-model"]
    assert api.get("/complaints/A-2").json["routing"] is None  # type: ignore[index]


def test_a_place_called_as_people_are_stays_and_what_was_stored_without_a_model_is_known_again(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = {"text": "Sampah di Nainggolan. Pak Nainggolan diam saja.", "kecamatan": "Nainggolan"}
    before = api.post("/complaints", json=sent | {"id": "A-3"})
    with monkeypatch.context() as loaded:
        loaded.setitem(REGISTER.__dict__, "namesakes", namesakes_of(["Nainggolan"]))
        answers = [before, *(api.post("/complaints", json=sent | {"id": number}) for number in ("A-3", "A-4"))]
        other = api.post("/complaints", json=sent | {"id": "A-4", "kecamatan": "Bengalon"})
    after = api.post("/complaints", json=sent | {"id": "A-4"})
    assert [answer.status_code for answer in (*answers, other, after)] == [201, 200, 201, 409, 200]
    assert [(row.text, row.kecamatan) for row in rows(database, complaint)] == [
        ("Sampah di [NAMA]. Pak [NAMA] diam saja.", "[NAMA]"),
        ("Sampah di Nainggolan. Pak [NAMA] diam saja.", "Nainggolan"),
    ]


def test_a_model_that_fails_loses_no_complaint(app: Flask, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    router = app.extensions["salur"].models.require()
    monkeypatch.setattr(type(router), "route", lambda *_: 1 / 0)
    body = api.post("/complaints", json=SURE).json
    assert body is not None
    assert body["reasons"] == ["no-model"]


def test_a_database_that_does_not_answer_stores_nothing_and_says_so(
    make_app: Callable[..., Flask], api: Api, key: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "BUSY_SECONDS", 1)
    hurried = type(api)(make_app().test_client(), key)
    with database.write() as connection:
        if database.engine.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE standing"))
        answer = hurried.post("/complaints", json=SURE)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert rows(database, complaint) == []
    assert hurried.post("/complaints", json=SURE).status_code == 201


def test_a_drawn_complaint_waits_blind_and_an_open_breaker_holds_all(
    make_app: Callable[..., Flask], api: Api, key: str, database: Database
) -> None:
    drawing = type(api)(make_app(audit_share=1.0).test_client(), key)
    drawn = drawing.post("/complaints", json=SURE).json
    assert drawn is not None
    assert (drawn["decision"], drawn["reasons"]) == ("review", ["audit-sample"])
    assert drawn["routing"]["decision"] == "auto"
    assert [row.agency for row in rows(database, audit_case)] == ["dishub"]
    assert [row.queue for row in rows(database, standing)] == ["audit"]
    with database.write() as connection:
        breakers.open_breaker(connection, "dishub", "palsu-1", "uji")
    held = drawing.post("/complaints", json=SURE | {"id": "A-3"}).json
    assert held is not None
    assert held["reasons"] == ["breaker-open"]
    assert rows(database, decision) == []


def test_nothing_goes_out_by_itself_to_an_agency_that_ended_since_it_was_received(
    app: Flask, api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = app.extensions["salur"]
    router = parts.models.require()
    agencies = (replace(one, valid_until="2026-03-31") if one.id == "dishub" else one for one in router.register.agencies)
    monkeypatch.setattr(parts.models, "_router", replace(router, register=Register(tuple(agencies))))
    answer = api.post("/complaints", json=SURE).json  # of 2 March, when there was one
    assert answer is not None
    assert (answer["decision"], answer["reasons"]) == ("review", ["agency-inactive"])
    assert [row.queue for row in rows(database, standing)] == ["review"]
    assert rows(database, decision) == []
    other = api.post("/complaints", json={"id": "A-9", "text": "sampah pasti"}).json
    assert other is not None
    assert other["decision"] == "auto"


def test_a_breaker_never_lets_go_what_the_model_would_not(database_url: str) -> None:
    assert holds.hold(None, ("dishub",), drawn=True) == holds.Answer(Decision.REVIEW, "", "", (Reason.NO_MODEL,), "no-model")


def test_any_answer_can_be_replayed_from_the_memory(app: Flask, api: Api, database: Database) -> None:
    api.post("/complaints", json=UNSURE | {"title": "Lampu 081234567890"})
    api.post("/complaints", json={"text": "sampah pasti"})
    router = app.extensions["salur"].models.require()
    for kept, said in zip(rows(database, complaint), rows(database, routing), strict=True):
        assert routing_json(router.route(intake.as_stored(kept))).decode() == said.body


def test_an_emergency_is_told_to_the_sender_and_to_nobody_else(api: Api, database: Database) -> None:
    for words in ("kebakaran pasti", "sampah pasti"):
        api.post("/complaints", json={"text": words})
    told = [json.loads(said.body).get("emergency") for said in rows(database, routing)]
    assert told == ["Telepon 112.", None], "what was stored before there were emergencies is given again to the byte"
    assert [said.emergency for said in rows(database, routing)] == [True, False]
    answers = [api.post("/predictions", json={"text": text}).json for text in ("kebakaran", "sampah")]
    assert [answer and answer.get("emergency") for answer in answers] == ["Telepon 112.", None]


def test_what_may_be_an_emergency_waits_before_all_else(api: Api, database: Database) -> None:
    for words in ("pungli parkir", "kebakaran di pasar", "sampah"):
        api.post("/complaints", json={"text": words, "received_at": "2026-03-02T09:00:00+08:00"})
    first, *_ = sorted(rows(database, standing), key=lambda row: row.rank)
    assert first.complaint_id == next(kept.id for kept in rows(database, complaint) if "kebakaran" in kept.text)


def test_the_same_matter_near_in_time_and_place_is_linked(api: Api, database: Database) -> None:
    words = "lampu penerangan jalan poros dekat jembatan padam sejak seminggu warga takut melintas malam hari"
    here = {"text": words, "kecamatan": "Bengalon"}
    sent: list[dict[str, Any]] = [
        here,
        here | {"text": words + " mohon diperbaiki"},
        here | {"kecamatan": "Sangatta Utara"},
        here | {"received_at": "2025-01-01T00:00:00Z"},
        here | {"confidential": True},
        here | {"text": "lampu padam"},
        here | {"text": "tolong " + words},
    ]
    answers = [api.post("/complaints", json=body | {"id": f"S-{number}"}).json for number, body in enumerate(sent)]
    assert [answer and answer["similar_to"] for answer in answers] == [None, "S-0", None, None, None, None, "S-0"]
    assert api.post("/complaints", json=sent[1] | {"id": "S-1"}).json == answers[1], "also where it is told again"
    kept = rows(database, sketch)
    assert {1, 3, 4} <= {row.complaint_id for row in kept} <= {1, 2, 3, 4, 7}


def test_matters_are_linked_across_two_periods_only_where_they_are_near_in_time(api: Api) -> None:
    words = "lampu penerangan jalan poros dekat jembatan padam sejak seminggu warga takut melintas malam hari"
    period = dt.date.fromordinal(dt.date(2026, 3, 1).toordinal() // 30 * 30)  # keys are of thirty days

    def linked(number: int, days: int, kecamatan: str = "Bengalon") -> object:
        moment = f"{period + dt.timedelta(days=days)}T00:00:00Z"
        body = {"id": f"P-{number}", "text": words, "kecamatan": kecamatan, "received_at": moment}
        answer = api.post("/complaints", json=body).json
        assert answer is not None
        return answer["similar_to"]

    assert linked(0, 0) is None
    assert linked(1, 45) is None, "too late, though of the next period"
    assert linked(2, 65, "BENGALON") == "P-1", "of the next period, and near"
    assert linked(3, 44) == "P-1", "the earlier one may come later"


def test_the_thousandth_of_one_matter_is_compared_with_as_few_as_the_second(api: Api, database: Database) -> None:
    words = "banjir di jalan poros simpang tiga sejak subuh kendaraan tidak dapat lewat warga minta bantuan perahu"
    for number in range(30):
        answer = api.post("/complaints", json={"id": f"B-{number}", "text": f"{words} laporan{number % 7}"}).json
        assert answer is not None
        assert answer["similar_to"] == ("B-0" if number else None)
    kept = [row.band for row in rows(database, sketch)]
    assert len(kept) == len(set(kept))  # each key belongs to the first that had it: a look finds no more than there are keys


def test_a_complaint_shows_what_became_of_it(api: Api) -> None:
    api.post("/complaints", json=SURE)
    told = api.post("/complaints/A-2/outcome", json={"outcome": "bukan-wewenang", "agency": "pln", "note": "milik PLN"})
    assert told.status_code == 200
    shown = api.get("/complaints/A-2").json
    assert shown == told.json
    assert shown is not None
    assert (shown["state"], shown["current_agency"], shown["agency"]) == ("decided", "pln", "dishub")
    assert [(one["outcome"], one["agency"], one["by"]) for one in shown["verdicts"]] == [("changed", "pln", "api")]


def test_an_outcome_told_twice_is_one_verdict(api: Api, database: Database) -> None:
    api.post("/complaints", json=SURE)
    for outcome in ({"outcome": "accepted"}, {"outcome": "accepted"}, {"outcome": "bukan-wewenang"}, {"outcome": "bukan-wewenang"}):
        assert api.post("/complaints/A-2/outcome", json=outcome).status_code == 200
    assert [row.outcome for row in rows(database, verdict)] == ["confirmed", "returned"]
    assert [(row.state, row.queue) for row in rows(database, standing)] == [("waiting", "returned")]
    feed = api.get("/decisions").json
    assert feed is not None
    assert [entry["outcome"] for entry in feed["decisions"]] == ["auto", "confirmed", "returned"]
    assert api.get(f"/decisions?after={feed['next']}").json == {"decisions": [], "next": feed["next"], "more": False}


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ({"outcome": "bukan-wewenang", "agency": "dinas-sihir"}, 422),
        ({"outcome": "bukan-wewenang", "agency": "dishub"}, 422),
        ({"outcome": "accepted", "agency": "pln"}, 422),
        ({"outcome": "hilang"}, 422),
        ({}, 422),
    ],
)
def test_an_outcome_that_makes_no_sense_is_refused(api: Api, database: Database, outcome: dict[str, str], status: int) -> None:
    api.post("/complaints", json=SURE)
    assert api.post("/complaints/A-2/outcome", json=outcome).status_code == status
    assert rows(database, verdict) == []


@pytest.mark.parametrize(
    ("outcome", "at"),
    [
        ({"agency": "kecamatan", "unit": "Antah Berantah"}, "/unit"),
        ({"agency": "pln", "unit": "hubungi Budi 081234567890"}, "/unit"),
        ({"unit": "Bengalon"}, "/unit"),
    ],
)
def test_an_outcome_names_no_office_that_the_desk_would_refuse(
    api: Api, database: Database, outcome: dict[str, str], at: str
) -> None:
    api.post("/complaints", json=SURE)
    refused = api.post("/complaints/A-2/outcome", json={"outcome": "bukan-wewenang"} | outcome)
    assert refused.status_code == 422
    assert refused.json is not None
    assert [error["pointer"] for error in refused.json["errors"]] == [at]
    assert not rows(database, verdict)


def test_a_late_retry_with_its_key_is_no_second_return(api: Api, petugas: Person, database: Database) -> None:
    number = api.post("/complaints", json=SURE).json["number"]  # type: ignore[index]
    returned, key = {"outcome": "bukan-wewenang"}, {"Idempotency-Key": "kembali-1"}
    assert api.post("/complaints/A-2/outcome", json=returned, headers=key).status_code == 200
    petugas.send(f"/aduan/{number}", f"/aduan/{number}", keadaan="1", putusan="pln")
    again = api.post("/complaints/A-2/outcome", json=returned, headers=key)
    assert again.json is not None
    assert (again.json["state"], again.json["current_agency"]) == ("decided", "pln")
    other = api.post("/complaints/A-2/outcome", json={"outcome": "accepted"}, headers=key)
    assert other.status_code == 422
    assert [row.outcome for row in rows(database, verdict)] == ["returned", "changed"]


def test_a_key_belongs_to_one_complaint_and_one_kind_of_call(api: Api, database: Database) -> None:
    for name in ("A-2", "A-3"):
        assert api.post("/complaints", json=SURE | {"id": name}, headers={"Idempotency-Key": name}).status_code == 201
    returned = {"outcome": "bukan-wewenang"}
    told = api.post("/complaints/A-2/outcome", json=returned, headers={"Idempotency-Key": "A-2"})
    assert told.status_code == 200, "the complaint's own key is free for what became of it"
    other = api.post("/complaints/A-3/outcome", json=returned, headers={"Idempotency-Key": "A-2"})
    assert other.status_code == 422
    assert [row.complaint_id for row in rows(database, verdict)] == [1]


def test_an_outcome_for_a_family_goes_to_the_office_of_the_place(api: Api) -> None:
    api.post("/complaints", json=SURE | {"kecamatan": "Bengalon"})
    told = api.post("/complaints/A-2/outcome", json={"outcome": "bukan-wewenang", "agency": "kecamatan"})
    assert told.json is not None
    assert (told.json["current_agency"], told.json["current_unit"]) == ("kecamatan", "Bengalon")


def test_an_outcome_for_a_family_is_refused_where_no_place_says_which_office(api: Api) -> None:
    api.post("/complaints", json={**SURE, "kecamatan": ""})
    refused = api.post("/complaints/A-2/outcome", json={"outcome": "bukan-wewenang", "agency": "kecamatan"})
    assert refused.status_code == 422


def test_a_purged_complaint_cannot_come_back_to_the_queue(api: Api, database: Database) -> None:
    api.post("/complaints", json=SURE | {"channel": "WA 081234567890"})
    assert rows(database, complaint)[0].channel == "WA [TELEPON]"
    retention.purge(database, now() + dt.timedelta(days=1))
    assert rows(database, complaint)[0].channel == ""
    refused = api.post("/complaints/A-2/outcome", json={"outcome": "bukan-wewenang", "note": "milik Budi"})
    assert refused.status_code == 409
    assert not rows(database, verdict)


def test_an_outcome_of_what_no_agency_has_is_a_conflict(api: Api) -> None:
    api.post("/complaints", json=UNSURE)
    assert api.post("/complaints/A-1/outcome", json={"outcome": "accepted"}).status_code == 409


@pytest.mark.parametrize("path", ["/complaints/tidak-ada", "/complaints/%00", "/complaints/a%20b", "/complaints/" + "x" * 500])
def test_what_was_never_sent_is_not_found(api: Api, path: str) -> None:
    assert api.get(path).status_code == 404


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=99999999999", "limit=0", "limit=1001", "after=1e3", "limit=٣"])
def test_a_bad_cursor_is_refused(api: Api, query: str) -> None:
    assert api.get(f"/decisions?{query}").status_code == 422


def test_a_misspelt_parameter_of_the_feed_is_named(api: Api) -> None:
    """Else its sender reads the first page for ever."""
    refused = api.get("/decisions?cursor=5&limit=10&afterr=5")
    assert refused.status_code == 422
    assert refused.json is not None
    assert [error["pointer"] for error in refused.json["errors"]] == ["?cursor", "?afterr"]


def test_a_cursor_that_was_never_given_is_refused(api: Api, database: Database) -> None:
    """Else a reader whose service came back from a copy hears nothing until as much was decided again as it had heard before."""
    assert api.get("/decisions?after=1").status_code == 422
    api.post("/complaints", json=SURE)
    answer = api.get("/decisions?after=0").json
    assert answer is not None
    assert api.get(f"/decisions?after={answer['next']}").json == {"decisions": [], "next": 1, "more": False}
    refused = api.get("/decisions?after=2")
    assert refused.status_code == 422
    assert refused.json is not None
    assert [error["pointer"] for error in refused.json["errors"]] == ["?after"]
    assert refused.json["detail"] == "The last cursor that was given is 1."
    with database.write() as connection:  # of others, which this key does not see: the cursor is good all the same
        other = keys.add(connection, "Lain", ["intake"], source="lain")[1]
    headers = {"Authorization": f"Bearer {other}"}
    assert api.post("/complaints", json=SURE | {"id": "B-1"}, headers=headers).status_code == 201
    assert api.get("/decisions?after=2").json == {"decisions": [], "next": 2, "more": False}


def test_the_feed_comes_in_pages(api: Api) -> None:
    for number in range(5):
        api.post("/complaints", json={"id": f"F-{number}", "text": f"lampu {number} pasti"})
    seen, after, more = [], 0, True
    while more:
        page = api.get(f"/decisions?after={after}&limit=2").json
        assert page is not None
        seen += [entry["id"] for entry in page["decisions"]]
        after, more = page["next"], page["more"]
    assert seen == [f"F-{number}" for number in range(5)]


def test_of_more_decisions_than_get_their_place_at_once_none_is_passed_over_and_a_new_address_hears_none(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an import of a year that nobody read the feed during."""
    monkeypatch.setattr("service.outbound.feed._PLACED_AT_ONCE", 2)
    names = [f"F-{number}" for number in range(10)]
    for name in names[:5]:
        api.post("/complaints", json={"id": name, "text": f"lampu {name} pasti"})
    with database.write() as connection:
        assert head(connection) == 5
    for name in names[5:]:
        api.post("/complaints", json={"id": name, "text": f"lampu {name} pasti"})
    read: list[str] = []
    for seen in (7, 9, 10, 10):
        page = api.get(f"/decisions?after={len(read)}").json
        assert page is not None
        read += [entry["id"] for entry in page["decisions"]]
        assert (len(read), page["next"]) == (seen, seen)
    assert read == names


def test_the_feed_misses_nothing_that_is_committed_late(api: Api, database: Database) -> None:
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer: nothing is committed late")
    api.post("/complaints", json=SURE)
    row = {"complaint_id": 1, "source": "uji", "decided_by": "person", "outcome": "confirmed", "agency": "pln", "unit": ""}
    more = {"also": [], "missing": [], "model_version": ""}
    with database.write() as late:  # it takes its row id first, and commits last
        late.execute(insert(decision).values(**row, **more, decided_at=func.now()))
        api.post("/complaints", json=SURE | {"id": "A-3"})
        early = api.get("/decisions").json
    assert early is not None
    assert [entry["id"] for entry in early["decisions"]] == ["A-2", "A-3"]
    rest = api.get(f"/decisions?after={early['next']}").json
    assert rest is not None
    assert [entry["outcome"] for entry in rest["decisions"]] == ["confirmed"]


def test_many_writers_and_readers_leave_no_gap_in_the_feed(app: Flask, api: Api, database: Database) -> None:
    with database.write() as connection:  # a reader that asks without a pause is soon at the default rate
        own = keys.add(connection, "Uji", ["intake", "feed"], source="uji", rate_limit="1000000 per minute")[1]
    done = threading.Event()

    def write(name: int) -> None:
        mine = type(api)(app.test_client(), own)
        for number in range(10):
            assert mine.post("/complaints", json={"id": f"W-{name}-{number}", "text": "lampu pasti"}).status_code == 201

    def read() -> list[int]:
        mine = type(api)(app.test_client(), own)
        seen: list[int] = []
        after = 0
        while True:
            last = done.is_set()
            page = mine.get(f"/decisions?after={after}&limit=7").json
            assert page is not None
            seen += [entry["cursor"] for entry in page["decisions"]]
            after = page["next"]
            if last and not page["decisions"]:
                return seen

    with ThreadPoolExecutor(5) as pool:
        reader = pool.submit(read)
        try:
            list(pool.map(write, range(4)))
        finally:
            done.set()
        assert reader.result() == list(range(1, 41))


def lines(answer: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.data.splitlines()]


def send_batch(api: Api, body: bytes) -> Any:
    return api.post("/complaints/batch", data=body, content_type="application/x-ndjson")


def test_each_line_of_a_batch_has_its_own_status(api: Api, database: Database) -> None:
    body = b"\n".join(
        [
            json.dumps(SURE).encode(),
            b"",
            b'{"text": ""}',
            b'{"text": "putus',
            b"\xff",
            json.dumps(SURE).encode(),
            json.dumps(SURE | {"text": "lain"}).encode(),
            b'{"text": "' + b"x" * 300_000 + b'"}',
            json.dumps(UNSURE).encode(),
        ]
    )
    answers = lines(send_batch(api, body))
    assert [(line["line"], line["status"]) for line in answers] == [
        (1, 201),
        (3, 422),
        (4, 400),
        (5, 400),
        (6, 200),
        (7, 409),
        (8, 413),
        (9, 201),
    ]
    assert answers[0]["answer"]["routing"]["agency"] == "dishub"
    assert answers[1]["problem"]["errors"][0]["pointer"] == "/text"
    assert "at line 1 column" in answers[2]["problem"]["detail"]
    assert len(rows(database, complaint)) == 2


def test_a_batch_from_windows_is_read_with_its_byte_order_mark_and_line_ends(api: Api) -> None:
    body = "\r\n".join(json.dumps(one) for one in (SURE, UNSURE)).encode("utf-8-sig")
    assert [line["status"] for line in lines(send_batch(api, body))] == [201, 201]


def test_an_emoji_that_was_cut_in_two_loses_no_complaint(api: Api, database: Database) -> None:
    """JavaScript counts halves of an emoji, cuts between them, and writes the half that is left as an escape."""
    whole, cut, others = rb"mati \ud83d\ude00", rb"mati \ud83d", rb"mati \ude00 \ud83d\ud83d\ude00\udc00 \\ud83d lagi"
    body = b"\n".join(b'{"id": "E-%d", "text": "lampu %b"}' % (number, said) for number, said in enumerate((whole, cut, others)))
    assert [line["status"] for line in lines(send_batch(api, body))] == [201, 201, 201]
    alone = b'{"id": "E-1", "text": "lampu mati \\ud83d"}'
    assert api.post("/complaints", data=alone, content_type="application/json").status_code == 200
    stored = [row.text for row in rows(database, complaint)]
    assert stored == ["lampu mati \U0001f600", "lampu mati \ufffd", "lampu mati \ufffd \ufffd\U0001f600\ufffd \\ud83d lagi"]


def test_each_line_of_a_batch_is_answered_with_the_id_that_can_be_read_in_it(api: Api) -> None:
    given: list[tuple[bytes, str | None]] = [
        (json.dumps(SURE).encode(), "A-2"),
        (json.dumps(SURE).encode(), "A-2"),
        (b'{"id": "A-3", "text": ""}', "A-3"),
        (b'{"id": "A 4", "text": "lampu"}', None),
        (b'{"id": "A-5\\n", "text": "lampu"}', None),
        (b'{"id": 5, "text": "lampu"}', None),
        (b'{"id": "", "text": "lampu"}', None),
        (b'["A-6"]', None),
        (b'{"id": "A-7", "text": "lampu"', None),
    ]
    answers = lines(send_batch(api, b"\n".join(line for line, _ in given)))
    assert [line.get("id") for line in answers] == [known for _, known in given]
    assert [line["status"] for line in answers] == [201, 200, 422, 422, 422, 422, 201, 422, 400]


@pytest.mark.parametrize("number", [".", ".."])
def test_an_id_whose_link_cannot_be_followed_is_refused(api: Api, database: Database, number: str) -> None:
    refused = api.post("/complaints", json=SURE | {"id": number})
    assert refused.status_code == 422
    assert [error["pointer"] for error in json.loads(refused.data)["errors"]] == ["/id"]
    (told,) = lines(send_batch(api, json.dumps(SURE | {"id": number}).encode()))
    assert (told["status"], told["problem"]["errors"][0]["pointer"]) == (422, "/id")
    assert "id" not in told
    assert rows(database, complaint) == []


@pytest.mark.parametrize("number", ["a", "-", "a.", ".a", "-.", "...", "a" * 100, "." * 100])
def test_an_id_that_an_address_keeps_is_taken_and_its_link_leads_to_it(api: Api, number: str) -> None:
    taken = api.post("/complaints", json=SURE | {"id": number})
    assert taken.status_code == 201
    found = api.get(json.loads(taken.data)["links"]["self"].removeprefix("/api/v1"))
    assert json.loads(found.data)["id"] == number


def test_a_line_may_hold_all_that_a_complaint_may_however_it_is_written(api: Api) -> None:
    longest = {"text": MAX_TEXT, "title": MAX_TITLE, "kecamatan": MAX_PLACE, "desa": MAX_PLACE, "channel": MAX_CHANNEL}
    asked = {name: "\U00010400" * length for name, length in longest.items()} | {"id": "a" * 100, "confidential": False}
    line = json.dumps(asked | {"received_at": "2026-03-02T09:00:00.000000+08:00"}, ensure_ascii=True).encode()
    assert [told["status"] for told in lines(send_batch(api, line))] == [201]
    assert [told["status"] for told in lines(send_batch(api, line + b" " * batch.MAX_LINE))] == [413]


def test_a_batch_sent_again_stores_nothing_twice(api: Api, database: Database) -> None:
    body = b"\n".join(json.dumps({"id": f"B-{number}", "text": f"sampah {number}"}).encode() for number in range(50))
    assert {line["status"] for line in lines(send_batch(api, body))} == {201}
    assert {line["status"] for line in lines(send_batch(api, body))} == {200}
    assert len(rows(database, complaint)) == 50


def test_an_empty_batch_is_answered_with_nothing(api: Api) -> None:
    assert lines(send_batch(api, b"\n \n")) == []
    assert api.post("/complaints/batch", data=b"{}", content_type="application/json").status_code == 415


def test_a_batch_stops_asking_a_database_that_does_not_answer(app: Flask, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def busy(_memory: Database, works: Sequence[Any]) -> None:
        asked.append(len(works))
        raise Problem("busy")

    monkeypatch.setattr(Database, "store_each", busy)
    body = b"\n".join(json.dumps(UNSURE | {"id": f"X-{number}"}).encode() for number in range(3 * batch.AT_ONCE))
    answers = lines(send_batch(api, body))
    assert {line["status"] for line in answers} == {503}
    assert [line["id"] for line in answers] == [f"X-{number}" for number in range(3 * batch.AT_ONCE)]
    assert asked == [batch.AT_ONCE]


TEXTS = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=60)


FIELDS = dict.fromkeys(("title", "kecamatan", "desa", "channel", "id"), TEXTS)


@given(body=st.fixed_dictionaries({"text": TEXTS}, optional=FIELDS))
@example(body={"text": "\ufeff lampu \u202e\U0010ffff", "title": "\x01\x7f\x85\u2028"})
@effort(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_stored_as_it_was_masked_or_refused(api: Api, database: Database, body: dict[str, str]) -> None:
    answer = api.post("/complaints", json=body)
    assert answer.status_code in (200, 201, 409, 422)
    if answer.status_code == 201:
        assert answer.json is not None
        with database.read() as connection:
            kept = connection.execute(select(complaint).where(complaint.c.id == answer.json["number"])).one()
        title = mask(body.get("title", ""))
        assert (kept.text, kept.title) == (mask(body["text"]), title if any(map(_is_seen, title)) else "")


def _is_seen(char: str) -> bool:
    return unicodedata.category(char)[0] not in "ZC"


@pytest.mark.parametrize("title", ["   ", "\u202e\u200b", "\n\t", "\u3000"])
def test_a_title_that_nobody_could_see_is_none(api: Api, database: Database, title: str) -> None:
    assert api.post("/complaints", json=UNSURE | {"title": title}).status_code == 201
    with database.read() as connection:
        assert connection.execute(select(complaint.c.title)).scalar_one() == ""
