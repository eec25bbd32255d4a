"""Who gets in, as whom, and for how long."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from argon2 import extract_parameters
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from service.security import access, accounts, keys
from service.security.access import Access
from service.security.accounts import PERMISSIONS, InvalidAccount, Permission
from service.security.keys import InvalidKey, KeyRing
from service.storage.database import Database
from service.storage.tables import ROLES, audit_log

if TYPE_CHECKING:
    from tests.service.conftest import Person

PASSWORD = "katak-melompat-7x"  # noqa: S105
OF_NOBODY, OF_SOMEBODY = accounts._UNKNOWN, accounts._hasher.hash(PASSWORD)
"""Hashes as they are made where it counts: those of the tests are cheap."""


def test_a_person_signs_in_and_out(petugas: Person) -> None:
    assert petugas.client.get("/sandi").status_code == 200
    assert petugas.send("/keluar").status_code == 302
    assert petugas.client.get("/sandi").headers["Location"].startswith("/masuk?lanjut=/sandi")


def test_whoever_signs_out_is_out_everywhere_with_any_copy_of_the_cookie(app: Flask, petugas: Person, database: Database) -> None:
    kept, elsewhere = petugas.client.get_cookie("salur"), type(petugas)(app.test_client())
    assert kept is not None
    elsewhere.sign_in("petugas")
    assert petugas.send("/keluar").status_code == 302
    assert elsewhere.client.get("/sandi").status_code == 302
    petugas.client.set_cookie("salur", kept.value)
    assert petugas.client.get("/sandi").status_code == 302
    with database.read() as connection:
        told = connection.execute(select(audit_log.c.action).order_by(audit_log.c.id.desc()).limit(1)).scalar_one()
    assert told == "signed-out"
    assert petugas.sign_in("petugas").status_code == 302


def test_whoever_signs_out_while_the_database_is_busy_is_out_of_this_browser(
    petugas: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = petugas.token("/sandi")
    monkeypatch.setattr(accounts, "end_sessions", _locked)
    assert petugas.client.post("/keluar", data={"csrf_token": token}).status_code == 503
    assert petugas.client.get("/sandi").status_code == 302


def _locked(*_: object) -> None:
    raise OperationalError("", {}, Exception("database is locked"))


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(database: Database, person: Person) -> None:
    with database.write() as connection:
        accounts.add(connection, "siti", "petugas", PASSWORD)
    wrong, unknown = person.sign_in("siti", "bukan-sandinya-9"), person.sign_in("budi", "bukan-sandinya-9")
    assert wrong.status_code == unknown.status_code == 401
    assert "Nama pengguna atau kata sandi keliru." in wrong.text
    assert "Nama pengguna atau kata sandi keliru." in unknown.text


def test_a_new_password_ends_every_other_session(app: Flask, petugas: Person) -> None:
    other = type(petugas)(app.test_client())
    assert other.sign_in("petugas").status_code == 302
    changed = petugas.send("/sandi", lama=PASSWORD, baru="burung-enggang-88", ulang="burung-enggang-88")
    assert changed.status_code == 302
    assert petugas.client.get("/sandi").status_code == 200
    assert other.client.get("/sandi").status_code == 302


def test_a_made_up_password_must_be_changed_before_anything_else(database: Database, person: Person) -> None:
    with database.write() as connection:
        accounts.add(connection, "baru", "pengelola", PASSWORD)
    person.sign_in("baru")
    for page in ("/antrean", "/pengguna", "/log"):
        assert person.client.get(page).headers.get("Location") == "/sandi", page
    added = person.send("/pengguna/baru", nama="teman", peran="pengelola")
    assert added.headers["Location"] == "/sandi"
    with database.read() as connection:
        assert [one.name for one in accounts.everyone(connection)] == ["baru"]
    assert "dibuatkan oleh sistem" in person.client.get("/sandi").text
    assert person.send("/sandi", lama=PASSWORD, baru="burung-enggang-88", ulang="burung-enggang-88").headers["Location"] == "/"
    assert person.client.get("/pengguna").status_code == 200


def test_a_session_ends_after_its_hours_however_much_it_is_used(
    make_app: Callable[..., Flask], database: Database, person: Person
) -> None:
    with database.write() as connection:
        accounts.add(connection, "siti", "petugas", PASSWORD, must_change=False)
    officer = type(person)(make_app(session_hours=3).test_client())
    assert officer.sign_in("siti").status_code == 302
    for hours, status in ((2.9, 200), (0.2, 302)):
        with officer.client.session_transaction() as kept:
            kept["signed_in_at"] -= hours * 3600
        assert officer.client.get("/sandi").status_code == status
    assert officer.sign_in("siti").status_code == 302
    with officer.client.session_transaction() as kept:
        del kept["signed_in_at"]
    assert officer.client.get("/sandi").status_code == 302, "one that does not say when it began has no hours left"


def test_nothing_planted_in_a_session_outlives_signing_in_or_out(petugas: Person) -> None:
    moves: list[Callable[[], TestResponse]] = [lambda: petugas.sign_in("petugas"), lambda: petugas.send("/keluar")]
    for enter_or_leave in moves:
        with petugas.client.session_transaction() as kept:
            kept["titipan"] = "x"
        assert enter_or_leave().status_code == 302
        with petugas.client.session_transaction() as kept:
            assert "titipan" not in kept


def test_a_closed_account_is_out_at_once(database: Database, petugas: Person) -> None:
    with database.write() as connection:
        found = accounts.everyone(connection)[0]
        accounts.set_active(connection, found, active=False)
    assert petugas.client.get("/sandi").status_code == 302
    assert petugas.sign_in("petugas").status_code == 401


def test_a_form_without_its_token_is_refused(petugas: Person) -> None:
    refused = petugas.client.post("/keluar", data={})
    assert refused.status_code == 400
    assert "kedaluwarsa" in refused.text


def test_signing_in_leads_only_to_this_site(database: Database, person: Person) -> None:
    with database.write() as connection:
        accounts.add(connection, "siti", "petugas", PASSWORD, must_change=False)
    for target in ("https://contoh.example/", "//contoh.example", "/\\contoh.example", "javascript:alert(1)", "http://[", "/\t/["):
        assert person.sign_in("siti", lanjut=target).headers["Location"] == "/"
    assert person.sign_in("siti", lanjut="/sandi?x=1").headers["Location"] == "/sandi?x=1"


def test_what_was_written_when_the_session_ended_is_offered_again(app: Flask, database: Database, petugas: Person) -> None:
    token = petugas.token("/sandi")
    with database.write() as connection:
        found = accounts.everyone(connection)[0]
        accounts.set_password(connection, found, PASSWORD)
    form = {"csrf_token": token, "catatan": 'Sudah ditelepon, "tunggu" <b>Senin</b>'}
    refused = petugas.client.post("/aduan/1?umur=terlambat", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert refused.status_code == 401
    assert "tidak hilang" in refused.text
    assert 'value="/aduan/1?umur=terlambat"' in refused.text
    again = petugas.sign_in("petugas", **{"lanjut": "/sandi", "simpan-catatan": 'Sudah ditelepon, "tunggu" <b>Senin</b>'})
    assert again.status_code == 200
    assert "Sudah ditelepon, &#34;tunggu&#34; &lt;b&gt;Senin&lt;/b&gt;</textarea>" in again.text


@pytest.mark.parametrize(
    ("form", "page"),
    [
        ("/pengguna/1/sandi", "/pengguna"),
        ("/pengguna/baru", "/pengguna"),
        ("/impor/3/batal?x=1", "/impor/3"),
        ("/keluar", "/"),
        ("/aduan/1?umur=terlambat", "/aduan/1?umur=terlambat"),
        ("/tidak/ada", "/"),
    ],
)
def test_signing_in_again_leads_to_a_page_and_never_to_an_address_that_only_takes_a_form(
    petugas: Person, form: str, page: str
) -> None:
    assert petugas.sign_in("petugas", lanjut=form).headers["Location"] == page
    offered = petugas.sign_in("petugas", **{"lanjut": form, "simpan-peran": "kepala"})
    assert f'<a href="{page}">Batal' in offered.text


def test_a_new_password_is_another_one_than_the_old(petugas: Person) -> None:
    same = petugas.send("/sandi", lama=PASSWORD, baru=PASSWORD, ulang=PASSWORD)
    assert same.status_code == 422
    assert "harus lain dari yang lama" in same.text


def test_passwords_are_not_carried_through_signing_in(petugas: Person) -> None:
    petugas.client.delete_cookie("salur")
    form = {"lama": PASSWORD, "baru": "kucing-tidur-siang-9", "ulang": "kucing-tidur-siang-9"}
    refused = petugas.client.post("/sandi", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert refused.status_code == 401
    assert PASSWORD not in refused.text
    assert "kucing" not in refused.text
    assert "tidak hilang" not in refused.text


def test_whoever_signs_out_after_the_session_ended_is_signed_out(petugas: Person) -> None:
    petugas.client.delete_cookie("salur")
    left = petugas.client.post("/keluar", headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=True)
    assert left.status_code == 200
    assert "Anda sudah keluar." in left.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://jahat.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://lain.localhost", "Sec-Fetch-Site": "same-site"},
        {"Origin": "https://jahat.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
def test_a_form_of_another_site_is_not_carried_through_signing_in(person: Person, headers: dict[str, str]) -> None:
    answer = person.client.post("/pengguna/1/peran", data={"peran": "pengelola"}, headers=headers)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/masuk")
    assert "Set-Cookie" not in answer.headers, "a session that there is stays"


@pytest.mark.parametrize("origin", ["http://localhost", "http://localhost:8080"])  # a proxy may listen elsewhere than we
def test_a_browser_that_only_names_the_origin_keeps_what_was_written(person: Person, origin: str) -> None:
    answer = person.client.post("/aduan/1", data={"catatan": "tunggu Senin"}, headers={"Origin": origin})
    assert answer.status_code == 401
    assert "tunggu Senin" in answer.text


def test_a_form_to_sign_in_that_was_open_overnight_is_shown_again(person: Person) -> None:
    stale = person.client.post("/masuk", data={"csrf_token": "kemarin", "nama": "siti", "sandi": PASSWORD, "lanjut": "/antrean"})
    assert stale.status_code == 400
    assert 'value="siti"' in stale.text
    assert 'value="/antrean"' in stale.text
    assert "terlalu lama terbuka" in stale.text
    assert PASSWORD not in stale.text


@pytest.mark.parametrize("body", ["a&" * 200_000, "=&" * 200_000, f"{'a' * 100_000}="])
def test_whoever_sends_a_form_of_countless_fields_is_not_sent_a_page_of_them(person: Person, body: str) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
    asked = person.client.post("/impor", data=body, headers=headers)
    assert asked.status_code == 401
    assert len(asked.data) < 10_000
    brought = "&".join(f"simpan-{one}" for one in body.split("&"))[:900_000]
    for token in (person.token(), ""):  # a wrong password, and a form that was open for too long
        again = person.client.post("/masuk", data=f"csrf_token={token}&nama=siti&sandi=salah&{brought}", headers=headers)
        assert (again.status_code, len(again.data) < 10_000) == (401 if token else 400, True)


def test_a_file_is_not_carried_but_the_way_back_is(person: Person) -> None:
    answer = person.client.post("/impor", data={"berkas": "x" * 600_000}, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.headers["Location"] == "/masuk?lanjut=/impor"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer
def test_two_administrators_cannot_close_each_other_at_once(database: Database) -> None:
    with database.write() as connection:
        numbers = [accounts.add(connection, name, "pengelola", PASSWORD) for name in ("satu", "dua")]
    both = threading.Barrier(2, timeout=60)

    def close(number: int) -> str:
        with database.write() as connection:
            person = next(one for one in accounts.everyone(connection) if one.id == number)
            both.wait()
            try:
                accounts.set_active(connection, person, False)
            except accounts.InvalidAccount as error:
                return str(error)
        return ""

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(close, numbers))
    assert told[0] == ""
    assert "satu-satunya pengelola" in told[1]


def test_too_many_attempts_to_sign_in_are_stopped(make_app: Callable[..., Flask], person: Person) -> None:
    guesser = type(person)(make_app(sign_in_limit="2 per day").test_client())  # no window ends here, but at midnight
    assert [guesser.sign_in("siti", f"tebakan-ke-{n}-lho").status_code for n in range(3)] == [401, 401, 429]
    assert int(guesser.sign_in("siti").headers["Retry-After"]) in range(1, 86_401)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:198.51.100.7", "198.51.100.7", True),
        ("198.51.100.7", "198.51.100.8", False),
        ("unknown", "unknown", True),
    ],
)
def test_whoever_has_a_whole_network_of_addresses_guesses_no_more_than_who_has_one(
    make_app: Callable[..., Flask], person: Person, first: str, second: str, same: bool
) -> None:
    guesser = type(person)(make_app(sign_in_limit="2 per day").test_client())
    for address, status in ((first, 401), (first, 401), (second, 429 if same else 401)):
        guesser.client.environ_base["REMOTE_ADDR"] = address
        assert guesser.sign_in("siti", "bukan-sandinya-9").status_code == status


def test_who_guesses_a_name_waits_as_long_as_who_guesses_its_password() -> None:
    name, password = map(extract_parameters, (OF_NOBODY, OF_SOMEBODY))
    assert replace(name, salt_len=0) == replace(password, salt_len=0)


def test_every_role_has_its_permissions_and_only_one_manages_people() -> None:
    assert set(PERMISSIONS) == set(ROLES)
    assert [role for role in ROLES if Permission.PEOPLE in PERMISSIONS[role]] == ["pengelola"]
    assert PERMISSIONS["peninjau-saja"] == {Permission.VIEW}


@pytest.mark.parametrize(
    ("name", "role", "password", "message"),
    [
        ("", "petugas", PASSWORD, "Nama pengguna"),
        ("Nama Lengkap", "petugas", PASSWORD, "Nama pengguna"),
        ("siti", "raja", PASSWORD, "Peran"),
        ("siti", "petugas", "pendek", "12 sampai 200"),
        ("siti", "petugas", "a" * 300, "12 sampai 200"),
        ("siti", "petugas", "aaaaaaaaaaaaaa", "mudah ditebak"),
    ],
)
def test_a_bad_account_is_refused_with_its_reason(database: Database, name: str, role: str, password: str, message: str) -> None:
    with database.write() as connection, pytest.raises(InvalidAccount, match=message):
        accounts.add(connection, name, role, password)


def test_a_name_is_given_once(database: Database) -> None:
    with database.write() as connection:
        accounts.add(connection, "siti", "petugas", PASSWORD)
        with pytest.raises(InvalidAccount, match="sudah dipakai"):
            accounts.add(connection, "SITI ", "kepala", PASSWORD)
        assert [person.name for person in accounts.everyone(connection)] == ["siti"]


def test_the_last_administrator_cannot_be_closed_or_demoted(database: Database) -> None:
    with database.write() as connection:
        accounts.add(connection, "ani", "pengelola", PASSWORD)
        ani = accounts.everyone(connection)[0]
        with pytest.raises(InvalidAccount, match="satu-satunya"):
            accounts.set_active(connection, ani, active=False)
        with pytest.raises(InvalidAccount, match="satu-satunya"):
            accounts.set_role(connection, ani, "petugas")


def test_a_random_password_is_good_enough_for_the_rules() -> None:
    accounts.check_password(accounts.random_password(), "admin")
    assert accounts.random_password() != accounts.random_password()


def test_a_key_is_found_by_its_secret_alone(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "REMEMBER_SECONDS", 0)
    with database.write() as connection:
        number, secret = keys.add(connection, "Kanal WhatsApp", ["predict"])
    ring = KeyRing(database)
    found = ring.find(secret)
    assert found is not None
    assert (found.name, found.source, sorted(found.scopes)) == ("Kanal WhatsApp", "kanal-whatsapp", ["predict"])
    wrong_end = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    for other in (wrong_end, secret[:-1], secret.upper(), "", "salur_", "\0", "x" * 5_000):
        assert ring.find(other) is None
    with database.write() as connection:
        assert keys.revoke(connection, number)
        assert not keys.revoke(connection, number)
    assert ring.find(secret) is None


@pytest.mark.parametrize(
    ("name", "scopes", "rate", "message"),
    [
        (" ", ["predict"], "", "name"),
        ("x", [], "", "scope"),
        ("x", ["root"], "", "root"),
        ("x", ["predict"], "often", "rate"),
        ("?", ["feed"], "", "source"),
    ],
)
def test_a_bad_key_is_refused_with_its_reason(database: Database, name: str, scopes: list[str], rate: str, message: str) -> None:
    with database.write() as connection, pytest.raises(InvalidKey, match=message):
        keys.add(connection, name, scopes, rate_limit=rate)


OPEN = "open to anyone"
SIGNED_IN = "signed in"
WHO_MAY = {
    "GET /": OPEN,
    "GET /masuk": OPEN,
    "POST /masuk": OPEN,
    "GET /coba": OPEN,
    "POST /coba": OPEN,
    "GET /api/docs": OPEN,
    "GET /api/openapi.json": OPEN,
    "GET /healthz": OPEN,
    "GET /readyz": OPEN,
    "GET /metrics": OPEN,
    "GET /api/v1/agencies": "any",
    "GET /api/v1/models/current": "any",
    "POST /api/v1/predictions": "predict",
    "POST /api/v1/complaints": "intake",
    "POST /api/v1/complaints/batch": "intake",
    "GET /api/v1/complaints/<client_id>": "intake",
    "POST /api/v1/complaints/<client_id>/outcome": "outcome",
    "GET /api/v1/decisions": "feed",
    "POST /keluar": SIGNED_IN,
    "GET /sandi": SIGNED_IN,
    "POST /sandi": SIGNED_IN,
    "GET /antrean": Permission.VIEW,
    "GET /antrean/berikutnya": Permission.DECIDE,
    "GET /aduan/<row:number>": Permission.VIEW,
    "POST /aduan/<row:number>": Permission.DECIDE,
    "GET /aduan/<row:number>/cari": Permission.DECIDE,
    "GET /aduan/<row:number>/pertanyaan": Permission.DECIDE,
    "GET /antrean/pemeriksaan": Permission.VIEW,
    "POST /antrean/pemeriksaan": Permission.BREAKER,
    "GET /riwayat": Permission.VIEW,
    "GET /riwayat/ekspor.csv": Permission.EXPORT,
    "GET /riwayat/ekspor.xlsx": Permission.EXPORT,
    "GET /statistik": Permission.VIEW,
    "GET /instansi": Permission.VIEW,
    "GET /instansi/<agency_id>": Permission.VIEW,
    "GET /impor": Permission.IMPORT,
    "POST /impor": Permission.IMPORT,
    "GET /impor/<row:number>": Permission.IMPORT,
    "GET /impor/<row:number>/keadaan": Permission.IMPORT,
    "POST /impor/<row:number>/proses": Permission.IMPORT,
    "POST /impor/<row:number>/batal": Permission.IMPORT,
    "POST /impor/<row:number>/berkas": Permission.IMPORT,
    "GET /model": Permission.VIEW,
    "POST /model": Permission.MODEL,
    "GET /model/<name>": Permission.VIEW,
    "POST /model/<name>": Permission.MODEL,
    "GET /model/<name>/laporan": Permission.VIEW,
    "GET /log": Permission.LOG,
    "GET /pengguna": Permission.PEOPLE,
    "POST /pengguna/baru": Permission.PEOPLE,
    "POST /pengguna/<row:number>/aktif": Permission.PEOPLE,
    "POST /pengguna/<row:number>/peran": Permission.PEOPLE,
    "POST /pengguna/<row:number>/sandi": Permission.PEOPLE,
    "POST /pengguna/kunci": Permission.PEOPLE,
    "POST /pengguna/kunci/<row:number>/cabut": Permission.PEOPLE,
}
"""Every address and method, and what whoever calls it must have: written down a second time, so that no slip lets anyone in."""


def test_every_address_lets_in_whom_the_list_says_and_there_is_no_other(app: Flask) -> None:
    declared = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        asked: Access = getattr(app.view_functions[rule.endpoint], "access")  # noqa: B009 -- a function's own, unknown to mypy
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            declared[f"{method} {rule.rule}"] = asked.scope or asked.permission or (SIGNED_IN if asked.signed_in else OPEN)
    assert declared == WHO_MAY


@pytest.mark.parametrize("role", ["", *ROLES])
def test_every_address_turns_away_the_roles_that_may_not(app: Flask, database: Database, person: Person, role: str) -> None:
    if role:
        with database.write() as connection:
            accounts.add(connection, role, role, PASSWORD, must_change=False)
        person.sign_in(role)
    token = person.token("/sandi")
    for what, needed in WHO_MAY.items():
        method, path = what.split()
        if needed == OPEN or path in ("/keluar", "/sandi"):
            continue
        path = re.sub("<[a-z_]+>", "tidak-ada", re.sub("<row:[a-z]+>", "99999", path))
        answer = person.client.open(path, method=method, data={"csrf_token": token}, headers={"Sec-Fetch-Site": "cross-site"})
        if not isinstance(needed, Permission):  # a scope, of which no session has any
            assert answer.status_code == 401, what
        elif not role:
            assert answer.headers["Location"].startswith("/masuk"), what
        else:
            assert (answer.status_code == 403) == (needed not in PERMISSIONS[role]), what
        answer.close()


def test_a_view_without_declared_access_is_refused(app: Flask) -> None:
    access.verify(app)
    app.view_functions["lupa"] = lambda: ""
    with pytest.raises(RuntimeError, match="lupa"):
        access.verify(app)


def test_every_answer_carries_the_security_headers(client: FlaskClient) -> None:
    for path in ("/api/v1/agencies", "/api/v1/none", "/api/openapi.json", "/healthz", "/metrics"):
        answer = client.get(path).headers
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'"
        assert answer["Cache-Control"] == "no-store"
    page = client.get("/masuk")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Cache-Control"] == "no-store"
    assert client.get("/tidak-ada").headers["X-Frame-Options"] == "DENY"


def test_a_browser_that_cannot_keep_the_cookie_is_told_why(make_app: Callable[..., Flask]) -> None:
    app = make_app(secure_cookies=True)
    refused = app.test_client().post("/masuk", data={"nama": "siti", "sandi": "x"})
    assert refused.status_code == 400
    assert "lewat HTTPS" in refused.text


def test_the_session_cookie_is_out_of_reach_of_scripts(client: FlaskClient, app: Flask) -> None:
    cookie = client.get("/masuk").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    app.config["SESSION_COOKIE_SECURE"] = True
    assert "Secure" in app.test_client().get("/masuk").headers["Set-Cookie"]
