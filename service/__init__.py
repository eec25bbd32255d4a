"""The Flask application: `create_app` makes one from settings, and importing this does nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from flask import Flask, redirect, url_for
from flask_login import current_user
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from model.router import Router
from service import wording
from service.active_model import ActiveModel, RouterLike
from service.api import docs, intake_api, predictions
from service.clock import load_calendar
from service.desk import desk_page
from service.imports import import_page, import_worker
from service.models import models_page, shadow_worker
from service.pages import agencies_page, audit_page, history_page, log_page, people_page, sign_in, statistics_page, try_out
from service.parts import Parts
from service.security import access
from service.security.keys import KeyRing
from service.settings import Settings
from service.storage.database import Database
from service.telemetry import health, logs, metrics
from service.web import headers, problems
from service.web.bodies import PlainRequest, RowNumber
from service.web.sessions import PagesOnly
from service.web.streams import Streams

_log = structlog.get_logger("salur")
MAX_BODY = 4_000_000
"""Bytes of a request's body: a hundred complaints of the greatest length, and room to spare."""


class _Salur(Flask):
    """Flask without what this app has no use for, on every request."""

    session_interface = PagesOnly()
    request_class = PlainRequest

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Answer the function itself: none of ours is asynchronous."""
        return func

    def log_exception(self, exc_info: Any) -> None:
        """Log what failed while a problem was being told. Flask's own line holds the address, line breaks and names and all."""
        problems.log_failure(exc_info[1])


def create_app(settings: Settings, load_router: Callable[[Path], RouterLike] = Router.load) -> Flask:
    """Make the application. Opens no connection and loads no model yet.

    `load_router` reads a version's folder.
    Raises InvalidSettings where there is no secret, InvalidData for a broken file of holidays.
    """
    app = _Salur(__name__)
    app.url_map.converters["row"] = RowNumber
    app.url_map.merge_slashes = False  # where an id is empty there is no such address, and no machine is sent to another one
    database = Database(settings.database, pool_size=settings.threads)
    parts = Parts(
        settings=settings,
        secret=settings.read_secret(),
        database=database,
        models=ActiveModel(settings.models, load_router),
        calendar=load_calendar(settings.time_zone, settings.holidays_file),
    )
    app.extensions["salur"] = parts
    app.extensions["salur-streams"] = Streams(settings.threads)
    _configure(app, parts)
    logs.init_app(app)
    if year := parts.untold_year():
        _log.warning("holidays not known", year=year, remedy="a newer version of the package holidays, or SALUR_HOLIDAYS_FILE")
    headers.init_app(app)
    problems.init_app(app)
    access.init_app(app, KeyRing(database), settings.key_limit)
    wording.init_app(app)
    sign_in.init_app(app)
    metrics.init_app(app, parts)
    for module in (predictions, intake_api, docs, health, try_out):
        app.register_blueprint(module.blueprint)
    for page in (agencies_page, history_page, import_page, log_page, models_page, people_page, statistics_page):
        app.register_blueprint(page.blueprint)
    import_worker.init_app(app, parts)
    shadow_worker.init_app(app, parts)
    app.extensions["salur-watches"] = (
        app.extensions["salur-imports"].keep_watch,
        app.extensions["salur-shadow"].keep_watch,
        lambda: parts.models.follow(metrics.note_model),
    )
    desk_page.init_app(app)
    audit_page.init_app(app)
    app.add_url_rule("/", "home", home)
    access.verify(app)
    return app


def _configure(app: Flask, parts: Parts) -> None:
    """Tell Flask of sessions, limits and proxies."""
    app.config.update(
        SECRET_KEY=parts.secret,
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=1_000_000,
        SESSION_COOKIE_NAME="salur",
        SESSION_COOKIE_SECURE=parts.settings.secure_cookies,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=dt.timedelta(hours=parts.settings.session_hours),
        WTF_CSRF_CHECK_DEFAULT=False,  # the gate does, after it knows who is asking
        WTF_CSRF_TIME_LIMIT=None,  # the session's end is the token's end
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if parts.settings.trusted_proxies:
        n = parts.settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]


@access.public()
def home() -> Response:
    """Lead whoever is signed in to the first page of their menu, and everyone else to sign in."""
    if not current_user.is_authenticated:
        return redirect(url_for("sign_in.enter"))
    person = access.current_account()
    return redirect(next((path for path, _, needed in wording.navigation() if needed is None or person.may(needed)), "/sandi"))
