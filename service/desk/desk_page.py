"""The desk: the queue, one complaint at a time, and what a person does with it. Plain forms; the script only saves the reloads.

A form sent with the header `X-Salur: meja` is answered with the next complaint alone, which the script puts in place of the last
one; otherwise the answer leads there. What was typed always comes back when something is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Blueprint, Flask, flash, make_response, redirect, render_template, request, session, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.wrappers import Response

from model.register import Agency
from service import wording
from service.clock import now
from service.complaints import claims, review
from service.complaints.review import NotPossible, Saved
from service.desk import agency_search, cases, form, highlight, options, waiting
from service.desk.cases import Case
from service.desk.form import Draft, NotChosen
from service.desk.waiting import Cursor, Filter
from service.parts import parts
from service.security import access, audit_log
from service.security.accounts import Account, Permission
from service.web import problems
from service.web.bodies import row_number
from service.web.problems import Problem

blueprint = Blueprint("desk", __name__)
MAX_SKIPPED = 60
"""The session's cookie holds them, and a browser drops one of over 4 kB."""


@dataclass(frozen=True, slots=True)
class _Page:
    """What is said on the page of a complaint besides the complaint."""

    error: str = ""
    told: str = ""
    saved: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    focus: str = ""
    family: Agency | None = None
    """The family that was chosen before its unit was: once that is, one press decides."""


@blueprint.get("/antrean")
@access.page(Permission.VIEW)
def queue() -> Response:
    """Show what waits, the most urgent first."""
    wanted, at, today = Filter.read(request.args), now(), parts().calendar.today()
    skipped, person = _skipped(), access.current_account()
    may_open = person.may(Permission.DECIDE) or person.may(Permission.CONFIDENTIAL)  # also what is confidential
    if wanted.alasan == waiting.EMERGENCY and not may_open:  # it would tell which of the confidential ones are
        wanted = replace(wanted, alasan="")
    if request.args.get("lagi"):
        skipped = session["lewati"] = []
    with parts().database.read() as connection:
        counts = waiting.count(connection, today)
        after, minutes = Cursor.read(request.args.get("setelah", "")), parts().settings.claim_minutes
        listed, following_page = waiting.entries(connection, wanted, today, at, minutes, after, veiled=not may_open)
    return make_response(
        render_template(
            "desk/queue.html",
            counts=counts,
            entries=listed,
            following_page=following_page,
            wanted=wanted,
            ages=waiting.AGES,
            emergency=waiting.EMERGENCY,
            may_open=may_open,
            skipped=skipped,
            saved=session.pop("tersimpan", {}),
            paged="setelah" in request.args,
        )
    )


@blueprint.get("/antrean/berikutnya")
@access.page(Permission.DECIDE)
def following() -> Response:
    """Open the most urgent complaint that nobody else has open."""
    wanted = Filter.read(request.args)
    with parts().database.write() as connection:
        number = _claim_next(connection, wanted)
    if number is None:
        flash("Tidak ada yang dapat dibuka: yang menunggu di sini sedang dibuka petugas lain atau sudah Anda lewati.")
        return redirect(url_for("desk.queue", **wanted.query()))
    return redirect(url_for("desk.show", number=number, **wanted.query()))


@blueprint.get("/aduan/<row:number>")
@access.page(Permission.VIEW)
def show(number: int) -> Response:
    """Show a complaint; whoever may decide has it for a while."""
    with parts().database.read() as connection:
        case = _open(connection, number)
    if case.state == "waiting" and access.current_account().may(Permission.DECIDE):
        with parts().database.write() as connection:
            claims.take(connection, number, access.current_account().id, parts().settings.claim_minutes)
    saved, told = session.pop("tersimpan", {}), session.pop("kabar", "")
    return _case(number, None, _Page(told=told, saved=saved), request.args.get("cari", "")[: agency_search.MAX_QUERY])


