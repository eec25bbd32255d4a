"""People, keys, the log, the agencies and the models: pages that say what is so, and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from model.artifact import FORMAT
from model.register import Agency, Register
from service.complaints import intake, review
from service.complaints.review import Choice
from service.models import models_page
from service.pages import agencies_page
from service.parts import Parts
from service.promise import breakers
from service.security import accounts, audit_log
from service.security.access import Access
from service.settings import Settings
from service.storage.database import Database
from service.storage.tables import account, api_key, standing
from service.web import headers
from service.web.schemas import ComplaintIn

if TYPE_CHECKING:
    from tests.service.conftest import Person

EVIL = '"><script>alert(1)</script>'
PAGES = (
    *("/riwayat", "/statistik", "/instansi", "/instansi/dlh", "/model", "/pengguna", "/log", "/impor", "/antrean"),
    *("/antrean/pemeriksaan", "/sandi"),
)
"""All that begin with an address of their own; those of one complaint, import or version are in the tests of theirs."""


def test_every_page_keeps_the_strict_policy(pengelola: Person) -> None:
    for path in PAGES:
        answer = pengelola.client.get(path)
        assert answer.status_code == 200
        assert answer.headers["Content-Security-Policy"] == headers.POLICY
        assert not re.search(r"<[^>]+\s(?:style|on\w+)=|<script(?![^>]+src=)|<style", answer.text)


def test_every_page_asks_to_sign_in(person: Person, app: Flask) -> None:
    """Of all views of the app, by what they declare: a new page is in this test as it is made."""
    pages = [rule for rule in app.url_map.iter_rules() if getattr(app.view_functions[rule.endpoint], "access", Access()).signed_in]
    assert {rule.rule for rule in pages} > set(PAGES) - {"/instansi/dlh"}
    for rule in pages:
        path = app.url_map.bind("localhost").build(rule.endpoint, dict.fromkeys(rule.arguments, 1))
        asked = "GET" if "GET" in (rule.methods or ()) else "POST"
        answer = person.client.open(path, method=asked)
        assert answer.headers.get("Location", "").startswith("/masuk"), f"{asked} {path}: {answer.status}"


def test_a_locked_database_is_said_so_on_every_page(pengelola: Person, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: Any, **__: Any) -> Any:
        raise OperationalError("SELECT", {}, Exception("database is locked"))

    monkeypatch.setattr(app.extensions["salur"].database.engine, "connect", locked)
    for path in PAGES:
        answer = pengelola.client.get(path)
        assert answer.status_code == 503
        assert "Sistem sedang sibuk" in answer.text
        assert answer.headers["Retry-After"]


# people


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_new_person_signs_in_with_the_password_shown_once(pengelola: Person, app: Flask) -> None:
    made = pengelola.send("/pengguna/baru", "/pengguna", nama="Siti", lengkap="Siti Aminah", peran="petugas")
    password = _secret(made.text)
    assert password not in pengelola.client.get("/pengguna").text
    siti = type(pengelola)(app.test_client())
    assert siti.sign_in("siti", password).status_code == 302
    assert siti.client.get("/riwayat").headers["Location"] == "/sandi"


def test_a_reset_password_ends_the_session(pengelola: Person, app: Flask, database: Database) -> None:
    number, siti = _add(pengelola, app, database, "siti", "petugas")
    password = _secret(pengelola.send(f"/pengguna/{number}/sandi", "/pengguna").text)
    assert siti.client.get("/riwayat").status_code == 302
    assert siti.sign_in("siti", password).status_code == 302


def test_a_closed_account_is_out_and_comes_back(pengelola: Person, app: Flask, database: Database) -> None:
    number, siti = _add(pengelola, app, database, "siti", "petugas")
    pengelola.send(f"/pengguna/{number}/aktif", "/pengguna", aktif="tidak")
    assert siti.client.get("/riwayat").status_code == 302
    assert siti.sign_in("siti").status_code == 401
    pengelola.send(f"/pengguna/{number}/aktif", "/pengguna", aktif="ya")
    assert siti.sign_in("siti").status_code == 302


def test_a_changed_role_holds_at_once(pengelola: Person, app: Flask, database: Database) -> None:
    number, siti = _add(pengelola, app, database, "siti", "petugas")
    assert siti.client.get("/impor").status_code == 200
    pengelola.send(f"/pengguna/{number}/peran", "/pengguna", peran="peninjau-saja")
    assert siti.client.get("/impor").status_code == 302, "the session of the old role is over"
    assert siti.sign_in("siti").status_code == 302
    assert siti.client.get("/impor").status_code == 403


def test_nobody_closes_their_own_account_by_a_click(pengelola: Person, database: Database) -> None:
    with database.write() as connection:
        accounts.add(connection, "lain", "pengelola", "katak-melompat-7x", must_change=False)
        own = connection.execute(select(account.c.id).where(account.c.name == "pengelola")).scalar_one()
    assert pengelola.client.get("/pengguna").text.count("Ya, nonaktifkan") == 1
    refused = pengelola.send(f"/pengguna/{own}/aktif", "/pengguna", aktif="tidak")
    assert refused.status_code == 422
    assert "Akun sendiri" in refused.text


def test_nobody_gives_up_their_own_role_by_a_slip_and_what_was_changed_is_told_by_name(
    pengelola: Person, database: Database
) -> None:
    with database.write() as connection:
        other = accounts.add(connection, "lain", "pengelola", "katak-melompat-7x", "Ani {0}", must_change=False)
        own = connection.execute(select(account.c.id).where(account.c.name == "pengelola")).scalar_one()
    shown = pengelola.client.get("/pengguna").text
    assert f"/pengguna/{other}/peran" in shown
    assert f"/pengguna/{own}/peran" not in shown
    refused = pengelola.send(f"/pengguna/{own}/peran", "/pengguna", peran="petugas")
    assert refused.status_code == 422
    assert "Peran sendiri tidak dapat diganti" in refused.text
    pengelola.send(f"/pengguna/{other}/peran", "/pengguna", peran="kepala")
    assert "Peran Ani {0} kini: Kepala." in pengelola.client.get("/pengguna").text
    pengelola.send(f"/pengguna/{other}/aktif", "/pengguna", aktif="tidak")
    assert "Akun Ani {0} sudah dinonaktifkan" in pengelola.client.get("/pengguna").text


def test_a_rate_is_written_as_people_here_write_it(pengelola: Person, database: Database) -> None:
    made = pengelola.send("/pengguna/kunci", "/pengguna", nama="Jembatan", kewenangan="predict", laju="100 per Menit")
    assert made.status_code == 200
    with database.read() as connection:
        assert connection.execute(select(api_key.c.rate_limit)).scalar_one() == "100 per minute"
    assert "paling banyak 100 per menit" in pengelola.client.get("/pengguna").text
    assert "kewenangan: meminta usulan instansi" in pengelola.client.get("/log").text


@pytest.mark.parametrize(
    ("form", "data", "told"),
    [
        ("baru", {"nama": "", "peran": "petugas"}, "Nama pengguna"),
        ("baru", {"nama": "pengelola", "peran": "petugas"}, "sudah dipakai"),
        ("baru", {"nama": EVIL, "peran": "petugas"}, "Nama pengguna"),
        ("baru", {"nama": "siti", "peran": EVIL}, "tidak dikenal"),
        ("kunci", {"nama": "", "kewenangan": ["predict"]}, "Isi nama"),
        ("kunci", {"nama": "x"}, "paling sedikit satu kewenangan"),
        ("kunci", {"nama": "x", "kewenangan": [EVIL]}, "paling sedikit satu kewenangan"),
        ("kunci", {"nama": "x", "kewenangan": ["predict"], "sumber": EVIL}, "Sumber:"),
        ("kunci", {"nama": "x", "kewenangan": ["predict"], "laju": "sering"}, "Batas laju"),
    ],
)
def test_a_person_or_a_key_that_cannot_be_added_is_said_why(pengelola: Person, form: str, data: dict[str, Any], told: str) -> None:
    refused = pengelola.send(f"/pengguna/{form}", "/pengguna", **data)
    assert refused.status_code == 422
    assert told in refused.text
    assert "<script>alert" not in refused.text


def test_only_administrators_see_the_people(petugas: Person) -> None:
    assert petugas.client.get("/pengguna").status_code == 403
    assert petugas.send("/pengguna/baru", nama="x", peran="pengelola").status_code == 403


def test_somebody_who_is_not_there_cannot_be_changed(pengelola: Person) -> None:
    assert pengelola.send("/pengguna/999/sandi", "/pengguna").status_code == 404


# keys


def test_a_key_is_shown_once_works_and_is_void_once_revoked(pengelola: Person, app: Flask, database: Database) -> None:
    made = pengelola.send("/pengguna/kunci", "/pengguna", nama="Jembatan", sumber="wa", kewenangan=["predict"])
    secret = _secret(made.text)
    assert secret not in pengelola.client.get("/pengguna").text
    call = {"headers": {"Authorization": f"Bearer {secret}"}, "json": {"text": "lampu mati"}}
    assert app.test_client().post("/api/v1/predictions", **call).status_code == 200
    with database.read() as connection:
        number = connection.execute(select(api_key.c.id)).scalar_one()
    pengelola.send(f"/pengguna/kunci/{number}/cabut", "/pengguna")
    assert "dicabut" in pengelola.client.get("/pengguna").text
    app.extensions["salur-gate"]._keys._known.clear()
    assert app.test_client().post("/api/v1/predictions", **call).status_code == 401


# the log


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_the_log_shows_who_did_what_and_can_be_narrowed(pengelola: Person, database: Database) -> None:
    with database.write() as connection:
        audit_log.write(connection, "key-revoked", "key:9", {"name": EVIL}, account_id=1)
        audit_log.write(connection, "sesuatu-baru", "x:1", {"list": ["a", "b"]})
    page = pengelola.client.get("/log").text
    assert "mencabut kunci API" in page
    assert "sesuatu-baru" in page
    assert "<script>alert" not in page
    assert "mencabut kunci API</td>" not in pengelola.client.get("/log?tindakan=signed-in").text
    assert "sesuatu-baru</td>" not in pengelola.client.get("/log?siapa=pengelola").text
    assert "Tidak ada catatan yang cocok" in pengelola.client.get("/log?sampai=2020-01-01").text
    assert "sesuatu-baru</td>" in pengelola.client.get("/log?dari=2100-01-01&sampai=2020-01-01").text, (
        "the days the other way round"
    )


def test_the_log_offers_its_actions_in_the_order_of_their_words(pengelola: Person, database: Database) -> None:
    with database.write() as connection:
        for action in ("confidential-opened", "account-added", "decided"):
            audit_log.write(connection, action, "complaint:1")
        audit_log.write(connection, "purged", "", {"before": "2026-03-01T00:00:00+00:00"})
    page = pengelola.client.get("/log").text
    offered = re.findall(r"<option [^>]*>([^<]*)</option>", page.partition('name="tindakan"')[2].partition("</select>")[0])
    assert offered[0] == "semua"
    assert offered[1:] == sorted(offered[1:])
    assert "sebelum: 1 Mar 2026 08.00 WITA" in page


def test_the_log_goes_back_page_by_page(pengelola: Person, database: Database) -> None:
    with database.write() as connection:
        for number in range(150):
            audit_log.write(connection, "key-added", f"key:{number}")
    first = pengelola.client.get("/log?tindakan=key-added").text
    assert "kunci 149" in first
    assert "kunci 20<" not in first
    older = re.search(r'href="(/log\?sebelum=[^"]+)"', first)
    assert older
    assert "kunci 20<" in pengelola.client.get(older[1].replace("&amp;", "&")).text


def test_nonsense_asked_of_the_log_is_left_out(pengelola: Person) -> None:
    assert pengelola.client.get("/antrean?setelah=0~99999999999999999999").status_code == 200
    assert pengelola.client.get("/impor/99999999999999999999").status_code == 404
    assert pengelola.send("/pengguna/baru", nama="budi", peran="petugas", lengkap="Budi\0 Santoso").status_code == 200
    assert "Budi Santoso" in pengelola.client.get("/pengguna").text
    assert pengelola.client.get("/log?sebelum=x&dari=y&siapa=%00&tindakan=%00").status_code == 200


def test_officers_do_not_see_the_log(petugas: Person) -> None:
    assert petugas.client.get("/log").status_code == 403


# agencies


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_agencies_show_what_is_taken_for_what(app: Flask, petugas: Person) -> None:
    parts: Parts = app.extensions["salur"]
    for _ in range(2):
        _decided(parts, "lampu mati", "dpupr")
    _decided(parts, "lampu mati", "dishub")
    intake.take_in(parts, "uji", ComplaintIn.model_validate({"text": "sampah"}))
    page = petugas.client.get("/instansi").text
    assert '<a href="/riwayat?usulan=dishub&amp;instansi=dpupr">2</a>' in page
    one = petugas.client.get("/instansi/dishub").text
    assert "<b>33%</b> <span>di antaranya benar</span>" in one
    assert "Dinas Pekerjaan Umum" in one
    assert "<b>1</b> <span>menunggu di antrean</span>" in petugas.client.get("/instansi/dlh").text


def test_agencies_are_found_by_what_they_look_after(petugas: Person) -> None:
    page = petugas.client.get("/instansi?cari=sampah").text
    assert "Dinas Lingkungan Hidup" in page
    assert "Dinas Perhubungan" not in page
    assert "Tidak ada instansi yang cocok" in petugas.client.get("/instansi", query_string={"cari": EVIL}).text


def test_a_stopped_agency_says_so(app: Flask, petugas: Person) -> None:
    parts: Parts = app.extensions["salur"]
    version = parts.models.require().version
    with parts.database.write() as connection:
        breakers.open_breaker(connection, "dlh", version, f"terlalu sering keliru {EVIL}", 1)
    for path in ("/instansi", "/instansi/dlh"):
        page = petugas.client.get(path).text
        assert "terlalu sering keliru" in page
        assert "<script>alert" not in page


def test_the_days_of_an_agency_are_written_as_indonesian_does(petugas: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Agency("lama", "Dinas Lama", valid_from="2017-01-31", valid_until="2026-08-01")
    monkeypatch.setattr(agencies_page, "_router", lambda: SimpleNamespace(register=Register(agencies=(old,)), version="v1"))
    page = petugas.client.get("/instansi/lama").text
    assert "<dd>31 Jan 2017</dd>" in page
    assert "<dd>1 Agu 2026</dd>" in page


def test_an_unknown_agency_is_not_found(petugas: Person) -> None:
    assert petugas.client.get("/instansi/tidak-ada").status_code == 404


def test_what_waits_as_a_blind_case_is_not_counted_for_its_agency(make_app: Callable[..., Flask], petugas: Person) -> None:
    parts: Parts = make_app(audit_share=1.0).extensions["salur"]
    intake.take_in(parts, "uji", ComplaintIn.model_validate({"text": "pasti sampah"}))
    assert "<b>0</b> <span>menunggu di antrean</span>" in petugas.client.get("/instansi/dlh").text


# models


@pytest.fixture
def registry(settings: Settings) -> Path:
    """The registry with a second version that has a report and a card, and a ledger with a torn last line."""
    folder = settings.models / "palsu-2"
    (folder / "report").mkdir(parents=True)
    metrics = {"accuracy": 0.71, "rows": 900, "ece": 0.031, "auto": {"target_error": 0.05, "error": 0.031, "coverage": 0.42}}
    manifest = {"version": "palsu-2", "format": FORMAT, "files": {}, "created": "2026-11-20T08:00:00+00:00", "metrics": metrics}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "report" / "report.html").write_text("<script>alert(1)</script><p>Laporan</p>")
    (folder / "MODEL_CARD.md").write_text("# Kartu\n<script>alert(1)</script>")
    entry = {"when": "2026-11-20T08:00:00+00:00", "what": "promoted", "version": "palsu-1", "who": "rina", "why": f"pertama {EVIL}"}
    (settings.models / "ledger.jsonl").write_text(json.dumps(entry) + '\n[1]\n{"when": "2026-')
    return settings.models


@pytest.mark.usefixtures("registry")
def test_the_versions_are_listed_with_the_one_in_use(petugas: Person) -> None:
    page = petugas.client.get("/model").text
    assert page.index("palsu-1") < page.index("palsu-2")
    assert re.search(r'palsu-1</a>\s*<span class="badge good">dipakai', page)
    assert "71%" in page
    assert "mulai dipakai" in page
    assert "<script>alert" not in page


@pytest.mark.usefixtures("registry")
def test_a_version_shows_its_figures_and_its_card_as_text(petugas: Person) -> None:
    page = petugas.client.get("/model/palsu-2").text
    assert "<b>42%</b> <span>diteruskan otomatis saat diuji</span>" in page
    assert "<b>3,1%</b> <span>di antaranya keliru; janji paling banyak 5%</span>" in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.usefixtures("registry")
def test_a_report_is_shown_without_any_power(petugas: Person) -> None:
    answer = petugas.client.get("/model/palsu-2/laporan")
    assert answer.headers.getlist("Content-Security-Policy") == [models_page.REPORT_POLICY]
    assert models_page.REPORT_POLICY.startswith("sandbox; default-src 'none'")
    assert "script" not in models_page.REPORT_POLICY
    saved = petugas.client.get("/model/palsu-2/laporan?unduh=1")
    assert saved.headers["Content-Disposition"] == 'attachment; filename="laporan-palsu-2.html"'


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2fmodels", "ledger.jsonl", "tidak-ada", "current", "a" * 300])
def test_only_versions_can_be_asked_for(name: str, petugas: Person) -> None:
    assert petugas.client.get(f"/model/{name}").status_code == 404
    assert petugas.client.get(f"/model/{name}/laporan").status_code == 404


def test_a_version_that_cannot_be_read_says_why_without_its_path(petugas: Person, settings: Settings) -> None:
    (settings.models / "palsu-3").mkdir()
    (settings.models / "palsu-3" / "manifest.json").write_text("{")
    page = petugas.client.get("/model").text
    assert "palsu-3" in page
    assert "unreadable" in page
    assert str(settings.models) not in page


def test_a_pointer_to_a_broken_version_is_told_and_the_old_one_goes_on(petugas: Person, settings: Settings, app: Flask) -> None:
    parts: Parts = app.extensions["salur"]
    assert parts.models.router() is not None
    (settings.models / "palsu-9").mkdir()
    (settings.models / "current").write_text("palsu-9\n")
    parts.models._looked_at = float("-inf")
    page = petugas.client.get("/model").text
    assert "versi palsu-1 tetap dipakai" in page


def test_without_any_model_the_pages_say_what_to_do(petugas: Person, settings: Settings) -> None:
    (settings.models / "current").unlink()
    assert "Belum ada model yang dipakai" in petugas.client.get("/model").text
    missing = petugas.client.get("/instansi")
    assert missing.status_code == 503
    assert "halaman Model" in missing.text
    for path in ("/riwayat", "/statistik", "/impor"):
        assert petugas.client.get(path).status_code == 200


def _secret(page: str) -> str:
    found = re.search(r'<code class="secret">([^<]+)</code>', page)
    assert found, "nothing is shown once"
    return found[1]


def _add(like: Person, app: Flask, database: Database, name: str, role: str) -> tuple[int, Person]:
    with database.write() as connection:
        number = accounts.add(connection, name, role, "katak-melompat-7x", must_change=False)
    person = type(like)(app.test_client())
    assert person.sign_in(name).status_code == 302
    return number, person


def _decided(parts: Parts, text: str, agency: str) -> None:
    number = intake.take_in(parts, "uji", ComplaintIn.model_validate({"text": text})).number
    with parts.database.write() as connection:
        row = connection.execute(select(standing).where(standing.c.complaint_id == number)).one()
        review.record(connection, row, Choice(agency), origin="desk", account_id=1)
