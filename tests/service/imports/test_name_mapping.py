"""What the desk decided that names mean is asked once, remembered, and changed by no page of before."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection

from service.imports import exchange, import_jobs, import_page, name_mapping
from service.imports.name_mapping import LEFT, OPEN, Targets
from service.storage.database import Database
from service.storage.tables import complaint
from service.storage.tables import name_mapping as mapping_table
from tests.service.conftest import both, postgresql
from tests.service.importing import Imports, line, workbook

if TYPE_CHECKING:
    from tests.service.conftest import Person


def test_a_name_that_nobody_mapped_is_left_and_told(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu mati", "Badan Antah Berantah")))
    assert job.counts["did_unmapped"] == 1
    assert imports.count(complaint) == 0


def test_a_proposed_agency_is_called_by_its_name_alone(imports: Imports) -> None:
    page = imports.page(imports.begin(workbook(line("L1", "lampu mati", "Dinas Perhubungan"))))
    assert '<option value="dishub" selected>Dinas Perhubungan</option>' in page


@both
def test_a_mapping_is_remembered_and_asked_no_more(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati", "Kantor Lampu")), names={"nama-0": "dishub"})
    number = imports.begin(workbook(line("L2", "lampu mati lagi", "KANTOR  LAMPU")))
    assert "names" in imports.job(number).counts
    page = imports.page(number)
    assert "1 nama yang sudah dipadankan" in page
    done = imports.go(number)
    assert done.counts["did_confirmed"] == 1
    assert "names" not in done.counts, "what the file calls agencies is kept no longer than it is asked about"


def test_a_topic_can_mean_another_agency_than_its_name(imports: Imports) -> None:
    content = workbook(
        line("L1", "jalan berlubang", "Dinas PU", topic="Jalan"),
        line("L2", "lampu mati", "Dinas PU", topic="Penerangan"),
        line("L3", "jalan", "Dinas PU"),
    )
    number = imports.begin(content)
    shown = imports.person.send(f"/impor/{number}/proses", f"/impor/{number}", **{"nama-0": "dpupr", "rinci": "0"})
    assert shown.status_code == 303
    page = imports.page(number, "?rinci=0")
    assert "<i>Penerangan</i>" in page
    place = next(
        str(index) for index, (topic, _) in enumerate(imports.job(number).counts["names"][0]["topics"]) if topic == "Penerangan"
    )
    job = imports.go(number, names={"nama-0": "dpupr", f"nama-0-{place}": "dishub"})
    assert job.counts["did_confirmed"] == 3


def test_looking_at_the_topics_of_a_name_keeps_what_was_chosen_about_decisions(imports: Imports) -> None:
    number = imports.begin(workbook(line("L1", "jalan", "Dinas PU", topic="Jalan"), line("L2", "lampu", "Dinas PU", topic="PJU")))
    ticked = 'name="putusan" value="ya" checked'
    assert ticked in imports.page(number)
    page = f"/impor/{number}"
    for given, kept in (({"putusan": "ya"}, True), ({}, False)):
        shown = imports.person.send(f"{page}/proses", page, **{"nama-0": "dpupr", "rinci": "0"}, **given)
        assert (ticked in imports.person.client.get(shown.headers["Location"]).text) == kept
        refused = imports.person.send(f"{page}/proses", page, **{"nama-0": "entah"}, **given)
        assert (ticked in refused.text) == kept


def test_an_unknown_agency_in_a_mapping_is_refused_and_nothing_begins(imports: Imports) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati", "Kantor Lampu")))
    refused = imports.person.send(f"/impor/{number}/proses", f"/impor/{number}", **{"nama-0": "<script>alert(1)</script>"})
    assert refused.status_code == 422
    assert "Instansi tidak dikenal" in refused.text
    assert "<script>alert" not in refused.text
    assert imports.job(number).state == "surveyed"
    assert imports.count(mapping_table) == 0


@both
@pytest.mark.parametrize("over", ["proses", "batal"])
@pytest.mark.parametrize("more", [{}, {"rinci": "0"}])
def test_a_page_of_before_changes_no_name_any_more(imports: Imports, over: str, more: dict[str, str]) -> None:
    number = imports.begin(workbook(line("L1", "lampu mati", "Kantor Lampu")))
    imports.person.send(f"/impor/{number}/{over}", "/impor", **{"nama-0": "dishub"})  # a colleague; the service has not begun yet
    before = imports.count(mapping_table)
    late = imports.person.send(f"/impor/{number}/proses", "/impor", **{"nama-0": "dlh", "putusan": "ya"}, **more)
    assert late.status_code == 303
    with imports.parts.database.read() as connection:
        targets = name_mapping.load(connection, import_jobs.SOURCE)
    assert targets.of("Kantor Lampu") == ("dishub" if over == "proses" else "")
    assert imports.count(mapping_table) == before
    assert "sudah diproses atau dibatalkan" in imports.page(number)


def test_names_beyond_those_asked_about_are_counted(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MAX_NAMES", 2)
    number = imports.begin(workbook(*(line(f"L{n}", "lampu", f"Kantor {'ABCDE'[n]}") for n in range(5))))
    assert imports.job(number).counts["more_names"] == 3
    assert "3 nama lain" in imports.page(number)


def test_only_names_that_a_page_leaves_out_are_told_to_be_left_out(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_page, "SHOWN_NAMES", 2)
    known = [line(number, "lampu mati", "Dishub Kutim") for number in (1, 2)]
    imports.run(workbook(*known), names={"nama-0": "dishub"})
    others = [line(number, "lampu mati", f"Dinas Lain {number}") for number in (3, 4)]
    assert "tidak ditanyakan kali ini" not in imports.page(imports.begin(workbook(*known, *others)))
    further = line(5, "lampu mati", "Dinas Lain 5")
    assert "1 nama lain yang lebih jarang tidak ditanyakan" in imports.page(imports.begin(workbook(*known, *others, further)))


def test_a_mapping_knows_its_special_answers() -> None:
    targets = Targets({("kantor lampu", ""): "dishub", ("kantor lampu", "sampah"): "dlh", ("pemkab contoh", ""): LEFT})
    assert targets.of("Kantor Lampu!") == "dishub"
    assert targets.of("KANTOR LAMPU", "Sampah") == "dlh"
    assert targets.of("Pemerintah Kabupaten Contoh") == OPEN
    assert targets.of("Pemkab Contoh") == LEFT
    assert targets.of("Entah") == ""


def test_saving_a_mapping_twice_changes_nothing(database: Database, petugas: Person) -> None:
    with database.write() as connection:
        assert name_mapping.save(connection, "lapor", {("Kantor Lampu", ""): "dishub"}, 1) == 1
        assert name_mapping.save(connection, "lapor", {("kantor lampu", ""): "dishub"}, 1) == 0
        assert name_mapping.save(connection, "lapor", {("kantor lampu", ""): ""}, 1) == 1
        assert name_mapping.load(connection, "lapor").of("Kantor Lampu") == ""


@postgresql
def test_a_form_that_is_sent_twice_at_once_maps_a_name_once(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    database = imports.parts.database
    both_looked, look = threading.Barrier(2, timeout=60), name_mapping.load

    def load(connection: Connection, source: str) -> name_mapping.Targets:
        found = look(connection, source)
        both_looked.wait()
        return found

    monkeypatch.setattr(name_mapping, "load", load)

    def save(_: int) -> int:
        with database.write() as connection:
            return name_mapping.save(connection, "lapor", {("Dinas X", ""): "dishub"}, 1)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(save, range(2))) == [1, 1]
    monkeypatch.undo()
    with database.read() as connection:
        assert name_mapping.load(connection, "lapor").exactly("Dinas X") == "dishub"
