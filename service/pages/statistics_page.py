"""The page /statistik: the desk in figures and plots, with the tables beneath them."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from service.pages import charts, periods, statistics
from service.pages.figures import Arrivals, trailing_shares
from service.parts import parts
from service.promise import audit
from service.security import access
from service.security.accounts import Permission
from service.wording import OUTCOMES, day, number

blueprint = Blueprint("statistics", __name__, url_prefix="/statistik")
SHOWN = 15
WEEK = 7
ENOUGH = 5
"""Audit cases from which an agency is shown by itself; one with a wrong case always is."""


@blueprint.get("")
@access.page(Permission.VIEW)
def show() -> Response:
    """Show the figures of a period."""
    calendar = parts().calendar
    period = periods.read(request.args, calendar.today(), calendar.zone)
    router = parts().models.router()
    with parts().database.read() as connection:
        counted = statistics.figures(connection, period, calendar.today())
        live = audit.live_errors(connection, router.version if router else None)
    daily = len(counted.arrivals) == period.days
    told = [error for error in live if error.cases >= ENOUGH or error.wrong]
    titles = [f"{_stretch(one)}: {number(one.total)} aduan, {number(one.auto)} otomatis" for one in counted.arrivals]
    page = render_template(
        "pages/statistics.html",
        period=period,
        choices=periods.CHOICES,
        counted=counted,
        live=told[:SHOWN],
        few=sum(error.cases > 0 for error in live) - len(told),
        enough=ENOUGH,
        scale=max([0.2, *(min(error.high, 1.0) for error in told[:SHOWN])]),
        promise=audit.promised(router),
        version=router.version if router else "",
        arrivals=charts.columns(
            [[("auto", one.auto), ("review", one.review), ("ask", one.ask)] for one in counted.arrivals], titles
        ),
        automatic=charts.line(trailing_shares(counted.arrivals, WEEK if daily else 1)),
        smoothed=daily,
        stretch=_stretch,
        untold_year=parts().untold_year(),
        outcomes=OUTCOMES,
        shown=SHOWN,
    )
    return make_response(page)


def _stretch(one: Arrivals) -> str:
    return day(one.first) if one.first == one.last else f"{day(one.first)} – {day(one.last)}"
