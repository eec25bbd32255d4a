"""The tables of the database. What happened is only ever added to; what follows from it can be computed again.

Facts, never changed (but for `purge`, which deletes what a complaint says and keeps the rest):
  complaint        what came in, masked; `source` and `client_id` are the sender's own name for it
  routing          what the model said: `body` is its whole answer as it was, byte for byte; the columns beside it are what
                   was answered, after breaker and audit draw. `shadow` marks a challenger's word, which nobody was told;
                   where its `agency` is empty, the challenger failed
  routing_reason   the reasons of what was answered, one a row
  verdict          what a person (or the agency, through the API) decided; undo is a further row that supersedes one
  decision         what was told to the world: each automatic routing and each verdict; `position` is the feed's cursor
  audit_case       an automatic routing drawn for the blind audit, and what came of it
  breaker          an agency whose automatic routing is stopped for one model version, until a person closes it
  audit_log        who did what and when; never what a complaint says

Where things stand, computed from the facts in the same transaction, so that lists are one index away:
  standing         one row a complaint: state, agency, queue rank, claim

Helpers of one module each:
  sketch           the first complaint that had a band key of likeness (`complaints.similar`)
  feed_head        one row: the last position of the feed that was given, and the lock of whoever gives the next (`outbound.feed`)

The rest is what its name says.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    FromClause,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    exists,
    false,
    text,
)
from sqlalchemy.types import TypeDecorator

REVISION = "0005"
"""The migration that makes these tables; a test holds it to the newest."""
MAX_ID = 2**31 - 1
"""The largest number of a row: what PostgreSQL's integer holds."""
STATES = ("sent", "waiting", "asked", "decided", "closed")
"""sent: went out by itself. waiting: in the queue. asked: the reporter must add something. closed: not a complaint."""
QUEUES = ("review", "ask", "audit", "returned", "no-model")
"""Why a complaint waits. returned: the agency said "bukan wewenang" without naming the right one."""
OUTCOMES = ("confirmed", "changed", "needs-info", "not-a-complaint", "returned", "undone")
ORIGINS = ("desk", "api", "import")
DECISIONS = ("auto", "review", "ask")
DECIDED_BY = ("model", "person")
ROLES = ("petugas", "kepala", "pengelola", "peninjau-saja")
SCOPES = ("predict", "intake", "outcome", "feed", "admin")
DELIVERY_STATES = ("pending", "delivered", "given-up")
JOB_STATES = ("uploaded", "surveyed", "confirmed", "processed", "done", "failed", "cancelled")
"""surveyed: waits for a person to confirm. processed: every row is taken in, and the file that goes back is being written."""


class UtcDateTime(TypeDecorator[dt.datetime]):
    """A moment, aware and in UTC on the Python side whatever the database keeps."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Refuse a naive moment: nobody could say when it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        """Give the moment its zone back, in UTC."""
        if value is None:
            return None
        moment: dt.datetime = value
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=column)


def _where(condition: str) -> dict[str, Any]:
    """Options of an index over some of the rows."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _complaint_id(**options: Any) -> Column[int]:
    return Column("complaint_id", Integer, ForeignKey("complaint.id"), nullable=False, **options)


