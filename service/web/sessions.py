"""Sessions for pages alone: a machine has a key, and its calls neither read nor write a cookie."""

from __future__ import annotations

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from service.web.problems import is_for_machines


class PagesOnly(SecureCookieSessionInterface):
    """Opens a session where a person may be reading."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Open the session of a page; a machine gets one that cannot be written."""
        return None if is_for_machines(request.path) else super().open_session(app, request)
