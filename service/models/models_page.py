"""The page /model: the versions of the registry's folder, which one answers, which one runs beside it, and what was live when.

Who may, puts another version live here, takes it back, and sets up a challenger: with a reason, and under the registry's own rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog
from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from model.ledger import Entry, Event, History, Verdict
from model.registry import CURRENT, Refusal, Refused, RegistryError
from service import wording
from service.clock import now
from service.models import shadow, versions
from service.parts import parts
from service.security import access, audit_log
from service.security.accounts import Permission
from service.web.problems import Problem

blueprint = Blueprint("models", __name__, url_prefix="/model")
MAX_REPORT = 30_000_000
MAX_CARD = 200_000
MAX_EVENTS = 100
EVENTS: Mapping[str, str] = {
    Event.TRAINED: "dilatih",
    Event.COMPARED: "dibandingkan",
    Event.PROMOTED: "mulai dipakai",
    Event.ROLLED_BACK: "dikembalikan",
    Event.REFUSED: "ditolak",
    Event.SHADOWED: "dipasang sebagai bayangan",
    Event.SHADOW_ENDED: "berhenti sebagai bayangan",
}
"""What the ledger tells of, in the words of the page."""
REFUSALS: Mapping[str, str] = {
    Refusal.BROKEN: "Versi ini tidak dapat dimuat: berkasnya rusak, belum tersalin lengkap, atau tidak cocok dengan Salur yang "
    "berjalan.",
    Refusal.UNKNOWN_AGENCIES: "Versi ini menyebut instansi yang tidak ada di register wilayah ini: {about}.",
    Refusal.LACKING_AGENCIES: "Versi ini tidak mengenal instansi yang dikenal model yang sekarang dipakai: {about}. "
    "Latih ulang dengan register wilayah ini.",
    Refusal.LIVE_ALREADY: "Versi ini sedang dipakai.",
    Refusal.NOT_COMPARED: "Versi ini belum dibandingkan dengan versi yang sedang dipakai. Bandingkan dahulu, atau tuliskan "
    "mengapa dipakai meskipun belum terbukti lebih baik.",
    Refusal.NOT_BETTER: "Pembandingan dengan versi yang sedang dipakai belum menyatakan versi ini layak. Bila tetap akan "
    "dipakai, tuliskan mengapa.",
    Refusal.NOTHING_BEFORE: "Belum ada versi sebelumnya yang dapat dipakai lagi.",
    Refusal.MOVED: "Model yang dipakai baru saja diganti. Periksa keadaan terakhir di bawah, lalu ulangi bila masih perlu.",
    Refusal.OTHER_SHADOW: "Model bayangannya sudah berganti sejak halaman ini dibuka. Periksa keadaan terakhir di bawah, "
    "lalu ulangi bila masih perlu.",
}
"""Why the registry will not, as people read it."""
MAX_REASON = 900
STALLED_SECONDS = 60
"""A challenger that has not answered a complaint for so long is in trouble."""
REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""A report is a file that training wrote: it may draw and be styled, but run nothing, load nothing and know no session."""
_ACTIONS: Mapping[str, str] = {
    Event.PROMOTED: "model-promoted",
    Event.ROLLED_BACK: "model-rolled-back",
    Event.SHADOWED: "shadow-started",
    Event.SHADOW_ENDED: "shadow-ended",
}
"""What the log calls them."""
_log = structlog.get_logger("salur")