complaint = Table(
    "complaint",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String(50), nullable=False),
    Column("client_id", String(100), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("channel", String(100), nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("kecamatan", String(200), nullable=False),
    Column("desa", String(200), nullable=False),
    Column("confidential", Boolean, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("stored_at", UtcDateTime, nullable=False),
    Column("verify_by", Date, nullable=False),
    Column("follow_up_by", Date, nullable=False),
    Column("finish_by", Date, nullable=False),
    Column("similar_to", Integer, ForeignKey("complaint.id"), index=True),
    Column("purged_at", UtcDateTime),
    UniqueConstraint("source", "client_id"),
    Index("ix_complaint_received_at", "received_at"),
    Index("ix_complaint_unpurged", "stored_at", **_where("purged_at IS NULL")),
)

routing = Table(
    "routing",
    metadata,
    Column("id", Integer, primary_key=True),
    _complaint_id(),
    Column("shadow", Boolean, nullable=False, default=False),
    Column("model_version", String(100), nullable=False),
    Column("decision", String(10), nullable=False),
    Column("agency", String(100), nullable=False),
    Column("unit", String(200), nullable=False),
    Column("probability", Float, nullable=False),
    Column("oversight", Boolean, nullable=False),
    Column("emergency", Boolean, nullable=False, default=False, server_default=false()),
    Column("kind", String(30), nullable=False),
    Column("kecamatan", String(200), nullable=False),
    Column("desa", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("routed_at", UtcDateTime, nullable=False),
    _one_of("decision", DECISIONS),
    Index("ix_routing_complaint_id", "complaint_id", "id"),
    Index("ix_routing_routed_at", "routed_at"),
    Index("uq_routing_shadow", "model_version", "complaint_id", unique=True, **_where("shadow")),
)

routing_reason = Table(
    "routing_reason",
    metadata,
    _complaint_id(primary_key=True),
    Column("reason", String(40), primary_key=True),
    Column("place", Integer, nullable=False),
    Index("ix_routing_reason_reason", "reason", "complaint_id"),
)

verdict = Table(
    "verdict",
    metadata,
    Column("id", Integer, primary_key=True),
    _complaint_id(),
    Column("outcome", String(20), nullable=False),
    Column("origin", String(10), nullable=False),
    Column("agency", String(100), nullable=False),
    Column("unit", String(200), nullable=False),
    Column("also", JSON, nullable=False),
    Column("missing", JSON, nullable=False),
    Column("note", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("seconds", Float),
    Column("blind", Boolean, nullable=False),
    Column("account_id", Integer, ForeignKey("account.id")),
    Column("api_key_id", Integer, ForeignKey("api_key.id")),
    Column("supersedes", Integer, ForeignKey("verdict.id"), unique=True),
    Column("decided_at", UtcDateTime, nullable=False),
    _one_of("outcome", OUTCOMES),
    _one_of("origin", ORIGINS),
    CheckConstraint("outcome NOT IN ('confirmed', 'changed') OR agency <> ''", name="agency"),
    CheckConstraint("outcome <> 'undone' OR supersedes IS NOT NULL", name="supersedes"),
    Index("ix_verdict_complaint_id", "complaint_id", "id"),
    Index("ix_verdict_decided_at", "decided_at"),
)


def stands(given: FromClause) -> ColumnElement[bool]:
    """Condition on `verdict`, or on an alias of it: nobody took it back."""
    undone = verdict.alias()
    return ~exists().where(undone.c.supersedes == given.c.id)


standing = Table(
    "standing",
    metadata,
    _complaint_id(primary_key=True),
    Column("state", String(10), nullable=False),
    Column("queue", String(10), nullable=False),
    Column("agency", String(100), nullable=False),
    Column("unit", String(200), nullable=False),
    Column("kecamatan", String(200), nullable=False),
    Column("routing_id", Integer, ForeignKey("routing.id"), nullable=False),
    Column("verdict_id", Integer, ForeignKey("verdict.id")),
    Column("received_at", UtcDateTime, nullable=False),
    Column("due", Date, nullable=False),
    Column("rank", Float, nullable=False),
    Column("claimed_by", Integer, ForeignKey("account.id")),
    Column("claimed_until", UtcDateTime),
    _one_of("state", STATES),
    CheckConstraint(f"queue IN ('', {', '.join(repr(name) for name in QUEUES)})", name="queue"),
    CheckConstraint("(state = 'waiting') = (queue <> '')", name="waiting"),
    Index("ix_standing_waiting", "rank", "complaint_id", **_where("state = 'waiting'")),
    Index("ix_standing_waiting_agency", "agency", "rank", **_where("state = 'waiting'")),
    Index("ix_standing_agency", "agency", "complaint_id"),
    Index("ix_standing_state", "state", "complaint_id"),
    Index("ix_standing_received_at", "received_at"),
    Index("ix_standing_claimed_by", "claimed_by", **_where("claimed_by IS NOT NULL")),
)

decision = Table(
    "decision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("position", Integer, unique=True),
    _complaint_id(index=True),
    Column("source", String(50), nullable=False),
    Column("decided_by", String(10), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("agency", String(100), nullable=False),
    Column("unit", String(200), nullable=False),
    Column("also", JSON, nullable=False),
    Column("missing", JSON, nullable=False),
    Column("verdict_id", Integer, ForeignKey("verdict.id")),
    Column("model_version", String(100), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    _one_of("decided_by", DECIDED_BY),
    CheckConstraint(f"outcome IN ('auto', {', '.join(repr(name) for name in OUTCOMES)})", name="outcome"),
    Index("ix_decision_unplaced", "id", **_where("position IS NULL")),
    Index("ix_decision_source", "source", "position"),
)

feed_head = Table(
    "feed_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, nullable=False),
    CheckConstraint("id = 1", name="single"),
)

audit_case = Table(
    "audit_case",
    metadata,
    _complaint_id(primary_key=True),
    Column("agency", String(100), nullable=False),
    Column("unit", String(200), nullable=False),
    Column("probability", Float, nullable=False),
    Column("model_version", String(100), nullable=False),
    Column("drawn_at", UtcDateTime, nullable=False),
    Column("verdict_id", Integer, ForeignKey("verdict.id")),
    Column("agrees", Boolean),
    Index("ix_audit_case_agency", "agency", "drawn_at"),
)

breaker = Table(
    "breaker",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("agency", String(100), nullable=False),
    Column("model_version", String(100), nullable=False),
    Column("why", Text, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("opened_by", Integer, ForeignKey("account.id")),
    Column("closed_at", UtcDateTime),
    Column("closed_by", Integer, ForeignKey("account.id")),
    Column("closed_why", Text),
    CheckConstraint("closed_at IS NULL OR closed_why <> ''", name="closed_why"),
    Index("uq_breaker_open", "agency", unique=True, **_where("closed_at IS NULL")),
)

sketch = Table(
    "sketch",
    metadata,
    Column("band", String(20), primary_key=True),
    _complaint_id(primary_key=True, index=True),
)

account = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(50), nullable=False, unique=True),
    Column("full_name", String(100), nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("epoch", Integer, nullable=False, default=0),
    Column("must_change_password", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("signed_in_at", UtcDateTime),
    _one_of("role", ROLES),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("source", String(50), nullable=False),
    Column("prefix", String(16), nullable=False, unique=True),
    Column("hash", String(64), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("rate_limit", String(50), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", Integer, ForeignKey("account.id")),
    Column("revoked_at", UtcDateTime),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("source", String(50), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("digest", String(64), nullable=False),
    _complaint_id(),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("account_id", Integer, ForeignKey("account.id"), index=True),
    Column("api_key_id", Integer, ForeignKey("api_key.id")),
    Column("action", String(50), nullable=False, index=True),
    Column("object", String(100), nullable=False),
    Column("detail", JSON, nullable=False),
    Column("request_id", String(64), nullable=False),
)

webhook = Table(
    "webhook",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("url", String(500), nullable=False),
    Column("source", String(50), nullable=False),
    Column("salt", String(64), nullable=False),
    Column("position", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", Integer, ForeignKey("account.id")),
    Column("removed_at", UtcDateTime),
)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("webhook_id", Integer, ForeignKey("webhook.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("last_status", Integer),
    Column("last_error", String(200), nullable=False),
    Column("delivered_at", UtcDateTime),
    _one_of("state", DELIVERY_STATES),
    Index("ix_webhook_delivery_due", "next_at", **_where("state = 'pending'")),
)

import_job = Table(
    "import_job",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("file_name", String(200), nullable=False),
    Column("digest", String(64), nullable=False, index=True),
    Column("path", String(500), nullable=False),
    Column("source", String(50), nullable=False),
    Column("state", String(10), nullable=False),
    Column("options", JSON, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("error", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", Integer, ForeignKey("account.id")),
    Column("finished_at", UtcDateTime),
    Column("lease", String(40)),
    Column("lease_until", UtcDateTime),
    Column("handed_back_at", UtcDateTime),
    _one_of("state", JOB_STATES),
)

import_row = Table(
    "import_row",
    metadata,
    Column("job_id", Integer, ForeignKey("import_job.id"), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("complaint_id", Integer, ForeignKey("complaint.id"), index=True),
    Column("status", String(30), nullable=False),
    Column("detail", String(300), nullable=False),
)

name_mapping = Table(
    "name_mapping",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String(50), nullable=False),
    Column("name", String(300), nullable=False),
    Column("category", String(200), nullable=False),
    Column("agency", String(100), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("decided_by", Integer, ForeignKey("account.id")),
    UniqueConstraint("source", "name", "category"),
)
