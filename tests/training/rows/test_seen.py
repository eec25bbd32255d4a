"""What a version has seen: digests that its folder keeps."""

from dataclasses import replace
from pathlib import Path

import pytest

from model.faults import InvalidData
from model.labelled import load
from training import train
from training.rows.seen import Seen
from training.rows.training_set import TrainingSet


def test_what_a_version_was_trained_on_is_kept_beside_it(tmp_path: Path) -> None:
    rows = [
        replace(row, received_at=f"2024-01-{1 + n:02}")
        for n, row in enumerate(load(Path("data/kutai-timur/complaints.jsonl"))[:20])
    ]
    for name, text in train.seen_file(TrainingSet(rows[:10])).items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text, encoding="utf-8")
    seen = Seen.load(tmp_path)
    assert seen is not None
    assert seen.until == "2024-01-10"
    assert [row in seen for row in rows] == [True] * 10 + [False] * 10
    assert replace(rows[0], id="lain", text=rows[0].text.upper() + " !!") in seen
    assert not any(word in seen.to_text() for word in rows[0].text.split() if len(word) > 5)


def test_a_version_without_the_record_has_seen_who_knows_what(tmp_path: Path) -> None:
    assert Seen.load(tmp_path) is None
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "seen.txt").write_text("", encoding="utf-8")
    with pytest.raises(InvalidData, match="not a list of digests"):
        Seen.load(tmp_path)
