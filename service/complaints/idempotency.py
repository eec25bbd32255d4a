"""Idempotency-Keys: what a sender used one for, so that a request which is sent again changes nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, insert, select, text

from service.clock import now
from service.storage.tables import idempotency
from service.web.problems import Problem


def find(connection: Connection, source: str, key: str) -> Row[Any, Any] | None:
    """Answer the `digest` and the `complaint_id` for which a source used a key before.

    Nobody else uses the key until the transaction ends. Raises the problem `in-flight` while its first use is under way.
    """
    if connection.dialect.name == "postgresql":  # SQLite has one writer: whoever is here waited for the others
        lock = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 727))")
        if not connection.execute(lock, {"name": f"{source} {key}"}).scalar_one():
            told = "A request with this Idempotency-Key is still under way: send it again in a moment."
            raise Problem("in-flight", told, headers={"Retry-After": "1"})
    return connection.execute(
        select(idempotency.c.digest, idempotency.c.complaint_id).where(idempotency.c.source == source, idempotency.c.key == key)
    ).one_or_none()


def keep(connection: Connection, source: str, key: str, digest: str, complaint_id: int) -> None:
    """Remember what a key was used for."""
    values = {"source": source, "key": key, "digest": digest, "complaint_id": complaint_id, "created_at": now()}
    connection.execute(insert(idempotency).values(values))


def reused() -> Problem:
    """Make the problem of a key that was used before, with something else."""
    return Problem("key-reused", "This Idempotency-Key was used with another body.")
