"""The versions of a registry's folder as people read them: their figures, and how one compared with the live one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from model.artifact import ArtifactError, read_manifest
from model.ledger import Entry, Verdict
from model.registry import Registry, RegistryError, Shadowed

MAX_VERSIONS = 200
REPORT = "report/report.html"
CARD = "MODEL_CARD.md"
VERDICTS: Mapping[str, str] = {
    Verdict.PROMOTE: "layak dipakai",
    Verdict.HOLD: "sebaiknya ditahan",
    Verdict.NOT_ENOUGH_DATA: "data belum cukup",
}
"""What a comparison came to."""
_FIGURES = (
    ("accuracy", "Ketepatan", "percent"),
    ("top3", "Benar di antara tiga teratas", "percent"),
    ("macro_f1", "Macro-F1", "percent"),
    ("ece", "Galat kalibrasi (ECE)", "share"),
    ("rows", "Aduan yang dipakai menguji", "number"),
)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the registry as the page shows it. `trouble` says why its manifest cannot be read."""

    name: str
    live: bool = False
    in_use: bool = False
    beside: bool = False
    trouble: str = ""
    manifest: Mapping[str, Any] = field(default_factory=dict)
    has_report: bool = False
    has_card: bool = False

    @property
    def created(self) -> str:
        """When it was trained, as the manifest writes it."""
        return str(self.manifest.get("created", ""))

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


@dataclass(frozen=True, slots=True)
class Compared:
    """What the ledger tells of a comparison, for people; of each figure that of the live version and that of the other.

    `rows` is 0 where the line tells no figures.
    """

    verdict: str
    rows: int = 0
    accuracy: Sequence[float] = ()
    interval: Sequence[float] = ()
    coverage: Sequence[float] = ()
    error: Sequence[float] = ()

    @classmethod
    def read(cls, entry: Entry) -> Compared:
        """Take it from a line, which may have been written by hand."""
        told, verdict = entry.figures, str(entry.figures.get("verdict", "tanpa putusan"))
        pairs = {name: told.get(name) for name in ("accuracy", "interval", "coverage", "error")}
        known = _is_number(told.get("rows")) and all(map(_is_pair, pairs.values()))
        return cls(VERDICTS.get(verdict, verdict), **({"rows": told["rows"]} | pairs if known else {}))


def newest(registry: Registry, in_use: str) -> list[Version]:
    """Answer the versions of a registry, the live one first, then the newest; at most MAX_VERSIONS.

    `in_use` is the one that answers in this process.
    """
    live, beside = if_readable(registry.current), if_readable(registry.shadow)
    names = sorted(registry.versions(), key=lambda name: (name == live, name), reverse=True)[:MAX_VERSIONS]
    found = [one(registry.folder / name, live, in_use, beside) for name in names]
    return sorted(found, key=lambda version: (version.live, version.created), reverse=True)


def one(folder: Path, live: str | None, in_use: str, beside: Shadowed | None) -> Version:
    """Read one version; `live`, `in_use` and `beside` are what the registry and this process say of them all."""
    known: dict[str, Any] = {
        "name": folder.name,
        "live": folder.name == live,
        "in_use": folder.name == in_use,
        "beside": beside is not None and folder.name == beside.version,
        "has_report": (folder / REPORT).is_file(),
        "has_card": (folder / CARD).is_file(),
    }
    try:
        return Version(**known, manifest=read_manifest(folder))
    except ArtifactError as error:
        return Version(**known, trouble=str(error).replace(str(folder), folder.name))


def if_readable(read: Callable[[], _T]) -> _T | None:
    """Answer what a registry tells; None where its folder cannot be read: the page shows the rest."""
    try:
        return read()
    except (OSError, RegistryError):
        return None


def _is_pair(value: object) -> bool:
    return isinstance(value, Sequence) and len(value) == 2 and all(map(_is_number, value))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value
