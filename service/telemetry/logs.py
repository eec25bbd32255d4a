"""Structured logs, one JSON object a line, each with its request's id. Nothing of a complaint's text is ever logged."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import logging
import re
import secrets
import sys
import time
from contextlib import suppress
from typing import TextIO

import structlog
from flask import Flask, g, has_request_context, request
from structlog.typing import EventDict, FilteringBoundLogger
from werkzeug.wrappers import Response

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = ("/healthz", "/readyz", "/metrics")
_PROCESS = secrets.token_hex(4)
_NUMBERS = itertools.count(1)
_JSON = json.JSONEncoder(default=repr)
_log: FilteringBoundLogger = structlog.get_logger("salur")


class _Unfailing:
    """A stream whose disk may be full, or whose reader gone: what a line tells of must not fail because it cannot be written."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._file.flush()


def configure(level: str) -> None:
    """Send the logs of this process to standard error as JSON lines."""
    structlog.configure(
        processors=[
            _add_request_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(_as_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=_Unfailing(sys.stderr)),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )


class ServerLine(logging.Formatter):
    """Writes what gunicorn itself logs as JSON lines, like all others."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line, a traceback within it."""
        event: EventDict = {"event": record.getMessage(), "process": record.process, "level": record.levelname.lower()}
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        event["timestamp"] = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat().replace("+00:00", "Z")
        return _as_json(event)


def init_app(app: Flask) -> None:
    """Give every request an id, the caller's own where it is a sane one, and log how it ended."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    given = request.environ.get("HTTP_X_REQUEST_ID")
    here = g._get_current_object()
    here.request_id = given if given and _REQUEST_ID.fullmatch(given) else f"{_PROCESS}-{next(_NUMBERS):06x}"
    here.began = time.perf_counter()


def _end(response: Response) -> Response:
    asked = request._get_current_object()  # type: ignore[attr-defined]
    began = g.get("began")
    if asked.path not in _QUIET and began is not None:
        # The route's pattern, not the address: an address can hold a search for a person's name.
        _log.info(
            "request",
            method=asked.method,
            route=asked.url_rule.rule if asked.url_rule else "",
            status=response.status_code,
            ms=round((time.perf_counter() - began) * 1000, 1),
        )
    return response


def _as_json(event: EventDict, **_: object) -> str:
    return _JSON.encode(event)


def _add_request_id(_logger: object, _method: str, event: EventDict) -> EventDict:
    if has_request_context():
        event["request_id"] = g.get("request_id", "")
    return event


def after_fork() -> None:
    """Give a new process its own request ids."""
    global _PROCESS
    _PROCESS = secrets.token_hex(4)
