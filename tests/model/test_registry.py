"""The registry: what is live, what was, and what is refused."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from model import artifact as artifacts
from model.artifact import Artifact
from model.faults import SalurError
from model.labelled import load as load_labelled
from model.ledger import MAX_LINE, Entry, Event, Verdict
from model.register import Agency, Register
from model.registry import NeedsReason, Refusal, Refused, Registry, RegistryError, Shadowed
from training import train
from training.config import TrainingConfig
from training.rows.training_set import TrainingSet

REGISTER = Register((Agency("dlh", "Dinas Lingkungan Hidup"), Agency("dishub", "Dinas Perhubungan")))
AT = "2024-05-01T08:00:00+08:00"


@dataclass(frozen=True)
class Loaded:
    register: Register
    manifest: Mapping[str, Any]


def load(folder: Path) -> Loaded:
    """Stand in for Router.load: a folder holds a manifest, or is broken. Its register has two agencies, or those it names."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SalurError(f"{folder}: broken") from error
    own = manifest.get("register")
    return Loaded(Register(tuple(Agency(name, name.upper()) for name in own)) if own else REGISTER, manifest)


def add(registry: Registry, version: str, agencies: tuple[str, ...] = ("dishub", "dlh"), **more: Any) -> None:
    folder = registry.folder / version
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"version": version, "agencies": agencies, **more}), encoding="utf-8")


def compare(registry: Registry, champion: str, challenger: str, verdict: str = Verdict.PROMOTE, why: str = "lebih baik") -> None:
    registry.record(Event.COMPARED, version=challenger, at=AT, who="ani", why=why, previous=champion, figures={"verdict": verdict})


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path / "models", load)
    for version in ("v1", "v2", "v3"):
        add(registry, version)
    return registry


def promote(registry: Registry, version: str, force_why: str = "") -> Entry:
    return registry.promote(version, why="mencoba", who="ani", at=AT, force_why=force_why)


def test_an_empty_folder_has_no_versions_and_nothing_live(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "none yet", load)
    assert list(registry.versions()) == []
    assert registry.current() is None
    assert list(registry.history().entries) == []
    with pytest.raises(RegistryError, match="nothing was promoted yet; there are none yet"):
        registry.resolve("current")


def test_half_written_versions_are_no_versions(registry: Registry) -> None:
    (registry.folder / ".v4.part").mkdir()
    (registry.folder / "note.txt").write_text("no folder", encoding="utf-8")
    assert list(registry.versions()) == ["v1", "v2", "v3"]


def test_first_promotion_needs_no_comparison(registry: Registry) -> None:
    entry = promote(registry, "v1")
    assert registry.current() == "v1"
    assert entry == registry.history().entries[-1]
    assert entry.to_dict() == {"when": AT, "what": "promoted", "version": "v1", "who": "ani", "why": "mencoba"}


def test_a_version_that_was_not_compared_is_refused_and_the_refusal_recorded(registry: Registry) -> None:
    promote(registry, "v1")
    with pytest.raises(NeedsReason, match=r"v2: was not compared with the live version, v1; .*--force-why"):
        promote(registry, "v2")
    assert registry.current() == "v1"
    refused = registry.history().entries[-1]
    assert (refused.what, refused.version, refused.who) == (Event.REFUSED, "v2", "ani")
    assert "not compared" in refused.why
    assert refused.figures == {"refusal": "not-compared", "about": []}


def test_a_comparison_with_another_version_does_not_count(registry: Registry) -> None:
    promote(registry, "v1")
    compare(registry, "v3", "v2")
    with pytest.raises(NeedsReason, match="not compared"):
        promote(registry, "v2")


def test_a_version_found_better_is_promoted(registry: Registry) -> None:
    promote(registry, "v1")
    compare(registry, "v1", "v2")
    assert promote(registry, "v2").previous == "v1"
    assert registry.current() == "v2"


