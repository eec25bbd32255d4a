"""What an export says of who has a report becomes a verdict here, unless our own people have decided or are just looking."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest
from sqlalchemy import select, update

from model.lapor import OURS
from service.clock import now
from service.complaints import retention, review
from service.complaints.review import Choice
from service.imports import exchange
from service.storage.tables import complaint, decision, standing, verdict
from tests.service.conftest import both, postgresql
from tests.service.importing import Imports, line, rows_of, workbook


@both
def test_a_disposition_becomes_a_verdict_by_the_mapping(imports: Imports) -> None:
    content = workbook(
        line("L1", "lampu mati", "DINAS PERHUBUNGAN"), line("L2", "sampah menumpuk", "Dinas Perhubungan Kabupaten Kutai Timur")
    )
    number = imports.begin(content)
    assert '<option value="dishub" selected>' in imports.page(number)
    job = imports.go(number, names={"nama-0": "dishub", "nama-1": "dishub"})
    assert (job.counts["did_confirmed"], job.counts["did_changed"]) == (1, 1)
    with imports.parts.database.read() as connection:
        rows = connection.execute(select(verdict.c.origin, verdict.c.agency, verdict.c.outcome).order_by(verdict.c.id)).all()
    assert [tuple(row) for row in rows] == [("import", "dishub", "confirmed"), ("import", "dishub", "changed")]
    told = [(row[OURS[1]], row[OURS[3]]) for row in rows_of(imports.fetch(job.id))]
    assert told == [("Sudah didisposisi di SP4N-LAPOR!", "")] * 2


def test_what_was_decided_elsewhere_is_never_told_to_have_gone_out_by_itself(imports: Imports) -> None:
    imports.run(workbook(line("L1", "pasti lampu mati", "Dishub")), names={"nama-0": "dishub"})
    assert imports.count(decision, decision.c.decided_by == "model") == 0
    assert imports.count(decision, decision.c.decided_by == "person") == 1
    counts = imports.job(1).counts
    assert (counts["did_settled"], counts.get("did_auto", 0)) == (1, 0)


@both
def test_a_complaint_that_waits_here_is_decided_by_next_weeks_disposition(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati")))
    job = imports.run(workbook(line("L1", "lampu mati", "Dishub")), names={"nama-0": "dishub"})
    assert job.counts["did_confirmed"] == 1
    assert imports.count(standing, standing.c.state == "waiting") == 0


@both
def test_a_complaint_that_was_passed_on_since_is_the_newer_dispositions(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati", "Dishub")), names={"nama-0": "dishub"})
    newer = workbook(line("L1", "lampu mati", "PUPR"), line("L1", "lampu mati", "Dishub"))
    job = imports.run(newer, names={"nama-0": "dishub", "nama-1": "dpupr"})
    assert (job.counts["did_changed"], job.counts["did_decided"]) == (1, 1)  # of two in one file the first counts
    assert imports.count(standing, standing.c.agency == "dpupr", standing.c.state == "decided") == 1
    assert imports.run(newer).counts["did_decided"] == 2
    assert imports.count(verdict) == 2


def test_of_two_offices_that_one_file_names_the_first_counts_however_far_apart(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "CHUNK", 1)
    twice = workbook(line("L1", "lampu mati", "Dishub"), line("L1", "lampu mati", "PUPR"))
    for _ in range(2):
        assert imports.run(twice, names={"nama-0": "dishub", "nama-1": "dpupr"}).counts["did_decided"] >= 1
    with imports.parts.database.read() as connection:
        given = connection.execute(select(verdict.c.agency, verdict.c.account_id)).all()
    assert [tuple(row) for row in given] == [("dishub", 1)], "and it is told who let the file in"


def test_a_complaint_that_was_purged_is_decided_no_more(imports: Imports) -> None:
    imports.run(workbook(line("L1", "pasti lampu mati"), line("L2", "lampu mati", "Dishub")), names={"nama-0": "dishub"})
    retention.purge(imports.parts.database, now() + dt.timedelta(days=1))
    both_named = workbook(line("L1", "pasti lampu mati", "PUPR"), line("L2", "lampu mati", "PUPR"))
    assert imports.run(both_named, names={"nama-0": "dpupr"}).counts["did_known"] == 2
    assert imports.count(verdict) == 1
    assert imports.count(complaint, complaint.c.text != "") == 0


@pytest.mark.parametrize(
    ("choice", "did", "state", "agency"),
    [
        (Choice("dpupr"), "did_decided", "decided", "dpupr"),
        (Choice(outcome="not-a-complaint"), "did_decided", "closed", ""),
        (Choice(outcome="needs-info"), "did_confirmed", "decided", "dishub"),
        (Choice(outcome="returned"), "did_confirmed", "decided", "dishub"),
    ],
)
def test_a_disposition_settles_what_still_waits_for_somebody_and_leaves_what_our_own_people_decided_or_closed(
    imports: Imports, choice: Choice, did: str, state: str, agency: str
) -> None:
    imports.run(workbook(line("L1", "lampu mati")))
    with imports.parts.database.write() as connection:
        row = connection.execute(select(standing)).one()
        review.record(connection, row, choice, origin="desk", account_id=1)
    assert imports.run(workbook(line("L1", "lampu mati", "Dishub")), names={"nama-0": "dishub"}).counts[did] == 1
    assert imports.count(standing, standing.c.state == state, standing.c.agency == agency) == 1
    assert imports.count(verdict) == (1 if did == "did_decided" else 2)


@pytest.mark.parametrize(("seconds", "did"), [(300, "did_held"), (-1, "did_confirmed")])
def test_a_complaint_is_left_to_whoever_has_it_open_and_to_nobody_who_had_it_open_once(
    imports: Imports, seconds: int, did: str
) -> None:
    imports.run(workbook(line("L1", "lampu mati")))
    with imports.parts.database.write() as connection:
        connection.execute(update(standing).values(claimed_by=1, claimed_until=now() + dt.timedelta(seconds=seconds)))
    assert imports.run(workbook(line("L1", "lampu mati", "Dishub")), names={"nama-0": "dishub"}).counts[did] == 1
    assert imports.count(verdict) == (did == "did_confirmed")


@postgresql
def test_a_group_is_decided_at_the_desk_while_an_export_decides_it(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    imports.run(workbook(line("L1", "lampu jalan mati"), line("L2", "lampu jalan mati lagi")))
    database, decide = imports.parts.database, exchange._decide
    with database.write() as connection:
        connection.execute(update(complaint).where(complaint.c.id == 2).values(similar_to=1))

    def at_the_desk() -> None:
        with database.write() as connection:
            review.decide(connection, 1, Choice("dishub"), 1, None, 10, others=[2])

    with ThreadPoolExecutor(1) as pool:
        told: list[Future[None]] = []

        def decide_while_another_begins(*args: Any, **named: Any) -> str:
            found = decide(*args, **named)
            if not told:
                told.append(pool.submit(at_the_desk))
                wait(told, timeout=0.5)
            return found

        monkeypatch.setattr(exchange, "_decide", decide_while_another_begins)
        later = workbook(
            line("L2", "lampu jalan mati lagi", "Dinas Perhubungan"), line("L1", "lampu jalan mati", "Dinas Perhubungan")
        )
        imports.run(later, names={"nama-0": "dishub"})
        assert told[0].exception() is None, "the same said again is no other verdict"
    assert imports.count(verdict) == 2


def test_without_verdicts_dispositioned_rows_are_proposed_but_not_stored(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu mati", "Dishub")), take=False)
    assert job.counts["did_left"] == 1
    assert imports.count(complaint) == 0
    (row,) = rows_of(imports.fetch(job.id))
    assert (row[OURS[0]], row[OURS[1]]) == ("Dinas Perhubungan", "Tidak dimasukkan")


def test_the_whole_government_is_nobody_in_particular(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu mati", "Pemerintah Kabupaten Kutai Timur")))
    assert job.counts["did_new"] == 1
    assert imports.count(standing, standing.c.state == "waiting") == 1


def test_a_dash_for_an_agency_is_nobody(imports: Imports) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati", "-"), line("L2", "sampah", "\u2013", status="Selesai")))
    assert (imports.job(number).counts["open"], imports.job(number).counts["closed"]) == (1, 1)
    assert "Nama yang belum dikenal" not in imports.page(number)
    assert imports.go(number).counts["did_new"] == 1


@pytest.mark.parametrize(
    ("named", "kecamatan", "did"),
    [
        ("Kantor Camat", "Desa Entah", "did_confirmed"),  # the model says an office, the export only the family
        ("Kantor Camat", "Bengalon", "did_confirmed"),
        ("Kantor Camat Sangatta Utara", "Bengalon", "did_changed"),
    ],
)
def test_a_disposition_that_names_no_office_of_the_family_does_not_contradict_the_model(
    imports: Imports, named: str, kecamatan: str, did: str
) -> None:
    row = line("L1", "pak lurah tidak masuk", named, kecamatan=kecamatan)
    job = imports.run(workbook(row), names={"nama-0": "kecamatan"})
    assert {name for name in job.counts if name in ("did_confirmed", "did_changed")} == {did}


def test_another_office_of_the_family_is_another_disposition_but_the_family_alone_is_none(imports: Imports) -> None:
    said = "pak lurah tidak masuk"
    imports.run(workbook(line("L1", said, "Kecamatan Bengalon")), names={"nama-0": "kecamatan"})
    family = imports.run(workbook(line("L1", said, "Kantor Camat", kecamatan="")), names={"nama-0": "kecamatan"})
    assert family.counts["did_decided"] == 1
    other = imports.run(workbook(line("L1", said, "Kecamatan Sangatta Utara")), names={"nama-0": "kecamatan"})
    assert {name for name in other.counts if name in ("did_confirmed", "did_changed", "did_decided")} != {"did_decided"}
    assert imports.count(standing, standing.c.unit == "Sangatta Utara") == 1
    assert imports.count(verdict) == 2
