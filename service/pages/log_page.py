"""The page /log: who did what and when, newest first. It never says what a complaint says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, make_response, render_template, request
from sqlalchemy import Select, select
from werkzeug.wrappers import Response

from service import wording
from service.pages.periods import parse_days, start_of
from service.parts import parts
from service.security import access, accounts
from service.security.accounts import Permission
from service.storage.tables import account, api_key, audit_log
from service.web.bodies import row_number

blueprint = Blueprint("log", __name__, url_prefix="/log")
SHOWN = 100
ACTIONS: Mapping[str, str] = {
    "signed-in": "masuk",
    "signed-out": "keluar",
    "account-added": "menambah pengguna",
    "account-opened": "mengaktifkan pengguna",
    "account-closed": "menonaktifkan pengguna",
    "password-changed": "mengganti kata sandi",
    "role-changed": "mengganti peran",
    "key-added": "membuat kunci API",
    "key-revoked": "mencabut kunci API",
    "history-exported": "mengekspor riwayat",
    "import-uploaded": "mengunggah berkas ekspor",
    "import-started": "memulai pemrosesan berkas",
    "import-finished": "selesai memproses berkas",
    "import-failed": "gagal memproses berkas",
    "import-cancelled": "membatalkan berkas",
    "import-handed-back": "mengambil berkas hasil",
    "import-expired": "menghapus berkas yang kedaluwarsa",
    "names-mapped": "memadankan nama instansi",
    "confidential-opened": "membuka laporan rahasia",
    "decided": "memutuskan aduan",
    "undone": "membatalkan putusan",
    "breaker-opened": "menghentikan penerusan otomatis",
    "breaker-closed": "menjalankan lagi penerusan otomatis",
    "model-promoted": "memakai versi model",
    "model-rolled-back": "mengembalikan versi model",
    "shadow-started": "memasang model bayangan",
    "shadow-ended": "menghentikan model bayangan",
    "webhook-added": "menambah webhook",
    "webhook-removed": "menghapus webhook",
    "purged": "menghapus isi aduan lama",
}
"""What the log calls by names, in the words of the page; what is not here is shown by its name."""
DETAILS: Mapping[str, str] = {
    "name": "nama",
    "role": "peran",
    "scopes": "kewenangan",
    "outcome": "hasil",
    "agency": "instansi",
    "verdict": "putusan",
    "verdicts": "disposisi menjadi putusan",
    "why": "alasan",
    "rows": "baris",
    "names": "nama instansi",
    "form": "bentuk",
    "filters": "saringan",
    "complaints": "aduan",
    "before": "sebelum",
    "url": "alamat",
    "source": "sumber",
}
"""What a line tells besides, in the words of the page."""
FILTERS: Mapping[str, str] = {
    "keputusan": "jawaban model",
    "instansi": "instansi",
    "usulan": "diusulkan ke",
    "oleh": "diputuskan oleh",
    "dari": "diterima dari",
}
"""The filters of an export, as /riwayat calls them; the others have the names of its address there too."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which lines are wanted; an empty field wants all. `before` is the number of the last line of the page before."""

    who: str = ""
    action: str = ""
    day_from: dt.date | None = None
    day_to: dt.date | None = None
    before: int | None = None


@blueprint.get("")
@access.page(Permission.LOG)
def show() -> Response:
    """Show the newest lines, or those the filters leave."""
    asked = _filters(request.args)
    with parts().database.read() as connection:
        rows = connection.execute(_query(asked)).all()
        people = accounts.everyone(connection)
        actions: Sequence[str] = connection.execute(select(audit_log.c.action).distinct()).scalars().all()
    more = rows[SHOWN - 1].id if len(rows) > SHOWN else None
    actions = sorted(actions, key=lambda name: ACTIONS.get(name, name))
    kept = {name: value for name, value in request.args.items() if name in ("siapa", "tindakan", "dari", "sampai") and value}
    page = render_template(
        "pages/log.html",
        rows=rows[:SHOWN],
        people=people,
        actions=actions,
        words=ACTIONS,
        details=DETAILS,
        scope_words=wording.SCOPES,
        filter_words=FILTERS,
        asked=asked,
        more=more,
        kept=kept,
    )
    return make_response(page)


def _filters(given: Mapping[str, str]) -> Filters:
    first, last = parse_days(given)
    return Filters(
        who=given.get("siapa", "")[:50],
        action=given.get("tindakan", "")[:50],
        day_from=first,
        day_to=last,
        before=row_number(given.get("sebelum", "")),
    )


def _query(asked: Filters) -> Select[Any]:
    query = (
        select(
            audit_log.c.id,
            audit_log.c.at,
            audit_log.c.action,
            audit_log.c.object,
            audit_log.c.detail,
            account.c.full_name.label("person"),
            api_key.c.name.label("key"),
        )
        .outerjoin(account, account.c.id == audit_log.c.account_id)
        .outerjoin(api_key, api_key.c.id == audit_log.c.api_key_id)
        .order_by(audit_log.c.id.desc())
        .limit(SHOWN + 1)
    )
    if asked.who:
        query = query.where(account.c.name == asked.who)
    if asked.action:
        query = query.where(audit_log.c.action == asked.action)
    zone = parts().settings.time_zone
    if asked.day_from:
        query = query.where(audit_log.c.at >= start_of(asked.day_from, zone))
    if asked.day_to:
        query = query.where(audit_log.c.at < start_of(asked.day_to + dt.timedelta(days=1), zone))
    if asked.before:
        query = query.where(audit_log.c.id < asked.before)
    return query
