"""The router in use: swapped whole, kept on any failure."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from model.faults import Fault, InvalidData
from service.active_model import ActiveModel
from service.problems import Problem


class Clock:
    """A clock that goes when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Router:
    """A router that is only a name."""

    register = manifest = route = None

    def __init__(self, version: str) -> None:
        self.version = version


def load(folder: Path) -> Any:
    if folder.name.startswith("rusak"):
        raise InvalidData([Fault(folder.name, 3, "digest differs")])
    return Router(folder.name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def versions(tmp_path: Path) -> None:
    for name in ("satu", "dua", "tiga", "rusak-2"):
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