@blueprint.post("/aduan/<row:number>")
@access.page(Permission.DECIDE)
def act(number: int) -> Response:
    """Do what the pressed button says: choose an agency, ask, skip, undo, leave, search, or put the question together anew."""
    doing, draft = request.form.get("aksi"), Draft.read()
    if doing == "urungkan":
        return _undo(number)
    if doing == "lewati":
        return _skip(number)
    if doing == "antrean":
        return _leave(number)
    if doing == "cari":
        return _case(number, draft, _Page(focus="cari"))
    if doing == "susun":
        with parts().database.read() as connection:
            written = form.proposal(_open(connection, number), draft.missing)
        return _case(number, replace(draft, question=written), _Page(focus="pertanyaan"))
    return _decide(number, draft)


@blueprint.get("/aduan/<row:number>/cari")
@access.page(Permission.DECIDE)
def search(number: int) -> Response:
    """Answer the buttons of the agencies that a search finds, for the script."""
    with parts().database.read() as connection:
        case = _open(connection, number)
    typed = request.args.get("cari", "")[: agency_search.MAX_QUERY]
    return make_response(
        render_template("desk/found.html", found=options.found(typed), search=typed, case=case, unit_of=options.unit_of)
    )


@blueprint.get("/aduan/<row:number>/pertanyaan")
@access.page(Permission.DECIDE)
def question(number: int) -> Response:
    """Answer the question to the reporter about what is missing, for the script."""
    with parts().database.read() as connection:
        case = _open(connection, number)
    written = form.proposal(case, [name for name in wording.MISSING if name in request.args.getlist("kurang")])
    return Response(written, content_type="text/plain; charset=utf-8")


@blueprint.errorhandler(CSRFError)
def stale(error: CSRFError) -> Response:  # noqa: ARG001
    """Show a form again that was open for too long, with all that was typed in it: only its token is old."""
    message = "Halaman ini terlalu lama terbuka. Yang Anda tulis masih ada: periksa, lalu kirim sekali lagi."
    try:
        return _case((request.view_args or {})["number"], Draft.read(), _Page(error=message, status=400))
    except Problem as problem:
        return problems.respond(problem)


@blueprint.errorhandler(InterfaceError)
@blueprint.errorhandler(OperationalError)
@blueprint.errorhandler(PoolTimeout)
def busy(error: SQLAlchemyError) -> Response:
    """Give back what was typed where the database did not answer in time; nothing of it was kept."""
    if request.method != "POST":
        return problems.respond(error)
    message = "Sistem sedang sibuk, putusan belum disimpan. Yang Anda tulis masih ada: tunggu sebentar, lalu kirim sekali lagi."
    try:
        return _case((request.view_args or {})["number"], Draft.read(), _Page(error=message, status=503))
    except Problem as problem:
        return problems.respond(problem)
    except SQLAlchemyError:
        return problems.respond(error)


def init_app(app: Flask) -> None:
    """Add the pages and the words that only they use."""
    app.register_blueprint(blueprint)
    app.jinja_env.filters.update(
        days_left=lambda due: parts().calendar.between(parts().calendar.today(), due),
        days_left_words=days_left,
    )


def days_left(days: int) -> str:
    """Say how many working days are left."""
    if days < 0:
        return f"lewat {wording.number(-days)} hari kerja"
    return "tenggat hari ini" if days == 0 else f"sisa {days} hari kerja"


def _load(connection: Connection, number: int) -> Case:
    case = cases.load(connection, number)
    if case is None:
        raise Problem("not-found", "No such complaint.", sentence=f"Aduan nomor {number} tidak ada.")
    return case


def _open(connection: Connection, number: int) -> Case:
    """Load a complaint that this person may read: all that shows anything of one begins here."""
    case = _load(connection, number)
    if not _may_read(case, access.current_account()):
        raise Problem(
            "forbidden", "The complaint is confidential.", sentence="Aduan ini rahasia: peran Anda tidak dapat membukanya."
        )
    return case


def _may_read(case: Case, person: Account) -> bool:
    """Whoever decides reads what is confidential while it is theirs to decide; afterwards only those whose role says so."""
    if not case.complaint.confidential or person.may(Permission.CONFIDENTIAL):
        return True
    return case.state in ("waiting", "asked") and person.may(Permission.DECIDE)


