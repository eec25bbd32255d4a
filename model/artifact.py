"""The folder that training writes and the service loads: arrays, text and JSON. Nothing in it can run code."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.faults import SalurError
from model.files import sync
from model.register import Register

FORMAT = 3
"""Raised when a reader of the old form would misread the new one; CHANGELOG.md has a heading for it."""
MANIFEST, ARRAYS, VOCABULARY, REGISTER = "manifest.json", "arrays.npz", "vocabulary.txt", "register"
SEAL = "manifest.sha256"
"""Holds the digest of the manifest, which holds those of all else: `sha256sum -c` understands it."""
MAX_MANIFEST = 8_000_000


class ArtifactError(SalurError):
    """An artifact that must not be loaded; the text says which file and why."""


@dataclass(frozen=True)
class Artifact:
    """What a folder held, once its digests were found right."""

    manifest: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]
    vocabulary: Sequence[str]
    register: Register

    @property
    def version(self) -> str:
        """The version's name, as in the registry."""
        return str(self.manifest["version"])


def file_digest(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save(folder: Path, artifact: Artifact, texts: Mapping[str, str] | None = None) -> None:
    """Write an artifact whole or not at all; `texts` are further files by relative name (MODEL_CARD.md, report/…).

    Raises ArtifactError where the folder exists.
    """
    if folder.exists():
        raise ArtifactError(f"{folder}: exists already; a version is never written twice")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        with (part / ARRAYS).open("wb") as out:
            np.savez(out, allow_pickle=False, **artifact.arrays)
        (part / VOCABULARY).write_text("".join(f"{name}\n" for name in artifact.vocabulary), encoding="utf-8")
        artifact.register.save(part / REGISTER)
        for name, text in (texts or {}).items():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_text(text, encoding="utf-8")
        digests = {path.relative_to(part).as_posix(): file_digest(path) for path in sorted(part.rglob("*")) if path.is_file()}
        manifest = {**artifact.manifest, "format": FORMAT, "files": digests}
        (part / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        seal(part)
        part.chmod(0o755)
        for path in (*part.rglob("*"), part):  # all of it before its name: who points to it then points to something
            sync(path)
        part.rename(folder)
        sync(folder.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def seal(folder: Path) -> None:
    """Write the digest of a folder's manifest beside it."""
    (folder / SEAL).write_text(f"{file_digest(folder / MANIFEST)}  {MANIFEST}\n", encoding="ascii")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a manifest and check its form, and nothing else of the folder. Raises ArtifactError."""
    path = folder / MANIFEST
    try:
        if path.stat().st_size > MAX_MANIFEST:
            raise ArtifactError(f"{path}: over {MAX_MANIFEST:,} bytes")
        manifest = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ArtifactError(f"{path}: missing: this is no artifact, or a half-copied one") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{path}: unreadable: {error}") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise ArtifactError(f"{path}: not a manifest")
    if manifest.get("format") != FORMAT:
        raise ArtifactError(f"{path}: format {manifest.get('format')!r}; this program reads format {FORMAT}")
    return manifest


def load(folder: Path) -> Artifact:
    """Read an artifact after checking the digest of every file.

    Raises ArtifactError naming the file that is missing, changed, unlisted or unreadable.
    """
    manifest = read_manifest(folder)
    _check_seal(folder)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST, SEAL}
    for name, digest in manifest["files"].items():
        if name not in found:
            raise ArtifactError(f"{folder / name}: missing")
        if file_digest(folder / name) != digest:
            raise ArtifactError(f"{folder / name}: its digest is not the one in {MANIFEST}: changed or torn")
    if unlisted := sorted(found - manifest["files"].keys()):
        raise ArtifactError(f"{folder / unlisted[0]}: not listed in {MANIFEST}")
    path = folder / ARRAYS
    try:
        # Opened here, for numpy leaves a file open that it cannot make sense of.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        path = folder / VOCABULARY
        vocabulary = path.read_text(encoding="utf-8").split("\n")[:-1]
    except Exception as error:  # numpy raises whatever a malformed member makes zipfile, ast or tokenize raise
        raise ArtifactError(f"{path}: unreadable: {' '.join(str(error).split())[:200] or type(error).__name__}") from error
    return Artifact(manifest, arrays, vocabulary, Register.load(folder / REGISTER))


def _check_seal(folder: Path) -> None:
    try:
        written = (folder / SEAL).read_bytes()
    except OSError as error:
        raise ArtifactError(f"{folder / SEAL}: missing: train again, or copy the folder whole") from error
    if written != f"{file_digest(folder / MANIFEST)}  {MANIFEST}\n".encode():
        raise ArtifactError(f"{folder / MANIFEST}: its digest is not the one in {SEAL}: changed or torn")
