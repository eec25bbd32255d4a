"""The router in use: swapped whole, kept on any failure."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from model.complaint import Complaint
from model.faults import Fault, InvalidData
from service import active_model
from service.active_model import ActiveModel
from service.web.problems import Problem


class Clock:
    """A clock that goes when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Router:
    """A router that is only a name."""

    register = manifest = None

    def __init__(self, version: str) -> None:
        self.version = version

    def route(self, _: Complaint) -> None:
        if self.version == "bisu":
            raise IndexError("no weights")


loads: list[str] = []


def load(folder: Path) -> Any:
    loads.append(folder.name)
    if folder.name.startswith("rusak"):
        raise InvalidData([Fault(folder.name, 3, "digest differs")])
    if folder.name == "meledak":
        raise TypeError("what nobody expected")
    return Router(folder.name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def versions(tmp_path: Path) -> None:
    for name in ("satu", "dua", "tiga", "rusak-2", "meledak", "bisu"):
        (tmp_path / name).mkdir()


@pytest.fixture
def model(tmp_path: Path, clock: Clock) -> ActiveModel:
    return ActiveModel(tmp_path, load, clock)


def version(model: ActiveModel) -> str | None:
    router = model.router()
    return router.version if router else None


def test_nothing_promoted_is_no_model(model: ActiveModel) -> None:
    assert model.router() is None
    with pytest.raises(Problem, match="no-model"):
        model.require()


def test_the_pointer_is_followed_within_a_second(model: ActiveModel, tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "current").write_text("satu\n")
    assert version(model) == "satu"
    (tmp_path / "current").write_text("dua\n")
    clock.now = 0.5
    assert version(model) == "satu"
    clock.now = 1.0
    assert version(model) == "dua"


def test_a_broken_successor_is_told_and_not_used(model: ActiveModel, tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "current").write_text("satu")
    assert version(model) == "satu"
    (tmp_path / "current").write_text("rusak-2")
    clock.now = 2.0
    assert version(model) == "satu"
    assert model.trouble == "version rusak-2 cannot be loaded: rusak-2:3: digest differs"
    (tmp_path / "current").write_text("tiga")
    clock.now = 4.0
    assert version(model) == "tiga"
    assert model.trouble == ""


@pytest.mark.parametrize(("successor", "reason"), [("meledak", "what nobody expected"), ("bisu", "no weights")])
def test_whatever_goes_wrong_with_a_successor_the_old_one_answers(
    model: ActiveModel, tmp_path: Path, clock: Clock, successor: str, reason: str
) -> None:
    (tmp_path / "current").write_text("satu")
    assert version(model) == "satu"
    (tmp_path / "current").write_text(successor)
    for clock.now in (2.0, 4.0):
        assert version(model) == "satu"
    assert model.trouble == f"version {successor} cannot be loaded: {reason}"


def test_a_version_that_failed_is_tried_again_now_and_then_and_another_at_once(
    model: ActiveModel, tmp_path: Path, clock: Clock
) -> None:
    loads.clear()
    (tmp_path / "current").write_text("rusak-2")
    for clock.now in (0.0, 1.0, 2.0, 9.0):
        assert version(model) is None
    assert loads == ["rusak-2"]
    clock.now = 11.0
    assert version(model) is None
    assert loads == ["rusak-2", "rusak-2"]
    (tmp_path / "current").write_text("satu")
    clock.now = 12.0
    assert version(model) == "satu"


def test_a_following_thread_loads_without_any_request_and_tells_of_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(active_model, "FOLLOW_SECONDS", 0.02)
    told: list[bool] = []
    model = ActiveModel(tmp_path, load)
    (tmp_path / "current").write_text("satu")
    model.follow(told.append)
    for pointer, used, trouble in (
        ("satu", "satu", False),
        ("dua", "dua", False),
        ("rusak-2", "dua", True),
        ("tiga", "tiga", False),
    ):
        (tmp_path / "baru").write_text(pointer)
        (tmp_path / "baru").replace(tmp_path / "current")
        until = time.monotonic() + 5
        while (getattr(model._router, "version", ""), bool(model.trouble), told[-1:]) != (used, trouble, [trouble]):
            assert time.monotonic() < until
            time.sleep(0.01)


def test_a_lost_pointer_keeps_the_model(model: ActiveModel, tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "current").write_text("satu")
    assert version(model) == "satu"
    (tmp_path / "current").unlink()
    clock.now = 2.0
    assert version(model) == "satu"
    assert model.trouble == "nothing was promoted yet"


@pytest.mark.parametrize("content", [b"", b"../satu", b"a/b", b"\xff\xfe", b".hidden", b"a\\b", b"tidak-ada"])
def test_a_pointer_that_names_no_version_loads_nothing(model: ActiveModel, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "current").write_bytes(content)
    assert model.router() is None
    assert model.trouble


@pytest.mark.parametrize("version", ["satu", "meledak"])
def test_while_a_version_is_loaded_and_only_then_threads_take_turns_more_often(tmp_path: Path, version: str) -> None:
    usual, seen = sys.getswitchinterval(), []

    def watched(folder: Path) -> Any:
        seen.append(sys.getswitchinterval())
        return load(folder)

    (tmp_path / "current").write_text(version + "\n")
    ActiveModel(tmp_path, watched).look()
    assert seen == [pytest.approx(active_model.QUICK_TURN)]
    assert sys.getswitchinterval() == pytest.approx(usual)


def test_only_one_thread_loads_while_the_others_go_on(tmp_path: Path, clock: Clock) -> None:
    loading, go_on = threading.Event(), threading.Event()

    def slow(folder: Path) -> Any:
        if folder.name == "dua":
            loading.set()
            assert go_on.wait(5)
        return Router(folder.name)

    model = ActiveModel(tmp_path, slow, clock)
    (tmp_path / "current").write_text("satu")
    assert version(model) == "satu"
    (tmp_path / "current").write_text("dua")
    clock.now = 2.0
    loader = threading.Thread(target=model.router)
    loader.start()
    assert loading.wait(5)
    assert version(model) == "satu"
    go_on.set()
    loader.join()
    assert version(model) == "dua"
