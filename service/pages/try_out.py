"""The page /coba: paste a complaint, see who would be responsible and why. Nothing of it is stored."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from pydantic import ValidationError
from werkzeug.wrappers import Response

from model.complaint import MAX_TEXT, MAX_TITLE
from service import wording
from service.desk import highlight
from service.parts import parts
from service.security import access
from service.telemetry import metrics
from service.web.schemas import MAX_PLACE, ComplaintIn

blueprint = Blueprint("try_out", __name__)
SHOWN = 7
EXAMPLES = (
    "lampu jalan di depan pasar mati sudah seminggu",
    "KTP saya hilang, mau cetak ulang di kantor kecamatan katanya blangko habis",
    "sampah di depan pasar induk sudah tiga hari tidak diangkut, baunya sampai ke sekolah",
)


@blueprint.get("/coba")
@access.public("120 per minute")
def form() -> Response:
    """Show the form, filled where the address brings a text."""
    return _page(ComplaintIn.model_construct(text=request.args.get("teks", "")[:MAX_TEXT], title="", kecamatan=""))


@blueprint.post("/coba")
@access.public("30 per minute")
def answer() -> Response:
    """Route what was pasted, and show everything that led there."""
    fields = {name: request.form.get(name, "") for name in ("text", "title", "kecamatan")}
    try:
        asked = ComplaintIn.model_validate(fields)
    except ValidationError:
        return _page(_typed(), f"Tuliskan aduan dengan kata-kata, paling banyak {wording.number(MAX_TEXT)} karakter.", 422)
    models = parts().models
    router = models.router()
    if router is None:
        return _page(asked, "Model belum siap. Yang Anda tulis masih ada: tunggu sebentar, lalu kirim sekali lagi.", 503)
    complaint = asked.complaint(parts().calendar.today().isoformat())
    routing = models.route(router, complaint)
    metrics.count_routings([routing], "coba")
    return _page(
        asked,
        routing=routing,
        title=highlight.pieces(complaint, routing, "title"),
        text=highlight.pieces(complaint, routing, "text"),
        candidates=routing.candidates[:SHOWN],
    )


@blueprint.errorhandler(CSRFError)
def stale(error: CSRFError) -> Response:  # noqa: ARG001
    """Show the form again that was open for too long, with what was typed in it."""
    return _page(_typed(), "Halaman ini terlalu lama terbuka. Yang Anda tulis masih ada: kirim sekali lagi.", 400)


def _typed() -> ComplaintIn:
    """Take what the form holds, as it is."""
    form = request.form
    return ComplaintIn.model_construct(
        text=form.get("text", "")[:MAX_TEXT],
        title=form.get("title", "")[:MAX_TITLE],
        kecamatan=form.get("kecamatan", "")[:MAX_PLACE],
    )


def _page(asked: ComplaintIn, error: str = "", status: int = 200, **found: object) -> Response:
    router = parts().models.router()
    kecamatan = router.register.kecamatan if router else ()
    page = render_template("try_out.html", asked=asked, error=error, kecamatan=kecamatan, examples=EXAMPLES, ready=router, **found)
    return make_response(page, status)
