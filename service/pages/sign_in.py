"""Pages to sign in, to sign out and to change one's password.

A form that was sent after its session had ended is not lost: signing in carries it along, and offers it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from flask import Blueprint, Flask, current_app, flash, make_response, redirect, render_template, request, session, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from service.complaints import claims
from service.desk import form
from service.parts import parts
from service.security import access, accounts
from service.security.accounts import InvalidAccount
from service.web import problems

blueprint = Blueprint("sign_in", __name__)
CARRIED = "simpan-"
"""Prefix of the fields of a form that is carried through signing in."""
_MAX_CARRIED = 60_000
_MAX_FIELDS = 2_000
"""Characters and fields that are carried: more than any form of ours holds. Whoever is not signed in chooses them."""
_LIMIT = "120 per minute"
_LEFT = "Anda sudah keluar."


def init_app(app: Flask) -> None:
    """Add the pages, and send whoever is not signed in to them."""
    app.register_blueprint(blueprint)
    app.login_manager.unauthorized_handler(ask)  # type: ignore[attr-defined]


def ask() -> Response:
    """Ask to sign in, and bring the person back to where they wanted to go, with what they had written."""
    asked = request.full_path.rstrip("?")
    if request.method in ("GET", "HEAD"):
        return redirect(url_for("sign_in.enter", lanjut=asked))
    if not _is_ours():
        return redirect(url_for("sign_in.enter"), 303)
    if request.endpoint == "sign_in.leave":  # nobody signs in to sign out
        flash(_LEFT)
        return redirect(url_for("sign_in.enter"), 303)
    if (request.content_length or 0) > 8 * _MAX_CARRIED:  # a file is not carried along
        return redirect(url_for("sign_in.enter", lanjut=request.path), 303)
    carried = [(CARRIED + name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    # Passwords are not written into a page.
    carried = [] if request.endpoint == "sign_in.password" else _bounded(carried)
    kept = "Masuk lagi: yang Anda tulis tidak hilang." if carried else "Silakan masuk lagi, lalu ulangi yang terakhir."
    return _form(401, f"Sesi Anda sudah berakhir. {kept}", next_page=asked, carried=carried)


@blueprint.get("/masuk")
@access.public(_LIMIT)
def enter() -> Response:
    """Show the form."""
    if current_user.is_authenticated:
        return redirect(_shown(_local(request.args.get("lanjut", ""))))
    return _form(200, next_page=request.args.get("lanjut", ""))


@blueprint.post("/masuk")
@access.public(_LIMIT)
def check() -> Response:
    """Check name and password."""
    form = request.form
    access.gate().count(parts().settings.sign_in_limit, access.caller())
    carried = _carried()
    with parts().database.read() as connection:
        person = accounts.authenticate(connection, form.get("nama", "")[:100], form.get("sandi", ""))
    if person is None:
        return _form(401, "Nama pengguna atau kata sandi keliru.", form.get("nama", "")[:100], form.get("lanjut", ""), carried)
    with parts().database.write() as connection:
        accounts.note_sign_in(connection, person)
    access.sign_in(person)
    if carried:
        fields = MultiDict((name.removeprefix(CARRIED), value) for name, value in carried)
        target = _local(form.get("lanjut", ""))
        page = render_template("carried.html", target=target, back=_shown(target), fields=fields, what=_what(target, fields))
        return make_response(page)
    return redirect(_shown(_local(form.get("lanjut", ""))))


@blueprint.errorhandler(CSRFError)
def stale(error: CSRFError) -> Response:
    """Show the form again that was open for longer than a session lasts, with all that was in it but the password."""
    if request.endpoint != "sign_in.check":
        return problems.respond(error)
    form = request.form
    carried = _carried() if _is_ours() else []
    message = "Halaman ini terlalu lama terbuka. Masukkan kata sandi sekali lagi."
    return _form(400, message, form.get("nama", "")[:100], form.get("lanjut", ""), carried)


@blueprint.post("/keluar")
@access.page()
def leave() -> Response:
    """End every session of the account: a session is its cookie, and a copy of that would outlive this browser's."""
    person = access.current_account()
    access.sign_out()  # first: whatever becomes of the rest, this browser is out
    with parts().database.write() as connection:
        accounts.end_sessions(connection, person)
        claims.release_all(connection, person.id)
    flash(f"{_LEFT} Sesi lain akun ini ikut diakhiri.")
    return redirect(url_for("sign_in.enter"))


