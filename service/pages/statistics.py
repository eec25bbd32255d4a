"""The figures of the desk over a period, counted by the database: what comes back is as small as the page that shows it."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    FromClause,
    Integer,
    Interval,
    Subquery,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    select,
)

from service.pages.figures import Arrivals, Audited, Figures, Finish, Overridden, Punctuality, Reviewer, middle_of, stretches
from service.pages.periods import Period
from service.promise.audit import WRONG
from service.storage.tables import account, audit_case, complaint, decision, routing, routing_reason, standing, stands, verdict

AT_ONCE = 60.0
"""Seconds within which a complaint and the verdict that came with it are stored."""


def figures(connection: Connection, period: Period, today: dt.date) -> Figures:
    """Count everything."""
    outcomes, waits = _decisions(connection, period)
    verified, followed_up, finish = _deadlines(connection, period, today)
    same, compared = _agreement(connection, period)
    arrivals, settled = _arrivals(connection, period)
    return Figures(
        arrivals=arrivals,
        settled=settled,
        reasons=_reasons(connection, period),
        audited=_audited(connection, period),
        outcomes=outcomes,
        overridden=_overridden(connection, period),
        waits=waits,
        verified=verified,
        followed_up=followed_up,
        finish=finish,
        same=same,
        compared=compared,
        returned=_returned(connection, period),
        reviewers=_reviewers(connection, period),
    )


def _arrivals(connection: Connection, period: Period) -> tuple[list[Arrivals], int]:
    """Count what arrived, and beside it what came settled."""
    day = _local_day(connection, standing.c.received_at, period)
    settled = func.count(case((_came_settled(connection), 1)))
    query = (
        select(day.label("day"), routing.c.decision, func.count().label("many"), settled.label("settled"))
        .select_from(standing)
        .join(routing, routing.c.id == standing.c.routing_id)
        .where(_within(_without_index(connection, standing.c.received_at), period))
        .group_by(day, routing.c.decision)
    )
    by_day: dict[dt.date, Counter[str]] = defaultdict(Counter)
    came_settled = 0
    for row in connection.execute(query):
        by_day[_as_date(row.day)][row.decision] += row.many - row.settled
        came_settled += row.settled
    found = []
    for first, last in stretches(period):
        counts: Counter[str] = Counter()
        for offset in range((last - first).days + 1):
            counts.update(by_day.get(first + dt.timedelta(days=offset), {}))
        found.append(Arrivals(first, last, counts["auto"], counts["review"], counts["ask"]))
    return found, came_settled


def _reasons(connection: Connection, period: Period) -> list[tuple[str, int]]:
    count = func.count().label("many")
    query = (
        select(routing_reason.c.reason, count)
        .join(standing, standing.c.complaint_id == routing_reason.c.complaint_id)
        .where(_within(standing.c.received_at, period), ~_came_settled(connection))
        .group_by(routing_reason.c.reason)
        .order_by(count.desc(), routing_reason.c.reason)
    )
    return [(row.reason, row.many) for row in connection.execute(query)]


def _audited(connection: Connection, period: Period) -> Audited:
    counted = select(func.count(audit_case.c.agrees), WRONG, func.count()).where(_within(audit_case.c.drawn_at, period))
    cases, wrongs, drawn = connection.execute(counted).one()
    return Audited(cases, wrongs, drawn - cases)


def _decisions(connection: Connection, period: Period) -> tuple[dict[str, int], list[tuple[int, int]]]:
    """Count our people's verdicts by outcome, and by the whole hours since the citizen wrote.

    What agencies answer through the API is not a decision of ours, nor is what was imported: it was decided elsewhere.
    """
    hours = _seconds_between(connection, standing.c.received_at, verdict.c.decided_at) / 3600
    whole = cast(func.floor(hours) if connection.dialect.name == "postgresql" else hours, Integer).label("hours")
    query = (
        select(verdict.c.outcome, whole, func.count().label("many"))
        .select_from(verdict)
        .join(standing, standing.c.complaint_id == verdict.c.complaint_id)
        .where(*_given(connection, period), verdict.c.origin == "desk")
        .group_by(verdict.c.outcome, whole)
    )
    outcomes, by_hour = Counter[str](), Counter[int]()
    for row in connection.execute(query):
        outcomes[row.outcome] += row.many
        by_hour[max(int(row.hours), 0)] += row.many
    return dict(outcomes), sorted(by_hour.items())


def _overridden(connection: Connection, period: Period) -> list[Overridden]:
    # Not by the outcome alone: an agency confirms by its acceptance what a person had changed.
    other = (verdict.c.outcome == "changed") | (verdict.c.agency != routing.c.agency)
    changed = func.count(case((other, 1))).label("changed")
    count = func.count().label("many")
    query = (
        select(routing.c.agency, count, changed)
        .select_from(verdict)
        .join(standing, standing.c.verdict_id == verdict.c.id)
        .join(routing, routing.c.id == standing.c.routing_id)
        .where(
            _within(verdict.c.decided_at, period),
            verdict.c.outcome.in_(("confirmed", "changed")),
            routing.c.agency != "",
            verdict.c.blind.is_(False),  # who did not see the proposal did not override it
        )
        .group_by(routing.c.agency)
        .order_by(changed.desc(), count.desc(), routing.c.agency)
    )
    return [Overridden(row.agency, row.many, int(row.changed)) for row in connection.execute(query)]


def _deadlines(connection: Connection, period: Period, today: dt.date) -> tuple[Punctuality, Punctuality, Finish]:
    """Count the three deadlines, of what nobody else had settled when it came; each day itself is still in time.

    Verified is what went out for the first time, by the model's word or a person's. Followed up is what the agency said, through
    the API, that it accepted: that is asked only of what was sent to an agency.
    """
    told = _first(decision.c.complaint_id, decision.c.decided_at)
    accepted = _first(verdict.c.complaint_id, verdict.c.decided_at, verdict.c.origin == "api", verdict.c.outcome == "confirmed")
    at_an_agency = standing.c.state.in_(("sent", "decided"))

    def count(due: ColumnElement[Any], done: ColumnElement[Any], *also: ColumnElement[bool]) -> list[ColumnElement[Any]]:
        in_time = _local_day(connection, done, period) <= _comparable(connection, due)
        asked = and_(due.between(period.first, period.last), *also)
        return [
            func.count(case((and_(asked, done.is_not(None), in_time), 1))),
            func.count(case((and_(asked, done.is_not(None), ~in_time), 1))),
            func.count(case((and_(asked, done.is_(None), due < today), 1))),
        ]

    over = and_(complaint.c.finish_by.between(period.first, period.last), complaint.c.finish_by < today)
    query = (
        select(
            *count(complaint.c.verify_by, told.c.at),
            *count(complaint.c.follow_up_by, accepted.c.at, at_an_agency),
            func.count(case((and_(over, standing.c.state != "closed"), 1))),
            func.count(case((and_(over, standing.c.state.in_(("waiting", "asked"))), 1))),
        )
        .select_from(complaint)
        .join(standing, standing.c.complaint_id == complaint.c.id)
        .outerjoin(told, told.c.complaint_id == complaint.c.id)
        .outerjoin(accepted, accepted.c.complaint_id == complaint.c.id)
        .where(complaint.c.verify_by <= period.last, complaint.c.finish_by >= period.first, ~_came_settled(connection))
    )
    row = connection.execute(query).one()
    agencies_tell = connection.execute(select(verdict.c.id).where(verdict.c.origin == "api").limit(1)).one_or_none() is not None
    return Punctuality(*row[0:3]), Punctuality(*row[3:6], is_known=agencies_tell), Finish(*row[6:8])


def _first(of: ColumnElement[Any], moment: ColumnElement[Any], *where: ColumnElement[bool]) -> Subquery:
    """Answer the first such moment of each complaint, as a table of `complaint_id` and `at`."""
    return select(of.label("complaint_id"), func.min(moment).label("at")).where(*where).group_by(of).subquery()


def _agreement(connection: Connection, period: Period) -> tuple[int, int]:
    """Compare what different people decided about complaints of the same matter, each with the first of its group."""
    first, other = verdict.alias(), verdict.alias()
    named = ("confirmed", "changed")
    # Begin with the few that are like others: left to themselves, both databases go through every verdict of the period.
    like_others = select(complaint.c.id, complaint.c.similar_to).where(complaint.c.similar_to.is_not(None))
    alike = like_others.cte("alike").prefix_with("MATERIALIZED")
    query = (
        select(func.count(case((first.c.agency == other.c.agency, 1))), func.count())
        .select_from(alike)
        .join(other, other.c.complaint_id == alike.c.id)
        .join(first, first.c.complaint_id == alike.c.similar_to)
        .where(
            *_given(connection, period, other),
            other.c.outcome.in_(named),
            other.c.origin == "desk",
            stands(first),
            first.c.outcome.in_(named),
            first.c.origin == "desk",
            other.c.account_id != first.c.account_id,
        )
    )
    row = connection.execute(query).one()
    return int(row[0]), int(row[1])


def _returned(connection: Connection, period: Period) -> int:
    query = select(func.count(func.distinct(verdict.c.complaint_id))).where(
        _within(verdict.c.decided_at, period), verdict.c.origin == "api", verdict.c.outcome.in_(("changed", "returned"))
    )
    return int(connection.execute(query).scalar_one())


def _reviewers(connection: Connection, period: Period) -> list[Reviewer]:
    seconds = cast(verdict.c.seconds, Integer).label("seconds")
    query = (
        select(account.c.full_name, account.c.id, seconds, verdict.c.blind, func.count().label("many"))
        .select_from(verdict)
        .join(account, account.c.id == verdict.c.account_id)
        .where(*_given(connection, period), verdict.c.origin == "desk")
        .group_by(account.c.full_name, account.c.id, seconds, verdict.c.blind)
    )
    rows = connection.execute(query).all()
    found = []
    for name, number in {(row.full_name, row.id) for row in rows}:
        mine = [row for row in rows if row.id == number]
        measured = sorted((row.seconds, row.many) for row in mine if row.seconds is not None)
        median = middle_of(measured)
        blind = sum(row.many for row in mine if row.blind)
        found.append(Reviewer(name, sum(row.many for row in mine), None if median is None else int(median), blind))
    return sorted(found, key=lambda reviewer: (-reviewer.decided, reviewer.name))


def _within(column: ColumnElement[Any], period: Period) -> ColumnElement[bool]:
    return and_(column >= period.start, column < period.end)


def _given(connection: Connection, period: Period, given: FromClause = verdict) -> tuple[ColumnElement[bool], ...]:
    """Conditions: the verdict was given in the period and not taken back. A later one, of an agency say, hides nobody's work."""
    return _within(_without_index(connection, given.c.decided_at), period), given.c.outcome != "undone", stands(given)