@dataclass(frozen=True, slots=True)
class Rejected:
    """What the ledger tells of a refusal, for people. `details` are the registry's own words, where ours do not say all."""

    sentence: str
    details: str

    @classmethod
    def read(cls, entry: Entry) -> Rejected:
        """Take it from a line, which may be an older one or written by hand. What to do about it now is not told of the past."""
        kind, about = str(entry.figures.get("refusal", "")), entry.figures.get("about")
        sentence = REFUSALS.get(kind, "").partition(". ")[0].rstrip(".")
        names = ", ".join(wording.agency_name(str(name)) for name in about) if isinstance(about, list) else ""
        told = f"{sentence.format(about=names)}." if sentence else ""
        return cls(told, "" if told and kind != Refusal.BROKEN else entry.why)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a form asked for: the action, why, why in spite of the comparison, and the versions that they saw live and beside it."""

    action: str = ""
    why: str = ""
    in_spite: str = ""
    live: str = ""
    beside: str = ""


@blueprint.get("")
@access.page(Permission.VIEW)
def show() -> Response:
    """List the versions, the one in use first."""
    return _all()


@blueprint.post("")
@access.page(Permission.MODEL)
def change() -> Response:
    """Take the last promotion back, or let no challenger run any more."""
    asked, who, registry = _asked(), access.current_account().name, parts().models.registry
    if wrong := _wrong(asked, "kembalikan", "hentikan"):
        return _all(wrong, asked, 422)
    at = now().isoformat(timespec="seconds")
    try:
        if asked.action == "hentikan":
            done = registry.stop_shadow(why=asked.why, who=who, at=at, only=asked.beside or None)
            told = f"Model bayangan {done.version} sudah dihentikan. Jawabannya tetap tersimpan."
        else:
            done = registry.rollback(why=asked.why, who=who, at=at, instead_of=asked.live)
            told = f"Versi {done.version} dipakai lagi. Semua proses mengikutinya dalam 2 detik."
    except RegistryError as error:
        return _all(_sentence(error), asked, _status(error))
    return _done(done, told)


@blueprint.get("/<name>")
@access.page(Permission.VIEW)
def one(name: str) -> Response:
    """Show a version: its figures, its card, and what can be done with it."""
    return _one(name)


@blueprint.post("/<name>")
@access.page(Permission.MODEL)
def use(name: str) -> Response:
    """Put a version live, or let it run beside the live one."""
    _folder(name)
    asked, who, registry = _asked(), access.current_account().name, parts().models.registry
    if wrong := _wrong(asked, "pakai", "bayangan"):
        return _one(name, wrong, asked, 422)
    at = now().isoformat()  # to the microsecond: a challenger is not asked about complaints that came before
    try:
        if asked.action == "bayangan":
            done = registry.start_shadow(name, why=asked.why, who=who, at=at)
            told = f"Versi {name} kini menjawab sebagai bayangan. Jawabannya hanya disimpan, tidak pernah dikirim."
        else:
            done = registry.promote(name, why=asked.why, who=who, at=at, force_why=asked.in_spite, instead_of=asked.live)
            told = f"Versi {name} mulai dipakai. Semua proses mengikutinya dalam 2 detik."
    except RegistryError as error:
        return _one(name, _sentence(error), asked, _status(error))
    return _done(done, told)


@blueprint.errorhandler(CSRFError)
def stale(error: CSRFError) -> Response:  # noqa: ARG001
    """Show the form again with what was typed in it: only its token is old."""
    told = "Halaman ini terlalu lama terbuka. Yang Anda tulis masih ada: periksa, lalu kirim sekali lagi."
    name = (request.view_args or {}).get("name", "")
    return _one(name, told, _asked(), 400) if name else _all(told, _asked(), 400)


@blueprint.get("/<name>/laporan")
@access.page(Permission.VIEW)
def report(name: str) -> Response:
    """Give a version's report: shown without any power over this site, or as a file with ?unduh=1."""
    folder = _folder(name)
    if not (folder / versions.REPORT).is_file():
        raise Problem("not-found", "The version has no report.", sentence="Versi ini tidak menyertakan laporan.")
    response = make_response(_read(folder / versions.REPORT, MAX_REPORT))
    response.content_type = "text/html; charset=utf-8"
    response.headers["Content-Security-Policy"] = REPORT_POLICY
    if request.args.get("unduh"):
        response.headers["Content-Disposition"] = f'attachment; filename="laporan-{name}.html"'
    return response


