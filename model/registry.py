"""Versions in a folder, which of them is live, and the ledger of what was live when and why.

    <version>/      an artifact, written once
    current         the name of the live version, replaced atomically
    shadow          the name of a challenger that runs beside it, and since when; absent where none does
    ledger.jsonl    one line an event (`model.ledger`)

Several processes and hosts may share the folder: whoever writes holds a lock on the ledger, and whoever reads needs none.
There is no clock here: times are passed in, as ISO 8601.
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from model.artifact import read_manifest
from model.faults import SalurError
from model.files import sync
from model.ledger import MOVES, Entry, Event, History, Verdict, append, read_history
from model.register import Register
from model.router import Router

CURRENT, SHADOW, LEDGER = "current", "shadow", "ledger.jsonl"
MAX_REASON = 2_000
"""Characters of a reason or a name in the ledger."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class RegistryError(SalurError):
    """What the registry was asked for and will not do; the text says why."""


class Refusal(StrEnum):
    """Why a version does not go live. Whoever speaks to people has words of their own for each."""

    BROKEN = "broken"
    UNKNOWN_AGENCIES = "unknown-agencies"
    LACKING_AGENCIES = "lacking-agencies"
    LIVE_ALREADY = "live-already"
    NOT_COMPARED = "not-compared"
    NOT_BETTER = "not-better"
    NOTHING_BEFORE = "nothing-before"
    MOVED = "moved"
    OTHER_SHADOW = "other-shadow"


class Refused(RegistryError):
    """A version that does not go live. `about` are the agencies that forbid it, where it is agencies."""

    def __init__(self, kind: Refusal, text: str, about: Sequence[str] = ()) -> None:
        """Keep why; `text` says it in one line."""
        self.kind = kind
        self.about = tuple(about)
        super().__init__(text)


class NeedsReason(Refused):
    """A promotion that nothing forbids but that nothing shows to be better either: a person must say why."""


@dataclass(frozen=True, slots=True)
class Shadowed:
    """A challenger that runs beside the live version: its answers are kept and never given. `since` is ISO 8601."""

    version: str
    since: str


class Loaded(Protocol):
    """What the registry looks at in a version that was loaded."""

    @property
    def register(self) -> Register:
        """The register it was trained with."""

    @property
    def manifest(self) -> Mapping[str, Any]:
        """What the artifact says of itself."""