@pytest.mark.parametrize("verdict", [Verdict.HOLD, Verdict.NOT_ENOUGH_DATA])
def test_a_version_not_found_better_is_refused_with_the_reason(registry: Registry, verdict: str) -> None:
    promote(registry, "v1")
    compare(registry, "v1", "v2")
    compare(registry, "v1", "v2", verdict, "dishub loses 7 points")
    with pytest.raises(NeedsReason, match=f"{verdict}.*dishub loses 7 points.*--force-why"):
        promote(registry, "v2")


def test_a_person_may_promote_a_worse_version_by_saying_why(registry: Registry) -> None:
    promote(registry, "v1")
    compare(registry, "v1", "v2", Verdict.HOLD)
    entry = promote(registry, "v2", force_why="v1 menyebut instansi yang bubar")
    assert registry.current() == "v2"
    assert entry.why == "mencoba; v1 menyebut instansi yang bubar"
    assert registry.history().entries[-1].figures == {"forced": True}


def test_a_broken_version_is_refused_whatever_is_said(registry: Registry) -> None:
    promote(registry, "v1")
    (registry.folder / "v2" / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(SalurError, match="broken"):
        promote(registry, "v2", force_why="percayalah")
    assert registry.current() == "v1"
    assert registry.history().entries[-1].what is Event.REFUSED


@pytest.mark.parametrize("error", [KeyError("weights"), OSError(5, "weights"), TypeError("weights"), ValueError("weights")])
def test_a_loader_that_trips_over_a_torn_file_refuses_in_one_line(registry: Registry, error: Exception) -> None:
    def trip(folder: Path) -> Loaded:
        raise error

    with pytest.raises(RegistryError, match=r"cannot be loaded: .*weights"):
        Registry(registry.folder, trip).promote("v1", why="mencoba", who="ani", at=AT)


def test_a_refusal_takes_no_more_of_the_ledger_than_a_reason_may(registry: Registry) -> None:
    def trip(folder: Path) -> Loaded:
        raise SalurError("rusak " * 1_000)

    with pytest.raises(Refused):
        Registry(registry.folder, trip).promote("v1", why="mencoba", who="ani", at=AT)
    assert len(registry.history().entries[-1].why) == 2_000


def test_a_version_that_is_not_there_is_no_refusal_that_the_ledger_tells_of(registry: Registry) -> None:
    with pytest.raises(RegistryError, match="no version 'v8'; there are v1, v2, v3"):
        promote(registry, "v8")
    assert list(registry.history().entries) == []


def test_a_version_under_another_name_is_refused(registry: Registry) -> None:
    (registry.folder / "v1").rename(registry.folder / "v9")
    with pytest.raises(RegistryError, match="says it is version 'v1'"):
        promote(registry, "v9")


def test_agencies_must_be_those_of_the_register(registry: Registry) -> None:
    with pytest.raises(Refused, match="names agencies that the register does not have: dishub") as told:
        registry.promote("v1", why="mencoba", who="ani", at=AT, register=Register(REGISTER.agencies[:1]))
    assert (told.value.kind, told.value.about) == (Refusal.UNKNOWN_AGENCIES, ("dishub",))
    newer = Register((*REGISTER.agencies, Agency("bpbd", "BPBD"), Agency("lama", "Dinas lama", valid_until="2020-01-01")))
    with pytest.raises(RegistryError, match="trained without agencies that are in the register: bpbd; train again"):
        registry.promote("v1", why="mencoba", who="ani", at=AT, register=newer, force_why="biar")
    registry.promote("v1", why="mencoba", who="ani", at=AT, register=REGISTER)
    assert registry.current() == "v1"


def test_without_a_register_the_live_versions_own_one_holds(registry: Registry) -> None:
    add(registry, "surabaya", ("dkrth",), register=["dkrth", "dishub"])
    add(registry, "tumbuh", ("dishub", "dlh", "bpbd"), register=["dishub", "dlh", "bpbd"])
    promote(registry, "v1")
    with pytest.raises(Refused, match="trained without agencies that are in the live version's register: dlh; train again") as told:
        promote(registry, "surabaya", force_why="biar")
    assert (told.value.kind, told.value.about) == (Refusal.LACKING_AGENCIES, ("dlh",))
    assert registry.history().entries[-1].what is Event.REFUSED
    promote(registry, "tumbuh", force_why="bpbd baru")
    with pytest.raises(Refused, match="bpbd"):
        promote(registry, "v2", force_why="biar")
    registry.promote("v2", why="wilayah benar", who="ani", at=AT, force_why="biar", register=REGISTER)
    assert registry.current() == "v2"


def test_a_version_that_goes_live_meanwhile_holds_too(registry: Registry) -> None:
    add(registry, "tumbuh", ("dishub", "dlh", "bpbd"), register=["dishub", "dlh", "bpbd"])
    promote(registry, "v1")

    def load_slowly(folder: Path) -> Loaded:
        if folder.name == "v1" and registry.current() == "v1":
            promote(registry, "tumbuh", force_why="bpbd baru")
        return load(folder)

    with pytest.raises(Refused, match="bpbd"):
        promote(Registry(registry.folder, load_slowly), "v2", force_why="biar")
    assert registry.current() == "tumbuh"


def test_a_broken_live_version_forbids_nobody_to_replace_it(registry: Registry) -> None:
    add(registry, "lain", ("dkrth",), register=["dkrth"])
    promote(registry, "v1")
    (registry.folder / "v1" / "manifest.json").unlink()
    promote(registry, "lain", force_why="v1 rusak")
    assert registry.current() == "lain"


def test_who_asks_for_what_has_changed_meanwhile_is_told_so(registry: Registry) -> None:
    for version in ("v1", "v2", "v3"):
        promote(registry, version, force_why="uji")
    registry.rollback(why="salah rute", who="ani", at=AT, instead_of="v3")
    with pytest.raises(Refused, match="v2 is live by now, not v3") as told:
        registry.rollback(why="salah rute", who="ani", at=AT, instead_of="v3")
    assert (told.value.kind, registry.current()) == (Refusal.MOVED, "v2")
    with pytest.raises(Refused, match="v2 is live by now, not nothing"):
        registry.promote("v3", why="uji", who="ani", at=AT, force_why="uji", instead_of="")
    assert registry.current() == "v2"


# a challenger beside the live version


def shadow(registry: Registry, version: str) -> Entry:
    return registry.start_shadow(version, why="calon bulan ini", who="ani", at=AT)


def test_a_challenger_runs_beside_the_live_version_until_it_is_stopped(registry: Registry) -> None:
    promote(registry, "v1")
    assert registry.shadow() is None
    assert shadow(registry, "v2").previous == "v1"
    assert shadow(registry, "v3").version == "v3"
    assert (registry.shadow(), registry.current()) == (Shadowed("v3", AT), "v1")
    assert registry.stop_shadow(why="cukup", who="ani", at=AT).version == "v3"
    assert registry.shadow() is None
    with pytest.raises(RegistryError, match="no version runs beside"):
        registry.stop_shadow(why="lagi", who="ani", at=AT)
    assert [entry.what for entry in registry.history().entries[1:]] == [Event.SHADOWED, Event.SHADOWED, Event.SHADOW_ENDED]
    assert registry.history().live == ["v1"]


def test_a_challenger_must_load_know_the_agencies_and_be_another_version(registry: Registry) -> None:
    promote(registry, "v1")
    add(registry, "lain", ("dkrth",), register=["dkrth"])
    (registry.folder / "v2" / "manifest.json").unlink()
    for version, kind in (
        ("v1", Refusal.LIVE_ALREADY),
        ("v2", Refusal.BROKEN),
        ("lain", Refusal.LACKING_AGENCIES),
    ):
        with pytest.raises(Refused) as told:
            shadow(registry, version)
        assert told.value.kind is kind
    assert registry.shadow() is None


def test_a_challenger_that_goes_live_is_no_shadow_any_more_and_another_stays(registry: Registry) -> None:
    promote(registry, "v1")
    shadow(registry, "v2")
    promote(registry, "v3", force_why="uji")
    assert registry.shadow() == Shadowed("v2", AT)
    promote(registry, "v2", force_why="uji")
    assert registry.shadow() is None


@pytest.mark.parametrize("content", ["v2\nkemarin\n", f"../v2\n{AT}\n", f"\n{AT}\n", "v2"])
def test_a_torn_shadow_is_an_error_that_stopping_it_mends(registry: Registry, content: str) -> None:
    promote(registry, "v1")
    (registry.folder / "shadow").write_text(content, encoding="utf-8")
    with pytest.raises(RegistryError, match="stop the shadow to mend it"):
        registry.shadow()
    registry.promote("v2", why="mencoba", who="ani", at=AT, force_why="uji")
    assert [entry.what for entry in registry.history().entries] == [Event.PROMOTED] * 2, "it stands in nobody's way"
    registry.stop_shadow(why="rusak", who="ani", at=AT)
    assert registry.shadow() is None


# what is refused, and what a crash leaves


def test_the_live_version_is_not_promoted_again(registry: Registry) -> None:
    promote(registry, "v1")
    with pytest.raises(RegistryError, match="live version already"):
        promote(registry, "v1", force_why="lagi")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"who": " "}, "who is empty"),
        ({"why": ""}, "why is empty"),
        ({"why": "x" * 2001}, "longer than"),
        ({"at": "kemarin"}, "no ISO 8601"),
    ],
)
def test_the_ledger_wants_who_why_and_when(registry: Registry, changed: dict[str, str], message: str) -> None:
    said: dict[str, Any] = {"why": "mencoba", "who": "ani", "at": AT} | changed
    with pytest.raises(RegistryError, match=message):
        registry.promote("v1", **said)
    assert registry.current() is None
    promote(registry, "v1")
    promote(registry, "v2", force_why="uji")
    shadow(registry, "v3")
    before = registry.history()
    for move in (partial(registry.start_shadow, "v1"), registry.stop_shadow, registry.rollback):
        with pytest.raises(RegistryError, match=message):
            move(**said)
    assert (registry.history(), registry.current(), registry.shadow()) == (before, "v2", Shadowed("v3", AT))


