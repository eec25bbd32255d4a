"""Checks of output paths before long work begins: an output must be writable, and must not be an input."""

from __future__ import annotations

import tempfile
from pathlib import Path

from model.faults import Fault, InvalidData


def check_file(target: Path, *inputs: Path | None) -> None:
    """Raise InvalidData where a file cannot be written, or is one of the inputs, by whatever name."""
    if str(target) == "-":  # else a file of that name, which nobody would look for
        raise InvalidData([Fault("-", 0, "is no file, and standard output is for the report: name a file")])
    if any(given is not None and _is_same(target, given) for given in inputs):
        raise InvalidData([Fault(str(target), 0, "is what is read: name another file, for this one would be lost")])
    if target.exists() and not target.is_file():  # a pipe or a terminal, which nothing is made beside
        return
    if not target.resolve().parent.is_dir():
        raise InvalidData([Fault(str(target), 0, "no such folder")])
    _try(target, target.resolve().parent)


def check_outside(target: Path, version: Path) -> None:
    """Raise InvalidData where a file or folder would lie in a version's: with other files that is no version."""
    if version.resolve() in (target.resolve(), *target.resolve().parents):
        raise InvalidData([Fault(str(target), 0, "lies in the model's own folder, which nobody may change")])


def check_folder(target: Path) -> None:
    """Raise InvalidData where a folder is not there and cannot be made, or where nothing can be written into it."""
    _try(target, next(folder for folder in (target.resolve(), *target.resolve().parents) if folder.exists()))


def _is_same(target: Path, given: Path) -> bool:
    """Tell whether two names are of one file, which need not be there: a register lacks some of its files, until one is made."""
    if target.exists() and given.exists():
        return target.samefile(given)
    return target.resolve() == given.resolve()


def _try(target: Path, folder: Path) -> None:
    try:
        # Asking for permission is not enough: it is given to root where the file system itself refuses.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InvalidData([Fault(str(target), 0, f"cannot be written: {error.strerror}")]) from error
