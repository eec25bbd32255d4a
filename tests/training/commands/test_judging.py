"""The commands that judge, on what a desk really has: labels of agencies that have ended since."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model import artifact as artifacts
from model.labelled import dump, load
from model.register import Register
from training import train
from training.cli import main


@pytest.fixture(scope="module")
def reorganised(region: Path, tiny_artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A version whose register knows which office the `dlh` of today was until 2025, and complaints labelled with that one."""
    folder = tmp_path_factory.mktemp("reorganised")
    shutil.copytree(region, folder / "region")
    table = folder / "region" / "agencies.csv"
    with table.open(encoding="utf-8", newline="") as source:
        agencies = list(csv.DictReader(source))
    agencies.append({"id": "blh", "name": "Badan Lingkungan Hidup", "valid_until": "2025-12-31", "successor": "dlh"})
    with table.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, [*agencies[0], "valid_until", "successor"])
        writer.writeheader()
        writer.writerows(agencies)
    register = Register.load(folder / "region")
    artifact = artifacts.load(tiny_artifact)
    manifest = {**artifact.manifest, "version": "baru", "stemmer": train.stemmer_digest(register)}
    artifacts.save(folder / "baru", replace(artifact, register=register, manifest=manifest))
    rows = [row for row in load(region / "complaints.jsonl") if row.agency in ("dlh", "dishub", "pln")]
    before = [replace(row, agency="blh" if row.agency == "dlh" else row.agency, received_at="2025-06-02") for row in rows]
    dump(before, folder / "rows.jsonl")
    return folder / "baru", folder / "rows.jsonl"


@pytest.mark.parametrize("command", ["evaluate", "drift", "suspects"])
def test_labels_of_an_agency_that_ended_count_for_its_successor(
    reorganised: tuple[Path, Path], capsys: pytest.CaptureFixture[str], command: str
) -> None:
    version, rows = reorganised
    with pytest.raises(SystemExit) as ended:
        main([command, str(version), "--data", str(rows), "--json"])
    said = capsys.readouterr()
    assert ended.value.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    if command == "evaluate":
        named = set(found["per_agency"])
        assert found["per_agency"]["dlh"]["recall"] > 0.5
    elif command == "drift":
        named = set(found["weeks"][0]["agencies"])
    else:
        named = {near["agency"] for suspect in found["suspects"] for near in (*suspect["neighbours"], {"agency": suspect["given"]})}
    assert "dlh" in named
    assert "blh" not in named