def test_rolling_back_goes_to_the_version_live_before_and_again_further_back(registry: Registry) -> None:
    for version in ("v1", "v2", "v3"):
        promote(registry, version, force_why="uji")
    entry = registry.rollback(why="salah rute", who="budi", at=AT)
    assert (entry.version, entry.previous, registry.current()) == ("v2", "v3", "v2")
    registry.rollback(why="masih salah", who="budi", at=AT)
    assert registry.current() == "v1"
    with pytest.raises(RegistryError, match="no version was live before"):
        registry.rollback(why="terus", who="budi", at=AT)
    promote(registry, "v3", force_why="sudah diperbaiki")
    registry.rollback(why="belum", who="budi", at=AT)
    assert registry.current() == "v1"


def test_what_was_live_twice_is_gone_back_to_twice(registry: Registry) -> None:
    for version in ("v1", "v2", "v1", "v3"):
        promote(registry, version, force_why="uji")
    assert [registry.rollback(why="salah rute", who="budi", at=AT).version for _ in range(3)] == ["v1", "v2", "v1"]
    with pytest.raises(RegistryError, match="no version was live before"):
        registry.rollback(why="terus", who="budi", at=AT)


def test_a_promotion_that_was_cut_off_before_the_pointer_moved_does_not_count(registry: Registry) -> None:
    for version in ("v1", "v2", "v3"):
        promote(registry, version, force_why="uji")
    (registry.folder / "current").write_text("v2\n", encoding="utf-8")
    entry = registry.rollback(why="mati listrik", who="budi", at=AT)
    assert (entry.version, entry.previous, registry.current()) == ("v1", "v2", "v1")
    assert registry.history().live == ["v1"]
    with pytest.raises(RegistryError, match="no version was live before"):
        registry.rollback(why="lagi", who="budi", at=AT)


