"""Labels out, old content away, past answers again."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select, update

from model import labelled
from model.reliability import Reliability
from model.router import Router
from service.complaints import labels, replay, retention, review
from service.complaints.replay import CannotReplay
from service.complaints.review import Choice
from service.settings import Settings
from service.storage.database import Database
from service.storage.tables import audit_log, complaint, idempotency, routing, sketch, standing, verdict
from tests.service.conftest import officer

if TYPE_CHECKING:
    from tests.service.conftest import Api

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
ZONE = ZoneInfo("Asia/Makassar")
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
CURVE = Reliability(intercept=0.5, gain=1.2, loss=0.4)
TEXT = "lampu jalan poros dekat jembatan padam sejak seminggu"


def decide(database: Database, number: int, choice: Choice, origin: str = "desk", by: int | None = None) -> int:
    with database.write() as connection:
        row = connection.execute(select(standing).where(standing.c.complaint_id == number)).one()
        return review.record(connection, row, choice, origin=origin, account_id=by).verdict_id


def exported(database: Database, since: dt.datetime | None = None) -> list[labelled.LabelledComplaint]:
    with database.read() as connection:
        return list(labels.labelled(connection, 0.1, {"palsu-1": CURVE}.get, ZONE, since))


def rows(database: Database, table: Any) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key)))


def test_times_of_labels_are_the_regions(api: Api, database: Database) -> None:
    api.post("/complaints", json={"id": "L-1", "text": TEXT, "received_at": "2026-02-28T23:30:00Z"})
    decide(database, 1, Choice("pln"))
    (found,) = exported(database)
    assert found.received_at == "2026-03-01T07:30:00+08:00"
    # An import of the same report writes its day, or its hour without a zone: the desk's word is the later of the two.
    assert all(found.received_at > written for written in ("2026-03-01", "2026-03-01T07:30:00"))
    assert found.labelled_at.endswith("+08:00")


def test_only_what_a_person_decided_becomes_a_label(api: Api, database: Database, tmp_path: Path) -> None:
    for number in range(1, 7):
        api.post("/complaints", json={"id": f"L-{number}", "text": f"{TEXT} {number}", "confidential": number == 6})
    api.post("/complaints", json={"id": "L-7", "text": "lampu pasti"})
    decide(database, 1, Choice("dishub", also=("pln",)))
    decide(database, 2, Choice("pln"))
    decide(database, 3, Choice(outcome="not-a-complaint"))
    decide(database, 4, Choice(outcome="needs-info", missing=("lokasi",)))
    decide(database, 6, Choice("pln"))
    found = exported(database)
    assert [(row.id, row.agency, row.expect, row.also) for row in found] == [
        ("uji:L-1", "dishub", "route", ("pln",)),
        ("uji:L-2", "pln", "route", ()),
        ("uji:L-3", "", "review", ()),
    ]
    assert labelled.dump(found, tmp_path / "labels.jsonl") == 3
    assert labelled.load(tmp_path / "labels.jsonl") == found
    assert exported(database, dt.datetime.now(dt.UTC) + dt.timedelta(days=1)) == []


def test_a_label_of_the_blind_audit_says_so_and_what_share_of_all_that_went_out_it_stands_for(
    api: Api, database: Database, make_app: Callable[..., Flask], key: str
) -> None:
    """Else training would take one in twenty for all, and the gate would not see what goes out wrong by itself."""
    drawing = type(api)(make_app(audit_share=1.0).test_client(), key)
    drawing.post("/complaints", json={"id": "L-1", "text": "lampu pasti"})
    drawing.post("/complaints", json={"id": "L-2", "text": TEXT})
    for number in (1, 2):
        decide(database, number, Choice("pln"))
    drawn, waited = exported(database)
    assert (drawn.blind, drawn.audit_share) == (True, 0.1)
    assert (waited.blind, waited.audit_share) == (False, 0.0)
    assert [row.answered and row.answered.agency for row in (drawn, waited)] == ["dishub", "dpupr"]


def test_labels_tell_who_decided_apart_but_not_who_it_was_and_come_as_they_were_decided(
    api: Api, database: Database, siti: int
) -> None:
    for number in (1, 2, 3):
        api.post("/complaints", json={"id": f"L-{number}", "text": f"{TEXT} {number}"})
    budi = officer(database, "budi", "Budi Santoso")
    decide(database, 3, Choice("kecamatan", unit="Bengalon"), by=siti)
    decide(database, 1, Choice("pln"), by=budi)
    decide(database, 2, Choice("pln"), origin="import")
    found = exported(database)
    assert [(row.id, row.unit, row.labelled_by) for row in found] == [
        ("uji:L-3", "Bengalon", f"petugas:{siti}"),
        ("uji:L-1", "", f"petugas:{budi}"),
        ("uji:L-2", "", "import"),
    ]
    assert exported(database, dt.datetime.fromisoformat(found[1].labelled_at)) == found[1:]


def test_a_label_carries_what_the_model_had_said_by_itself_before_anybody_decided(api: Api, database: Database) -> None:
    for number in (1, 2, 3):
        api.post("/complaints", json={"id": f"L-{number}", "text": f"{TEXT} {number}"})
    decide(database, 1, Choice("pln"))
    decide(database, 2, Choice("pln"), origin="import")
    decided, brought_along = exported(database)
    told = decided.answered
    assert told is not None
    assert (decided.agency, told.agency) == ("pln", "dpupr")
    assert CURVE(told.sureness) == pytest.approx(0.4)
    assert brought_along.answered is None
    with database.write() as connection:
        connection.execute(update(routing).values(model_version="gone"))
    assert [row.answered for row in exported(database)] == [None, None]


def test_a_verdict_that_was_replaced_or_told_by_the_agency_counts_as_it_stands(api: Api, database: Database) -> None:
    api.post("/complaints", json={"id": "L-1", "text": "lampu pasti"})
    api.post("/complaints/L-1/outcome", json={"outcome": "bukan-wewenang", "agency": "pln"})
    (row,) = exported(database)
    assert (row.agency, row.labelled_by) == ("pln", "kunci:1")
    api.post("/complaints/L-1/outcome", json={"outcome": "bukan-wewenang", "agency": "dpupr"})
    assert [row.agency for row in exported(database)] == ["dpupr"]


def test_purging_deletes_what_was_said_and_leaves_the_figures(api: Api, database: Database) -> None:
    for number in (1, 2, 3):
        api.post("/complaints", json={"id": f"P-{number}", "text": f"{TEXT} {number}"}, headers={"Idempotency-Key": f"k{number}"})
    decide(database, 1, Choice("dishub", note="sudah ditelepon"))
    decide(database, 3, Choice("dishub"))
    with database.write() as connection:
        connection.execute(update(complaint).where(complaint.c.id <= 2).values(stored_at=LONG_AGO))
        connection.execute(update(idempotency).where(idempotency.c.key != "k3").values(created_at=LONG_AGO))
    assert 1 in {row.complaint_id for row in rows(database, sketch)}
    before = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    assert retention.purge(database, before, dry_run=True) == retention.Purged(1, 1)
    assert rows(database, complaint)[0].text
    assert retention.purge(database, before) == retention.Purged(1, 1)
    assert retention.purge(database, before) == retention.Purged(0, 1)
    kept = {row.id: row for row in rows(database, complaint)}
    assert (kept[1].text, kept[1].digest, kept[2].text, kept[3].text) == ("", "", f"{TEXT} 2", f"{TEXT} 3")
    assert [row.body == "" for row in rows(database, routing)] == [True, False, False]
    assert [row.note for row in rows(database, verdict)] == ["", ""]
    assert [row.agency for row in rows(database, verdict)] == ["dishub", "dishub"]
    assert 1 not in {row.complaint_id for row in rows(database, sketch)}
    assert [row.key for row in rows(database, idempotency)] == ["k3"]
    assert [row.id for row in exported(database)] == ["uji:P-3"]
    shown = api.get("/complaints/P-1").json
    assert shown is not None
    assert (shown["routing"], shown["current_agency"]) == (None, "dishub")


@pytest.mark.parametrize("ready", [True, False])
def test_of_what_is_purged_no_table_keeps_a_word_and_of_the_rest_none_loses_one(
    api: Api, database: Database, settings: Settings, ready: bool
) -> None:
    if not ready:
        (settings.models / "current").unlink()
    said = {name: f"{name} Kuncirahasia {TEXT}" for name in ("title", "text")}
    said |= {name: f"{name} Kuncirahasia" for name in ("desa", "channel")}
    said["kecamatan"] = "Bengalon" if ready else "dekat Kuncirahasia"  # the form's words, until a model makes a name of them
    for number in (1, 2):
        api.post("/complaints", json=said | {"id": f"P-{number}", "received_at": f"2026-0{number}-03T08:00:00Z"})
        decide(database, number, Choice(outcome="needs-info", missing=("lokasi",), question="Di mana Kuncirahasia?"))
        decide(database, number, Choice("dishub", note="Kuncirahasia sudah ditelepon"))
    with database.write() as connection:
        connection.execute(update(complaint).where(complaint.c.id == 1).values(stored_at=LONG_AGO))

    def of(number: int) -> list[tuple[str, Any]]:
        tables = (complaint, routing, standing, verdict, sketch)
        places = [(table, table.c.id if table is complaint else table.c.complaint_id) for table in tables]
        with database.read() as connection:
            kept = [(table.name, connection.execute(select(table).where(place == number))) for table, place in places]
            return [(name, row._mapping) for name, found in kept for row in found]

    before = of(2)
    assert {name for name, row in of(1) if "Kuncirahasia" in str(row)} >= {"complaint", "routing", "verdict"}
    assert retention.purge(database, dt.datetime(2024, 1, 1, tzinfo=dt.UTC)).complaints == 1
    assert [name for name, row in of(1) if "Kuncirahasia" in str(row)] == []
    assert of(2) == before
    told = rows(database, audit_log)[-1]
    assert (told.action, told.detail["complaints"]) == ("purged", 1)


def test_a_past_answer_is_the_same_to_the_byte(api: Api, database: Database, settings: Settings) -> None:
    api.post("/complaints", json={"text": f"{TEXT} hubungi 081234567890", "received_at": "2026-03-02T09:00:00.123456+08:00"})
    router = api._client.application.extensions["salur"].models.require()
    with database.read() as connection:
        (same,) = replay.replay(connection, 1, settings.models, type(router).load)
    assert same.difference == ""
    with database.write() as connection:
        body = json.loads(rows(database, routing)[0].body) | {"agency": "pln"}
        connection.execute(update(routing).values(body=json.dumps(body)))
        (other,) = replay.replay(connection, 1, settings.models, type(router).load)
    assert '+ "agency": "dpupr"' in other.difference


def test_what_cannot_be_replayed_says_why(api: Api, database: Database, settings: Settings) -> None:
    router = api._client.application.extensions["salur"].models.require()
    api.post("/complaints", json={"text": TEXT})
    (settings.models / "palsu-1" / "ok").unlink()
    (settings.models / "palsu-1").rmdir()
    with database.read() as connection:
        for number, says in ((1, "complaint 1: palsu-1 cannot answer again: .*no version"), (9, "none with this number")):
            with pytest.raises(CannotReplay, match=says):
                replay.replay(connection, number, settings.models, type(router).load)
        (settings.models / "palsu-1").mkdir()
        (settings.models / "palsu-1" / "manifest.json").write_text('{"format": 1, "files": {}}')
        with pytest.raises(CannotReplay, match=r"complaint 1: palsu-1 cannot answer again: .*format 1; this program reads format"):
            replay.replay(connection, 1, settings.models, Router.load)
    with database.write() as connection:
        connection.execute(update(complaint).values(purged_at=LONG_AGO))
        with pytest.raises(CannotReplay, match="purged"):
            replay.replay(connection, 1, settings.models, type(router).load)


def test_a_purge_empties_a_few_at_a_time_and_tells_how_far_it_is(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    for number in range(7):
        api.post("/complaints", json={"id": f"P-{number}", "text": f"{TEXT} {number}{'' if number == 3 else ' pasti'}"})
    with database.write() as connection:
        connection.execute(update(complaint).values(stored_at=LONG_AGO))
    heard: list[tuple[int, int]] = []
    purged = retention.purge(database, dt.datetime(2024, 1, 1, tzinfo=dt.UTC), progress=lambda *progress: heard.append(progress))
    assert (purged, heard) == (retention.Purged(6, 1), [(2, 6), (4, 6), (6, 6)])
    assert [row.id for row in rows(database, complaint) if row.text] == [4], "the one that waits"


def test_a_purge_looks_at_no_complaint_twice(api: Api, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    seen: list[int] = []

    def leave_as_it_is(_connection: object, numbers: list[int]) -> None:
        assert not {*numbers} & {*seen}, "it would go over all of them for each next one"
        seen.extend(numbers)

    monkeypatch.setattr(retention, "_empty", leave_as_it_is)
    for number in range(5):
        api.post("/complaints", json={"id": f"P-{number}", "text": f"{TEXT} {number} pasti"})
    with database.write() as connection:
        connection.execute(update(complaint).values(stored_at=LONG_AGO))
    assert retention.purge(database, dt.datetime(2024, 1, 1, tzinfo=dt.UTC)).complaints == len(seen) == 5


def test_what_was_purged_is_in_no_file_of_the_database(api: Api, database: Database, tmp_path: Path) -> None:
    api.post("/complaints", json={"id": "P-1", "text": "pasti lampu mati Kuncirahasia", "kecamatan": "dekat rumah"})
    with database.write() as connection:
        connection.execute(update(complaint).values(stored_at=LONG_AGO))
    retention.purge(database, dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
    assert rows(database, complaint)[0].kecamatan == ""
    left = [path.name for path in tmp_path.glob("salur.db*") if b"Kuncirahasia" in path.read_bytes()]
    assert left == []


def test_what_a_form_says_of_the_place_goes_where_no_model_was_ready_too(api: Api, database: Database, settings: Settings) -> None:
    (settings.models / "current").unlink()
    api.post("/complaints", json={"id": "P-1", "text": TEXT, "kecamatan": "dekat rumah Kuncirahasia"})
    decide(database, 1, Choice("dishub"))
    with database.write() as connection:
        connection.execute(update(complaint).values(stored_at=LONG_AGO))
    assert retention.purge(database, dt.datetime(2024, 1, 1, tzinfo=dt.UTC)).complaints == 1
    assert [row.kecamatan for table in (complaint, routing, standing) for row in rows(database, table)] == ["", "", ""]


def test_labels_go_through_a_pipe_or_a_link_which_stay_what_they_are(api: Api, database: Database, tmp_path: Path) -> None:
    """Somebody who is root and writes to /dev/stdout would take it away from the whole machine."""
    api.post("/complaints", json={"id": "L-1", "text": TEXT})
    decide(database, 1, Choice("dishub"))
    pipe, link, file = tmp_path / "pipe", tmp_path / "link", tmp_path / "labels.jsonl"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    link.symlink_to(file)
    found = exported(database)
    assert labelled.dump(found, pipe) == labelled.dump(found, link) == 1
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert os.read(reader, 100_000) == file.read_bytes() != b""
    os.close(reader)
