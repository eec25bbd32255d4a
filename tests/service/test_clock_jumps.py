"""The clock is set forward and back: nothing is lost, doubled or put in another order, and nobody is locked out."""

from __future__ import annotations

import datetime as dt
import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from service import clock, rates
from service.complaints import claims
from service.imports import import_jobs, uploads
from service.security import accounts
from service.storage.database import Database

if TYPE_CHECKING:
    from flask import Flask

    from tests.service.conftest import Api, Person

HOUR = 3_600.0


class Clock:
    """What `service.clock.now` says, to be set forward and back."""

    def __init__(self) -> None:
        self._real = clock.now
        self.ahead = 0.0

    def now(self) -> dt.datetime:
        return self._real() + dt.timedelta(seconds=self.ahead)


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that every module of the service reads."""
    made, real = Clock(), clock.now
    for name, module in list(sys.modules.items()):
        if name.startswith("service") and getattr(module, "now", None) is real:
            monkeypatch.setattr(module, "now", made.now)
    return made


JUMPS = (0.0, 8 * HOUR, -8 * HOUR, 400 * 24 * HOUR, -400 * 24 * HOUR, 0.0)


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_complaints_are_stored_once_and_told_in_the_order_in_which_they_came(api: Api, moved: Clock) -> None:
    sent = []
    for number, moved.ahead in enumerate(JUMPS):
        body = {"id": f"J-{number}", "text": f"lampu mati pasti nomor {number}"}
        assert api.post("/complaints", json=body).status_code == 201
        moved.ahead -= HOUR
        assert api.post("/complaints", json=body).status_code == 200
        sent.append(f"J-{number}")
    feed, after = [], 0
    while entries := json.loads(api.get(f"/decisions?after={after}&limit=2").data)["decisions"]:
        feed += [entry["id"] for entry in entries]
        after = entries[-1]["cursor"]
    assert feed == sent


def test_an_idempotency_key_holds_whatever_the_clock_says(api: Api, moved: Clock) -> None:
    answers = []
    for moved.ahead in JUMPS:
        answers.append(api.post("/complaints", json={"text": "lampu pasti"}, headers={"Idempotency-Key": "satu"}))
    assert [answer.status_code for answer in answers] == [201] + [200] * 5
    assert len({json.loads(answer.data)["id"] for answer in answers}) == 1


def test_an_officer_who_signed_in_before_the_clock_was_set_back_stays_signed_in(petugas: Person, moved: Clock) -> None:
    moved.ahead = -8 * HOUR
    assert petugas.client.get("/antrean").status_code == 200
    moved.ahead = 13 * HOUR  # longer than a session lasts
    assert petugas.client.get("/antrean").status_code == 302


def test_what_a_colleague_had_open_before_the_clock_was_set_back_is_open_to_others(
    api: Api, petugas: Person, database: Database, moved: Clock
) -> None:
    assert api.post("/complaints", json={"id": "J-1", "text": "sampah di pasar"}).status_code == 201
    with database.write() as connection:
        budi = accounts.add(connection, "budi", "petugas", "katak-melompat-7x", must_change=False)
        assert claims.take(connection, 1, budi, 10)
    assert "Sedang dibuka oleh" in petugas.client.get("/aduan/1").text
    assert "dibuka budi" in petugas.client.get("/antrean").text
    moved.ahead = -8 * HOUR
    assert "dibuka budi" not in petugas.client.get("/antrean").text
    assert "Sedang dibuka oleh" not in petugas.client.get("/aduan/1").text
    with database.write() as connection:
        assert not claims.take(connection, 1, budi, 10)


def test_one_of_a_group_that_a_colleague_had_open_before_the_clock_was_set_back_is_decided_with_it(
    api: Api, petugas: Person, database: Database, moved: Clock
) -> None:
    for number in (1, 2):
        body = {"id": f"J-{number}", "text": "sampah menumpuk di pasar induk sejak hari Senin", "kecamatan": "Bengalon"}
        assert api.post("/complaints", json=body).status_code == 201
    with database.write() as connection:
        budi = accounts.add(connection, "budi", "petugas", "katak-melompat-7x", must_change=False)
        assert claims.take(connection, 2, budi, 10)
    moved.ahead = -8 * HOUR
    form = {"putusan": "dlh", "keadaan": "0", "kelompok": "1", "anggota": "2"}
    petugas.send("/aduan/1", form="/aduan/1", **form)
    assert "juga untuk 1 aduan serupa" in petugas.client.get("/antrean").text


def test_an_import_of_a_dead_worker_is_taken_up_though_its_lease_lies_hours_ahead(
    app: Flask, database: Database, moved: Clock
) -> None:
    parts = app.extensions["salur"]
    upload = uploads.receive(parts.settings.uploads, io.BytesIO(b"Tracking ID,Judul Laporan\n1,lampu\n"), "ekspor.csv")
    with database.write() as connection:
        import_jobs.add(connection, upload, accounts.add(connection, "uji", "petugas", "katak-melompat-7x", must_change=False))
    assert import_jobs.claim(parts) is not None
    assert import_jobs.claim(parts) is None
    moved.ahead = -8 * HOUR
    assert import_jobs.claim(parts) is not None
    assert import_jobs.claim(parts) is None


@pytest.mark.parametrize("jump", [8 * HOUR, -8 * HOUR])
def test_a_rate_neither_locks_out_nor_lets_through_for_long_after_a_jump(jump: float) -> None:
    moment = [1_000_000.0]
    counter = rates.Counter(lambda: moment[0])
    rate = rates.parse("2 per minute")
    assert [counter.wait("x", rate) > 0 for _ in range(3)] == [False, False, True]
    moment[0] += jump
    assert [counter.wait("x", rate) > 0 for _ in range(3)] == [False, False, True]
    assert counter.wait("x", rate) <= 60
