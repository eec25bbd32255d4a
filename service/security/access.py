"""Who may call what, checked in one place: every view declares its access, and one function enforces it.

A view without a declaration is refused when the app is made, so forgetting is impossible.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import Flask, current_app, g, redirect, request, session, url_for
from flask_login import LoginManager, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect, generate_csrf
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from service import rates
from service.clock import now
from service.parts import parts
from service.security import accounts
from service.security.accounts import Account, Permission
from service.security.keys import Key, KeyRing
from service.web.problems import Problem

_View = TypeVar("_View", bound=Callable[..., Any])
_SAFE = ("GET", "HEAD", "OPTIONS")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="salur"'}


@dataclass(frozen=True, slots=True)
class Access:
    """What a view asks for: nothing, a scope of an API key, or a permission of a signed-in person."""

    scope: str = ""
    permission: Permission | None = None
    signed_in: bool = False
    limit: str = ""
    max_body: int = 0


def public(limit: str = "") -> Callable[[_View], _View]:
    """Let everyone in; `limit` names how often one address may come."""
    return _declare(Access(limit=limit))


def api(scope: str) -> Callable[[_View], _View]:
    """Ask for an API key with a scope; an empty one for any key."""
    return _declare(Access(scope=scope or "any"))


def page(permission: Permission | None = None, max_body: int = 0) -> Callable[[_View], _View]:
    """Ask for a signed-in person, and a permission of their role; `max_body` lets only those send more than is usual."""
    return _declare(Access(permission=permission, signed_in=True, max_body=max_body))


def current_key() -> Key:
    """Answer the API key of this request."""
    return cast(Key, g.api_key)


def current_account() -> Account:
    """Answer the person of this request."""
    return cast(Account, current_user._get_current_object())


def sign_in(person: Account) -> None:
    """Begin a session. Whatever the session held before is dropped, so that none can be planted."""
    session.clear()
    session.permanent = True
    session["signed_in_at"] = now().timestamp()
    login_user(person)


def sign_out() -> None:
    """End the session."""
    logout_user()
    session.clear()


class Gate:
    """Enforces the declarations of one app, and the rates."""

    def __init__(self, login: LoginManager, csrf: CSRFProtect, keys: KeyRing, key_limit: str) -> None:
        """Count per process: with several workers a limit holds for each of them."""
        self._login = login
        self._csrf = csrf
        self._keys = keys
        self._key_limit = key_limit
        self._counter = rates.Counter()

    def check(self) -> BaseResponse | None:
        """Let the request through (None) or answer it."""
        rule = request.url_rule
        access: Access | None = getattr(current_app.view_functions[rule.endpoint], "access", None) if rule else None
        if access is None:  # no such address: the router's own 404 or 405 follows
            return None
        if access.scope:  # a key is no cookie: nobody else's page can send it, so it needs no CSRF token
            self._check_key(access.scope)
            return None
        if access.limit:
            self.count(access.limit, f"{request.endpoint} {caller()}")
        if access.signed_in:
            if not current_user.is_authenticated:
                return cast(BaseResponse, self._login.unauthorized())
            if current_account().must_change_password and request.endpoint not in ("sign_in.password", "sign_in.leave"):
                return redirect(url_for("sign_in.password"))
            if access.permission is not None and not current_account().may(access.permission):
                raise Problem("forbidden", f"The role lacks the permission {access.permission}.")
        if access.max_body:  # before the token is read, and the body with it
            request.max_content_length = access.max_body
        if request.method not in _SAFE:
            _expect_cookie()
            self._csrf.protect()
        return None

    def count(self, limit: str, who: str) -> None:
        """Count one more call of somebody under a limit. Raises the problem `too-many` beyond it."""
        if seconds := self._counter.wait(who, rates.parse(limit)):
            raise Problem("too-many", f"The limit is {limit}.", headers={"Retry-After": str(seconds)})

    def _check_key(self, scope: str) -> None:
        scheme, _, presented = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not presented:
            raise Problem("no-key", "Send the header Authorization: Bearer <key>.", headers=_CHALLENGE)
        key = self._keys.find(presented.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            self.count("60 per minute", f"wrong-key {caller()}")
            raise Problem("wrong-key", "The key is unknown, incomplete or revoked.", headers=_CHALLENGE)
        if scope != "any" and not key.may(scope):
            raise Problem("forbidden", f"The key lacks the scope {scope}.")
        self.count(key.rate_limit or self._key_limit, f"key {key.id}")
        g.api_key = key


def caller() -> str:
    """Answer whom rates count: an address of IPv4; of IPv6 its /64, for whoever has one address there has all of them."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:  # a proxy may name somebody in another way
        return request.remote_addr or ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


def _expect_cookie() -> None:
    """Say what is wrong where a browser cannot have kept our cookie: its token would be missing on every try."""
    config = current_app.config
    if config["SESSION_COOKIE_SECURE"] and not request.is_secure and config["SESSION_COOKIE_NAME"] not in request.cookies:
        raise Problem(
            "stale-form",
            "The session cookie is sent over HTTPS only, and this is plain HTTP.",
            sentence="Peramban tidak mengirim cookie Salur. Buka halaman ini lewat HTTPS (pengelola: lihat SALUR_SECURE_COOKIES).",
        )


def init_app(app: Flask, keys: KeyRing, key_limit: str) -> None:
    """Put the gate before every view: access first, then CSRF for the pages' forms."""
    login = LoginManager()
    login.session_protection = None  # it binds a session to an address, and phones change theirs
    # Not by its `init_app`: that looks for a "remember me" in every answer, though nobody is offered one, and lets pages ask the
    # database who is signed in where nobody is.
    app.login_manager = login  # type: ignore[attr-defined]
    login.user_loader(_load_account)
    csrf = CSRFProtect()
    csrf.init_app(app)
    app.jinja_env.globals["csrf"] = csrf_field
    app.extensions["salur-gate"] = Gate(login, csrf, keys, key_limit)
    app.before_request(app.extensions["salur-gate"].check)


def csrf_field() -> Markup:
    """Write the hidden field that every form of a page must hold."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def gate() -> Gate:
    """Answer the gate of the app that serves this request."""
    return cast(Gate, current_app.extensions["salur-gate"])


def verify(app: Flask) -> None:
    """Raise RuntimeError where a view of the app does not declare its access."""
    undeclared = [name for name, view in app.view_functions.items() if not hasattr(view, "access") and name != "static"]
    if undeclared:
        raise RuntimeError(f"views without declared access: {', '.join(sorted(undeclared))}")


def _declare(access: Access) -> Callable[[_View], _View]:
    def mark(view: _View) -> _View:
        view.access = access  # type: ignore[attr-defined]
        return view

    return mark


def _load_account(token: str) -> Account | None:
    hours = parts().settings.session_hours
    if now().timestamp() - float(session.get("signed_in_at", 0)) > hours * 3600:
        return None
    with parts().database.read() as connection:
        return accounts.from_session(connection, token)
