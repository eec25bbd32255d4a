"""Answers that no view gives, written byte by byte: to callers whose request is not looked at, or is none of HTTP."""

from __future__ import annotations

import json
from http import HTTPStatus

from service.web.problems import KINDS, MEDIA_TYPE, RETRY_SECONDS, Problem, is_for_machines


def unread(name: str, detail: str, request: bytes | bytearray) -> bytes:
    """Write the answer to a request that is not even looked at."""
    path = bytes(request[:2_000]).partition(b" ")[2].partition(b" ")[0].partition(b"?")[0].decode("ascii", "replace")
    return of_kind(name, detail, for_machines=is_for_machines(path))


def of_kind(name: str, detail: str = "", *, for_machines: bool) -> bytes:
    """Write an answer that no view gives: a problem for machines, a page for people."""
    kind = KINDS[name]
    if for_machines:
        media = MEDIA_TYPE
        body = json.dumps(Problem(name, detail).document())
    else:
        media = "text/html; charset=utf-8"
        body = f'<!doctype html><html lang="id"><title>{kind.heading}</title><h1>{kind.heading}</h1><p>{kind.advice}</p></html>'
    content = body.encode()
    head = (
        f"HTTP/1.1 {kind.status} {HTTPStatus(kind.status).phrase}",
        f"Content-Type: {media}",
        f"Content-Length: {len(content)}",
        *([f"Retry-After: {RETRY_SECONDS}"] if kind.status == HTTPStatus.SERVICE_UNAVAILABLE else []),
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Content-Security-Policy: default-src 'none'",
        "Connection: close",
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + content
