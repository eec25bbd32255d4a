"""What goes wrong, told once: each exception becomes an RFC 9457 problem for machines or a page in Indonesian for people."""

from __future__ import annotations

import errno
import json
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from flask import Flask, Response, g, has_request_context, make_response, render_template, request
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from gunicorn.http.errors import ParseException
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import BadHost, ClientDisconnected, HTTPException, default_exceptions

from service.storage.database import cause

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
_MACHINES = ("/api", "/healthz", "/readyz", "/metrics")
_DOCS = "/api/docs"
_PASSES = ("25006", "42P01", "42703")
"""What PostgreSQL refuses and later does not: to write, as the server became a standby, or to find a table or a column, as the
tables are being taken to another version. psycopg calls them faults of the program; SQLite's driver does not."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE)
_log = structlog.get_logger("salur")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its status, its title for machines, and what a person reads."""

    status: int
    title: str
    heading: str
    advice: str


KINDS: Mapping[str, Kind] = {
    "not-json": Kind(400, "The body is not valid JSON", "Permintaan tidak terbaca", "Data yang dikirim rusak. Silakan ulangi."),
    "bad-request": Kind(400, "The request cannot be read", "Permintaan tidak terbaca", "Silakan kembali dan ulangi."),
    "stale-form": Kind(
        400,
        "The form is out of date",
        "Formulir sudah kedaluwarsa",
        "Halaman ini terlalu lama terbuka. Kembali ke halaman sebelumnya, muat ulang di sana, lalu kirim sekali lagi.",
    ),
    "no-key": Kind(401, "An API key is needed", "Perlu masuk", "Silakan masuk terlebih dahulu."),
    "wrong-key": Kind(401, "The API key is not valid", "Perlu masuk", "Silakan masuk terlebih dahulu."),
    "forbidden": Kind(
        403, "Not allowed", "Tidak diizinkan", "Peran Anda tidak mencakup halaman ini. Hubungi pengelola bila perlu."
    ),
    "not-found": Kind(404, "Not found", "Halaman tidak ditemukan", "Alamatnya mungkin keliru, atau datanya sudah tidak ada."),
    "wrong-method": Kind(405, "Method not allowed", "Cara akses tidak didukung", "Silakan kembali ke halaman sebelumnya."),
    "not-acceptable": Kind(406, "Not acceptable", "Bentuk jawaban tidak tersedia", "Silakan kembali ke halaman sebelumnya."),
    "too-slow": Kind(
        408,
        "The request came too slowly",
        "Kiriman tidak sampai utuh",
        "Kiriman terlalu lambat atau terputus. Belum ada yang tersimpan; silakan kirim sekali lagi.",
    ),
    "conflict": Kind(
        409, "Conflict", "Data sudah berubah", "Orang lain baru saja mengubahnya. Muat ulang untuk melihat keadaan terakhir."
    ),
    "in-flight": Kind(
        409, "The same request is still under way", "Sedang diproses", "Permintaan yang sama sedang diproses. Tunggu sebentar."
    ),
    "too-large": Kind(413, "The body is too large", "Kiriman terlalu besar", "Perkecil isinya, lalu coba lagi."),
    "not-supported": Kind(
        415, "Media type not supported", "Jenis berkas tidak didukung", "Gunakan berkas dengan jenis yang diminta."
    ),
    "invalid": Kind(422, "The request is not valid", "Isian belum benar", "Periksa kembali isian yang ditandai."),
    "key-reused": Kind(422, "The Idempotency-Key was used with another body", "Isian belum benar", "Silakan muat ulang halaman."),
    "uri-too-long": Kind(414, "The address is too long", "Alamat terlalu panjang", "Periksa kembali tautannya."),
    "headers-too-large": Kind(431, "The headers are too large", "Permintaan terlalu besar", "Hapus kuki peramban, lalu coba lagi."),
    "too-many": Kind(429, "Too many requests", "Terlalu banyak permintaan", "Tunggu sebentar, lalu coba lagi."),
    "internal": Kind(
        500,
        "Something went wrong on our side",
        "Terjadi kesalahan di sistem",
        "Kesalahan sudah dicatat. Coba lagi; bila terulang, sampaikan nomor permintaan di bawah kepada pengelola.",
    ),
    "no-model": Kind(
        503, "No model is ready", "Model belum siap", "Belum ada model yang dapat dipakai. Coba lagi beberapa saat lagi."
    ),
    "busy": Kind(503, "Too busy at the moment", "Sistem sedang sibuk", "Data Anda belum tersimpan. Coba lagi beberapa detik lagi."),
}
_BY_STATUS = {
    400: "bad-request",
    401: "no-key",
    403: "forbidden",
    404: "not-found",
    405: "wrong-method",
    406: "not-acceptable",
    408: "too-slow",
    409: "conflict",
    413: "too-large",
    414: "uri-too-long",
    415: "not-supported",
    422: "invalid",
    429: "too-many",
    431: "headers-too-large",
    503: "busy",
}


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing wrong in the body: a JSON pointer to it, and what is wrong. Never the value itself."""

    pointer: str
    detail: str


@dataclass
class Problem(Exception):
    """Raise it anywhere in a request to answer with a problem. `kind` is a key of KINDS.

    `detail` says in English what happened, `sentence` the same to a person in Indonesian.
    """

    kind: str
    detail: str = ""
    errors: Sequence[Detail] = ()
    sentence: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return KINDS[self.kind].status

    def document(self) -> dict[str, Any]:
        """Answer the problem as RFC 9457 has it, with our `errors`, and the `request_id` where a request reached the app."""
        body: dict[str, Any] = {
            "type": f"/api/docs#problem-{self.kind}",
            "title": KINDS[self.kind].title,
            "status": self.status,
            "detail": self.detail or KINDS[self.kind].title + ".",
        }
        if self.errors:
            body["errors"] = [{"pointer": error.pointer, "detail": error.detail} for error in self.errors]
        if has_request_context() and (request_id := g.get("request_id")):
            body["request_id"] = request_id
        return body


def from_exception(error: Exception) -> Problem:
    """Translate any exception; whatever is unknown becomes `internal`, and is logged without values."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, CSRFError):
        return Problem("stale-form", "The CSRF token is missing or out of date.")
    if isinstance(error, ClientDisconnected):  # to Werkzeug a bad request, which nobody would send again
        return Problem("too-slow", "The body came too slowly, or not whole. Nothing was stored; please send it again.")
    if isinstance(error, ParseException):  # of a body in chunks, which only a view reads
        return Problem("bad-request", "The body is not in chunks as its header says.")
    if isinstance(error, HTTPException) and error.code:
        kind = _BY_STATUS.get(error.code, "bad-request" if error.code < 500 else "internal")
        headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
        detail = error.description or "" if kind != "internal" else ""
        if kind == "too-large" and is_for_machines(request.path):  # Werkzeug's words do not tell the limit
            detail = f"The body may have {request.max_content_length:,} bytes."
        return Problem(kind, detail, headers=headers)
    if is_busy(error):
        _log.warning("nothing read or stored now", why=cause(error))  # the sender comes again; who runs this must know what to mend
    if may_be_kept(error):
        told = "The database was lost; whether this was stored is not known. Please send it again with the same id or key."
        return Problem("busy", told, sentence="Sambungan ke basis data terputus: belum pasti tersimpan. Periksa, lalu coba lagi.")
    if is_busy(error):
        return Problem("busy", "The database did not answer in time. Nothing was stored; please send it again.")
    log_failure(error)
    return Problem("internal")


