"""What every answer says to the browser: load nothing from elsewhere, run nothing inline, keep nothing private in a cache."""

from __future__ import annotations

from flask import Flask, g, request
from werkzeug.wrappers import Response

from service.web.problems import is_for_machines

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_PAGE = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Content-Security-Policy", POLICY),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)
_MACHINE = (("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", "default-src 'none'"))


def init_app(app: Flask) -> None:
    """Add the headers to every answer."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    asked = request._get_current_object()  # type: ignore[attr-defined]
    headers = response.headers
    if is_for_machines(asked.path):
        headers.extend(_MACHINE)
    else:
        for name, value in _PAGE:  # a page may have a stricter policy of its own
            headers.setdefault(name, value)
    if "Cache-Control" not in headers and asked.endpoint != "static":
        headers.add("Cache-Control", "no-store")
    if asked.is_secure:
        headers.add("Strict-Transport-Security", "max-age=31536000")
    headers.add("X-Request-Id", g.get("request_id", ""))
    return response