def test_a_pointer_moved_by_hand_is_rolled_back_to_what_the_ledger_knows(registry: Registry) -> None:
    promote(registry, "v1")
    (registry.folder / "current").write_text("v3\n", encoding="utf-8")
    assert registry.rollback(why="bukan lewat buku", who="budi", at=AT).version == "v1"


def test_what_was_promoted_over_a_pointer_moved_by_hand_is_rolled_back_to_what_the_ledger_knows(registry: Registry) -> None:
    promote(registry, "v1")
    (registry.folder / "current").write_text("v3\n", encoding="utf-8")
    promote(registry, "v2", force_why="uji")
    assert registry.rollback(why="salah rute", who="budi", at=AT).version == "v1"


def test_pointers_can_be_read_by_a_service_that_is_another_user(registry: Registry) -> None:
    promote(registry, "v1")
    shadow(registry, "v2")
    assert [(registry.folder / name).stat().st_mode & 0o777 for name in ("current", "shadow")] == [0o644, 0o644]


def test_rolling_back_without_any_promotion_is_refused(registry: Registry) -> None:
    with pytest.raises(RegistryError, match="no version was live before"):
        registry.rollback(why="iseng", who="budi", at=AT)
    assert registry.current() is None


def test_a_pointer_that_cannot_be_moved_leaves_what_was_live(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    promote(registry, "v1")
    promote(registry, "v2", force_why="uji")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "current")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refuse)
        with pytest.raises(RegistryError, match="current: cannot be written: Permission denied"):
            promote(registry, "v3", force_why="uji")
    assert registry.current() == "v2"
    assert registry.history().entries[-1].what is Event.REFUSED
    assert not [path for path in registry.folder.iterdir() if path.name.startswith(".")]
    assert registry.rollback(why="salah", who="budi", at=AT).version == "v1"