def log_failure(error: BaseException, what: str = "request failed") -> None:
    """Log that something failed: the frames say where; the exception's own text may quote what a citizen wrote."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    _log.error(what, error=type(error).__name__, frames=frames)


def may_be_kept(error: BaseException) -> bool:
    """Tell whether the connection was lost, at the commit perhaps: then nobody knows whether what was written is kept."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def is_busy(error: Exception) -> bool:
    """Tell whether the database could not be reached, was locked, full, read-only or of another version, or the disk is full."""
    if isinstance(error, OSError):  # a large body is put on disk before it is looked at
        return error.errno in _FULL
    return isinstance(error, (OperationalError, InterfaceError, PoolTimeout)) or (
        isinstance(error, DBAPIError) and (error.connection_invalidated or getattr(error.orig, "sqlstate", "") in _PASSES)
    )


def is_for_machines(path: str) -> bool:
    """Tell whether an address is for machines, which get JSON whatever happens and have no session.

    All beneath /api is, but for the page that documents it: whoever asks for a version that does not exist is a machine too.
    """
    return (path.startswith("/api/") and path != _DOCS) or path in _MACHINES


def respond(error: Exception) -> Response:
    """Answer with the problem that an exception is."""
    problem = from_exception(error)
    headers = dict(problem.headers)
    if problem.status == 503:
        headers.setdefault("Retry-After", str(RETRY_SECONDS))
    if is_for_machines(request.path) or isinstance(error, BadHost):  # where the host has no name, no page has a link
        response = Response(json.dumps(problem.document(), ensure_ascii=False), problem.status, content_type=MEDIA_TYPE)
    else:
        # Where we ourselves are in trouble, the page must not ask the database who is reading it.
        nobody = {"person": AnonymousUserMixin()} if problem.status >= 500 and problem.kind != "no-model" else {}
        kind, request_id = KINDS[problem.kind], g.get("request_id", "")
        page = render_template("problem.html", kind=kind, sentence=problem.sentence, request_id=request_id, **nobody)
        response = make_response(page, problem.status)
    response.headers.update(headers)
    return response


def init_app(app: Flask) -> None:
    """Let every exception of the app be answered here."""
    app.register_error_handler(Exception, respond)
    for code in default_exceptions:
        app.register_error_handler(code, respond)
