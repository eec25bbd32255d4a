"""A challenger's answers beside the model in use: kept with the complaint, given to nobody, compared with people's verdicts.

The database knows which complaints still want a challenger's answer, so none is lost by a restart, and none is counted twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, exists, func, select
from sqlalchemy.dialects import postgresql, sqlite

from model.registry import Shadowed
from model.routing import Decision, Routing
from service.clock import now
from service.complaints import storing
from service.promise.proportions import exact_interval, paired_interval
from service.storage.tables import complaint, routing, standing, verdict

MARGIN = 1_000
"""How far below the last answered number to look again: complaints may be committed out of the order of their numbers."""
MOST_PAIRS = 10
_INSERT = {
    dialect.dialect.name: maker(routing).on_conflict_do_nothing()
    for dialect, maker in ((sqlite, sqlite.insert), (postgresql, postgresql.insert))
}
_CHAMPION, _CHALLENGER = routing.alias("champion"), routing.alias("challenger")
_SAME = _CHAMPION.c.agency == _CHALLENGER.c.agency
_SIDE_BY_SIDE = _CHALLENGER.join(standing, standing.c.complaint_id == _CHALLENGER.c.complaint_id).join(
    _CHAMPION, _CHAMPION.c.id == standing.c.routing_id
)
"""What was answered about each complaint, beside what a challenger said of it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a challenger said of a complaint; `routing` is None where it failed."""

    number: int
    routing: Routing | None


@dataclass(frozen=True, slots=True)
class Right:
    """Who was right about complaints that people decided: both, one alone, or neither."""

    both: int = 0
    champion: int = 0
    challenger: int = 0
    neither: int = 0

    @property
    def cases(self) -> int:
        """All of them."""
        return self.both + self.champion + self.challenger + self.neither

    @property
    def shares(self) -> tuple[float, float]:
        """Share that the model in use and the challenger got right. Raises ZeroDivisionError where nothing was decided."""
        return (self.both + self.champion) / self.cases, (self.both + self.challenger) / self.cases

    @property
    def gain(self) -> float:
        """How much more often the challenger is right."""
        return (self.challenger - self.champion) / self.cases if self.cases else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of `gain`, over pairs."""
        return paired_interval(self.both, self.champion, self.challenger, self.neither)


@dataclass(frozen=True, slots=True)
class Difference:
    """Complaints that the model in use gave to one agency and the challenger to another."""

    champion: str
    challenger: str
    cases: int


@dataclass(frozen=True, slots=True)
class Figures:
    """A challenger beside the model in use. `decided` has all verdicts, `blind` those of people who had not seen any proposal."""

    answered: int
    failed: int
    waiting: int
    waiting_since: dt.datetime | None
    automatic: int
    compared: int
    same: int
    decided: Right
    blind: Right
    differences: Sequence[Difference]

    @property
    def agreement(self) -> tuple[float, float]:
        """The 95 % interval of the share of complaints that both give to the same agency."""
        return exact_interval(self.same, self.compared)


def waiting(connection: Connection, shadow: Shadowed, most: int) -> Sequence[Row[Any]]:
    """Find complaints that came since the challenger was set up and have no answer of it, oldest first."""
    after = _after(connection, shadow)
    if after is None:
        return ()
    wanted = select(complaint).where(complaint.c.id > after, *_unanswered(shadow)).order_by(complaint.c.id).limit(most)
    return connection.execute(wanted).all()


def keep(connection: Connection, shadow: Shadowed, said: Sequence[Said]) -> None:
    """Keep what a challenger said; nothing of a complaint that was purged meanwhile, and nothing twice."""
    numbers = [one.number for one in said]
    # Whoever purges waits for us or we for them: else words of a purged complaint would stay behind in our answer.
    there = select(complaint.c.id).where(complaint.c.id.in_(numbers), complaint.c.purged_at.is_(None)).with_for_update(read=True)
    kept = set(connection.execute(there).scalars())
    rows = [_row(shadow.version, one) for one in said if one.number in kept]
    if rows:
        connection.execute(_INSERT[connection.dialect.name], rows)