def test_rolling_back_to_a_broken_version_keeps_the_live_one_and_is_recorded(registry: Registry) -> None:
    promote(registry, "v1")
    promote(registry, "v2", force_why="uji")
    (registry.folder / "v1" / "manifest.json").unlink()
    with pytest.raises(SalurError, match="broken"):
        registry.rollback(why="salah rute", who="budi", at=AT)
    assert registry.current() == "v2"
    refused = registry.history().entries[-1]
    assert (refused.what, refused.version, refused.who) == (Event.REFUSED, "v1", "budi")
    assert refused.why.startswith("rollback: ")
    assert "broken" in refused.why


def test_a_torn_last_line_is_told_and_spoils_no_later_line(registry: Registry) -> None:
    promote(registry, "v1")
    with (registry.folder / "ledger.jsonl").open("ab") as ledger:
        ledger.write(b'{"when": "2024-05-0')
    history = registry.history()
    assert [entry.version for entry in history.entries] == ["v1"]
    assert [(fault.line, fault.reason) for fault in history.faults] == [(2, "torn: the line does not end")]
    promote(registry, "v2", force_why="uji")
    assert registry.history().live == ["v1", "v2"]
    assert len(registry.history().faults) == 1


def test_a_full_disk_leaves_what_was_live_and_what_ran_beside_it_and_spoils_no_later_line(registry: Registry) -> None:
    promote(registry, "v1")
    shadow(registry, "v2")
    size = (registry.folder / "ledger.jsonl").stat().st_size
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 9, usual[1]))  # a little of a line is taken still
    try:
        for move in (partial(registry.promote, "v3", force_why="uji"), partial(registry.start_shadow, "v3"), registry.stop_shadow):
            with pytest.raises(RegistryError, match="cannot be written"):
                move(why="mencoba", who="ani", at=AT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert (registry.current(), registry.shadow()) == ("v1", Shadowed("v2", AT))
    promote(registry, "v3", force_why="uji")
    assert [entry.version for entry in registry.history().entries] == ["v1", "v2", "v3"]
    assert [fault.line for fault in registry.history().faults] == [3]


def test_after_a_power_cut_the_pointer_and_the_ledger_name_what_was_said_to_be_live(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: dict[int, int] = {}
    whole, renamed = os.fsync, Path.replace

    def sync(descriptor: int) -> None:
        found = os.fstat(descriptor)
        synced[found.st_ino] = found.st_size
        whole(descriptor)

    def on_the_disk(path: Path) -> bool:
        return synced.get(path.stat().st_ino) == path.stat().st_size

    def replace(part: Path, target: Path) -> Path:
        assert on_the_disk(part)
        assert on_the_disk(registry.folder / "ledger.jsonl")
        synced.pop(registry.folder.stat().st_ino, None)
        return renamed(part, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    for move in (
        partial(promote, registry, "v1"),
        partial(shadow, registry, "v2"),
        partial(registry.stop_shadow, why="u", who="a", at=AT),
    ):
        synced.clear()
        move()
        assert on_the_disk(registry.folder / "ledger.jsonl")
        assert on_the_disk(registry.folder), "the pointer is in its place, or gone from it, as the disk knows it"


def test_the_ledger_has_one_line_an_event_and_a_blank_one_by_hand_is_none(registry: Registry) -> None:
    promote(registry, "v1")
    promote(registry, "v2", force_why="uji")
    ledger = registry.folder / "ledger.jsonl"
    assert ledger.read_bytes().count(b"\n") == 2
    ledger.write_bytes(ledger.read_bytes().replace(b"\n", b"\n\n"))
    assert (registry.history().live, registry.history().faults) == (["v1", "v2"], [])


def test_a_line_longer_than_any_is_told_and_spoils_no_later_line(registry: Registry) -> None:
    registry.record(Event.TRAINED, version="v1", who="ani", at=AT, figures={"note": "x" * MAX_LINE})
    promote(registry, "v1")
    assert registry.history().faults
    assert [entry.what for entry in registry.history().entries] == [Event.PROMOTED]


def test_a_pointer_that_cannot_be_read_is_told_in_one_line(registry: Registry) -> None:
    (registry.folder / "current").mkdir()
    with pytest.raises(RegistryError, match="current: cannot be read: Is a directory"):
        registry.current()


@pytest.mark.parametrize(
    "line",
    [
        '{"figures": ' + "[" * 100_000,
        "[]",
        '{"what": "exploded"}',
        '{"what": "promoted", "who": 7}',
        '{"what": "refused", "figures": 1}',
        "x",
    ],
)
def test_a_line_changed_by_hand_is_told_and_passed_over(registry: Registry, line: str) -> None:
    (registry.folder / "ledger.jsonl").write_text(f"{line}\n", encoding="utf-8")
    assert [fault.line for fault in registry.history().faults] == [1]
    assert list(registry.history().entries) == []


def test_a_torn_pointer_is_an_error_that_a_promotion_mends(registry: Registry) -> None:
    promote(registry, "v1")
    (registry.folder / "current").write_bytes(b"../\xff")
    with pytest.raises(RegistryError, match="no version's name"):
        registry.current()
    promote(registry, "v2", force_why="penunjuk rusak")
    assert registry.current() == "v2"
    assert registry.history().entries[-1].previous == "v1"


@pytest.mark.parametrize("instead_of", [None, ""])
def test_a_torn_pointer_is_mended_by_taking_the_last_promotion_back(registry: Registry, instead_of: str | None) -> None:
    """Whoever looks at it sees that no version is live: that must not be taken for having seen another one."""
    for version in ("v1", "v2"):
        registry.promote(version, why="uji", who="a", at=AT, force_why="uji")
    (registry.folder / "current").write_text("v\0")
    assert registry.previous() == "v1"
    with pytest.raises(Refused, match="is live by now"):
        registry.rollback(why="salah", who="a", at=AT, instead_of="v2")
    assert registry.rollback(why="salah", who="a", at=AT, instead_of=instead_of).version == "v1"
    assert registry.current() == "v1"
    assert registry.previous() is None


@pytest.mark.parametrize("instead_of", [None, ""])
def test_a_torn_pointer_is_mended_by_the_version_that_was_live(registry: Registry, instead_of: str | None) -> None:
    promote(registry, "v1")
    promote(registry, "v2", force_why="uji")
    (registry.folder / "current").write_bytes(b"")
    registry.promote("v2", why="penunjuk rusak", who="ani", at=AT, instead_of=instead_of)
    assert registry.current() == "v2"
    assert registry.history().live == ["v1", "v2"]
    with pytest.raises(Refused) as told:
        promote(registry, "v2", force_why="lagi")
    assert told.value.kind is Refusal.LIVE_ALREADY


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"who": " "}, "who is empty"),
        ({"why": "x" * 2001}, "why is longer than"),
        ({"at": "kemarin"}, "no ISO 8601"),
        ({"figures": {"accuracy": float("nan")}}, "not JSON compliant"),
    ],
)
def test_nothing_is_recorded_that_could_not_be_read_or_answered_for(
    registry: Registry, changed: dict[str, Any], message: str
) -> None:
    said: dict[str, Any] = {"version": "v1", "who": "ani", "at": AT, "why": "x" * 2000, "figures": {"accuracy": 0.9}}
    kept = registry.record(Event.TRAINED, **said)
    with pytest.raises((RegistryError, ValueError), match=message):
        registry.record(Event.TRAINED, **said | changed)
    history = registry.history()
    assert (history.entries, history.faults) == ([kept], [])


