"""The page of the blind audit: the live error of each agency against the promise, and the breakers with their reasons."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Flask, flash, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response

from service import wording
from service.parts import parts
from service.promise import audit, breakers
from service.promise.breakers import InvalidBreaker
from service.security import access
from service.security.accounts import Permission
from service.web.bodies import row_number

blueprint = Blueprint("audit_page", __name__)
SHOWN = 50


def init_app(app: Flask) -> None:
    """Add the page, and tell every other one which agencies are stopped."""
    app.register_blueprint(blueprint)
    app.jinja_env.globals["stopped_agencies"] = stopped


@blueprint.get("/antrean/pemeriksaan")
@access.page(Permission.VIEW)
def show() -> Response:
    """Show what the blind audit found, and which agencies' automatic routing is stopped."""
    return _page()


@blueprint.post("/antrean/pemeriksaan")
@access.page(Permission.BREAKER)
def change() -> Response:
    """Stop the automatic routing of an agency or let it go on, with a reason."""
    why, by = _text("alasan"), access.current_account().id
    try:
        with parts().database.write() as connection:
            if request.form.get("aksi") == "cabut":
                agency = breakers.close_breaker(connection, row_number(_text("nomor")) or 0, why, by)
                told = "berjalan lagi"
            else:
                router, agency, told = parts().models.require(), _text("instansi"), "dihentikan"
                if agency not in router.register.by_id:
                    raise InvalidBreaker("Pilih dahulu instansinya.")
                breakers.open_breaker(connection, agency, router.version, why, by)
    except InvalidBreaker as error:
        return _page(str(error), 422)
    flash(f"Penerusan otomatis ke {wording.agency_name(agency)} {told}.")
    return redirect(url_for("audit_page.show"), 303)


@blueprint.errorhandler(CSRFError)
def stale(error: CSRFError) -> Response:  # noqa: ARG001
    """Show the form again with what was typed in it: only its token is old."""
    return _page("Halaman ini terlalu lama terbuka. Yang Anda tulis masih ada: kirim sekali lagi.", 400)


def stopped() -> Sequence[breakers.Breaker]:
    """Answer the breakers that are open now, for the banner on every page."""
    router = parts().models.router()
    if router is None:
        return ()
    with parts().database.read() as connection:
        return breakers.open_for(connection, router.version)


def _page(error: str = "", status: int = 200) -> Response:
    router = parts().models.router()
    version = router.version if router else ""
    with parts().database.read() as connection:
        errors = audit.live_errors(connection, version)
        still_open = breakers.open_for(connection, version)
        known = breakers.newest(connection, SHOWN)
    page = render_template(
        "desk/audits.html",
        # Where a case was proposed to is told once it is decided, not while somebody is to judge it without knowing.
        errors=[one for one in errors if one.cases],
        waiting=sum(one.waiting for one in errors),
        open=still_open,
        past=[one for one in known if one.closed_at is not None or one.model_version != version],
        target=audit.promised(router),
        share=parts().settings.audit_share,
        agencies=router.register.agencies if router else (),
        version=version,
        error=error,
        given={name: _text(name) for name in ("alasan", "instansi", "nomor", "aksi")},
        longest=breakers.MAX_REASON,
    )
    return make_response(page, status)


def _text(name: str) -> str:
    return request.form.get(name, "").strip()