def _skipped() -> list[int]:
    return [number for number in session.get("lewati", []) if isinstance(number, int)]


def _claim_next(connection: Connection, wanted: Filter) -> int | None:
    conditions = wanted.conditions(parts().calendar.today(), now())
    return claims.take_next(connection, access.current_account().id, parts().settings.claim_minutes, conditions, skipped=_skipped())


def _decide(number: int, draft: Draft) -> Response:
    with parts().database.read() as connection:
        case = _load(connection, number)
        if not review.is_by(connection, case.verdict_id or 0, access.current_account().id):  # one's own form may come twice
            case = _open(connection, number)
    try:
        choice = form.choice(case, draft)
    except NotChosen as wrong:
        return _case(number, draft, _Page(f"{wrong} Putusan belum disimpan.", status=422, focus=wrong.focus, family=wrong.family))
    wanted, person, minutes = Filter.read(request.args), access.current_account(), parts().settings.claim_minutes
    try:
        with parts().database.write() as connection:
            saved = review.decide(
                connection,
                number,
                choice,
                person.id,
                seen=row_number(form.field("keadaan")) or None,
                minutes=minutes,
                # A question quotes the complaint that it is about.
                others=draft.members if draft.group and choice.outcome != "needs-info" else (),
            )
            # A complaint that was not waiting was looked up on purpose: stay with it, if this person may still read it.
            looked_up = case.state != "waiting" and not saved.again
            stays = looked_up and (not case.complaint.confidential or person.may(Permission.CONFIDENTIAL))
            ahead = number if stays else _claim_next(connection, wanted)
    except NotPossible as error:
        return _case(number, draft, _Page(error=str(error), status=409))
    return _onward(ahead, wanted, saved=_told(saved, case))


def _undo(number: int) -> Response:
    verdict_id, person = row_number(form.field("putusan")) or 0, access.current_account()
    try:
        with parts().database.write() as connection:
            if not review.is_by(connection, verdict_id, person.id):  # one's own slip can be mended without reading it again
                _open(connection, number)
            undone = review.undo(connection, number, verdict_id, person.id, parts().settings.claim_minutes)
    except NotPossible as error:
        return _case(number, None, _Page(error=str(error), status=409))
    more = f" bersama {len(undone) - 1} aduan serupa" if len(undone) > 1 else ""
    return _onward(undone[0], Filter.read(request.args), told=f"Putusan dibatalkan. Aduan #{undone[0]} kembali menunggu{more}.")


def _skip(number: int) -> Response:
    session["lewati"] = [*(other for other in _skipped() if other != number), number][-MAX_SKIPPED:]
    wanted = Filter.read(request.args)
    with parts().database.write() as connection:
        claims.release(connection, number, access.current_account().id)
        ahead = _claim_next(connection, wanted)
    return _onward(ahead, wanted, told=f"Aduan #{number} dilewati.")


def _leave(number: int) -> Response:
    """Let colleagues have a complaint that nobody looks at any more. The script tells it of a page that is left by another way."""
    with parts().database.write() as connection:
        claims.release(connection, number, access.current_account().id, until=form.field("dibuka"))
    if request.headers.get("X-Salur") == "meja":
        return Response(status=204)
    return redirect(url_for("desk.queue", **Filter.read(request.args).query()), 303)


def _onward(number: int | None, wanted: Filter, saved: Mapping[str, Any] | None = None, told: str = "") -> Response:
    """Lead to a complaint, or to the queue where there is none; the script gets it at once."""
    if request.headers.get("X-Salur") == "meja":
        if number is not None:
            with suppress(InterfaceError, OperationalError, PoolTimeout):  # what was sent is kept, and must not be called unsaved
                return _case(number, None, _Page(told=told, saved=saved or {}))
        page = render_template("desk/done.html", saved=saved or {}, told=told, skipped=_skipped(), wanted=wanted, unread=number)
        answer = make_response(page)
        kept = wanted.query()
        answer.headers["X-Salur-Alamat"] = url_for("desk.show", number=number, **kept) if number else url_for("desk.queue", **kept)
        return answer
    session["tersimpan"], session["kabar"] = dict(saved or {}), told
    if number is None:
        if told:
            flash(session.pop("kabar"))
        return redirect(url_for("desk.queue", **wanted.query()), 303)
    return redirect(url_for("desk.show", number=number, **wanted.query()), 303)