@blueprint.route("/sandi", methods=["GET", "POST"])
@access.page()
def password() -> Response:
    """Change one's own password; every other session of the account ends."""
    person = access.current_account()
    if request.method == "GET":
        return make_response(render_template("password.html", error=""))
    access.gate().count(parts().settings.sign_in_limit, f"account {person.id}")
    error = ""
    with parts().database.write() as connection:
        if accounts.authenticate(connection, person.name, request.form.get("lama", ""), lock=True) is None:
            error = "Kata sandi lama keliru."
        elif request.form.get("baru", "") != request.form.get("ulang", ""):
            error = "Kata sandi baru tidak sama dengan pengulangannya."
        elif request.form.get("baru", "") == request.form.get("lama", ""):
            error = "Kata sandi baru harus lain dari yang lama."
        else:
            try:
                person = accounts.set_password(connection, person, request.form.get("baru", ""), by=person.id)
            except InvalidAccount as wrong:
                error = str(wrong)
    if error:
        return make_response(render_template("password.html", error=error), 422)
    access.sign_in(person)
    flash("Kata sandi sudah diganti. Sesi lain akun ini sudah diakhiri.")
    return redirect(url_for("home"))


def _form(status: int, error: str = "", name: str = "", next_page: str = "", carried: Sequence[tuple[str, str]] = ()) -> Response:
    session.permanent = True  # the CSRF token lives as long as the form is open
    page = render_template("sign_in.html", error=error, name=name, next_page=next_page, carried=carried)
    return make_response(page, status)


def _carried() -> list[tuple[str, str]]:
    """Take from a form to sign in what it carries along."""
    return _bounded([(name, value) for name, value in request.form.items(multi=True) if name.startswith(CARRIED)])


def _bounded(carried: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Answer what is carried, and nothing of it where it is too much: a page is made of it for anybody who asks."""
    written = sum(len(name) + len(value) for name, value in carried)
    return carried if len(carried) <= _MAX_FIELDS and written <= _MAX_CARRIED else []


def _what(target: str, fields: Mapping[str, str]) -> str:
    """Say what a form that was carried along does, "" where only its page can be named."""
    try:
        endpoint, values = current_app.url_map.bind("").match(urlsplit(target).path, "POST")
    except HTTPException:
        return ""
    return form.describe(values["number"], fields) if endpoint == "desk.act" else ""


def _is_ours() -> bool:
    """Tell whether a page of this site sent this form.

    Another site's form comes without the session's cookie, as if the session had ended: carried along, it would be offered to
    the person with a token of ours, and leave only a button to press.
    """
    if site := request.headers.get("Sec-Fetch-Site"):
        return site == "same-origin"
    # An older browser, or plain http. Without the ports: a proxy may have another than we.
    try:
        origin = urlsplit(request.headers.get("Origin", "")).hostname
        return origin is not None and origin == urlsplit(f"//{request.host}").hostname
    except ValueError:  # "http://[" is no address
        return False


def _local(target: str) -> str:
    """Answer a path of this site, whatever was asked for: nobody is sent elsewhere after signing in."""
    try:
        parsed = urlsplit(target)
    except ValueError:  # "http://[" is no address
        return url_for("home")
    if parsed.scheme or parsed.netloc or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return url_for("home")
    return target


def _shown(target: str) -> str:
    """Answer an address of this site if it can be shown, else the nearest page above it: some addresses only take a form."""
    asked = path = urlsplit(target).path
    while path != "/":
        try:
            current_app.url_map.bind("").match(path, "GET")
            break
        except HTTPException:
            path = path.rpartition("/")[0] or "/"
    return target if path == asked else path
