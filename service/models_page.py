"""The page /model: the versions of the registry's folder, which one answers, what it says of itself, and what was live when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from model.artifact import ArtifactError, read_manifest
from model.registry import CURRENT, Entry, Event, Registry, RegistryError
from service import access
from service.accounts import Permission
from service.active_model import current_version
from service.parts import parts
from service.problems import Problem

blueprint = Blueprint("models", __name__, url_prefix="/model")
MAX_VERSIONS = 200
MAX_REPORT = 30_000_000
MAX_CARD = 200_000
MAX_EVENTS = 100
EVENTS: Mapping[str, str] = {
    Event.TRAINED: "dilatih",
    Event.COMPARED: "dibandingkan",
    Event.PROMOTED: "mulai dipakai",
    Event.ROLLED_BACK: "dikembalikan",
    Event.REFUSED: "ditolak",
}
"""What the ledger tells of, in the words of the page."""
REPORT = "report/report.html"
CARD = "MODEL_CARD.md"
REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""A report is a file that training wrote: it may draw and be styled, but run nothing, load nothing and know no session."""
_FIGURES = (
    ("accuracy", "Ketepatan", "percent"),
    ("top3", "Benar di antara tiga teratas", "percent"),
    ("macro_f1", "Macro-F1", "percent"),
    ("ece", "Galat kalibrasi (ECE)", "share"),
    ("rows", "Aduan yang dipakai menguji", "number"),
)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the registry as the page shows it. `trouble` says why its manifest cannot be read."""

    name: str
    live: bool = False
    in_use: bool = False
    trouble: str = ""
    manifest: Mapping[str, Any] = field(default_factory=dict)
    has_report: bool = False
    has_card: bool = False

    @property
    def created(self) -> str:
        """When it was trained, as the manifest writes it, to the minute."""
        return str(self.manifest.get("created", ""))[:16].replace("T", " ")

    @property
    def figures(self) -> Sequence[tuple[str, float, str]]:
        """The figures of its evaluation: (label, value, how to write it)."""
        metrics = self.manifest.get("metrics")
        values = metrics if isinstance(metrics, Mapping) else {}
        return [(label, float(values[name]), form) for name, label, form in _FIGURES if _is_number(values.get(name))]

    @property
    def promise(self) -> tuple[float, float, float] | None:
        """What was measured of automatic routing: (error promised, error found, share sent automatically)."""
        metrics = self.manifest.get("metrics")
        auto = metrics.get("auto") if isinstance(metrics, Mapping) else None
        if not isinstance(auto, Mapping) or not all(_is_number(auto.get(name)) for name in ("target_error", "error", "coverage")):
            return None
        return float(auto["target_error"]), float(auto["error"]), float(auto["coverage"])


@blueprint.get("")
@access.page(Permission.VIEW)
def show() -> Response:
    """List the versions, the one in use first."""
    registry = Registry(parts().settings.models)
    router = parts().models.router()
    page = render_template(
        "pages/models.html",
        versions=versions(registry, router.version if router else ""),
        events=_history(registry),
        trouble=parts().models.trouble if (registry.folder / CURRENT).exists() else "",
        router=router,
        words=EVENTS,
    )
    return make_response(page)


@blueprint.get("/<name>")
@access.page(Permission.VIEW)
def one(name: str) -> Response:
    """Show a version: its figures and its card."""
    folder = _folder(name)
    router = parts().models.router()
    version = _version(folder, current_version(parts().settings.models), router.version if router else "")
    card = _read(folder / CARD, MAX_CARD).decode("utf-8", "replace") if version.has_card else ""
    return make_response(render_template("pages/model.html", version=version, card=card))


@blueprint.get("/<name>/laporan")
@access.page(Permission.VIEW)
def report(name: str) -> Response:
    """Give a version's report: shown without any power over this site, or as a file with ?unduh=1."""
    folder = _folder(name)
    if not (folder / REPORT).is_file():
        raise Problem("not-found", "The version has no report.", sentence="Versi ini tidak menyertakan laporan.")
    response = make_response(_read(folder / REPORT, MAX_REPORT))
    response.content_type = "text/html; charset=utf-8"
    response.headers["Content-Security-Policy"] = REPORT_POLICY
    if request.args.get("unduh"):
        response.headers["Content-Disposition"] = f'attachment; filename="laporan-{name}.html"'
    return response


def versions(registry: Registry, in_use: str) -> list[Version]:
    """Answer the versions of a registry, the live one first, then the newest; at most MAX_VERSIONS."""
    live = current_version(registry.folder)
    newest = sorted(registry.versions(), reverse=True)[:MAX_VERSIONS]
    found = [_version(registry.folder / name, live, in_use) for name in newest]
    return sorted(found, key=lambda version: (version.live, version.created), reverse=True)


def _version(folder: Path, live: str | None, in_use: str) -> Version:
    known: dict[str, Any] = {
        "name": folder.name,
        "live": folder.name == live,
        "in_use": folder.name == in_use,
        "has_report": (folder / REPORT).is_file(),
        "has_card": (folder / CARD).is_file(),
    }
    try:
        return Version(**known, manifest=read_manifest(folder))
    except ArtifactError as error:
        return Version(**known, trouble=str(error).replace(str(folder), folder.name))


def _history(registry: Registry) -> Sequence[Entry]:
    try:
        return registry.history().entries[: -MAX_EVENTS - 1 : -1]
    except OSError:
        return ()


def _folder(name: str) -> Path:
    try:
        return Registry(parts().settings.models).path(name)
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


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value
