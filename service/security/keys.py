"""API keys: random, shown once, stored hashed; each with its scopes, its source and its rate."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select, update

from model.faults import SalurError
from service import rates
from service.clock import now
from service.security import audit_log
from service.storage.database import Database
from service.storage.tables import SCOPES, api_key

REMEMBER_SECONDS = 2.0
"""How long a key is remembered without asking the database again: a revoked one works for that long."""
_REMEMBERED = 1_000
_FORM = re.compile(r"salur_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")
_SOURCE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?")


class InvalidKey(SalurError):
    """What was asked of a key cannot be done; the text says why."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the service knows it: not its secret, which only its holder has."""

    id: int
    name: str
    source: str
    scopes: frozenset[str]
    rate_limit: str

    def may(self, scope: str) -> bool:
        """Tell whether the key covers a scope; `admin` covers all."""
        return scope in self.scopes or "admin" in self.scopes


def add(
    connection: Connection, name: str, scopes: Sequence[str], source: str = "", rate_limit: str = "", by: int | None = None
) -> tuple[int, str]:
    """Create a key; answers its id and its secret, which cannot be shown again. Raises InvalidKey."""
    if not name.strip():
        raise InvalidKey("name: a key needs a name that says who uses it")
    wrong = [scope for scope in scopes if scope not in SCOPES]
    if wrong or not scopes:
        raise InvalidKey(f"scope {', '.join(wrong) or 'missing'}: one or more of {', '.join(SCOPES)}")
    source = source_of(name, source)
    if rate_limit:
        try:
            rates.parse(rate_limit)
        except ValueError as error:
            raise InvalidKey("rate limit: such as 100 per minute") from error
    prefix = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(12))
    secret = secrets.token_urlsafe(32)
    values = {
        "name": name.strip()[:100],
        "source": source,
        "prefix": prefix,
        "hash": _digest(secret),
        "scopes": sorted(set(scopes)),
        "rate_limit": rate_limit,
        "created_at": now(),
        "created_by": by,
    }
    number = connection.execute(insert(api_key).values(values).returning(api_key.c.id)).scalar_one()
    audit_log.write(connection, "key-added", f"key:{number}", {"name": name, "scopes": sorted(set(scopes))}, account_id=by)
    return number, f"salur_{prefix}_{secret}"


def source_of(name: str, source: str = "") -> str:
    """Answer the source of a key: the one that is asked for, or one made of the key's name. Raises InvalidKey."""
    source = source or re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50].rstrip("-")
    check_source(source)
    return source


def check_source(source: str) -> None:
    """Refuse what can be no key's source. Raises InvalidKey."""
    if not _SOURCE.fullmatch(source):
        raise InvalidKey("source: 1 to 50 lower-case letters, digits and hyphens")


def revoke(connection: Connection, key_id: int, by: int | None = None) -> bool:
    """Make a key void; tells whether there was one to void."""
    done = connection.execute(
        update(api_key).where(api_key.c.id == key_id, api_key.c.revoked_at.is_(None)).values(revoked_at=now())
    )
    if done.rowcount:
        audit_log.write(connection, "key-revoked", f"key:{key_id}", account_id=by)
    return bool(done.rowcount)


@dataclass(slots=True)
class KeyRing:
    """Finds keys by their secret, remembering for a moment those it found so that most calls cost no query."""

    database: Database
    _known: dict[str, tuple[float, Key]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, presented: str) -> Key | None:
        """Answer the key that was presented, or None where it is malformed, unknown, wrong or revoked."""
        match = _FORM.fullmatch(presented)
        if match is None:
            return None
        digest = _digest(match[2])
        moment = time.monotonic()
        with self._lock:
            remembered = self._known.get(digest)
        if remembered and moment - remembered[0] < REMEMBER_SECONDS:
            return remembered[1]
        with self.database.read() as connection:
            row = connection.execute(
                select(api_key).where(api_key.c.prefix == match[1], api_key.c.revoked_at.is_(None))
            ).one_or_none()
        if row is None or not hmac.compare_digest(row.hash, digest):
            return None
        key = Key(row.id, row.name, row.source, frozenset(row.scopes), row.rate_limit)
        with self._lock:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[digest] = (moment, key)
        return key


def _digest(secret: str) -> str:
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()