def _without_index(connection: Connection, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Keep SQLite from using the column's index: most rows are wanted, and in the index's order they lie all over the file."""
    return column if connection.dialect.name == "postgresql" else func.coalesce(column, column, type_=column.type)


def _came_settled(connection: Connection) -> ColumnElement[bool]:
    """Condition on `standing`: an import brought it with a decision made elsewhere. Nobody here was to decide, nor the model.

    One that waited here first, and was decided elsewhere later, is none of these.
    """
    at_once = _seconds_between(connection, complaint.c.stored_at, verdict.c.decided_at).between(-AT_ONCE, AT_ONCE)
    imported = verdict.c.complaint_id == standing.c.complaint_id, verdict.c.origin == "import"
    return exists().where(*imported, complaint.c.id == standing.c.complaint_id, at_once)


def _local_day(connection: Connection, column: ColumnElement[Any], period: Period) -> ColumnElement[Any]:
    """Answer the day of a moment in the region, by the offset at the period's end: those of Indonesia never change.

    SQLite knows no zones, and PostgreSQL takes three times as long to look one up for each row.
    """
    offset = period.end.utcoffset() or dt.timedelta()
    if connection.dialect.name == "postgresql":
        return cast(column + literal(offset, Interval), Date)
    return func.date(column, f"{offset.total_seconds():+.0f} seconds")


def _comparable(connection: Connection, day: ColumnElement[Any]) -> ColumnElement[Any]:
    return day if connection.dialect.name == "postgresql" else func.date(day)


def _seconds_between(connection: Connection, start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[Any]:
    if connection.dialect.name == "postgresql":
        return func.date_part("epoch", end - start)  # in binary numbers: "extract" would take decimal ones
    return (func.julianday(end) - func.julianday(start)) * 86_400.0


def _as_date(value: dt.date | str) -> dt.date:
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(value)