def _case(number: int, draft: Draft | None, page: _Page, search: str = "") -> Response:
    """Show the page of a complaint, or for the script only what changes on it; without a draft the form is a fresh one.

    Who opens a confidential one leaves a line in the log first.
    """
    person, register, at = access.current_account(), parts().models.register, now()
    with parts().database.read() as connection:
        case = _open(connection, number)
        group = cases.members(connection, number)
        like = [] if case.blind else cases.precedents(connection, case, [member.id for member in group])
        holder = ""
        if claims.is_held(case, at, parts().settings.claim_minutes, person.id):
            holder = review.name_of(connection, case.claimed_by)
    if case.complaint.confidential and draft is None:
        with parts().database.write() as connection:
            audit_log.write(connection, "confidential-opened", f"complaint:{number}", account_id=person.id)
    wanted = Filter.read(request.args)
    missing = case.routing.missing if case.routing else ()
    if draft is None:
        draft = Draft(missing=tuple(missing), question=form.proposal(case, missing), search=search)
    open_ = case.state in ("waiting", "asked", "sent") and not case.purged and person.may(Permission.DECIDE) and not holder
    routing = None if case.blind else case.routing
    fragment = request.headers.get("X-Salur") == "meja"
    answer = make_response(
        render_template(
            "desk/meja.html" if fragment else "desk/case.html",
            case=case,
            routing=routing,
            open=open_,
            holder=holder,
            title=highlight.pieces(case.complaint, routing, "title") if routing else [highlight.Piece(case.complaint.title)],
            text=highlight.pieces(case.complaint, routing, "text") if routing else [highlight.Piece(case.complaint.text)],
            options=options.buttons(case, register),
            shown=options.SHOWN,
            found=options.found(draft.search),
            register=register,
            families=[agency for agency in register.agencies if agency.per] if register else [],
            group=group,
            like=like,
            draft=draft,
            own_question=form.own_question(case, draft),
            page=page,
            wanted=wanted,
            limits={"note": review.MAX_NOTE, "question": review.MAX_QUESTION},
            unit_of=options.unit_of,
        ),
        page.status,
    )
    answer.headers["X-Salur-Alamat"] = url_for("desk.show", number=number, **wanted.query())
    return answer


def _told(saved: Saved, case: Case) -> dict[str, Any]:
    """Build what the page says about a stored verdict; small, because without the script it travels in the session cookie."""
    said = {
        "needs-info": "pertanyaan dicatat. Sampaikan kepada pelapor lewat kanal asal aduan ini",
        "not-a-complaint": "bukan aduan",
    }.get(saved.outcome, "")
    if not said:
        said = wording.agency_name(saved.agency, saved.unit)
        if saved.also:
            said += f", bersama {', '.join(map(wording.agency_name, saved.also))}"
    passed_over: dict[str, list[str]] = {}
    for number, holder in saved.passed_over:
        passed_over.setdefault(f"sedang dibuka {holder}" if holder else "sudah tidak menunggu", []).append(f"#{number}")
    return {
        "number": saved.complaint_id,
        "verdict": saved.verdict_id,
        "what": said,
        "others": len(saved.others),
        "passed_over": "; ".join(f"{', '.join(numbers)} {why}" for why, numbers in passed_over.items()),
        "again": saved.again,
        "stopped": wording.agency_name(saved.stopped) if saved.stopped else "",
        "audit": case.blind,
        "closed": case.complaint.confidential and not access.current_account().may(Permission.CONFIDENTIAL),
    }
