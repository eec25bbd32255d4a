"""The private folder of uploaded exports. They hold what citizens wrote, under their names: nobody else reads them, none stays."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from model.faults import SalurError
from model.table import MAX_PACKED

MAX_BYTES = MAX_PACKED
TOO_LARGE = f"Berkas lebih dari {MAX_BYTES // 2**20} MB. Ekspor masa yang lebih pendek."
ENDINGS = (".xlsx", ".xlsm", ".csv", ".txt")
_CHUNK = 262_144
_OURS = re.compile(rf"[0-9a-f]{{32}}({'|'.join(map(re.escape, ENDINGS))})(\.part)?")
"""Names that `new_name` makes, and those of copies that were not written to their end."""


class InvalidUpload(SalurError):
    """The file cannot be taken; the text says why, in Indonesian."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was taken in: its name in the folder, what it was called, and the SHA-256 of what it holds."""

    name: str
    called: str
    digest: str


def receive(folder: Path, stream: IO[bytes], called: str) -> Upload:
    """Keep an uploaded file under a name that nobody can guess. Raises InvalidUpload; then nothing is kept."""
    # Without what no page shows and no header may hold: line breaks, marks that turn a name round, half characters.
    called = "".join(filter(str.isprintable, Path(called.replace("\\", "/")).name))[-200:]
    ending = Path(called).suffix.lower()
    if ending not in ENDINGS:
        raise InvalidUpload(
            "Pilih berkas .xlsx atau .csv hasil ekspor “Laporan Ringkas” dari SP4N-LAPOR!."
            + (f" Yang dikirim berakhiran {ending[:10]}." if ending else "")
        )
    prepare(folder)
    name = new_name(ending)
    digest, size = hashlib.sha256(), 0
    try:
        with _create(folder / name) as out:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                if size > MAX_BYTES:
                    raise InvalidUpload(TOO_LARGE)
                digest.update(chunk)
                out.write(chunk)
        if not size:
            raise InvalidUpload("Berkas itu kosong. Ekspor ulang dari SP4N-LAPOR!, lalu unggah lagi.")
    except BaseException:
        remove(folder, name)
        raise
    return Upload(name, called, digest.hexdigest())


def new_name(ending: str) -> str:
    """Make a name that nobody can guess, for an upload or for the copy that goes back."""
    return f"{secrets.token_hex(16)}{ending}"


def prepare(folder: Path) -> None:
    """Make the folder, readable by the service alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def remove(folder: Path, name: str) -> None:
    """Delete a file of the folder, if it is there."""
    if name:
        (folder / name).unlink(missing_ok=True)


def sweep(folder: Path, kept: Collection[str], before: float) -> int:
    """Delete what no job knows of and was last written before a moment (seconds since 1970); answers how many files.

    Files that are not named as ours stay: the setting may point to a folder where other things lie, too.
    """
    if not folder.is_dir():
        return 0
    swept = 0
    for path in folder.iterdir():
        if path.name not in kept and _OURS.fullmatch(path.name) and path.is_file() and path.stat().st_mtime < before:
            path.unlink(missing_ok=True)
            swept += 1
    return swept


def _create(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
