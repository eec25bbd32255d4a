"""What happens where somebody else's transaction is kept between two statements of ours: on PostgreSQL, for SQLite has one writer.

Each test lets another one in at the worst moment, as far as our locks let it. Where that one comes late, it finds the same.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError

from service.complaints import claims, intake, retention, review
from service.complaints.review import Choice, NotPossible
from service.imports import import_jobs, name_mapping
from service.imports.name_proposals import plain
from service.imports.uploads import Upload
from service.outbound import webhooks
from service.promise import audit, breakers
from service.promise.proportions import evidence_against
from service.security import accounts
from service.storage import database as databases
from service.storage.database import Database
from service.storage.tables import audit_case, complaint, import_job, standing, verdict
from service.storage.tables import name_mapping as mapped_names
from tests.service.conftest import PASSWORD

if TYPE_CHECKING:
    from flask import Flask

    from service.settings import Settings
    from tests.service.conftest import Api, Person

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
LONG_AGO, LIMIT = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
WORDS = "lampu jalan poros dekat jembatan padam sejak seminggu lalu"
MOMENT = 0.7
"""Seconds that another one has to do its work, or to come to a lock of ours."""
NEW = "sandi-pengelola-9x"


class Other:
    """Somebody else, who works beside us in a thread of their own."""

    def __init__(self, work: Callable[[], object], moment: float = MOMENT) -> None:
        self.failed = ""
        self._work = work
        self._thread = threading.Thread(target=self._do)
        self._thread.start()
        self._thread.join(moment)

    def _do(self) -> None:
        try:
            self._work()
        except (NotPossible, OperationalError) as error:
            self.failed = type(getattr(error, "orig", error)).__name__

    def end(self) -> str:
        """Wait for the end, and answer what it failed for, "" if for nothing."""
        self._thread.join()
        return self.failed


@pytest.fixture
def let_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Other]]:
    """Let others do their work before the first call of a function, or behind it."""

    def arrange(
        module: object, name: str, work: Callable[[], object], *, behind: bool = False, moment: float = MOMENT
    ) -> list[Other]:
        function, others = getattr(module, name), []

        def call(*args: Any, **more: Any) -> Any:
            monkeypatch.setattr(module, name, function)
            if behind:
                found = function(*args, **more)
                others.append(Other(work, moment))
                return found
            others.append(Other(work, moment))
            return function(*args, **more)

        monkeypatch.setattr(module, name, call)
        return others

    return arrange


def make_old(database: Database) -> None:
    with database.write() as connection:
        connection.execute(update(complaint).values(stored_at=LONG_AGO))


def state(database: Database) -> tuple[str, bool]:
    """Where the one complaint is, and whether it was purged."""
    joined = select(standing.c.state, complaint.c.purged_at).join(complaint, complaint.c.id == standing.c.complaint_id)
    with database.read() as connection:
        row = connection.execute(joined).one()
    return row.state, row.purged_at is not None


def decide(database: Database, number: int, who: int, choice: Choice, **more: Any) -> review.Saved:
    with database.write() as connection:
        return review.decide(connection, number, choice, who, None, 10, **more)


# What is purged waits for nobody: no one could read it any more


def test_a_verdict_is_not_undone_where_a_purge_comes_first(
    api: Api, database: Database, siti: int, let_in: Callable[..., list[Other]]
) -> None:
    api.post("/complaints", json={"text": "lampu jalan mati"})
    saved = decide(database, 1, siti, Choice("dishub"))
    make_old(database)
    let_in(claims, "lock_all", lambda: retention.purge(database, LIMIT), moment=60)  # nothing of ours is in its way
    with pytest.raises(NotPossible, match="dihapus"), database.write() as connection:
        review.undo(connection, 1, saved.verdict_id, siti, 10)
    assert state(database) == ("decided", True)


def test_a_verdict_is_not_undone_while_it_is_purged(
    api: Api, database: Database, siti: int, let_in: Callable[..., list[Other]]
) -> None:
    api.post("/complaints", json={"text": "lampu jalan mati"})
    saved = decide(database, 1, siti, Choice("dishub"))
    make_old(database)

    def undo() -> None:
        with database.write() as connection:
            review.undo(connection, 1, saved.verdict_id, siti, 10)

    others = let_in(retention, "_empty", undo)
    assert retention.purge(database, LIMIT).complaints == 1
    assert [other.end() for other in others] == ["NotPossible"]
    assert state(database) == ("decided", True)


def test_an_agency_gives_nothing_back_while_it_is_purged(api: Api, database: Database, let_in: Callable[..., list[Other]]) -> None:
    api.post("/complaints", json={"id": "L-1", "text": "lampu mati pasti"})
    make_old(database)
    said = {"outcome": "bukan-wewenang", "note": "rumah Bu Ani RT 3"}
    others = let_in(retention, "_empty", lambda: api.post("/complaints/L-1/outcome", json=said))
    assert retention.purge(database, LIMIT).complaints == 1
    assert [other.end() for other in others] == [""]
    assert state(database) == ("sent", True)


def test_no_note_is_written_while_it_is_purged(api: Api, database: Database, siti: int, let_in: Callable[..., list[Other]]) -> None:
    api.post("/complaints", json={"text": "lampu jalan mati"})
    asked = decide(database, 1, siti, Choice(outcome="needs-info", missing=("lokasi",), question="Di mana?"))
    make_old(database)

    def answer() -> None:
        with database.write() as connection:
            review.decide(connection, 1, Choice("dishub", note="rumah Bu Ani RT 3"), siti, asked.verdict_id, 10)

    others = let_in(retention, "_empty", answer, behind=True)
    assert retention.purge(database, LIMIT).complaints == 1
    assert [other.end() for other in others] == ["NotPossible"]
    with database.read() as connection:
        assert connection.execute(select(verdict.c.note)).scalars().all() == [""]


# The breaker


def test_two_wrong_verdicts_at_once_that_together_are_too_many_stop_the_agency(
    make_app: Callable[..., Flask], key: str, api: Api, database: Database, siti: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing = type(api)(make_app(audit_share=1.0).test_client(), key)
    enough = next(n for n in range(2, 10) if evidence_against(audit.TARGET, n, n) >= 2 / breakers.FALSE_ALARM)
    for number in range(enough):
        drawing.post("/complaints", json={"text": f"sampah pasti {number}", "kecamatan": "Bengalon"})
    for number in range(1, enough - 1):
        assert decide(database, number, siti, Choice("dpupr")).stopped == ""
    both, count = threading.Barrier(2), breakers._audited

    def count_together(*args: Any) -> Any:
        with suppress(threading.BrokenBarrierError):
            both.wait(MOMENT)
        return count(*args)

    monkeypatch.setattr(breakers, "_audited", count_together)
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda number: decide(database, number, siti, Choice("dpupr")).stopped, (enough - 1, enough)))
    with database.read() as connection:
        assert len(connection.execute(select(audit_case.c.agrees).where(audit_case.c.agrees.is_(False))).all()) == enough
    assert sorted(told) == ["", "dlh"]


@pytest.mark.parametrize("by_a_person", [False, True])
def test_a_late_verdict_about_an_earlier_model_does_not_let_the_one_in_use_go_on(
    api: Api,
    database: Database,
    siti: int,
    let_in: Callable[..., list[Other]],
    monkeypatch: pytest.MonkeyPatch,
    by_a_person: bool,
) -> None:
    api.post("/complaints", json={"text": "sampah pasti", "kecamatan": "Bengalon"})  # the version in use is palsu-1
    monkeypatch.setattr(breakers, "_audited", lambda *_: (10, 10))

    def stop() -> None:
        with database.write() as connection:
            if by_a_person:
                breakers.open_breaker(connection, "dlh", "palsu-1", "Kantor tutup.", siti)
            else:
                breakers.check(connection, "dlh", "palsu-1")

    others = let_in(breakers, "_counted_since", stop)
    with database.write() as connection:
        breakers.check(connection, "dlh", "palsu-0")
    assert [other.end() for other in others] == [""]
    with database.read() as connection:
        assert breakers.stopped(connection, "palsu-1") == {"dlh"}


# Passwords


def test_a_reset_ends_a_session_too_that_began_since_it_looked(database: Database) -> None:
    with database.write() as connection:
        number = accounts.add(connection, "budi", "petugas", PASSWORD)
    with database.write() as connection:
        seen = accounts.get(connection, number)
        assert seen
        with database.write() as other:
            again = accounts.get(other, number)
            assert again
            session = accounts.set_password(other, again, "sandi-penyusup-9x").get_id()
        accounts.set_password(connection, seen, NEW, must_change=True)
    with database.read() as connection:
        assert accounts.from_session(connection, session) is None


def test_who_knows_the_old_password_does_not_overtake_the_reset(
    database: Database, petugas: Person, let_in: Callable[..., list[Other]]
) -> None:
    def reset() -> None:
        with database.write() as connection:
            person = accounts.get(connection, 1)
            assert person
            accounts.set_password(connection, person, NEW, must_change=True)

    token, theirs = petugas.token("/sandi"), "sandi-penyusup-9x"
    others = let_in(accounts, "authenticate", reset, behind=True)
    petugas.client.post("/sandi", data={"csrf_token": token, "lama": PASSWORD, "baru": theirs, "ulang": theirs})
    assert [other.end() for other in others] == [""]
    with database.read() as connection:
        assert accounts.authenticate(connection, "petugas", theirs) is None
        assert accounts.authenticate(connection, "petugas", NEW) is not None
    assert petugas.client.get("/antrean").status_code == 302


# Files and names


def test_a_file_sent_twice_at_once_is_one_import(database: Database, siti: int) -> None:
    def begin(name: str) -> int:
        with database.write() as connection:
            return import_jobs.add(connection, Upload(name, "a.xlsx", "d" * 64), siti)

    with database.write() as connection:
        number = import_jobs.add(connection, Upload("a", "a.xlsx", "d" * 64), siti)
        other = Other(lambda: begin("b"))
    assert other.end() == ""
    with database.read() as connection:
        assert connection.execute(select(import_job.c.id)).scalars().all() == [number]


def test_two_who_map_the_same_names_in_another_order_do_not_wait_for_each_other(
    database: Database, siti: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = ("Dinas A", ""), ("Dinas B", "")
    with database.write() as connection:
        name_mapping.save(connection, "lapor", {one: "dishub", two: "dishub"}, siti)
    both, mine = threading.Barrier(2), threading.local()

    def plain_together(name: str) -> str:
        mine.count = getattr(mine, "count", 0) + bool(name)
        if name and mine.count == 2:  # each has written its first
            with suppress(threading.BrokenBarrierError):
                both.wait(MOMENT)
        return plain(name)

    monkeypatch.setattr(name_mapping, "plain", plain_together)

    def save(decided: dict[tuple[str, str], str]) -> int:
        with database.write() as connection:
            return name_mapping.save(connection, "lapor", decided, siti)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(save, ({one: "pln", two: "pln"}, {two: "dlh", one: "dlh"}))) == [2, 2]
    with database.read() as connection:
        assert len(set(connection.execute(select(mapped_names.c.agency)).scalars())) == 1


# The rest


def test_nothing_more_goes_to_an_address_that_is_removed_during_a_round(api: Api, database: Database, settings: Settings) -> None:
    told = replace(settings, webhook_hosts=("127.0.0.1",))
    with database.write() as connection:
        number = webhooks.add(connection, "s" * 40, "http://127.0.0.1:9/x", told.webhook_hosts)
    for place in range(4):
        api.post("/complaints", json={"id": f"H-{place}", "text": "lampu mati pasti"})
    sent = []

    def send(*_: Any) -> int:
        sent.append(1)
        with database.write() as connection:
            webhooks.remove(connection, 1)
        return 500

    webhooks.deliver(database, told, "s" * 40, send)
    assert number
    assert len(sent) == 1


def test_what_is_said_not_to_be_stored_is_not(api: Api, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    api.post("/complaints", json={"text": WORDS, "kecamatan": "Bengalon"})

    def gone(*_: Any) -> None:
        raise OperationalError("SELECT", {}, Exception("the server closed the connection"))

    monkeypatch.setattr(intake, "_client_id", gone)
    answer = api.post("/complaints", json={"text": WORDS, "kecamatan": "Bengalon"})
    assert answer.status_code == 503
    assert "Nothing was stored" in answer.text
    with database.read() as connection:
        assert len(connection.execute(select(complaint.c.id)).all()) == 1


def test_a_second_who_migrates_waits_for_the_first_however_long(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "BUSY_SECONDS", 1)
    impatient = Database(database_url)
    try:
        with database.write() as connection:
            for statement in ("SET LOCAL lock_timeout = 0", "SET LOCAL statement_timeout = 0"):  # other tests migrate too
                connection.execute(text(statement))
            connection.execute(text("SELECT pg_advisory_xact_lock(727258)"))
            other = Other(impatient.migrate)
            connection.execute(text("SELECT pg_sleep(1.5)"))
            assert other.failed == ""
        assert other.end() == ""
    finally:
        impatient.dispose()
