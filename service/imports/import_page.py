"""The page /impor: an export of LAPOR! uploaded, its names mapped, its progress shown, and the file handed back."""

from __future__ import annotations

import errno
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from model.register import Register
from service.imports import import_jobs, import_worker, name_mapping, uploads
from service.imports.import_jobs import SOURCE, Job
from service.imports.name_mapping import LEFT, OPEN, Targets
from service.imports.name_proposals import SURE, NameIndex, Proposal
from service.imports.uploads import InvalidUpload
from service.parts import Parts, parts
from service.security import access, audit_log
from service.security.accounts import Permission
from service.web import spreadsheets
from service.web.problems import Problem, may_be_kept
from service.web.streams import streams

blueprint = Blueprint("imports", __name__, url_prefix="/impor")
MAX_BODY = uploads.MAX_BYTES + 2**20
SHOWN_NAMES = 100
"""Names that one page asks about, each with a list of all agencies: the most frequent ones of those not mapped yet."""
_NOT_YOURS = "Berkas ini hanya dapat diambil oleh yang mengunggahnya."
_STATES = {
    "uploaded": "sedang diperiksa",
    "surveyed": "menunggu diproses",
    "confirmed": "sedang diproses",
    "processed": "berkas hasil sedang ditulis",
    "done": "selesai",
    "failed": "gagal",
    "cancelled": "dibatalkan",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A name as the export writes it, and what it is taken to mean: decided before, or proposed. `place` is its number."""

    place: int
    name: str
    rows: int
    topics: Sequence[tuple[str, int]]
    target: str
    decided: bool
    proposals: Sequence[Proposal]
    by_topic: Mapping[str, str]


@blueprint.get("")
@access.page(Permission.IMPORT)
def show() -> Response:
    """Show the form and the newest imports."""
    return _start()


@blueprint.post("")
@access.page(Permission.IMPORT, max_body=MAX_BODY)
def upload() -> BaseResponse:
    """Take a file in; it is looked through in the background."""
    file = request.files.get("berkas")
    if file is None or not file.filename:
        return _start("Pilih berkasnya terlebih dahulu.")
    try:
        taken = uploads.receive(parts().settings.uploads, file.stream, file.filename)
    except InvalidUpload as error:
        return _start(str(error))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Problem(
            "busy", "No space left.", sentence="Penyimpanan server penuh: berkas belum tersimpan. Hubungi pengelola."
        ) from error
    try:
        with parts().database.write() as connection:
            number = import_jobs.add(connection, taken, access.current_account().id)
            job = import_jobs.find(connection, number)
    except BaseException as error:
        if not may_be_kept(error):  # else the job is there perhaps, and would wait for its file for a day
            uploads.remove(parts().settings.uploads, taken.name)
        raise
    if job is not None and job.path != taken.name:
        uploads.remove(parts().settings.uploads, taken.name)
        flash("Berkas yang sama sudah diunggah dan belum selesai. Ini keadaannya.")
    import_worker.worker().wake()
    return redirect(url_for("imports.one", number=number), 303)


@blueprint.errorhandler(RequestEntityTooLarge)
def too_large(error: RequestEntityTooLarge) -> Response:  # noqa: ARG001
    """Say with the form what is too large: a file is refused before it is read where it is so by far."""
    return _start(uploads.TOO_LARGE, 413)


@blueprint.get("/<row:number>")
@access.page(Permission.IMPORT)
def one(number: int) -> Response:
    """Show where an import stands, and what it waits for."""
    return _one(_find(number))


@blueprint.get("/<row:number>/keadaan")
@access.page(Permission.IMPORT)
def progress(number: int) -> Response:
    """Answer how far an import is, for the script of the page."""
    job = _find(number)
    if job.is_working:
        import_worker.worker().wake()
    response: Response = make_response(
        {"state": job.state, "rows": job.counts.get("rows", 0), "done": job.counts.get("did_rows", 0)}
    )
    return response


@blueprint.post("/<row:number>/proses")
@access.page(Permission.IMPORT)
def confirm(number: int) -> BaseResponse:
    """Remember what the names mean, and let the job go on, or only show the topics of one name (`rinci`)."""
    job, form = _find(number), request.form
    register = parts().models.register
    decided = _decided(job, form)
    if register is not None and (wrong := name_mapping.wrong_targets(decided.values(), register)):
        return _one(job, f"Instansi tidak dikenal: {', '.join(sorted(set(wrong)))[:200]}. Pilih dari daftar.", 422)
    by = access.current_account().id
    detail = form.get("rinci", "")
    with parts().database.write() as connection:
        # Else an old page would change what a colleague has decided since.
        waiting = import_jobs.waits_for_names(connection, number)
        if waiting and (changed := name_mapping.save(connection, SOURCE, decided, by)):
            audit_log.write(connection, "names-mapped", f"import:{number}", {"names": changed}, account_id=by)
        if waiting and not detail:
            import_jobs.confirm(connection, number, form.get("putusan") == "ya", by)
    if waiting and detail:
        take = form.get("putusan", "tidak")
        return redirect(url_for("imports.one", number=number, rinci=detail, putusan=take, _anchor=f"nama-{detail}"), 303)
    if not waiting:
        flash("Impor ini sudah diproses atau dibatalkan sebelumnya. Ini keadaannya.")
    import_worker.worker().wake()
    return redirect(url_for("imports.one", number=number), 303)


@blueprint.post("/<row:number>/batal")
@access.page(Permission.IMPORT)
def cancel(number: int) -> BaseResponse:
    """Drop an import of which nothing was taken in yet."""
    job = _find(number)
    with parts().database.write() as connection:
        done = import_jobs.cancel(connection, job, access.current_account().id)
    if done:
        uploads.remove(parts().settings.uploads, job.path)
        flash("Impor dibatalkan; berkasnya sudah dihapus.")
    else:
        flash("Sudah terlambat untuk membatalkan: impor ini sudah diproses.")
    return redirect(url_for("imports.one", number=number), 303)


@blueprint.post("/<row:number>/berkas")
@access.page(Permission.IMPORT)
def fetch(number: int) -> BaseResponse:
    """Hand the file back. Once all of it was sent, it is deleted here."""
    job = _find(number)
    if not _may_fetch(job):
        raise Problem("forbidden", "The file is somebody else's.", sentence=_NOT_YOURS)
    path = parts().settings.uploads / job.path
    if not job.has_result or not path.is_file():
        flash("Berkas hasil sudah tidak ada. Unggah ekspor lagi: yang sudah masuk tidak akan masuk dua kali.")
        return redirect(url_for("imports.one", number=number), 303)
    by, of = access.current_account().id, parts()
    response = streams().begin(lambda: _handed(job, by, of), "application/octet-stream")
    plain = unicodedata.normalize("NFKD", job.result_name).encode("ascii", "ignore").decode()  # for those who do not read the other
    names = {"filename": plain, "filename*": f"UTF-8''{quote(job.result_name, safe='')}"}
    response.headers.set("Content-Disposition", "attachment", **names)
    response.content_length = path.stat().st_size
    return response


def _may_fetch(job: Job) -> bool:
    """Tell whether this person may have the file: it is as it was uploaded, with what is confidential in it and who reported."""
    person = access.current_account()
    return job.created_by == person.id or person.may(Permission.CONFIDENTIAL)


def _handed(job: Job, by: int, of: Parts) -> Iterator[bytes]:
    yield from spreadsheets.pieces((of.settings.uploads / job.path).open("rb"))
    # Only a reader that took everything comes here; one that was cut off can fetch it again.
    with of.database.write() as connection:
        import_jobs.hand_back(connection, job, by)
    uploads.remove(of.settings.uploads, job.path)


def _find(number: int) -> Job:
    with parts().database.read() as connection:
        job = import_jobs.find(connection, number)
    if job is None:
        raise Problem("not-found", "There is no such import.", sentence="Impor itu tidak ada.")
    return job


def _start(error: str = "", status: int = 422) -> Response:
    with parts().database.read() as connection:
        jobs = import_jobs.newest(connection)
    page = render_template("pages/imports.html", jobs=jobs, error=error, states=_STATES, most=uploads.MAX_BYTES // 2**20)
    return make_response(page, status if error else 200)


def _one(job: Job, error: str = "", status: int = 200) -> Response:
    if job.is_working:
        import_worker.worker().wake()
    with parts().database.read() as connection:
        targets = name_mapping.load(connection, SOURCE) if job.state == "surveyed" else Targets()
        troubles = import_jobs.troubles(connection, job.id)
    register = parts().models.register
    names = _names(job, targets, register) if job.state == "surveyed" else []
    fresh = [name for name in names if not name.decided]
    page = render_template(
        "pages/import.html",
        job=job,
        error=error,
        states=_STATES,
        troubles=troubles,
        may_fetch=_may_fetch(job),
        register=register,
        fresh=fresh[:SHOWN_NAMES],
        remembered=[name for name in names if name.decided][:SHOWN_NAMES],
        unasked=max(len(fresh) - SHOWN_NAMES, 0) + job.counts.get("more_names", 0),
        detailed=request.args.get("rinci", ""),
        take=request.values.get("putusan", "tidak" if request.form else "ya") == "ya",
        left=LEFT,
        open=OPEN,
    )
    return make_response(page, status)


def _names(job: Job, targets: Targets, register: Register | None) -> list[Asked]:
    index = _index(register) if register else None
    found = []
    for place, name in enumerate(job.counts.get("names", ())):
        written, decided = str(name["name"]), targets.exactly(name["name"])
        proposals = index.propose(written) if index and not decided else ()
        proposed = proposals[0].agency if proposals and proposals[0].score >= SURE else ""
        topics = [(str(topic), int(rows)) for topic, rows in name["topics"]]
        found.append(
            Asked(
                place=place,
                name=written,
                rows=int(name["rows"]),
                topics=topics,
                target=decided or targets.of(written) or proposed,
                decided=bool(decided),
                proposals=proposals,
                by_topic={topic: targets.exactly(written, topic) for topic, _ in topics if topic},
            )
        )
    return found


def _decided(job: Job, form: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Read what the form says of the names, each by its place in the file and of its topics."""
    decided = {}
    for place, name in enumerate(job.counts.get("names", ())):
        if (target := form.get(f"nama-{place}")) is not None:
            decided[name["name"], ""] = target[:100]
        for number, (topic, _) in enumerate(name["topics"]):
            if topic and (target := form.get(f"nama-{place}-{number}")) is not None:
                decided[name["name"], topic] = target[:100]
    return decided


@lru_cache(maxsize=2)
def _index(register: Register) -> NameIndex:
    return NameIndex(register)
