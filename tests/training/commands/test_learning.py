"""What train and retrain tell before they begin."""

import csv
import shutil
from pathlib import Path

import pytest

from training.cli import main


@pytest.mark.parametrize("command", ["train", "retrain"])
def test_a_rule_whose_agency_has_ended_since_it_was_written_is_told(
    command: str, region: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(region, tmp_path / "daerah"))
    with (folder / "agencies.csv").open(encoding="utf-8", newline="") as file:
        rows = [dict(row) for row in csv.DictReader(file)]
    rows = [row | {"valid_until": "2025-12-31" if row["id"] == "bptd" else ""} for row in rows]
    with (folder / "agencies.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    given = ["--register", folder, "--data", folder / "nothing.jsonl", "--models", tmp_path / "models"]
    with pytest.raises(SystemExit) as left:
        main([command, *map(str, given)])
    told, refused = capsys.readouterr().err.splitlines()
    assert f"{folder / 'rules.toml'}: rule 'perlengkapan-jalan-nasional' names bptd, which does not exist on" in told
    assert "waits for a person" in told
    assert "no such file" in refused
    assert left.value.code == 2
