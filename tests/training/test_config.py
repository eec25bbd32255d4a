"""A configuration is read whole, or every fault of it is named."""

from pathlib import Path

import pytest

from model.faults import InvalidData
from training import config


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("", encoding="utf-8")
    assert config.load(tmp_path / "c.toml") == config.TrainingConfig()


def test_values_and_weights_by_source_are_read(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("c = 0.5\nfolds = 3\n[weights]\nsurabaya = 0.2\n", encoding="utf-8")
    found = config.load(tmp_path / "c.toml")
    assert (found.c, found.folds, dict(found.weights)) == (0.5, 3, {"surabaya": 0.2})


def test_a_configuration_survives_the_manifest() -> None:
    chosen = config.TrainingConfig(c=0.7, weights={"surabaya": 0.1})
    assert config.of_manifest({"config": chosen.to_dict()}).to_dict() == chosen.to_dict()


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("c = -1\nspeed = 3\nfolds = 2.5\nbalance = true\n[weights]\nx = 'y'\n", encoding="utf-8")
    with pytest.raises(InvalidData) as caught:
        config.load(tmp_path / "c.toml")
    text = str(caught.value)
    assert all(name in text for name in ("c = -1", "speed", "folds = 2.5", "balance", "weights.x"))


@pytest.mark.parametrize("content", [b"c = ", b"\xff\xfe", b"c = 1\nc = 2", b"c = " + b"9" * 5_000, b"c = " + b"[" * 50_000])
def test_what_is_no_toml_is_said_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.toml").write_bytes(content)
    with pytest.raises(InvalidData, match="not TOML"):
        config.load(tmp_path / "c.toml")
