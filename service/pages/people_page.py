"""The page /pengguna: who may sign in and as what, and the keys of the machines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import Connection, select
from werkzeug.wrappers import Response

from service import wording
from service.parts import parts
from service.security import access, accounts, keys
from service.security.accounts import Account, InvalidAccount, Permission
from service.security.keys import InvalidKey
from service.storage.tables import ROLES, SCOPES, account, api_key
from service.web.problems import Problem

blueprint = Blueprint("people", __name__, url_prefix="/pengguna")
_PERIODS = {"detik": "second", "menit": "minute", "jam": "hour", "hari": "day"}
_KEY_FAULTS = {
    "name": "Isi nama yang menjelaskan siapa pemakai kunci ini.",
    "scope": "Pilih paling sedikit satu kewenangan.",
    "source": "Sumber: 1 sampai 50 huruf kecil, angka, atau tanda hubung.",
    "rate limit": "Batas laju ditulis seperti: 100 per menit.",
}


@blueprint.get("")
@access.page(Permission.PEOPLE)
def show() -> Response:
    """List the people and the keys, with the forms to add one."""
    return _page()


@blueprint.post("/baru")
@access.page(Permission.PEOPLE)
def add() -> Response:
    """Create an account; its password is made here and shown this once."""
    form = request.form
    password = accounts.random_password()
    try:
        with parts().database.write() as connection:
            accounts.add(
                connection,
                form.get("nama", "")[:100],
                form.get("peran", ""),
                password,
                form.get("lengkap", ""),
                by=access.current_account().id,
            )
            return _written(connection, password=password, password_of=form.get("nama", "").strip().lower())
    except InvalidAccount as wrong:
        return _page(422, person_error=str(wrong), asked=form)


@blueprint.post("/<row:number>/peran")
@access.page(Permission.PEOPLE)
def change_role(number: int) -> Response:
    """Give somebody another role."""
    role, me = request.form.get("peran", ""), access.current_account()
    if number == me.id and role != me.role:  # a slip would end one's session, and only somebody else could mend it
        return _page(422, person_error="Peran sendiri tidak dapat diganti: minta pengelola lain.")
    done = f"Peran {{}} kini: {wording.ROLES.get(role, role)}."
    return _change(number, lambda connection, person, by: accounts.set_role(connection, person, role, by), done)


@blueprint.post("/<row:number>/aktif")
@access.page(Permission.PEOPLE)
def change_active(number: int) -> Response:
    """Open or close an account."""
    active = request.form.get("aktif") == "ya"
    if not active and number == access.current_account().id:
        return _page(422, person_error="Akun sendiri tidak dapat dinonaktifkan: minta pengelola lain.")
    done = "Akun {} sudah diaktifkan lagi." if active else "Akun {} sudah dinonaktifkan; sesinya sudah diakhiri."
    return _change(number, lambda connection, person, by: accounts.set_active(connection, person, active, by), done)


@blueprint.post("/<row:number>/sandi")
@access.page(Permission.PEOPLE)
def reset(number: int) -> Response:
    """Make a new password, shown this once, that must be changed at the next sign-in."""
    password = accounts.random_password()
    with parts().database.write() as connection:
        person = _find(connection, number)
        accounts.set_password(connection, person, password, must_change=True, by=access.current_account().id)
        return _written(connection, password=password, password_of=person.name)


@blueprint.post("/kunci")
@access.page(Permission.PEOPLE)
def add_key() -> Response:
    """Create an API key, shown this once."""
    form = request.form
    try:
        with parts().database.write() as connection:
            _, secret = keys.add(
                connection,
                form.get("nama", "")[:100],
                form.getlist("kewenangan")[: len(SCOPES) + 1],
                form.get("sumber", "").strip(),
                _rate(form.get("laju", "")),
                by=access.current_account().id,
            )
            return _written(connection, secret=secret)
    except InvalidKey as wrong:
        sentence = next((text for start, text in _KEY_FAULTS.items() if str(wrong).startswith(start)), str(wrong))
        return _page(422, key_error=sentence, asked_key=form)


@blueprint.post("/kunci/<row:number>/cabut")
@access.page(Permission.PEOPLE)
def revoke_key(number: int) -> Response:
    """Make a key void."""
    with parts().database.write() as connection:
        found = keys.revoke(connection, number, access.current_account().id)
    flash("Kunci sudah dicabut." if found else "Kunci itu sudah tidak berlaku.")
    return redirect(url_for("people.show"))


def _rate(text: str) -> str:
    """Read a rate as people here write it: "100 per menit"."""
    return " ".join(_PERIODS.get(word, word) for word in text.lower().split())


def _shown_rate(rate: str) -> str:
    """Write a rate as `_rate` reads it."""
    words = {english: ours for ours, english in _PERIODS.items()}
    return " ".join(words.get(word, word) for word in rate.split())


def _change(number: int, change: Callable[[Connection, Account, int], Account], done: str) -> Response:
    try:
        with parts().database.write() as connection:
            person = change(connection, _find(connection, number), access.current_account().id)
    except InvalidAccount as wrong:
        return _page(422, person_error=str(wrong))
    flash(done.format(person.full_name))
    return redirect(url_for("people.show"))


def _find(connection: Connection, number: int) -> Account:
    person = accounts.get(connection, number)
    if person is None:
        raise Problem("not-found", "There is no such account.", sentence="Akun itu tidak ada.")
    return person


def _page(status: int = 200, **told: Any) -> Response:
    with parts().database.read() as connection:
        return _written(connection, status, **told)


def _written(connection: Connection, status: int = 200, **told: Any) -> Response:
    """Write the page in the caller's transaction: what is shown only once is on it before it is kept."""
    people = connection.execute(select(account).order_by(account.c.active.desc(), account.c.name)).all()
    listed_keys = connection.execute(select(api_key).order_by(api_key.c.revoked_at.is_not(None), api_key.c.name)).all()
    known = {"people": people, "keys": listed_keys, "roles": ROLES, "scopes": wording.SCOPES, "rate": _shown_rate}
    page = render_template("pages/people.html", **known, **told)
    return make_response(page, status)