class Registry:
    """A folder of versions. Holds no state of its own, so any number may look after one folder."""

    def __init__(self, folder: Path, load: Callable[[Path], Loaded] = Router.load) -> None:
        """Look after a folder, which need not exist yet. `load` must raise SalurError for a version that must not be used."""
        self.folder = folder
        self._load = load

    def versions(self) -> Sequence[str]:
        """Names of all versions, in order; half-written ones have no version's name and are none."""
        try:
            return sorted(entry.name for entry in self.folder.iterdir() if _NAME.fullmatch(entry.name) and entry.is_dir())
        except FileNotFoundError:
            return []

    def current(self) -> str | None:
        """Name of the live version; None where nothing was promoted yet. Raises RegistryError where the pointer names none."""
        content = self._pointer(CURRENT)
        if content is None:
            return None
        name = content.strip()
        if not _NAME.fullmatch(name):
            raise RegistryError(f"{self.folder / CURRENT}: {name[:100]!r} is no version's name; promote a version to mend it")
        return name

    def shadow(self) -> Shadowed | None:
        """Say which challenger runs beside the live version; None where none does. Raises RegistryError where it cannot be read."""
        content = self._pointer(SHADOW)
        if content is None:
            return None
        version, _, since = content.strip().partition("\n")
        if not _NAME.fullmatch(version) or not _is_time(since):
            raise RegistryError(f"{self.folder / SHADOW}: names no version and time; stop the shadow to mend it")
        return Shadowed(version, since)

    def path(self, version: str) -> Path:
        """Folder of a version. Raises RegistryError where there is none of that name."""
        folder = self.folder / version
        if not _NAME.fullmatch(version) or not folder.is_dir():
            raise RegistryError(f"{self.folder}: no version {version!r}; there {_listed(self.versions())}")
        return folder

    def resolve(self, name: str) -> Path:
        """Folder of a model as people name it: `current`, a version, or a path. Raises RegistryError where it is none of these."""
        if name == CURRENT:
            version = self.current()
            if version is None:
                raise RegistryError(f"{self.folder}: nothing was promoted yet; there {_listed(self.versions())}")
            return self.path(version)
        if _NAME.fullmatch(name) and (self.folder / name).is_dir():
            return self.folder / name
        if name and Path(name).is_dir():
            return Path(name)
        raise RegistryError(f"{name!r} is neither a version in {self.folder} nor a folder; there {_listed(self.versions())}")

    def manifest(self, version: str) -> dict[str, Any]:
        """Read what a version says of itself. Raises SalurError; digests are not checked here."""
        return read_manifest(self.path(version))

    def history(self) -> History:
        """Read the ledger. A line that cannot be read, or is still being written, becomes a fault and is passed over."""
        return read_history(self.folder / LEDGER)

    def record(
        self,
        what: Event,
        *,
        version: str,
        who: str,
        at: str,
        why: str = "",
        previous: str = "",
        figures: Mapping[str, Any] | None = None,
    ) -> Entry:
        """Add a line to the ledger: what was trained, compared or refused.

        Raises RegistryError for what cannot stand there, and ValueError for what moves a pointer: that has methods of its own.
        Of a comparison, `version` is the challenger, `previous` the champion, `why` its reasons, and `figures` hold its `verdict`.
        """
        entry = Entry(what, version, at, who, why, previous, figures or {})
        if entry.what in MOVES:
            raise ValueError("what is live changes by promote and rollback alone, and a shadow by its own two ways")
        _check(entry)
        with self._ledger() as ledger:
            append(ledger, entry)
        return entry

    def promote(
        self,
        version: str,
        *,
        why: str,
        who: str,
        at: str,
        register: Register | None = None,
        force_why: str = "",
        instead_of: str | None = None,
    ) -> Entry:
        """Make a version the live one, and answer the line in the ledger.

        The artifact must load, and its agencies must be those of `register`. Where none is given the live version's own
        register holds: it may have grown since, but no agency of it may be missing. The version must have been compared
        with the live one, with the verdict `promote`; `force_why` overrides this, and this alone. The first promotion
        needs no comparison. `instead_of` is the version that whoever asks believes to be live ("" for none): where
        another one is, nothing happens. Raises Refused; NeedsReason where `force_why` would do. The ledger tells of
        refusals too.
        """
        entry = Entry(Event.PROMOTED, version, at, who, why)
        if force_why:
            entry = replace(entry, why=f"{why}; {force_why}", figures={"forced": True})
        _check(entry)
        self.path(version)
        try:
            seen = self._live() or ""
            self._fits(version, register)  # outside the lock: a version never changes once it is there
            with self._ledger() as ledger:
                entry = replace(entry, previous=self._live() or "")
                _still(instead_of, self._named())
                if entry.previous != seen:  # another went live meanwhile, which may know more agencies
                    self._fits(version, register)
                self._may_replace(entry, forced=bool(force_why))
                self._make_live(ledger, entry)
        except SalurError as error:
            with self._ledger() as ledger:
                append(ledger, _refused(entry, error, str(error)))
            raise
        return entry

    def previous(self) -> str | None:
        """Name of the version that `rollback` would make live; None where there is none."""
        return self.history().before(self._live())

    def rollback(self, *, why: str, who: str, at: str, instead_of: str | None = None) -> Entry:
        """Make live the version that was live before, per the ledger; answer the line. Again goes one further back.

        `instead_of` as for `promote`: asked twice by mistake, it goes back once. Raises Refused where nothing was live
        before, or where that version cannot be loaded any more.
        """
        _check(Entry(Event.ROLLED_BACK, CURRENT, at, who, why))
        with self._ledger() as ledger:
            current = self._live()
            _still(instead_of, self._named())
            target = self.previous()
            if target is None:
                raise Refused(Refusal.NOTHING_BEFORE, f"{self.folder}: no version was live before; promote another one instead")
            entry = Entry(Event.ROLLED_BACK, target, at, who, why, previous=current or "")
            try:
                self._loaded(entry.version)
            except SalurError as error:
                append(ledger, _refused(entry, error, f"rollback: {error}"))
                raise
            self._make_live(ledger, entry)
        return entry

    def start_shadow(self, version: str, *, why: str, who: str, at: str) -> Entry:
        """Let a version run beside the live one from now on, in the place of whichever did; answer the line in the ledger.

        It must load, and know the agencies of the live version's register. Raises Refused.
        """
        entry = Entry(Event.SHADOWED, version, at, who, why)
        _check(entry)
        self._fits(version, None)
        with self._ledger() as ledger:
            live = self._live()
            if live == version:
                raise Refused(Refusal.LIVE_ALREADY, f"{version}: is the live version; a shadow is another one")
            entry = replace(entry, previous=live or "")
            self._point(ledger, SHADOW, f"{version}\n{at}\n", entry)
        return entry

    def stop_shadow(self, *, why: str, who: str, at: str, only: str | None = None) -> Entry:
        """Let no version run beside the live one any more; answer the line in the ledger. Raises RegistryError where none does.

        `only` is the version that whoever asks believes to run: where it is another one by now, that goes on. Raises Refused.
        """
        _check(Entry(Event.SHADOW_ENDED, SHADOW, at, who, why))
        with self._ledger() as ledger:
            try:
                shadow = self.shadow()
            except RegistryError:  # it names nothing: all the more reason
                shadow = Shadowed("", at)
            if shadow is None:
                raise RegistryError(f"{self.folder}: no version runs beside the live one")
            if only is not None and only != shadow.version:
                raise Refused(Refusal.OTHER_SHADOW, f"{shadow.version} runs beside the live one by now, not {only}: look again")
            entry = Entry(Event.SHADOW_ENDED, shadow.version, at, who, why)
            append(ledger, entry)
            self._drop_shadow()
        return entry

    def _pointer(self, name: str) -> str | None:
        path = self.folder / name
        try:
            with path.open("rb") as file:
                return file.read(1_000).decode("utf-8", "replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RegistryError(f"{path}: cannot be read: {error.strerror}") from error

    def _drop_shadow(self) -> None:
        (self.folder / SHADOW).unlink(missing_ok=True)
        sync(self.folder)

    def _live(self) -> str | None:
        """Name of the live version; a broken pointer counts as the last one that the ledger knows."""
        try:
            return self.current()
        except RegistryError:
            return next(reversed(self.history().live), None)

    def _named(self) -> str:
        """Name of the live version as all can read it: "" where there is none, or the pointer is broken."""
        with suppress(RegistryError):
            return self.current() or ""
        return ""

    def _loaded(self, version: str) -> Loaded:
        folder = self.path(version)
        try:
            loaded = self._load(folder)
        except SalurError as error:
            raise Refused(Refusal.BROKEN, str(error)) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Refused(Refusal.BROKEN, f"{folder}: cannot be loaded: {error}") from error
        if loaded.manifest.get("version") != version:
            says = f"says it is version {loaded.manifest.get('version')!r}; a version keeps its name"
            raise Refused(Refusal.BROKEN, f"{folder}: {says}")
        return loaded

    def _fits(self, version: str, register: Register | None) -> None:
        """Raise Refused where a version cannot be loaded, or its agencies are not as `promote` asks for."""
        loaded = self._loaded(version)
        if register is None:
            known, whose = self._live_register(version), "the live version's register"
        else:
            known, whose = register, "the register"
            if unknown := sorted(set(loaded.manifest.get("agencies", ())) - register.by_id.keys()):
                told = f"{version}: names agencies that the register does not have: {', '.join(unknown)}"
                raise Refused(Refusal.UNKNOWN_AGENCIES, told, unknown)
        agencies = known.agencies if known else ()
        lacking = [agency.id for agency in agencies if not agency.valid_until and agency.id not in loaded.register.by_id]
        if lacking:
            told = f"{version}: trained without agencies that are in {whose}: {', '.join(lacking)}; train again"
            raise Refused(Refusal.LACKING_AGENCIES, told, lacking)

    def _live_register(self, version: str) -> Register | None:
        """Answer what the live version knows; None where none is live, or a broken one, which forbids nobody to replace it."""
        live = self._live()
        if live is None or live == version:
            return None
        try:
            return self._loaded(live).register
        except SalurError:
            return None

    def _may_replace(self, entry: Entry, *, forced: bool) -> None:
        """Raise Refused where the version is live already; NeedsReason where no comparison says that it is better."""
        if self._named() == entry.version:
            raise Refused(Refusal.LIVE_ALREADY, f"{entry.version}: is the live version already")
        if entry.previous in ("", entry.version) or forced:  # the same again mends a pointer that is broken
            return
        compared = self.history().comparison(entry.previous, entry.version)
        if compared is None:
            raise NeedsReason(
                Refusal.NOT_COMPARED,
                f"{entry.version}: was not compared with the live version, {entry.previous};"
                " compare them, or tell why not (--force-why)",
            )
        verdict = compared.figures.get("verdict")
        if verdict != Verdict.PROMOTE:
            told = (
                f"compared with {entry.previous} it came to {verdict!r} ({compared.why}); tell why it should go live (--force-why)"
            )
            raise NeedsReason(Refusal.NOT_BETTER, f"{entry.version}: {told}")

    def _make_live(self, ledger: BinaryIO, entry: Entry) -> None:
        self._point(ledger, CURRENT, f"{entry.version}\n", entry)
        with suppress(RegistryError):
            shadow = self.shadow()
            if shadow is not None and shadow.version == entry.version:  # it is no shadow any more
                self._drop_shadow()

    def _point(self, ledger: BinaryIO, pointer: str, content: str, entry: Entry) -> None:
        """Move a pointer: on the disk before the ledger speaks of it, so that only the renaming is left after that."""
        descriptor, name = tempfile.mkstemp(prefix=f".{pointer}.", dir=self.folder)
        part = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                out.write(content)
                out.flush()
                os.fchmod(descriptor, 0o644)
                os.fsync(descriptor)
            append(ledger, entry)
            part.replace(self.folder / pointer)
            sync(self.folder)
        finally:
            part.unlink(missing_ok=True)

    @contextmanager
    def _ledger(self) -> Iterator[BinaryIO]:
        """Open the ledger to add to it, alone: others wait. The lock goes with the process, however it ends."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / LEDGER).open("a+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield file
        except OSError as error:
            raise RegistryError(f"{error.filename or self.folder / LEDGER}: cannot be written: {error.strerror}") from error


def _refused(entry: Entry, error: SalurError, why: str) -> Entry:
    """Answer the line of what was refused; `why` is in English, and `figures` name the kind for those who speak otherwise."""
    kind = {"refusal": str(error.kind), "about": list(error.about)} if isinstance(error, Refused) else {}
    return replace(entry, what=Event.REFUSED, why=why[:MAX_REASON], figures={**entry.figures, **kind})


def _check(entry: Entry) -> None:
    for name, value, needed in (("who", entry.who, True), ("why", entry.why, entry.what in MOVES)):
        if needed and not value.strip():
            raise RegistryError(f"{name} is empty: the ledger tells who did it and why")
        if len(value) > MAX_REASON:
            raise RegistryError(f"{name} is longer than {MAX_REASON:,} characters")
    if not _is_time(entry.when):
        raise RegistryError(f"{entry.when!r} is no ISO 8601 time")


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _still(believed: str | None, live: str) -> None:
    """Raise Refused where another version is live than whoever asks believes; None believes nothing."""
    if believed is not None and believed != live:
        raise Refused(Refusal.MOVED, f"{live or 'nothing'} is live by now, not {believed or 'nothing'}: look again")


def _listed(versions: Sequence[str]) -> str:
    return f"are {', '.join(versions[-10:])}" if versions else "are none yet"