def figures(connection: Connection, shadow: Shadowed, champion: str) -> Figures:
    """Set what a challenger said against what the model in use (`champion`, a version) answered and what people decided."""
    mine = and_(routing.c.shadow, routing.c.model_version == shadow.version)
    asked, failed, automatic = connection.execute(
        select(func.count(), _count(routing.c.agency == ""), _count(routing.c.decision == "auto")).where(mine)
    ).one()
    waiting, waiting_since = connection.execute(
        select(func.count(), func.min(complaint.c.stored_at)).where(*_unanswered(shadow))
    ).one()
    both = _answered_by_both(shadow, champion)
    compared, same = connection.execute(select(func.count(), _count(_SAME)).select_from(_SIDE_BY_SIDE).where(both)).one()
    decided, blind = _judged(connection, both)
    return Figures(
        answered=asked - failed,
        failed=failed,
        waiting=waiting,
        waiting_since=waiting_since,
        automatic=automatic,
        compared=compared,
        same=same,
        decided=decided,
        blind=blind,
        differences=_differences(connection, both),
    )


def _answered_by_both(shadow: Shadowed, champion: str) -> ColumnElement[bool]:
    """Condition on _SIDE_BY_SIDE: the two versions are these, and the challenger did not fail."""
    of_challenger = and_(_CHALLENGER.c.shadow, _CHALLENGER.c.model_version == shadow.version, _CHALLENGER.c.agency != "")
    return and_(of_challenger, _CHAMPION.c.model_version == champion)


def _differences(connection: Connection, both: ColumnElement[bool]) -> Sequence[Difference]:
    count = func.count().label("cases")
    rows = connection.execute(
        select(_CHAMPION.c.agency, _CHALLENGER.c.agency, count)
        .select_from(_SIDE_BY_SIDE)
        .where(both, ~_SAME)
        .group_by(_CHAMPION.c.agency, _CHALLENGER.c.agency)
        .order_by(count.desc(), _CHAMPION.c.agency, _CHALLENGER.c.agency)
        .limit(MOST_PAIRS)
    )
    return [Difference(row[0], row[1], row.cases) for row in rows]


def _judged(connection: Connection, both: ColumnElement[bool]) -> tuple[Right, Right]:
    """Count who was right by all verdicts, and by those of people who had not seen any proposal."""
    champion, challenger = (said.c.agency == verdict.c.agency for said in (_CHAMPION, _CHALLENGER))
    rows = connection.execute(
        select(
            verdict.c.blind,
            _count(and_(champion, challenger)),
            _count(and_(champion, ~challenger)),
            _count(and_(~champion, challenger)),
            _count(and_(~champion, ~challenger)),
        )
        .select_from(_SIDE_BY_SIDE.join(verdict, verdict.c.id == standing.c.verdict_id))
        .where(both, verdict.c.outcome.in_(("confirmed", "changed")))
        .group_by(verdict.c.blind)
    ).all()
    blind = Right(*(sum(row[place] for row in rows if row.blind) for place in range(1, 5)))
    return Right(*(sum(row[place] for row in rows) for place in range(1, 5))), blind


def _after(connection: Connection, shadow: Shadowed) -> int | None:
    """Answer the number behind which to look for complaints without an answer; None where nothing came yet."""
    unpurged = (complaint.c.stored_at >= _since(shadow), complaint.c.purged_at.is_(None))
    first = connection.execute(
        select(complaint.c.id).where(*unpurged).order_by(complaint.c.stored_at).limit(1)
    ).scalar_one_or_none()
    if first is None:
        return None
    mine = select(func.max(routing.c.complaint_id)).where(routing.c.shadow, routing.c.model_version == shadow.version)
    return int(max(first, connection.execute(mine).scalar_one() or 0) - MARGIN)


def _unanswered(shadow: Shadowed) -> tuple[ColumnElement[bool], ...]:
    answered = exists().where(routing.c.shadow, routing.c.model_version == shadow.version, routing.c.complaint_id == complaint.c.id)
    return complaint.c.stored_at >= _since(shadow), complaint.c.purged_at.is_(None), ~answered


def _since(shadow: Shadowed) -> dt.datetime:
    since = dt.datetime.fromisoformat(shadow.since)
    return since if since.tzinfo else since.replace(tzinfo=dt.UTC)


def _row(version: str, said: Said) -> dict[str, Any]:
    answer = said.routing
    return {
        "complaint_id": said.number,
        "shadow": True,
        "model_version": version,
        "decision": answer.decision if answer else Decision.REVIEW,
        "agency": answer.agency if answer else "",
        "unit": answer.unit if answer else "",
        **storing.word_of(answer),
        "routed_at": now(),
    }


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))
