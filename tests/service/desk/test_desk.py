"""The desk's pages: what is shown, what a form does, and that nothing typed is ever lost; without a script, and as it asks."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from model.register import Register
from service.clock import now
from service.complaints import claims, retention, review
from service.complaints.review import Choice
from service.desk import cases
from service.desk.cases import Case
from service.promise import audit
from service.security import accounts
from service.storage.database import Database
from service.storage.tables import account, audit_log, breaker, standing, verdict

if TYPE_CHECKING:
    from tests.service.conftest import Api, Person

PASSWORD = "katak-melompat-7x"  # noqa: S105
NOTE = "Sudah saya telepon, katanya <b>besok</b> & lusa."
SCRIPT = {"X-Salur": "meja"}


def arrive(api: Api, text: str = "sampah di pasar", **more: Any) -> int:
    answer = api.post("/complaints", json={"text": text, "kecamatan": "Bengalon", **more})
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    return int(answer.json["number"])


def send(person: Person, number: int, headers: dict[str, str] | None = None, **fields: Any) -> TestResponse:
    """Send the form of a complaint's page as it stands there, with some fields changed."""
    page = person.client.get(f"/aduan/{number}").text
    stands = re.search(r'name="keadaan" value="(\d+)"', page)
    known = {"csrf_token": person.token(f"/aduan/{number}"), "keadaan": stands[1] if stands else "0"}
    return person.client.post(f"/aduan/{number}", data=known | fields, headers=headers)


def verdicts(database: Database) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(select(verdict).order_by(verdict.c.id)))


def colleague(database: Database, name: str = "budi", role: str = "petugas") -> int:
    with database.write() as connection:
        return accounts.add(connection, name, role, PASSWORD, name.title(), must_change=False)