@pytest.mark.parametrize("command", ["evaluate", "compare"])
def test_copies_under_other_ids_are_no_further_evidence(
    region: Path, tiny_artifact: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    artifact = artifacts.load(tiny_artifact)
    models = [tmp_path / "satu", tmp_path / "dua"][: 1 + (command == "compare")]
    for model in models:  # without the list of what it has seen
        artifacts.save(model, replace(artifact, manifest={**artifact.manifest, "version": model.name}))
    rows = [row for row in load(region / "complaints.jsonl") if row.agency][:60]
    dump(rows, tmp_path / "once.jsonl")
    dump([replace(row, id=f"{copy}-{row.id}") for copy in "abc" for row in rows], tmp_path / "thrice.jsonl")
    judged, told = [], []
    for data in ("once.jsonl", "thrice.jsonl"):
        with pytest.raises(SystemExit) as ended:
            main([command, *map(str, models), "--data", str(tmp_path / data), "--json"])
        said = capsys.readouterr()
        assert ended.value.code == 0, said.err
        judged.append(json.loads(said.out))
        told.append("120 duplicates are left out\n" in said.err)
    assert judged[0] == judged[1]
    assert judged[0]["rows"] == 60
    assert judged[0].get("verdict") == ("not-enough-data" if command == "compare" else None)
    assert told == [False, True]


@pytest.mark.parametrize("command", ["evaluate", "compare"])
def test_a_flood_of_one_matter_is_no_further_evidence(
    region: Path, tiny_artifact: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    artifact = artifacts.load(tiny_artifact)
    models = [tmp_path / "satu", tmp_path / "dua"][: 1 + (command == "compare")]
    for model in models:
        artifacts.save(model, replace(artifact, manifest={**artifact.manifest, "version": model.name}))
    row = next(row for row in load(region / "complaints.jsonl") if row.agency)
    text = "Lampu jalan di depan pasar kami mati sejak tiga hari lalu, mohon segera diperbaiki, pelapor nomor"
    dump([replace(row, id=f"n{n}", text=f"{text} {n}", agency="dishub") for n in range(120)], tmp_path / "flood.jsonl")
    with pytest.raises(SystemExit) as ended:
        main([command, *map(str, models), "--data", str(tmp_path / "flood.jsonl"), "--json"])
    said = capsys.readouterr()
    assert ended.value.code == 0, said.err
    assert "119 that nearly repeat another are left out\n" in said.err
    judged = json.loads(said.out)
    assert judged["rows"] == 1
    if command == "compare":
        assert judged["verdict"] == "not-enough-data"


def test_what_to_label_next_is_a_sheet_that_an_import_reads_once_it_is_filled_in(
    region: Path, tiny_artifact: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = ["=lampu; jalan\ndi simpang mati", "parit mampet", "sampah\rmenumpuk"]
    asked = [{"text": text, "id": f"{n}", "received_at": "2026-10-05", "kecamatan": "Melati"} for n, text in enumerate(texts)]
    (tmp_path / "baru.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
    sheet, out = tmp_path / "label.csv", tmp_path / "label.jsonl"
    with pytest.raises(SystemExit) as ended:
        main(["next", str(tiny_artifact), "--input", str(tmp_path / "baru.jsonl"), "--out", str(sheet)])
    assert ended.value.code == 0, capsys.readouterr().err
    assert sheet.read_bytes().startswith("\ufeffid;received_at;title;text;kecamatan;desa;first;second;agency\r\n".encode())
    with sheet.open(encoding="utf-8-sig", newline="") as source:
        header, *lines = csv.reader(source, delimiter=";")
    assert sorted(line[0] for line in lines) == ["0", "1", "2"]
    with sheet.open("w", encoding="utf-8-sig", newline="") as filled:
        csv.writer(filled, delimiter=";").writerows([header, *([*line[:-1], "dlh" if line[0] != "1" else ""] for line in lines)])
    with pytest.raises(SystemExit) as ended:
        main(["import", str(sheet), "--register", str(region), "--out", str(out)])
    assert ended.value.code == 0, capsys.readouterr().err
    labelled = {row.id: row for row in load(out)}
    assert sorted(labelled) == ["0", "2"], "one without an agency waits"
    assert labelled["0"].text == "'=lampu; jalan\ndi simpang mati", "no formula"
    assert labelled["2"].text == "sampah\rmenumpuk", "what ends a row elsewhere ends none here"
    assert (labelled["2"].agency, labelled["2"].received_at, labelled["2"].kecamatan) == ("dlh", "2026-10-05", "Melati")


@pytest.mark.parametrize(
    "header", ["Tracking ID,Judul Laporan,Isi Laporan Awal,Tipe Laporan", "id;judul;uraian;rahasia"], ids=["export", "table"]
)
def test_what_to_label_next_is_chosen_from_an_export_or_a_table_except_what_is_marked_rahasia(
    tiny_artifact: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], header: str
) -> None:
    rows = ["4711,lampu,lampu jalan mati,", "4712,parit,parit mampet,Rahasia", "4713,kosong,,", "4714,sampah,sampah menumpuk,"]
    comma = "," if "," in header else ";"
    given, sheet = tmp_path / "laporan.csv", tmp_path / "label.csv"
    given.write_text("\n".join([header, *(row.replace(",", comma) for row in rows)]) + "\n", encoding="cp1252")
    with pytest.raises(SystemExit) as ended:
        main(["next", str(tiny_artifact), "--input", str(given), "--out", str(sheet)])
    said = capsys.readouterr()
    assert ended.value.code == 0, said.err
    assert "laporan.csv: 1 marked Rahasia are left out" in said.err
    with sheet.open(encoding="utf-8-sig", newline="") as source:
        chosen = {(line["id"], line["title"], line["text"]) for line in csv.DictReader(source, delimiter=";")}
    assert chosen == {("4711", "lampu", "lampu jalan mati"), ("4714", "sampah", "sampah menumpuk")}


def test_a_sheet_to_label_is_not_written_over_what_is_read(
    tiny_artifact: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "baru.jsonl"
    given.write_text('{"text": "parit mampet"}\n', encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["next", str(tiny_artifact), "--input", str(given), "--out", str(given)])
    assert (ended.value.code, given.read_text(encoding="utf-8")) == (2, '{"text": "parit mampet"}\n')
    assert "name another file" in capsys.readouterr().err
