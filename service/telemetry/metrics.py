"""Figures for Prometheus. With several workers each writes its own files, and any of them can add all up."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from functools import lru_cache

from flask import Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from werkzeug.wrappers import Response as BaseResponse

from model.routing import Routing
from service.parts import Parts
from service.security import access

_METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))
"""Methods that are counted by name: anybody can make up others, and each would be kept for ever."""
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_REQUESTS = Counter("salur_requests_total", "Requests answered", ("route", "method", "status"))
_SECONDS = Histogram("salur_request_seconds", "Time to answer a request", ("route",), buckets=_BUCKETS)
_ROUTINGS = Counter("salur_routings_total", "Routings given", ("call", "decision"))
_STORED = Counter("salur_complaints_stored_total", "Complaints taken in", ("decision",))
_VERDICTS = Counter("salur_verdicts_total", "Verdicts recorded", ("origin", "outcome"))
_BREAKERS = Counter("salur_breaker_changes_total", "Breakers opened and closed", ("agency", "change"))
_REFUSED = Counter("salur_refused_total", "Connections ended before a thread saw a request: busy (503) or slow (408)", ("why",))
_SHADOW = Counter("salur_shadow_answers_total", "Complaints that a challenger answered beside the model in use", ("result",))
_SHADOW_TROUBLE = Gauge("salur_shadow_trouble", "1 where the challenger cannot be loaded", multiprocess_mode="livemax")
_TROUBLE = Gauge(
    "salur_model_trouble", "1 where the current version of the registry is not the one in use", multiprocess_mode="livemax"
)
_UNTOLD = Gauge(
    "salur_holidays_untold", "1 where deadlines reach into a year whose holidays are not all known", multiprocess_mode="livemax"
)


def count_routings(routings: Iterable[Routing], call: str) -> None:
    """Count routings that were given to a caller."""
    for routing in routings:
        _routed(call, routing.decision.value).inc()


def count_stored(decision: str, many: int = 1) -> None:
    """Count complaints that were taken in."""
    _STORED.labels(decision).inc(many)


def count_verdict(origin: str, outcome: str) -> None:
    """Count a verdict."""
    _VERDICTS.labels(origin, outcome).inc()


def count_breaker(agency: str, change: str) -> None:
    """Count that the automatic routing of an agency was stopped ("opened") or let go on ("closed")."""
    _BREAKERS.labels(agency, change).inc()


def count_refused(why: str) -> None:
    """Count a caller whom the server turned away before the app saw a request: "busy", "slow", or a kind of problem."""
    _REFUSED.labels(why).inc()


def note_model(trouble: bool) -> None:
    """Say whether this process could load the version that the registry names."""
    _TROUBLE.set(int(trouble))


def note_shadow(trouble: bool) -> None:
    """Say whether this process was to ask the challenger and could not load it."""
    _SHADOW_TROUBLE.set(int(trouble))


def count_shadow(answered: int, failed: int) -> None:
    """Count what a challenger answered, and on what it failed."""
    _SHADOW.labels("answered").inc(answered)
    _SHADOW.labels("failed").inc(failed)


def init_app(app: Flask, parts: Parts) -> None:
    """Measure every request, and show the figures at /metrics."""
    app.after_request(_measure)

    @access.public()
    def show() -> Response:
        note_model(bool(parts.models.trouble))
        _UNTOLD.set(int(parts.untold_year() is not None))
        registry: CollectorRegistry = REGISTRY
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    app.add_url_rule("/metrics", "metrics", show)


def _measure(response: BaseResponse) -> BaseResponse:
    asked = request._get_current_object()  # type: ignore[attr-defined]
    route = asked.url_rule.rule if asked.url_rule else "none"
    requests, seconds = _children(route, asked.method if asked.method in _METHODS else "other", response.status_code)
    requests.inc()
    began = g.get("began")
    if began is not None:
        seconds.observe(time.perf_counter() - began)
    return response


@lru_cache(maxsize=100)
def _routed(call: str, decision: str) -> Counter:
    return _ROUTINGS.labels(call, decision)


@lru_cache(maxsize=2_000)
def _children(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    return _REQUESTS.labels(route, method, status), _SECONDS.labels(route)