def typed(page: str, field: str) -> str:
    """What a text area of a page holds."""
    match = re.search(rf'<textarea name="{field}"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert match, f"no {field}"
    return html.unescape(match[1])


def heard(page: str) -> str:
    """What is told to somebody who cannot see a page that the script put in place of another."""
    match = re.search(r'data-kabar="([^"]*)"', page)
    assert match
    return html.unescape(match[1])


class Tags(HTMLParser):
    """The tags of a page as a browser reads them, each with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_queue_shows_what_waits_and_the_filters_count(api: Api, petugas: Person) -> None:
    arrive(api, "sampah di pasar", title="Bau sekali")
    arrive(api, "jalan rusak", kecamatan="Sangatta Utara")
    page = petugas.client.get("/antrean").text
    assert "<b>2</b> aduan menunggu" in page
    assert "Bau sekali" in page
    assert "Sangatta Utara (1)" in page
    assert "Mulai memutuskan" in page
    assert "jalan rusak" not in petugas.client.get("/antrean?instansi=dlh").text
    nothing = petugas.client.get("/antrean?kecamatan=Entah").text
    assert "Tidak ada aduan yang cocok" in nothing
    assert "Mulai memutuskan" not in nothing


def test_the_queue_names_the_office_that_a_complaint_would_go_to(api: Api, petugas: Person) -> None:
    arrive(api, "lurah galak")
    assert "usulan: Kecamatan Bengalon" in petugas.client.get("/antrean").text


def test_what_may_be_an_emergency_stands_first_and_says_what_the_reporter_should_do(api: Api, petugas: Person) -> None:
    arrive(api, "pungli parkir")
    number = arrive(api, "kebakaran di pasar")
    other = arrive(api, "sampah di pasar")
    queue = petugas.client.get("/antrean").text
    assert queue.count("Mungkin darurat</span>") == 1
    assert petugas.client.get("/antrean/berikutnya").headers["Location"] == f"/aduan/{number}"
    page = petugas.client.get(f"/aduan/{number}").text
    assert "Mungkin keadaan darurat" in page
    assert "Telepon 112." in page
    assert heard(page).endswith(f"Aduan nomor {number}. Mungkin darurat.")
    assert "darurat" not in petugas.client.get(f"/aduan/{other}").text


def test_emergencies_can_be_picked_out_of_the_queue(api: Api, petugas: Person) -> None:
    arrive(api, title="Sampah")
    assert "darurat" not in petugas.client.get("/antrean").text
    number = arrive(api, "kebakaran di pasar", title="Api")
    assert '<a href="/antrean?alasan=darurat">1 mungkin darurat</a>' in petugas.client.get("/antrean").text
    picked = petugas.client.get("/antrean?alasan=darurat").text
    assert f'href="/aduan/{number}?alasan=darurat">Api</a>' in picked
    assert "Sampah" not in picked
    assert '<option value="darurat" selected>Mungkin darurat (1)</option>' in picked
    send(petugas, number, putusan="dlh")
    assert "Tidak ada aduan yang cocok" in petugas.client.get("/antrean?alasan=darurat").text


def test_what_an_agency_gave_back_is_no_emergency_any_more(api: Api, petugas: Person) -> None:
    arrive(api, "kebakaran di pasar, pasti", id="K-1")
    assert api.post("/complaints/K-1/outcome", json={"outcome": "bukan-wewenang"}).status_code == 200
    queue = petugas.client.get("/antrean").text
    assert "Dikembalikan instansi" in queue
    assert "darurat" not in queue
    assert "darurat" not in petugas.client.get("/aduan/1").text


def test_a_confidential_emergency_is_told_in_the_list_to_those_alone_who_may_open_it(
    api: Api, petugas: Person, app: Flask, database: Database
) -> None:
    arrive(api, "kebakaran di pasar", confidential=True)
    assert "Mungkin darurat</span>" in petugas.client.get("/antrean").text
    colleague(database, "tamu", "peninjau-saja")
    guest = type(petugas)(app.test_client())
    guest.sign_in("tamu")
    arrive(api, "sampah di pasar", received_at="2026-02-25T08:00:00+08:00")
    arrive(api, "sampah di pasar", confidential=True)
    first = guest.client.get("/antrean").text
    assert first.index("sampah di pasar") < first.index("Laporan rahasia</span>")
    for page in (guest.client.get(f"/antrean{query}").text for query in ("", "?alasan=darurat")):
        assert "darurat" not in page.lower()
        assert page.count("Laporan rahasia</span>") == 2


def test_an_empty_queue_says_so(petugas: Person) -> None:
    assert "Antrean kosong" in petugas.client.get("/antrean").text
    assert petugas.client.get("/antrean/berikutnya").headers["Location"] == "/antrean"


@pytest.mark.parametrize(
    "query", ["setelah=%00", "setelah=1~x", "umur=%27", "instansi=" + "x" * 5000, "alasan=%22%3E%3Cscript%3E", "lagi=1"]
)
def test_a_strange_address_never_breaks_the_queue(api: Api, petugas: Person, query: str) -> None:
    arrive(api)
    answer = petugas.client.get(f"/antrean?{query}")
    assert answer.status_code == 200
    assert "<script>" not in answer.text.replace('<script src="/static/', "")


def test_a_kelurahan_is_not_called_a_desa(api: Api, petugas: Person) -> None:
    number = arrive(api, desa="Api-Api")
    assert "<dt>Desa/kelurahan</dt><dd>Api-Api</dd>" in petugas.client.get(f"/aduan/{number}").text


def test_supporting_agencies_are_at_hand_where_a_complaint_holds_several_matters(api: Api, petugas: Person) -> None:
    one, two = arrive(api, "sampah di pasar"), arrive(api, "sampah di pasar, selain itu lampu mati")
    assert '<details id="tambahan">' in petugas.client.get(f"/aduan/{one}").text
    assert '<details id="tambahan" open>' in petugas.client.get(f"/aduan/{two}").text


@pytest.mark.parametrize("number", [0, 77, 2**31 - 1, 2**31, 10**30])
def test_a_complaint_that_does_not_exist_is_not_found(petugas: Person, number: int) -> None:
    answer = petugas.client.get(f"/aduan/{number}")
    assert answer.status_code == 404
    assert "tidak" in answer.text


def test_a_complaint_is_shown_whole_escaped_and_with_its_line_breaks(api: Api, petugas: Person) -> None:
    number = arrive(api, "lampu mati <script>alert(1)</script>\nbaris kedua\n\n- butir", title='"><img src=x onerror=alert(1)>')
    page = petugas.client.get(f"/aduan/{number}").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\nbaris kedua\n\n- butir" in page
    assert "<img src=x" not in page
    assert '<mark class="strong"' in page
    assert "Belum cukup yakin untuk diteruskan sendiri" in page
    assert "sisa 3 hari kerja" in page or "tenggat" in page
    assert page.count('class="choice') >= 6


def test_a_decision_is_saved_and_the_next_complaint_comes(api: Api, petugas: Person, database: Database) -> None:
    first, second = arrive(api), arrive(api, "jalan rusak")
    answer = send(petugas, first, putusan="dlh", catatan=NOTE)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/aduan/{second}")
    page = petugas.client.get(answer.headers["Location"]).text
    assert "Tersimpan." in page
    assert "Dinas Lingkungan Hidup" in page
    (kept,) = verdicts(database)
    assert (kept.agency, kept.outcome, kept.note) == ("dlh", "confirmed", NOTE)
    assert "Tersimpan." not in petugas.client.get(f"/aduan/{second}").text


def test_the_script_gets_the_next_complaint_alone(api: Api, petugas: Person) -> None:
    first, second = arrive(api), arrive(api, "jalan rusak")
    answer = send(petugas, first, SCRIPT, putusan="dlh")
    assert (answer.status_code, answer.headers["X-Salur-Alamat"]) == (200, f"/aduan/{second}")
    assert f'data-nomor="{second}"' in answer.text
    assert "<html" not in answer.text
    done = send(petugas, second, SCRIPT, putusan="dpupr")
    assert done.headers["X-Salur-Alamat"] == "/antrean"
    assert "Selesai" in done.text


def test_the_filter_goes_along_from_one_complaint_to_the_next(api: Api, petugas: Person) -> None:
    first, _, third = arrive(api), arrive(api, "jalan rusak"), arrive(api, "sampah di gang")
    token = petugas.token(f"/aduan/{first}")
    answer = petugas.client.post(f"/aduan/{first}?instansi=dlh", data={"csrf_token": token, "keadaan": "0", "putusan": "dlh"})
    assert answer.headers["Location"] == f"/aduan/{third}?instansi=dlh"


def test_undo_brings_the_complaint_back(api: Api, petugas: Person, database: Database) -> None:
    first, _ = arrive(api), arrive(api, "jalan rusak")
    send(petugas, first, putusan="pln")
    answer = send(petugas, first, aksi="urungkan", putusan=str(verdicts(database)[0].id))
    assert answer.headers["Location"] == f"/aduan/{first}"
    page = petugas.client.get(f"/aduan/{first}").text
    assert "Putusan dibatalkan" in page
    assert [row.outcome for row in verdicts(database)] == ["changed", "undone"]
    again = send(petugas, first, aksi="urungkan", putusan=str(verdicts(database)[0].id))
    assert again.status_code == 409
    assert "sudah tidak berlaku" in again.text


@pytest.mark.parametrize("number", ["", "x", "0", "99", "9" * 40])
def test_undoing_what_was_never_decided_is_refused_in_words(api: Api, petugas: Person, number: str) -> None:
    answer = send(petugas, arrive(api), aksi="urungkan", putusan=number)
    assert answer.status_code == 409
    assert "tidak ada" in answer.text


def test_an_agency_is_found_by_alias_and_the_rest_of_the_form_stays(api: Api, petugas: Person, database: Database) -> None:
    number = arrive(api)
    page = send(
        petugas, number, aksi="cari", cari="capil", catatan=NOTE, pendukung=["pln", ""], pertanyaan="Di mana?", kurang="waktu"
    )
    assert page.status_code == 200
    assert 'name="putusan" value="disdukcapil"' in page.text
    assert typed(page.text, "catatan") == NOTE
    assert typed(page.text, "pertanyaan") == "Di mana?"
    assert 'value="pln" checked' in page.text
    assert 'name="kurang" value="waktu" checked' in page.text
    assert verdicts(database) == []
    assert "Tidak ada instansi yang cocok" in petugas.client.get(f"/aduan/{number}/cari?cari=zzz").text
    assert 'value="disdukcapil"' in petugas.client.get(f"/aduan/{number}?cari=capil").text


def test_a_region_reads_what_it_calls_its_places(api: Api, petugas: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    number = arrive(api, "lurah galak", kecamatan="", desa="Deer")
    assert "<dt>Desa/kelurahan</dt><dd>Deer</dd>" in petugas.client.get(f"/aduan/{number}").text
    monkeypatch.setattr(Register, "called", lambda _, level: {"kecamatan": "distrik", "desa": "kampung"}[level])  # by another model
    asked = send(petugas, number, aksi="susun", kurang="lokasi")
    assert "RT, kampung, dan distrik" in typed(asked.text, "pertanyaan")
    assert "pilih dahulu distrik yang mana" in send(petugas, number, putusan="kecamatan").text
    assert "<dt>Kampung</dt><dd>Deer</dd>" in asked.text
    for path in (f"/aduan/{number}", "/antrean", "/riwayat", "/coba"):
        assert not re.search(r"Desa/kelurahan|(?:<dt>|<label>|label=\")Kecamatan\b", petugas.client.get(path).text)


def test_supporting_agencies_are_kept_without_the_main_one(api: Api, petugas: Person, database: Database) -> None:
    send(petugas, arrive(api), putusan="dlh", pendukung=["pln", "dlh", "pln", ""])
    assert verdicts(database)[0].also == ["pln"]


def test_a_family_takes_its_unit_from_the_place_or_asks(api: Api, petugas: Person, database: Database) -> None:
    send(petugas, arrive(api, "lurah galak"), putusan="kecamatan")
    assert (verdicts(database)[0].agency, verdicts(database)[0].unit) == ("kecamatan", "Bengalon")
    nowhere = arrive(api, "lurah galak", kecamatan="")
    refused = send(petugas, nowhere, putusan="kecamatan", catatan=NOTE)
    assert refused.status_code == 422
    assert "pilih dahulu kecamatan yang mana" in refused.text
    assert typed(refused.text, "catatan") == NOTE
    unit = refused.text.index('name="unit"')
    assert "Putuskan untuk kecamatan ini" in refused.text[unit:], "once it is chosen, the agency need not be chosen again"
    assert refused.text.index('name="putusan" value="kecamatan"', unit) < refused.text.index("Putuskan untuk kecamatan ini")
    assert send(petugas, nowhere, putusan="kecamatan", unit="Entah").status_code == 422
    send(petugas, nowhere, putusan="kecamatan", unit="Sangatta Utara")
    assert verdicts(database)[1].unit == "Sangatta Utara"


def test_a_question_is_proposed_changed_kept_and_withdrawn(api: Api, petugas: Person, database: Database) -> None:
    number = arrive(api, "lampu mati", title="Lampu mati")
    assert typed(petugas.client.get(f"/aduan/{number}").text, "pertanyaan").startswith("Yth. Bapak/Ibu Pelapor,")
    proposed = petugas.client.get(f"/aduan/{number}/pertanyaan?kurang=lokasi&kurang=entah")
    assert "di mana tepatnya" in proposed.text
    assert "nomor tiang" in proposed.text
    anew = send(petugas, number, aksi="susun", kurang=["waktu"], catatan=NOTE)
    assert "kapan kejadiannya" in typed(anew.text, "pertanyaan")
    assert typed(anew.text, "catatan") == NOTE
    send(petugas, number, aksi="kurang-informasi", kurang=["lokasi", "waktu"], pertanyaan="Di mana,\r\ndan kapan?")
    (kept,) = verdicts(database)
    assert (kept.outcome, kept.missing, kept.question) == ("needs-info", ["lokasi", "waktu"], "Di mana,\ndan kapan?")
    page = petugas.client.get(f"/aduan/{number}").text
    assert "Menunggu jawaban pelapor" in page
    # Also days later, when the bar of what was just saved is long gone.
    withdraw = re.search(r'<form [^>]+ id="tarik">.*?name="putusan" value="(\d+)"', page)
    assert withdraw
    assert '<button form="tarik" name="aksi" value="urungkan"' in page
    told = send(petugas, number, SCRIPT, aksi="urungkan", putusan=withdraw[1]).text
    assert f"Aduan #{number} kembali menunggu." in told
    assert "Siapa yang berwenang?" in told
    assert 'form="tarik"' not in told


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"aksi": "kurang-informasi", "pertanyaan": "Di mana?"}, "Tandai dahulu apa yang kurang."),
        ({"aksi": "kurang-informasi", "kurang": "lokasi", "pertanyaan": "  "}, "Tuliskan pertanyaan"),
        ({"putusan": "dinas-sihir"}, "Instansi “dinas-sihir” tidak ada di daftar."),
        ({"putusan": "<script>alert(1)</script>"}, "tidak ada di daftar"),
        ({"putusan": "dlh", "pendukung": "dinas-sihir"}, "Instansi “dinas-sihir” tidak ada di daftar."),
        ({"putusan": "dlh", "pendukung": ["pln", "dpupr", "dishub", "disdukcapil", "kecamatan", "dlh"]}, "paling banyak 5"),
        ({}, "Pilih dahulu instansinya."),
        ({"aksi": "entah"}, "Pilih dahulu instansinya."),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words_and_nothing_is_lost(
    api: Api, petugas: Person, database: Database, fields: dict[str, Any], says: str
) -> None:
    refused = send(petugas, arrive(api), catatan=NOTE, **fields)
    assert refused.status_code == 422
    assert says in refused.text
    assert "Putusan belum disimpan." in refused.text
    assert typed(refused.text, "catatan") == NOTE
    assert "<script>alert" not in refused.text
    assert verdicts(database) == []


@pytest.mark.parametrize(("field", "label"), [("catatan", "Catatan"), ("pertanyaan", "Pertanyaan")])
def test_a_text_that_is_too_long_comes_back_whole(api: Api, petugas: Person, database: Database, field: str, label: str) -> None:
    long = "kata & <b>kata</b> " * 530
    fields: dict[str, Any] = {field: long, "aksi": "kurang-informasi", "kurang": "lokasi"}
    refused = send(petugas, arrive(api), **fields)
    assert refused.status_code == 422
    assert f"{label} terlalu panjang: {len(long.strip()):,} karakter, paling banyak 2.000.".replace(",", ".", 1) in refused.text
    assert typed(refused.text, field) == long.strip()
    assert verdicts(database) == []


def test_markup_in_every_field_is_shown_as_text(api: Api, petugas: Person, database: Database) -> None:
    evil = "<script>alert(1)</script>\"'><svg onload=alert(1)>"
    number = arrive(api)
    names = ("cari", "unit", "pendukung", "kurang", "pertanyaan", "catatan", "anggota", "kelompok")
    fields: dict[str, Any] = dict.fromkeys(names, evil)
    pages = [send(petugas, number, **fields, aksi="cari").text, send(petugas, number, **fields, putusan="dlh").text]
    send(petugas, number, aksi="kurang-informasi", kurang="lokasi", pertanyaan=evil, catatan=evil)
    pages.append(petugas.client.get(f"/aduan/{number}").text)
    assert verdicts(database)[0].note == evil
    for page in pages:
        tags = Tags(page)
        assert [attributes.get("src") for name, attributes in tags.found if name == "script"] == [
            "/static/desk.js",
            "/static/once.js",
        ]
        assert not [name for _, attributes in tags.found for name in attributes if name.startswith("on") or name == "style"]


def test_a_form_sent_twice_is_kept_once_and_leads_on(api: Api, petugas: Person, database: Database) -> None:
    first, second = arrive(api), arrive(api, "jalan rusak")
    form = {"csrf_token": petugas.token(f"/aduan/{first}"), "keadaan": "0", "putusan": "dlh"}
    for _ in range(2):
        assert petugas.client.post(f"/aduan/{first}", data=form).headers["Location"] == f"/aduan/{second}"
    assert len(verdicts(database)) == 1


def test_a_decision_on_a_decided_complaint_says_who_was_first(api: Api, petugas: Person, database: Database) -> None:
    number, budi = arrive(api), colleague(database)
    form = {"csrf_token": petugas.token(f"/aduan/{number}"), "keadaan": "0", "putusan": "dpupr", "catatan": NOTE}
    with database.write() as connection:
        connection.execute(standing.update().values(claimed_by=None, claimed_until=None))
        review.decide(connection, number, Choice("dlh"), budi, None, 10)
    late = petugas.client.post(f"/aduan/{number}", data=form)
    assert late.status_code == 409
    assert "sudah diputuskan oleh Budi" in late.text
    assert typed(late.text, "catatan") == NOTE
    assert [row.agency for row in verdicts(database)] == ["dlh"]


def test_who_is_late_gets_back_the_question_that_they_wrote_alone(api: Api, petugas: Person, database: Database) -> None:
    number, budi = arrive(api), colleague(database)
    page = petugas.client.get(f"/aduan/{number}").text
    form = {"csrf_token": petugas.token(f"/aduan/{number}"), "keadaan": "0", "pertanyaan": typed(page, "pertanyaan")}
    with database.write() as connection:
        connection.execute(standing.update().values(claimed_by=None, claimed_until=None))
        review.decide(connection, number, Choice("dlh"), budi, None, 10)

    def told(**sent: str) -> str:
        return petugas.client.post(f"/aduan/{number}", data=form | sent).text

    own = "Pertanyaan Anda, belum tersimpan"
    chosen = told(putusan="dpupr")
    assert "sudah diputuskan oleh Budi" in chosen
    assert own not in chosen
    assert own in told(putusan="dpupr", pertanyaan="Di mana letaknya?")
    assert own in told(aksi="kurang-informasi", kurang="lokasi")


def test_what_a_colleague_has_open_is_shown_but_not_decided(api: Api, petugas: Person, database: Database) -> None:
    number, budi = arrive(api), colleague(database)
    with database.write() as connection:
        assert claims.take(connection, number, budi, 10)
    page = petugas.client.get(f"/aduan/{number}").text
    assert re.search(r"Sedang dibuka oleh <b>Budi</b> sampai \d\d\.\d\d WITA", page)
    assert 'class="choice' not in page
    form = {"csrf_token": petugas.token("/sandi"), "keadaan": "0", "putusan": "dlh", "catatan": NOTE}
    refused = petugas.client.post(f"/aduan/{number}", data=form)
    assert refused.status_code == 409
    assert "sedang dibuka oleh Budi" in refused.text
    assert typed(refused.text, "catatan") == NOTE
    assert petugas.client.get("/antrean/berikutnya").headers["Location"] == "/antrean"
    assert "dibuka Budi" in petugas.client.get("/antrean").text


def test_whoever_leaves_a_complaint_or_signs_out_leaves_it_to_colleagues(api: Api, petugas: Person, database: Database) -> None:
    number, budi = arrive(api), colleague(database)

    def open_it() -> dict[str, str]:
        page = petugas.client.get(f"/aduan/{number}").text
        until = re.search(r'name="dibuka" value="([^"]+)"', page)
        assert until
        return {"csrf_token": petugas.token("/sandi"), "aksi": "antrean", "dibuka": html.unescape(until[1])}

    def is_free() -> bool:
        with database.write() as connection:
            taken = claims.take(connection, number, budi, 10)
            claims.release(connection, number, budi)
        return taken

    left_before = open_it()
    form = open_it()
    assert petugas.client.post(f"/aduan/{number}", data=left_before, headers=SCRIPT).status_code == 204
    assert not is_free(), "it was opened again since"
    left = petugas.client.post(f"/aduan/{number}?kecamatan=Bengalon", data=form)
    assert (left.status_code, left.headers["Location"]) == (303, "/antrean?kecamatan=Bengalon")
    assert is_free()
    open_it()
    petugas.send("/keluar")
    assert is_free()


def test_an_office_that_a_search_names_is_chosen_whatever_place_the_complaint_names(
    api: Api, petugas: Person, database: Database
) -> None:
    number = arrive(api, kecamatan="Sangatta Utara")
    found = petugas.client.get(f"/aduan/{number}/cari?cari=kecamatan+bengalon").text
    assert "Kecamatan Bengalon" in found
    (offered,) = re.findall(r'name="putusan" value="([^"]*)"', found)
    send(petugas, number, putusan=offered)
    (kept,) = verdicts(database)
    assert (kept.agency, kept.unit) == ("kecamatan", "Bengalon")
    other = arrive(api)
    assert send(petugas, other, putusan="kecamatan/Atlantis").status_code == 422


def test_what_is_offered_again_says_what_it_decides_and_asks_nothing_that_was_not_asked(api: Api, petugas: Person) -> None:
    number = arrive(api)
    form = {"keadaan": "0", "pertanyaan": "Di mana letaknya?", "catatan": "", "unit": "", "kurang": "lokasi"}

    def offered(**pressed: str) -> str:
        token = petugas.token(f"/aduan/{number}")
        petugas.send("/keluar")
        asked = petugas.client.post(
            f"/aduan/{number}", data=form | {"csrf_token": token} | pressed, headers={"Sec-Fetch-Site": "same-origin"}
        )
        carried = re.findall(r'name="(lanjut|csrf_token|simpan-\w+)" value="([^"]*)"', asked.text)
        return petugas.client.post("/masuk", data=dict(carried) | {"nama": "petugas", "sandi": PASSWORD}).text

    chosen = offered(putusan="dlh")
    assert f"Putusan untuk aduan #{number}: Dinas Lingkungan Hidup." in chosen
    assert "Pertanyaan kepada pelapor" not in chosen
    assert f"Putusan untuk aduan #{number}: bukan aduan." in offered(aksi="bukan-aduan")
    asked = offered(aksi="kurang-informasi")
    assert "tanyakan kepada pelapor." in asked
    assert typed(asked, "pertanyaan") == "Di mana letaknya?"


def test_who_sent_it_back_is_marked_and_the_queue_says_so(api: Api, petugas: Person) -> None:
    number = arrive(api, "lampu mati pasti", id="K-1")
    assert api.post("/complaints/K-1/outcome", json={"outcome": "bukan-wewenang"}).status_code == 200
    assert "Dikembalikan instansi" in petugas.client.get("/antrean").text
    page = petugas.client.get(f"/aduan/{number}").text
    (choice,) = re.findall(r'<button class="([^"]*)" name="putusan" value="dishub".*?</button>', page, re.DOTALL)
    assert choice == "choice", "not the one that Enter or the eye takes"
    assert page.count("(sudah mengembalikan)") == 1
    assert "dikembalikan Dinas Perhubungan: bukan wewenangnya" in page
    send(petugas, number, putusan="dlh")
    assert api.post("/complaints/K-1/outcome", json={"outcome": "bukan-wewenang", "agency": "pln"}).status_code == 200
    told = petugas.client.get(f"/aduan/{number}").text
    assert re.search(r"dikembalikan Dinas Lingkungan Hidup, yang menyebut\s+PLN", told)


def test_supporting_agencies_are_seen_wherever_the_decision_is(api: Api, pengelola: Person) -> None:
    number = arrive(api)
    token = pengelola.token(f"/aduan/{number}")
    form = {"csrf_token": token, "keadaan": "0", "putusan": "dlh", "pendukung": ["pln"]}
    with_it = "Dinas Lingkungan Hidup, bersama PLN"
    assert with_it in pengelola.client.post(f"/aduan/{number}", data=form, headers=SCRIPT).text
    for path in (f"/aduan/{number}", "/riwayat"):
        assert with_it in pengelola.client.get(path).text
    assert ",PLN," in pengelola.client.get("/riwayat/ekspor.csv").text


def test_whoever_can_open_nothing_is_told_why(app: Flask, api: Api, petugas: Person, database: Database) -> None:
    number = arrive(api)
    colleague(database)
    other = type(petugas)(app.test_client())
    other.sign_in("budi")
    other.client.get(f"/aduan/{number}")
    assert "sedang dibuka petugas lain" in petugas.client.get("/antrean/berikutnya", follow_redirects=True).text


def test_no_link_of_the_desk_leads_to_what_a_role_may_not_do(app: Flask, api: Api, petugas: Person, database: Database) -> None:
    secret, number = arrive(api, "oknum meminta uang", confidential=True), arrive(api)
    token = petugas.token(f"/aduan/{secret}")
    form = {"csrf_token": token, "keadaan": "0", "putusan": "dlh"}
    saved = petugas.client.post(f"/aduan/{secret}", data=form, headers=SCRIPT).text
    assert f"#{secret}" in saved
    assert f'href="/aduan/{secret}"' not in saved
    petugas.client.get(f"/aduan/{number}")
    colleague(database, "tamu", "peninjau-saja")
    guest = type(petugas)(app.test_client())
    guest.sign_in("tamu")
    page = guest.client.get(f"/aduan/{number}").text
    assert "Sedang dibuka oleh" in page
    assert "/antrean/berikutnya" not in page


def test_a_note_survives_the_end_of_the_session(api: Api, petugas: Person, database: Database) -> None:
    number = arrive(api)
    form = {"csrf_token": petugas.token(f"/aduan/{number}"), "keadaan": "0", "putusan": "dlh", "catatan": NOTE}
    form_with_lists = form | {"pendukung": ["pln", "dpupr"], "kurang": ["lokasi", "waktu"]}
    petugas.send("/keluar")
    asked = petugas.client.post(f"/aduan/{number}", data=form_with_lists, headers={"Sec-Fetch-Site": "same-origin"})
    assert asked.status_code == 401
    assert "tidak hilang" in asked.text
    links = {attributes.get("href") for tag, attributes in Tags(asked.text).found if tag == "a"}
    assert links == {"#isi", "/"}, "a link that offers to sign in, or something else to do, would lose it after all"
    carried = dict(re.findall(r'name="(lanjut|csrf_token)" value="([^"]*)"', asked.text))
    fields = [(name, html.unescape(value)) for name, value in re.findall(r'name="(simpan-\w+)" value="([^"]*)"', asked.text)]
    assert ("simpan-catatan", NOTE) in fields
    signed_in = petugas.client.post(
        "/masuk",
        data={**carried, "nama": "petugas", "sandi": PASSWORD}
        | {name: [value for other, value in fields if other == name] for name, _ in fields},
    )
    assert typed(signed_in.text, "catatan") == NOTE
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', signed_in.text)
    again = {name: [value for other, value in hidden if other == name] for name, _ in hidden} | {"catatan": [NOTE]}
    saved = petugas.client.post(f"/aduan/{number}", data=again)
    assert saved.status_code == 303
    (kept,) = verdicts(database)
    assert (kept.agency, kept.note, kept.also) == ("dlh", NOTE, ["pln", "dpupr"])


def test_a_stale_token_loses_nothing(api: Api, petugas: Person, database: Database) -> None:
    number = arrive(api)
    for headers in ({}, SCRIPT):
        stale = petugas.client.post(
            f"/aduan/{number}", data={"csrf_token": "lama", "putusan": "dlh", "catatan": NOTE}, headers=headers
        )
        assert stale.status_code == 400
        assert "terlalu lama terbuka" in stale.text
        assert typed(stale.text, "catatan") == NOTE
        assert 'name="csrf_token" value="' in stale.text
    assert verdicts(database) == []


def test_a_locked_database_loses_nothing(
    make_app: Callable[..., Flask], api: Api, person: Person, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.storage.database.BUSY_SECONDS", 0.1)
    officer = type(person)(make_app().test_client())
    colleague(database)
    officer.sign_in("budi")
    number = arrive(api)
    form = {"csrf_token": officer.token(f"/aduan/{number}"), "keadaan": "0", "putusan": "dlh", "catatan": NOTE}
    with database.write():
        busy = officer.client.post(f"/aduan/{number}", data=form)
    assert busy.status_code == 503
    assert "sedang sibuk" in busy.text
    assert typed(busy.text, "catatan") == NOTE
    assert verdicts(database) == []
    assert officer.client.post(f"/aduan/{number}", data=form).status_code == 303


@pytest.mark.parametrize("way", ["putuskan", "lewati"])
def test_what_is_kept_is_said_so_where_only_the_next_complaint_cannot_be_read(
    api: Api, petugas: Person, database: Database, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    first, second = arrive(api), arrive(api, "jalan rusak")
    load = cases.load

    def busy(connection: Connection, number: int) -> Case | None:
        if number == second:
            raise OperationalError("SELECT", {}, Exception("canceling statement due to statement timeout"))
        return load(connection, number)

    token = petugas.token(f"/aduan/{first}")
    form = {"csrf_token": token, "keadaan": "0", **({"putusan": "dlh"} if way == "putuskan" else {"aksi": "lewati"})}
    with monkeypatch.context() as patch:
        patch.setattr(cases, "load", busy)
        answer = petugas.client.post(f"/aduan/{first}", data=form, headers=SCRIPT)
    assert (answer.status_code, answer.headers["X-Salur-Alamat"]) == (200, f"/aduan/{second}")
    assert "belum disimpan" not in answer.text
    assert "Aduan berikutnya belum dapat dibuka" in answer.text
    assert "Selesai</h1>" not in answer.text
    assert f'href="/aduan/{second}"' in answer.text
    assert len(verdicts(database)) == (way == "putuskan")
    assert ("Tersimpan" if way == "putuskan" else f"Aduan #{first} dilewati.") in answer.text


def test_skipped_complaints_come_back_when_asked_for(api: Api, petugas: Person) -> None:
    first, second = arrive(api), arrive(api, "jalan rusak")
    assert send(petugas, first, aksi="lewati").headers["Location"] == f"/aduan/{second}"
    last = send(petugas, second, SCRIPT, aksi="lewati")
    assert "Tinggal yang Anda lewati" in last.text
    assert "Tidak ada lagi" not in heard(last.text)
    page = petugas.client.get("/antrean").text
    assert "Anda melewati 2 aduan" in page
    petugas.client.get("/antrean?lagi=1")
    assert petugas.client.get("/antrean/berikutnya").headers["Location"] == f"/aduan/{first}"


def test_neighbours_are_shown_together_and_served_when_asked(api: Api, petugas: Person, database: Database) -> None:
    text = "sampah menumpuk di belakang pasar induk sudah seminggu tidak diangkut petugas {}"
    numbers = [arrive(api, text.format(end)) for end in ("", "ya", "pak")]
    page = petugas.client.get(f"/aduan/{numbers[0]}").text
    assert "juga untuk 2 aduan serupa" in page
    members = re.search(r'name="anggota" value="([\d,]+)"', page)
    assert members
    answer = send(petugas, numbers[0], SCRIPT, putusan="dlh", kelompok="1", anggota=members[1])
    assert "juga untuk 2 aduan serupa" in answer.text
    assert f"Tersimpan. #{numbers[0]}: Dinas Lingkungan Hidup, juga untuk 2 aduan serupa." in heard(answer.text)
    assert len(verdicts(database)) == 3


def test_which_neighbours_a_verdict_passed_over_is_told_with_the_reason(api: Api, petugas: Person, database: Database) -> None:
    text = "sampah menumpuk di belakang pasar induk sudah seminggu tidak diangkut petugas {}"
    numbers = [arrive(api, text.format(end)) for end in ("", "ya", "pak", "bu", "dong")]
    budi = colleague(database)
    with database.write() as connection:
        for number in numbers[1:3]:
            claims.take(connection, number, budi, 10)
    send(petugas, numbers[3], putusan="dlh")
    members = ",".join(map(str, numbers[1:]))
    told = heard(send(petugas, numbers[0], SCRIPT, putusan="dlh", kelompok="1", anggota=members).text)
    passed_over = f"#{numbers[1]}, #{numbers[2]} sedang dibuka Budi; #{numbers[3]} sudah tidak menunggu"
    assert f"juga untuk 1 aduan serupa. Tidak ikut: {passed_over}." in told


def test_a_question_is_put_to_one_reporter_and_not_to_those_of_like_complaints(
    api: Api, petugas: Person, database: Database
) -> None:
    text = "sampah menumpuk di belakang pasar induk sudah seminggu tidak diangkut petugas {}"
    first, other = (arrive(api, text.format(end)) for end in ("", "ya"))
    form = {"aksi": "kurang-informasi", "kurang": "lokasi", "pertanyaan": "Di mana?", "kelompok": "1", "anggota": str(other)}
    send(petugas, first, SCRIPT, **form)
    assert [given.complaint_id for given in verdicts(database)] == [first]


def test_an_audit_case_shows_nothing_of_the_models_word(
    make_app: Callable[..., Flask], api: Api, petugas: Person, key: str, database: Database
) -> None:
    drawing = type(api)(make_app(audit_share=1.0).test_client(), key)
    number = arrive(drawing, "sampah parkir pasti", title="Sampah")
    page = petugas.client.get(f"/aduan/{number}").text
    assert "Pemeriksaan acak" in page
    assert "<mark" not in page
    assert "choice-share" not in page
    assert "palsu-1" not in page
    names = re.findall(r'class="choice-name">([^<:]+)', page)
    assert names == sorted(names)
    queue = petugas.client.get("/antrean").text
    assert "usulan:" not in queue
    assert f"/aduan/{number}" not in petugas.client.get("/antrean?instansi=dishub").text
    findings = petugas.client.get("/antrean/pemeriksaan").text
    assert "1 aduan yang terambil masih menunggu" in findings
    assert "Dinas Perhubungan" not in findings
    told = send(petugas, number, SCRIPT, putusan="dlh")
    assert "Tersimpan." in told.text
    assert "Dinas Perhubungan" in petugas.client.get("/antrean/pemeriksaan").text
    with database.read() as connection:
        (error,) = audit.live_errors(connection)
    assert (error.agency, error.cases, error.wrong) == ("dishub", 1, 1)


def test_an_open_breaker_is_told_to_everyone_and_closed_by_a_head(api: Api, person: Person, app: Flask, database: Database) -> None:
    colleague(database, "kepala", "kepala")
    colleague(database, "petugas")
    head, officer = person, type(person)(app.test_client())
    head.sign_in("kepala")
    officer.sign_in("petugas")
    assert "Belum ada yang selesai diperiksa" in head.client.get("/antrean/pemeriksaan").text
    assert head.send("/antrean/pemeriksaan", aksi="hentikan", instansi="entah", alasan="uji").status_code == 422
    nothing = head.send("/antrean/pemeriksaan", aksi="hentikan", instansi="dlh", alasan=" ")
    assert "Tuliskan alasannya" in nothing.text
    assert head.send("/antrean/pemeriksaan", aksi="hentikan", instansi="dlh", alasan="<b>Kamus</b> keliru").status_code == 303
    for reader in (head, officer):
        for path in ("/antrean", "/sandi", "/antrean/pemeriksaan"):
            assert "Penerusan otomatis ke <b>Dinas Lingkungan Hidup</b> sedang dihentikan" in reader.client.get(path).text
    assert "&lt;b&gt;Kamus&lt;/b&gt; keliru" in officer.client.get("/antrean/pemeriksaan").text
    assert officer.send("/antrean/pemeriksaan", aksi="cabut", nomor="1", alasan="sudah").status_code == 403
    with database.read() as connection:
        number = str(connection.execute(select(breaker.c.id)).scalar_one())
    assert head.send("/antrean/pemeriksaan", aksi="cabut", nomor="x", alasan="sudah").status_code == 422
    assert head.send("/antrean/pemeriksaan", aksi="cabut", nomor=number, alasan="Kamus diperbaiki").status_code == 303
    assert "sedang dihentikan. <a" not in officer.client.get("/antrean").text
    assert "Kamus diperbaiki" in officer.client.get("/antrean/pemeriksaan").text
    assert "menjalankan lagi penerusan otomatis" in head.client.get("/log").text


def test_whoever_may_only_look_cannot_decide_or_hold(api: Api, person: Person, database: Database) -> None:
    colleague(database, "tamu", "peninjau-saja")
    person.sign_in("tamu")
    number, secret = arrive(api), arrive(api, "sampah rahasia sekali", confidential=True)
    page = person.client.get(f"/aduan/{number}").text
    assert 'class="choice' not in page
    with database.read() as connection:
        assert connection.execute(select(standing.c.claimed_by).where(standing.c.complaint_id == number)).scalar_one() is None
    form = {"csrf_token": person.token("/sandi"), "putusan": "dlh"}
    assert person.client.post(f"/aduan/{number}", data=form).status_code == 403
    assert person.client.get("/antrean/berikutnya").status_code == 403
    assert person.client.get(f"/aduan/{secret}").status_code == 403
    assert "sampah rahasia" not in person.client.get("/antrean").text


def test_whoever_may_only_look_sees_which_choices_the_marks_are_about_but_none_of_a_blind_case(
    make_app: Callable[..., Flask], api: Api, person: Person, key: str, database: Database
) -> None:
    colleague(database, "tamu", "peninjau-saja")
    person.sign_in("tamu")
    page = person.client.get(f"/aduan/{arrive(api)}").text
    assert "menguatkan pilihan 1" in page
    first, second = re.findall(r'<li class="candidate.*?<span class="name">([^<]+)', page)[:2]
    assert (first, second) == ("Dinas Lingkungan Hidup", "Dinas Perhubungan")
    drawing = type(api)(make_app(audit_share=1.0).test_client(), key)
    blind = person.client.get(f"/aduan/{arrive(drawing, 'sampah pasti')}").text
    assert "Pemeriksaan acak" in blind
    assert 'class="candidate' not in blind


def test_a_confidential_complaint_that_is_decided_is_closed_to_those_who_decide(
    app: Flask, api: Api, petugas: Person, database: Database
) -> None:
    secret, other = arrive(api, "oknum meminta uang", title="Judul rahasia", confidential=True), arrive(api)
    colleague(database, "kepala", "kepala")
    head = type(petugas)(app.test_client())
    head.sign_in("kepala")
    send(head, secret, putusan="dlh", keadaan="0")
    (given,) = verdicts(database)
    page, form = f"/aduan/{secret}", {"csrf_token": petugas.token("/sandi"), "cari": "x", "keadaan": "0"}
    answers = [
        petugas.client.get(page),
        petugas.client.get(f"{page}/pertanyaan"),
        petugas.client.get(f"{page}/cari"),
        *(petugas.client.post(page, data=form | more) for more in ({"aksi": "cari"}, {"aksi": "susun"}, {"putusan": "pln"})),
        petugas.client.post(page, data={"csrf_token": "lama"}),
        petugas.client.post(page, data=form | {"aksi": "urungkan", "putusan": str(given.id)}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 8
    assert not any("meminta uang" in answer.text or "Judul rahasia" in answer.text for answer in answers)
    assert send(petugas, other, aksi="urungkan", putusan=str(given.id)).status_code == 409, "a verdict of another complaint"
    assert len(verdicts(database)) == 1
    assert head.client.get(page).status_code == 200


def test_the_pages_that_list_a_confidential_complaint_lead_there_only_whoever_may_open_it(
    app: Flask, api: Api, petugas: Person, database: Database
) -> None:
    waiting, decided = (arrive(api, f"oknum meminta uang {word}", confidential=True) for word in ("satu", "dua"))
    send(petugas, decided, putusan="dlh")
    people = {"petugas": petugas}
    for role in ("kepala", "peninjau-saja"):
        colleague(database, role, role)
        people[role] = type(petugas)(app.test_client())
        people[role].sign_in(role)
    for role, person in people.items():
        pages = {path: person.client.get(path).text for path in ("/antrean", "/riwayat")}
        for path, number in (("/antrean", waiting), ("/riwayat", waiting), ("/riwayat", decided)):
            opens = person.client.get(f"/aduan/{number}").status_code == 200
            assert (f'href="/aduan/{number}"' in pages[path]) == opens, (role, path, number)
    assert f'href="/aduan/{waiting}"' not in pages["/antrean"], "the last one may only look"
    assert "keadaan=asked" in pages["/antrean"], "what was asked waits elsewhere"


def test_whoever_opens_a_confidential_complaint_is_in_the_log_and_the_queue_tells_none_of_its_words(
    api: Api, petugas: Person, database: Database
) -> None:
    secret, other = arrive(api, "oknum meminta uang", title="Judul rahasia", confidential=True), arrive(api)

    def opened() -> list[tuple[str, int]]:
        with database.read() as connection:
            lines = connection.execute(select(audit_log).where(audit_log.c.action == "confidential-opened"))
            return [(line.object, line.account_id) for line in lines]

    queue = petugas.client.get("/antrean").text
    assert "Laporan rahasia" in queue
    assert not any(word in queue for word in ("Judul rahasia", "meminta uang"))
    petugas.client.get(f"/aduan/{other}")
    assert opened() == []
    assert "meminta uang" in petugas.client.get(f"/aduan/{secret}").text
    (line,) = opened()
    with database.read() as connection:
        who = connection.execute(select(account.c.id).where(account.c.name == "petugas")).scalar_one()
    assert line == (f"complaint:{secret}", who)
    form = {"csrf_token": petugas.token("/sandi"), "aksi": "cari", "cari": "dlh"}
    assert petugas.client.post(f"/aduan/{secret}", data=form).status_code == 200
    assert opened() == [line], "the same page again is not opened again"
    skip = {"csrf_token": petugas.token("/sandi"), "aksi": "lewati"}
    assert "meminta uang" in petugas.client.post(f"/aduan/{other}", data=skip, headers=SCRIPT).text
    assert opened() == [line, line], "the next complaint is opened where the one before was left"


def test_the_form_of_a_confidential_complaint_sent_twice_is_kept_once(api: Api, petugas: Person, database: Database) -> None:
    secret = arrive(api, "oknum meminta uang", confidential=True)
    form = {"csrf_token": petugas.token(f"/aduan/{secret}"), "keadaan": "0", "putusan": "dlh"}
    assert [petugas.client.post(f"/aduan/{secret}", data=form).status_code for _ in range(2)] == [303, 303]
    assert len(verdicts(database)) == 1


def test_whoever_decided_a_confidential_complaint_can_take_it_back_at_once(api: Api, petugas: Person, database: Database) -> None:
    secret = arrive(api, "oknum meminta uang", confidential=True)
    assert send(petugas, secret, putusan="dlh").status_code == 303
    token = petugas.token("/sandi")
    (given,) = verdicts(database)
    undone = petugas.client.post(f"/aduan/{secret}", data={"csrf_token": token, "aksi": "urungkan", "putusan": str(given.id)})
    assert undone.headers["Location"] == f"/aduan/{secret}"
    assert petugas.client.get(f"/aduan/{secret}").status_code == 200


def test_a_form_with_more_in_it_is_not_the_same_form_again(api: Api, petugas: Person) -> None:
    number = arrive(api)
    first = {"csrf_token": petugas.token(f"/aduan/{number}"), "keadaan": "0", "putusan": "dlh"}
    assert petugas.client.post(f"/aduan/{number}", data=first).status_code == 303
    assert petugas.client.post(f"/aduan/{number}", data=first).status_code == 303
    assert petugas.client.post(f"/aduan/{number}", data=first | {"pendukung": "pln"}).status_code == 409


def test_without_a_model_a_complaint_is_still_shown(api: Api, petugas: Person, app: Flask, settings: Any) -> None:
    (settings.models / "current").unlink()
    number = arrive(api)
    page = petugas.client.get(f"/aduan/{number}")
    assert page.status_code == 200
    assert "Model belum siap" in page.text
    refused = send(petugas, number, putusan="dlh", catatan=NOTE)
    assert refused.status_code == 422
    assert typed(refused.text, "catatan") == NOTE


def test_a_version_that_cannot_be_loaded_still_names_the_agencies(
    api: Api, petugas: Person, settings: Any, database: Database
) -> None:
    live = settings.models / "palsu-1"
    (live / "ok").unlink()
    (live / "register").mkdir()
    Register.load(Path("data/kutai-timur")).save(live / "register")
    number = arrive(api)
    page = petugas.client.get(f"/aduan/{number}").text
    assert "daftar instansi belum dapat dibaca" not in page
    assert send(petugas, number, putusan="dpupr").status_code == 303
    assert [(one.agency, one.outcome) for one in verdicts(database)] == [("dpupr", "changed")]


def test_strangers_are_asked_to_sign_in(api: Api, person: Person) -> None:
    number = arrive(api)
    for path in ("/antrean", "/antrean/berikutnya", f"/aduan/{number}", f"/aduan/{number}/cari", "/antrean/pemeriksaan"):
        assert person.client.get(path).headers["Location"].startswith("/masuk?lanjut=/")


def test_a_purged_complaint_shows_its_way_but_no_words(api: Api, petugas: Person, database: Database) -> None:
    number = arrive(api, "sampah di pasar lama")
    send(petugas, number, putusan="dlh", catatan=NOTE)
    retention.purge(database, now() + dt.timedelta(days=1))
    page = petugas.client.get(f"/aduan/{number}").text
    assert "Isi sudah dihapus" in page
    assert "Dinas Lingkungan Hidup" in page
    assert "sampah di pasar lama" not in page
    assert "Batalkan putusan" not in page
    refused = send(petugas, number, aksi="urungkan", putusan=str(verdicts(database)[0].id))
    assert refused.status_code == 409
    assert "sudah dihapus" in refused.text