@pytest.mark.parametrize("what", [Event.PROMOTED, Event.ROLLED_BACK, Event.SHADOWED, Event.SHADOW_ENDED])
def test_what_is_live_changes_by_promotion_and_rollback_alone(registry: Registry, what: Event) -> None:
    with pytest.raises(ValueError, match="promote and rollback alone"):
        registry.record(what, version="v1", at=AT, who="ani", why="diam-diam")
    assert list(registry.history().entries) == []


def test_models_are_named_by_current_version_or_path(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    promote(registry, "v2")
    (tmp_path / "elsewhere").mkdir()
    assert registry.resolve("current") == registry.path("v2") == registry.resolve("v2")
    assert registry.resolve(str(tmp_path / "elsewhere")) == tmp_path / "elsewhere"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v2").mkdir()
    assert registry.resolve("v2") == registry.path("v2")
    for name in ("v8", "", "../models/v1", "no/such"):
        with pytest.raises(RegistryError):
            registry.path(name)
    with pytest.raises(RegistryError, match="there are v1, v2, v3"):
        registry.resolve("v8")
    with pytest.raises(RegistryError, match="'' is neither a version"):  # a variable of the shell that was never set
        registry.resolve("")


def test_versions_are_told_in_order_and_the_newest_where_one_is_asked_for_that_is_not_there(registry: Registry) -> None:
    names = [f"w{number:02}" for number in range(20)]
    for name in reversed(names):
        add(registry, name)
    assert registry.versions() == ["v1", "v2", "v3", *names]
    with pytest.raises(RegistryError, match=f"there are {', '.join(names[-10:])}$"):
        registry.path("v8")


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file", encoding="utf-8")
    with pytest.raises(RegistryError, match="cannot be written"):
        Registry(tmp_path / "models", load).record(Event.TRAINED, version="v1", at=AT, who="ani")


def test_no_temporary_file_is_left_behind(registry: Registry) -> None:
    promote(registry, "v1")
    promote(registry, "v2", force_why="uji")
    registry.rollback(why="salah rute", who="budi", at=AT)
    assert {path.name for path in registry.folder.iterdir()} == {"v1", "v2", "v3", "current", "ledger.jsonl"}


_OTHER_PROCESS = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from model.ledger import Event
from model.registry import Registry

def load(folder):
    return SimpleNamespace(manifest=json.loads((folder / "manifest.json").read_text()), register=None)

registry, who, at = Registry(Path(sys.argv[1]), load), sys.argv[2], sys.argv[3]
for number in range(50):
    if who == "pengganti":
        registry.promote("v2", why="uji", who=who, at=at, force_why="uji")
        registry.rollback(why="uji", who=who, at=at)
    else:
        registry.record(Event.TRAINED, version=f"v{number}", at=at, who=who, why="bersamaan " * 50)
"""


def start(registry: Registry, who: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _OTHER_PROCESS, str(registry.folder), who, AT])


def test_processes_that_write_at_once_lose_and_tear_no_line(registry: Registry) -> None:
    writers = ("tuan-rumah-1", "tuan-rumah-2", "tuan-rumah-3")
    assert [process.wait() for process in [start(registry, who) for who in writers]] == [0, 0, 0]
    history = registry.history()
    assert not history.faults
    for who in writers:
        assert [entry.version for entry in history.entries if entry.who == who] == [f"v{number}" for number in range(50)]


def test_a_reader_never_sees_half_a_pointer(registry: Registry) -> None:
    promote(registry, "v1")
    process = start(registry, "pengganti")
    seen = set()
    while process.poll() is None:
        seen.add(registry.current())
    assert process.returncode == 0
    assert seen == {"v1", "v2"}


@pytest.fixture(scope="module")
def trained() -> Artifact:
    """A real artifact, from forty complaints of two agencies."""
    rows = [row for row in load_labelled(Path("data/kutai-timur/complaints.jsonl")) if row.agency in ("dlh", "dpupr")][:40]
    config = TrainingConfig(folds=2, matters_weight=0.0)
    return train.train(Register.load(Path("data/kutai-timur")), TrainingSet(rows), config, AT)[0]


@pytest.fixture
def real(tmp_path: Path, trained: Artifact) -> Registry:
    """A registry with two real versions, the first of them live."""
    registry = Registry(tmp_path / "models")
    for version in ("a", "b"):
        artifacts.save(registry.folder / version, replace(trained, manifest={**trained.manifest, "version": version}))
    registry.promote("a", why="pertama", who="ani", at=AT, register=trained.register)
    return registry


def _truncate(folder: Path) -> None:
    arrays = folder / "arrays.npz"
    arrays.write_bytes(arrays.read_bytes()[:-100])


def _forget(folder: Path) -> None:
    (folder / "vocabulary.txt").unlink()


def _half_copied(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _stranger(folder: Path) -> None:
    (folder / "plugin.py").write_text("print('halo')", encoding="utf-8")


def _change(folder: Path, **changed: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changed), encoding="utf-8")
    artifacts.seal(folder)


def _other_stemmer(folder: Path) -> None:
    _change(folder, stemmer="0" * 64)


def _other_format(folder: Path) -> None:
    _change(folder, format=99)


def _other_agencies(folder: Path) -> None:
    _change(folder, agencies=["dlh", "dinas-khayal"])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_truncate, "changed or torn"),
        (_forget, "vocabulary.txt: missing"),
        (_half_copied, "half-copied"),
        (_stranger, "not listed"),
        (_other_stemmer, "another stemmer"),
        (_other_format, "format 99"),
        (_other_agencies, "dinas-khayal"),
    ],
)
def test_an_artifact_that_does_not_fit_never_goes_live(real: Registry, spoil: Callable[[Path], None], message: str) -> None:
    spoil(real.path("b"))
    with pytest.raises(SalurError, match=message):
        real.promote("b", why="mencoba", who="ani", at=AT, force_why="percayalah")
    assert real.current() == "a"
    assert real.history().entries[-1].what is Event.REFUSED


def test_a_rollback_takes_well_under_a_second_of_work(real: Registry) -> None:
    real.promote("b", why="mencoba", who="ani", at=AT, force_why="uji")
    start = time.process_time()
    real.rollback(why="salah rute", who="ani", at=AT)
    assert time.process_time() - start < 1
    assert real.current() == "a"


@pytest.mark.parametrize("instead", ["v2", "v3"])
def test_rolling_back_passes_over_a_promotion_that_was_cut_off_before_the_pointer_moved(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, instead: str
) -> None:
    promote(registry, "v1")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            promote(registry, "v2", force_why="uji")
    assert registry.current() == "v1"
    promote(registry, instead, force_why="sekali lagi")
    assert registry.rollback(why="buruk", who="budi", at=AT).version == "v1"
    with pytest.raises(RegistryError, match="no version was live before"):
        registry.rollback(why="lagi", who="budi", at=AT)
