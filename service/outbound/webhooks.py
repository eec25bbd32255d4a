"""Decisions told to other systems: each entry of the feed is posted, signed, and tried again until it is taken or given up.

At least once, and nearly always in order: an entry that fails does not hold up the later ones, so a receiver keeps the highest
`cursor` it has seen of each complaint. Each receiver of a round is told in a thread of its own. One that cannot be reached is tried
once, and its other entries of the round count as tried, so that no other receiver waits longer than that. The signing key is made
of the service's secret and the webhook's salt: whoever has the database alone cannot forge a delivery.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import http.client
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import ColumnElement, Connection, String, and_, case, func, insert, or_, select, update

from service.clock import now
from service.outbound import feed, outgoing
from service.outbound.outgoing import ForbiddenAddress, Target
from service.security import audit_log, keys
from service.settings import Settings
from service.storage.database import Database
from service.storage.tables import decision, webhook, webhook_delivery

MAX_ATTEMPTS = 17
"""With the waits below that is about a day and a half."""
FIRST_WAIT = dt.timedelta(seconds=10)
LONGEST_WAIT = dt.timedelta(hours=6)
LEASE = dt.timedelta(seconds=4 * outgoing.SECONDS)
"""How long an attempt may take before another worker thinks that the first one died."""
AT_ONCE = 8
AT_ONCE_EACH = 25
"""Addresses of one round, those whose entries wait longest, and attempts for each of them; the rest waits for the next round."""
ROUND = dt.timedelta(seconds=outgoing.SECONDS / 2)
"""How long attempts of a round are begun; what is left is due in the next one, which waits for the slowest answer of this one."""
_ANSWERED = "answered with status " + webhook_delivery.c.last_status.cast(String)
_log = structlog.get_logger("salur")
Send = Callable[[Target, bytes, Mapping[str, str]], int]


@dataclass(frozen=True, slots=True)
class Delivery:
    """An attempt that is due."""

    webhook_id: int
    position: int
    url: str
    salt: str
    attempts: int
    body: bytes
    due_at: dt.datetime
    """When it was due: where this round has no time for it, it keeps its place."""


def add(
    connection: Connection, secret: str, url: str, hosts: Sequence[str], source: str = "", by: int | None = None
) -> tuple[int, str]:
    """Register an address for what is decided from now on; answers its id and signing key.

    Raises ForbiddenAddress, and InvalidKey for a source that no key can have: nothing would ever be told of it.
    """
    outgoing.check(url, hosts)
    if source:
        keys.check_source(source)
    if len(url) > 500:
        raise ForbiddenAddress("the address has over 500 characters")
    salt = secrets.token_hex(16)
    values = {"url": url, "source": source, "salt": salt, "position": feed.head(connection), "created_at": now(), "created_by": by}
    number: int = connection.execute(insert(webhook).values(values).returning(webhook.c.id)).scalar_one()
    audit_log.write(connection, "webhook-added", f"webhook:{number}", {"url": url, "source": source}, account_id=by)
    return number, signing_key(secret, salt)


def remove(connection: Connection, webhook_id: int, by: int | None = None) -> bool:
    """Send nothing more to an address; tells whether there was one."""
    gone = update(webhook).where(webhook.c.id == webhook_id, webhook.c.removed_at.is_(None)).values(removed_at=now())
    done = connection.execute(gone).rowcount == 1
    if done:
        pending = and_(webhook_delivery.c.webhook_id == webhook_id, webhook_delivery.c.state == "pending")
        connection.execute(update(webhook_delivery).where(pending).values(state="given-up", last_error="removed"))
        audit_log.write(connection, "webhook-removed", f"webhook:{webhook_id}", account_id=by)
    return done


def signing_key(secret: str, salt: str) -> str:
    """Make the key with which deliveries to one address are signed."""
    return hmac.new(secret.encode(), f"webhook {salt}".encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Listed:
    """An address, and what became of what was to go there. `failure` says why the newest that did not get there failed, if any.

    `delivered_at`: when something was last taken there.
    """

    id: int
    url: str
    source: str
    position: int
    waiting: int
    given_up: int
    delivered_at: dt.datetime | None
    failure: str


def listed(connection: Connection) -> Sequence[Listed]:
    """List the addresses that were not removed."""
    of_it = webhook_delivery.c.webhook_id == webhook.c.id
    waiting, given_up = (
        select(func.count()).where(of_it, webhook_delivery.c.state == state).scalar_subquery() for state in ("pending", "given-up")
    )
    failed = and_(of_it, webhook_delivery.c.state != "delivered", webhook_delivery.c.attempts > 0)
    told = case((webhook_delivery.c.last_error != "", webhook_delivery.c.last_error), else_=_ANSWERED)
    why = select(told).where(failed).order_by(webhook_delivery.c.position.desc()).limit(1).scalar_subquery()
    taken = select(func.max(webhook_delivery.c.delivered_at)).where(of_it).scalar_subquery()
    columns = (webhook.c.id, webhook.c.url, webhook.c.source, webhook.c.position, waiting, given_up, taken, func.coalesce(why, ""))
    rows = connection.execute(select(*columns).where(webhook.c.removed_at.is_(None)).order_by(webhook.c.id))
    return [Listed(*row) for row in rows]


def sign(key: str, moment: int, body: bytes) -> str:
    """Write the header Salur-Signature: the time, and HMAC-SHA256 over "time.body", so that an old delivery cannot be replayed."""
    digest = hmac.new(key.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def deliver(
    database: Database, settings: Settings, secret: str, send: Send = outgoing.post, clock: Callable[[], dt.datetime] = now
) -> int:
    """Make the attempts that are due, AT_ONCE_EACH at the most for each of AT_ONCE addresses.

    Answers how many were taken, with those put back for want of time.
    """
    feed.place(database)
    with database.write() as connection:
        _fan_out(connection, clock())
    began = clock()
    with database.write() as connection:
        due = _take_due(connection, began)
    tell = partial(_tell, database, settings, secret, send, clock, began)
    with ThreadPoolExecutor(AT_ONCE, "salur-webhook") as pool:
        told = [pool.submit(tell, of_one) for of_one in due]
    for one in told:  # what went wrong with one address ends the round, but once the others are told
        one.result()
    return sum(map(len, due))


def _tell(
    database: Database,
    settings: Settings,
    secret: str,
    send: Send,
    clock: Callable[[], dt.datetime],
    began: dt.datetime,
    due: Sequence[Delivery],
) -> None:
    """Make the attempts of one address, one after another."""
    unreachable = ""
    for delivery in due:
        if clock() - began > ROUND:
            with database.write() as connection:
                _put_back(connection, delivery)
            continue
        with database.read() as connection:
            mine = _is_mine(connection, delivery)
        if not mine:  # its address was removed, or another worker took it over
            continue
        status, error = None, unreachable
        if not error:
            status, error = _attempt(delivery, settings, secret, send, clock())
            unreachable = error
        with database.write() as connection:
            _note(connection, delivery, status, error, clock())


def _fan_out(connection: Connection, moment: dt.datetime) -> None:
    """Make a delivery of every new entry of the feed, for every address that wants it."""
    hooks = select(webhook).where(webhook.c.removed_at.is_(None)).order_by(webhook.c.id).with_for_update(skip_locked=True)
    for hook in connection.execute(hooks).all():
        rows = feed.page(connection, hook.position, feed.MAX_PAGE, hook.source)
        if rows:
            new = {"webhook_id": hook.id, "state": "pending", "attempts": 0, "next_at": moment, "last_error": ""}
            connection.execute(insert(webhook_delivery), [new | {"position": row.position} for row in rows])
            connection.execute(update(webhook).where(webhook.c.id == hook.id).values(position=rows[-1].position))


def _take_due(connection: Connection, moment: dt.datetime) -> Sequence[Sequence[Delivery]]:
    """Lease the attempts that are due, so that no other worker makes them too; those of one address together."""
    next_at = webhook_delivery.c.next_at
    # What is due later than any wait was put there before the clock was set back: it must not wait until the clock is there again.
    is_due = (webhook_delivery.c.state == "pending", or_(next_at <= moment, next_at > moment + LONGEST_WAIT + LEASE))
    hooks = select(webhook_delivery.c.webhook_id).where(*is_due).group_by(webhook_delivery.c.webhook_id).order_by(func.min(next_at))
    return [_lease(connection, hook, moment, is_due) for hook in connection.execute(hooks.limit(AT_ONCE)).scalars().all()]


def _lease(connection: Connection, hook: int, moment: dt.datetime, is_due: Sequence[ColumnElement[bool]]) -> Sequence[Delivery]:
    """Lease what is due of one address, each entry as the feed has it now."""
    wanted = (
        feed.ENTRIES.add_columns(webhook.c.url, webhook.c.salt, webhook_delivery.c.attempts, webhook_delivery.c.next_at)
        .join(webhook_delivery, webhook_delivery.c.position == decision.c.position)
        .join(webhook, webhook.c.id == webhook_delivery.c.webhook_id)
        .where(*is_due, webhook.c.id == hook)
        .order_by(webhook_delivery.c.next_at, decision.c.position)
        .limit(AT_ONCE_EACH)
        .with_for_update(skip_locked=True, of=webhook_delivery)
    )
    rows = connection.execute(wanted).all()
    these = and_(webhook_delivery.c.webhook_id == hook, webhook_delivery.c.position.in_([row.position for row in rows]))
    leased = {"attempts": webhook_delivery.c.attempts + 1, "next_at": moment + LEASE}
    connection.execute(update(webhook_delivery).where(these).values(leased))
    return [
        Delivery(
            webhook_id=hook,
            position=row.position,
            url=row.url,
            salt=row.salt,
            attempts=row.attempts + 1,
            body=json.dumps(feed.entry(row), ensure_ascii=False).encode(),
            due_at=row.next_at,
        )
        for row in rows
    ]


def _attempt(delivery: Delivery, settings: Settings, secret: str, send: Send, moment: dt.datetime) -> tuple[int | None, str]:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Salur",
        "Salur-Delivery": f"{delivery.webhook_id}-{delivery.position}",
        "Salur-Signature": sign(signing_key(secret, delivery.salt), int(moment.timestamp()), delivery.body),
    }
    try:
        return send(outgoing.resolve(delivery.url, settings.webhook_hosts), delivery.body, headers), ""
    except ForbiddenAddress as error:
        return None, str(error)[:200]
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        return None, type(error).__name__


def _note(connection: Connection, delivery: Delivery, status: int | None, error: str, moment: dt.datetime) -> None:
    values: dict[str, object] = {"last_status": status, "last_error": error}
    if status is not None and 200 <= status < 300:
        values |= {"state": "delivered", "delivered_at": moment}
    elif delivery.attempts >= MAX_ATTEMPTS or status == 410:  # 410: the receiver says never again
        values |= {"state": "given-up"}
    else:
        values |= {"next_at": moment + min(FIRST_WAIT * 2 ** (delivery.attempts - 1), LONGEST_WAIT)}
    # One that took longer than its lease may have been delivered by another worker meanwhile.
    connection.execute(update(webhook_delivery).where(_waits(delivery)).values(values))
    if (state := values.get("state")) != "delivered":  # whoever delivers serves no /metrics: only the log can tell
        told = {"webhook": delivery.webhook_id, "cursor": delivery.position, "attempt": delivery.attempts}
        _log.warning("not delivered", **told, status=status, error=error, given_up=state == "given-up")


def _is_mine(connection: Connection, delivery: Delivery) -> bool:
    """Tell whether it is still to be delivered, and by us."""
    return connection.execute(select(webhook_delivery.c.position).where(_leased(delivery))).one_or_none() is not None


def _waits(delivery: Delivery) -> ColumnElement[bool]:
    """Condition: it is this delivery, and it is still to be taken by its address, which was not removed."""
    kept = webhook_delivery.c
    return and_(kept.webhook_id == delivery.webhook_id, kept.position == delivery.position, kept.state == "pending")


def _leased(delivery: Delivery) -> ColumnElement[bool]:
    """Condition: it waits, and nobody took it over: each lease counts one attempt more."""
    return and_(_waits(delivery), webhook_delivery.c.attempts == delivery.attempts)


def _put_back(connection: Connection, delivery: Delivery) -> None:
    """Let an attempt that was not made be due as before, and not count."""
    before = {"attempts": delivery.attempts - 1, "next_at": delivery.due_at}
    connection.execute(update(webhook_delivery).where(_leased(delivery)).values(before))