def _all(error: str = "", asked: _Asked | None = None, status: int = 200) -> Response:
    registry, router = parts().models.registry, parts().models.router()
    live, beside = versions.if_readable(registry.current), versions.if_readable(registry.shadow)
    history = versions.if_readable(registry.history) or History(())
    figures = None
    if beside is not None:
        with parts().database.read() as connection:
            figures = shadow.figures(connection, beside, router.version if router else "")
    page = render_template(
        "pages/models.html",
        versions=versions.newest(registry, router.version if router else ""),
        events=history.entries[: -MAX_EVENTS - 1 : -1],
        trouble=parts().models.trouble if (registry.folder / CURRENT).exists() else "",
        router=router,
        words=EVENTS,
        figures_of=versions.Compared.read,
        rejected=Rejected.read,
        live=live or "",
        before=versions.if_readable(registry.previous),
        beside=beside,
        figures=figures,
        stalled=bool(figures and figures.waiting_since and (now() - figures.waiting_since).total_seconds() > STALLED_SECONDS),
        error=error,
        asked=asked or _Asked(),
        longest=MAX_REASON,
    )
    return make_response(page, status)


def _one(name: str, error: str = "", asked: _Asked | None = None, status: int = 200) -> Response:
    folder, registry, router = _folder(name), parts().models.registry, parts().models.router()
    live, history = versions.if_readable(registry.current), versions.if_readable(registry.history)
    version = versions.one(folder, live, router.version if router else "", versions.if_readable(registry.shadow))
    compared = history.comparison(live, name) if live and history else None
    page = render_template(
        "pages/model.html",
        version=version,
        card=_read(folder / versions.CARD, MAX_CARD).decode("utf-8", "replace") if version.has_card else "",
        live=live or "",
        compared=compared,
        figures_of=versions.Compared.read,
        rejected=Rejected.read,
        needs_reason=bool(live) and (compared is None or compared.figures.get("verdict") != Verdict.PROMOTE),
        error=error,
        asked=asked or _Asked(),
        longest=MAX_REASON,
    )
    return make_response(page, status)


def _asked() -> _Asked:
    given = {name: request.form.get(name, "").strip() for name in ("aksi", "alasan", "meskipun", "dipakai", "bayangan")}
    return _Asked(given["aksi"], given["alasan"], given["meskipun"], given["dipakai"], given["bayangan"])


def _wrong(asked: _Asked, *actions: str) -> str:
    if asked.action not in actions:
        return "Pilih dahulu apa yang akan dilakukan."
    if not asked.why:
        return "Tuliskan alasannya: orang lain perlu tahu mengapa."
    longest = max(len(asked.why), len(asked.in_spite))
    return f"Alasan paling banyak {MAX_REASON} karakter; yang Anda tulis {longest}." if longest > MAX_REASON else ""


def _sentence(error: RegistryError) -> str:
    if not isinstance(error, Refused):
        return f"Gudang model tidak dapat diubah. Rincian: {error}"
    sentence = REFUSALS[error.kind].format(about=", ".join(map(wording.agency_name, error.about)))
    return f"{sentence} Rincian: {error}" if error.kind is Refusal.BROKEN else sentence


def _status(error: RegistryError) -> int:
    return 409 if isinstance(error, Refused) and error.kind in (Refusal.MOVED, Refusal.OTHER_SHADOW) else 422


def _done(entry: Entry, told: str) -> Response:
    """Tell what was done, and log it. The ledger has it already: a log that cannot be written undoes nothing."""
    action = _ACTIONS[entry.what]
    try:
        with parts().database.write() as connection:
            detail = {"why": entry.why, "before": entry.previous}
            audit_log.write(connection, action, f"model:{entry.version}"[:100], detail, account_id=access.current_account().id)
    except SQLAlchemyError as error:
        _log.error("change of model not in the audit trail", error=type(error).__name__, action=action, version=entry.version)
    parts().models.look()
    flash(told)
    return redirect(url_for("models.show"), 303)


def _folder(name: str) -> Path:
    try:
        return parts().models.registry.path(name)
    except RegistryError as error:
        raise Problem("not-found", "There is no such version.", sentence="Versi itu tidak ada di gudang model.") from error


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise Problem("not-found", "The file cannot be read.", sentence="Berkas itu tidak dapat dibaca.") from error
    if len(content) > most:
        raise Problem("too-large", "The file is too large to be shown.", sentence="Berkas itu terlalu besar untuk ditampilkan.")
    return content
