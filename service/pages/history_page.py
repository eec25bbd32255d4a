"""The page /riwayat: everything that came in, searchable, and the same as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy import Row, select

from model.register import Register
from model.wording import DECISIONS, REASONS, all_reasons, office
from service.clock import now
from service.desk.waiting import EMERGENCY
from service.pages import history
from service.pages.history import Filters
from service.parts import parts
from service.security import access, audit_log
from service.security.accounts import Permission
from service.storage.tables import account
from service.web import spreadsheets
from service.web.problems import Problem
from service.web.streams import streams
from service.wording import OUTCOMES, STATES, number

blueprint = Blueprint("history", __name__, url_prefix="/riwayat")
MOST_IN_WORKBOOK = 50_000
MOST_IN_CSV = 1_000_000
ORIGINS: Mapping[str, str] = {"import": "LAPOR! (impor)", "api": "instansi"}
"""Who decided, where it was not a person at the desk; whoever imported a file only brought it."""
HEADER = (
    "Nomor",
    "Sumber",
    "Id",
    "Diterima ({zone})",
    "Judul",
    "Isi",
    "Kecamatan",
    "Desa/kelurahan",
    "Jawaban model",
    "Instansi usulan",
    "Unit usulan",
    "Peluang",
    "Alasan",
    "Keadaan",
    "Instansi",
    "Unit",
    "Instansi pendukung",
    "Putusan",
    "Diputuskan oleh",
    "Diputuskan pada ({zone})",
    "Model",
)
"""Of an export; `zone` is that of its hours."""


@blueprint.get("")
@access.page(Permission.VIEW)
def show() -> Response:
    """Show what the filters leave, newest first."""
    asked = Filters.read(request.args)
    person = access.current_account()
    with parts().database.read() as connection:
        found = history.find(
            connection,
            asked,
            parts().calendar.zone,
            confidential=person.may(Permission.CONFIDENTIAL),
            after=request.args.get("sebelum", ""),
        )
        people = connection.execute(select(account.c.name, account.c.full_name).order_by(account.c.full_name)).all()
    page = render_template(
        "pages/history.html",
        found=found,
        asked=asked,
        people=people,
        register=parts().models.register,
        decisions=DECISIONS,
        states=STATES,
        reasons={EMERGENCY: "Mungkin darurat", **REASONS},
        origins=ORIGINS,
        sees_confidential=person.may(Permission.CONFIDENTIAL),
        continued="sebelum" in request.args,
    )
    return make_response(page)


@blueprint.get("/ekspor.csv")
@access.page(Permission.EXPORT)
def as_csv() -> Response:
    """Give it as a CSV, streamed."""
    return _file(lambda: spreadsheets.as_csv(_header(), _rows("csv", MOST_IN_CSV)), "text/csv; charset=utf-8", "csv")


@blueprint.get("/ekspor.xlsx")
@access.page(Permission.EXPORT)
def as_workbook() -> Response:
    """Give it as a workbook; more than fits one comfortably is refused."""

    def made() -> Iterator[bytes]:
        return spreadsheets.pieces(spreadsheets.as_workbook("Riwayat", _header(), _rows("xlsx", MOST_IN_WORKBOOK)))

    return _file(made, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx")


def _header() -> Sequence[str]:
    zone = f"{now().astimezone(parts().calendar.zone):%Z}"
    return [name.format(zone=zone) for name in HEADER]


def _rows(form: str, most: int) -> Iterator[Sequence[spreadsheets.Cell]]:
    """Note the export in the log, and answer its rows. Raises the problem `invalid` where they are too many."""
    asked, person = Filters.read(request.args), access.current_account()
    allowed = person.may(Permission.CONFIDENTIAL)
    zone = parts().calendar.zone
    with parts().database.read() as connection:
        count = history.count(connection, asked, zone, confidential=allowed, most=most)
    if count > most:
        raise Problem(
            "invalid",
            f"More than {most} rows.",
            sentence=f"Hasilnya lebih dari {number(most)} aduan. Persempit saringannya"
            + (", atau ekspor sebagai CSV." if form == "xlsx" else "."),
        )
    with parts().database.write() as connection:
        detail = {"form": form, "rows": count, "filters": {name: value for name, value in asked.query().items() if name != "cari"}}
        audit_log.write(connection, "history-exported", "", detail, account_id=person.id)
    register = parts().models.register
    found = history.everything(parts().database, asked, zone, confidential=allowed)
    return (_cells(row, reasons, register) for row, reasons in found)


def _cells(row: Row[Any], reasons: Sequence[str], register: Register | None) -> Sequence[spreadsheets.Cell]:
    zone = parts().calendar.zone
    hidden = row.blind  # a blind audit case must be decided without the model's answer

    def name(agency: str) -> str:
        return office(agency, "", register)

    return (
        row.id,
        row.source,
        row.client_id,
        row.received_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
        row.title,
        row.text,
        row.kecamatan,
        row.desa,
        DECISIONS.get(row.decision, row.decision),
        "" if hidden else name(row.proposed),
        "" if hidden else row.proposed_unit,
        None if hidden else round(row.probability, 4),
        all_reasons(reasons),
        STATES.get(row.state, row.state),
        "" if hidden else name(row.agency),
        "" if hidden else row.unit,
        "; ".join(map(name, row.also or ())),
        OUTCOMES.get(row.outcome, "") if row.outcome else "",
        _decided_by(row),
        row.decided_at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if row.decided_at else "",
        row.model_version,
    )


def _decided_by(row: Row[Any]) -> str:
    """Say who decided a complaint; empty where nobody has."""
    if row.outcome:
        return ORIGINS.get(row.origin) or row.person or ""
    return "model" if row.state == "sent" else ""


def _file(make: Callable[[], Iterator[bytes]], kind: str, ending: str) -> Response:
    day = now().astimezone(parts().calendar.zone).date()
    response = streams().begin(make, kind)
    response.headers["Content-Disposition"] = f'attachment; filename="riwayat-{day}.{ending}"'
    return response
