"""What a training is given: read, checked, and no complaint twice, wherever it comes from."""

from __future__ import annotations

from pathlib import Path

from model.labelled import LabelledComplaint, dump
from model.register import Register
from training import train
from training.seen import Seen

TODAY = "2026-11-24"
OWN = LabelledComplaint(text="Sampah menumpuk di pasar induk sejak hari Senin, baunya sampai ke rumah warga", agency="dlh", id="1")


def test_other_regions_rows_that_repeat_an_own_one_are_dropped_and_counted(region: Path, tmp_path: Path) -> None:
    same = LabelledComplaint(text=OWN.text.upper() + "!", agency="dlh", id="a", source="elsewhere")
    near = LabelledComplaint(text=OWN.text.replace("Senin", "Selasa"), agency="dlh", id="b", source="elsewhere")
    unlike = LabelledComplaint(text="lampu jalan di simpang tiga mati", agency="dishub", id="c", source="elsewhere")
    dump([OWN], tmp_path / "own.jsonl")
    dump([same, near, unlike], tmp_path / "other.jsonl")
    given = train.load(Register.load(region), [tmp_path / "own.jsonl"], [tmp_path / "other.jsonl"], TODAY, allow_unseen=True)
    assert [row.id for row in given.own] == ["1"]
    assert [row.id for row in given.other] == ["c"]
    assert given.dropped == 2
    assert OWN not in Seen.of(given.other)
