"""Batch prediction: order, errors, formats, kills and resumptions, workers here and on a cluster."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from model import lapor
from model.complaint import Complaint
from model.faults import InvalidData, SalurError
from model.router import Router
from service.web.schemas import routing_json
from training import cli
from training.bulk import predict
from training.bulk.answering import COLUMNS, Work, answer, router_of
from training.bulk.journal import Journal, JournalError
from training.bulk.predict import CHUNK_RECORDS

TEXTS = (
    "Lampu jalan di depan pasar Sangatta Utara mati sudah seminggu",
    "Sampah menumpuk di Gang Damai, sudah tiga hari tidak diangkut",
    "Air PDAM keruh sekali sejak kemarin di Teluk Lingga",
    "KTP saya belum jadi padahal sudah dua bulan mengurus di capil",
    "Listrik padam bergilir tiap malam di Bengalon",
    "Pegawai kantor camat tidak ada di tempat saat jam kerja",
)


def complaints(count: int) -> list[dict[str, Any]]:
    return [{"id": f"a-{number}", "text": f"{TEXTS[number % len(TEXTS)]} nomor {number}"} for number in range(count)]


def write_lines(path: Path, rows: Sequence[Any]) -> Path:
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


CHUNK = 100
"""Records of a chunk where runs are killed: as many chunks as a run of thousands more has then take less than half as long."""


def command(model: Path, source: Path, target: Path, *options: str) -> list[str]:
    return [
        sys.executable,
        "-c",
        f"from training import cli; from training.bulk import predict; predict.CHUNK_RECORDS = {CHUNK}; cli.main()",
        "predict",
        str(model),
        "--input",
        str(source),
        "--output",
        str(target),
        *options,
    ]


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix in (".part", ".state", ".new"))


# JSON Lines


def test_every_complaint_is_answered_in_order_as_the_api_answers_it(tiny_artifact: Path, router: Router, tmp_path: Path) -> None:
    rows = complaints(2 * CHUNK_RECORDS + 7)
    source, target = write_lines(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl"
    done = predict.predict(tiny_artifact, source, target, evidence=True)
    lines = target.read_bytes().splitlines()
    assert (done.records, done.errors, len(lines)) == (len(rows), 0, len(rows))
    for number, (row, line) in enumerate(zip(rows, lines, strict=True), 1):
        routing = router.route(Complaint(row["text"], id=row["id"]))
        assert line == b'{"line":%d,"id":"%b",' % (number, row["id"].encode()) + routing_json(routing)[1:]
    assert leftovers(tmp_path) == []


def test_the_words_that_decided_are_left_out_unless_asked_for(tiny_artifact: Path, tmp_path: Path) -> None:
    source = write_lines(tmp_path / "in.jsonl", complaints(3))
    predict.predict(tiny_artifact, source, tmp_path / "without.jsonl")
    predict.predict(tiny_artifact, source, tmp_path / "with.jsonl", evidence=True)
    without, full = read_lines(tmp_path / "without.jsonl"), read_lines(tmp_path / "with.jsonl")
    assert all(row.pop("evidence") for row in full)
    assert without == full


def test_all_that_the_form_says_is_heard(tiny_artifact: Path, tmp_path: Path) -> None:
    row = {
        "text": TEXTS[5],
        "title": "Kantor camat",
        "kecamatan": "Bengalon",
        "confidential": True,
        "received_at": "2026-01-02",
        "x": 1,
    }
    source = write_lines(tmp_path / "in.jsonl", [row])
    predict.predict(tiny_artifact, source, tmp_path / "out.jsonl")
    (said,) = read_lines(tmp_path / "out.jsonl")
    assert said["kecamatan"] == "Bengalon"
    assert "confidential" in said["reasons"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON"),
        (b'{"text": "\xff"}', "not JSON"),
        (b'{"text": "\\ud800"}', "not JSON"),
        (b'{"text": NaN}', "not JSON"),
        (b"[" * 5_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"title": "Lampu"}', "text is missing"),
        (b'{"text": null}', "text is missing"),
        (b'{"text": "  \\n"}', "text is empty"),
        (b'{"text": 5}', "text must be text"),
        (b'{"text": "lampu", "id": 5, "desa": []}', "desa must be text; id must be text"),
        (b'{"text": "lampu", "confidential": "yes"}', "confidential must be true or false"),
        (b'{"text": "' + b"a" * 1_100_000 + b'"}', "a line of over 1,000,000 bytes"),
    ],
)
def test_a_bad_line_gets_its_error_and_the_others_their_answers(
    tiny_artifact: Path, tmp_path: Path, line: bytes, reason: str
) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    good = json.dumps({"text": TEXTS[0], "id": "baik"}).encode()
    source.write_bytes(good + b"\n" + line + b"\n" + good + b"\n")
    done = predict.predict(tiny_artifact, source, target)
    first, second, third = read_lines(target)
    assert (done.records, done.errors) == (3, 1)
    assert second["error"].startswith(reason)
    assert second["line"] == 2
    assert (first["line"], third["line"]) == (1, 3)
    assert first["agency"] == third["agency"]


def test_an_error_names_the_id_where_it_can_be_read(tiny_artifact: Path, tmp_path: Path) -> None:
    source = write_lines(tmp_path / "in.jsonl", [{"id": "a-9", "text": ""}])
    predict.predict(tiny_artifact, source, tmp_path / "out.jsonl")
    assert read_lines(tmp_path / "out.jsonl") == [{"error": "text is empty", "line": 1, "id": "a-9"}]


def test_blank_lines_marks_and_windows_line_ends_are_no_records(tiny_artifact: Path, tmp_path: Path) -> None:
    row = json.dumps({"text": TEXTS[1]}).encode()
    (tmp_path / "in.jsonl").write_bytes(b"\xef\xbb\xbf" + row + b"\r\n\r\n   \n" + row)
    predict.predict(tiny_artifact, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert [row["line"] for row in read_lines(tmp_path / "out.jsonl")] == [1, 4]


@pytest.mark.parametrize("text", ["🙏🙏", "\u202e\u202d", "\0", "?" * 20_000, "memper" * 5_000, "Ã\u00a0" * 100])
def test_whatever_text_there_is_gets_a_routing(tiny_artifact: Path, tmp_path: Path, text: str) -> None:
    source = write_lines(tmp_path / "in.jsonl", [{"text": text}])
    done = predict.predict(tiny_artifact, source, tmp_path / "out.jsonl")
    assert done.errors == 0
    assert read_lines(tmp_path / "out.jsonl")[0]["decision"] == "review"


def test_a_file_without_complaints_gives_a_file_without_answers(tiny_artifact: Path, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(b"\n")
    done = predict.predict(tiny_artifact, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert done.records == 0
    assert (tmp_path / "out.jsonl").read_bytes() == b""
    assert leftovers(tmp_path) == []


def test_a_complaint_that_breaks_the_router_does_not_stop_the_others(
    tiny_artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = router_of(str(tiny_artifact.resolve()), tiny_artifact.name).reader.read

    def read_or_break(complaint: Complaint) -> Any:
        if complaint.id == "a-1":
            raise ZeroDivisionError("no")
        return read(complaint)

    monkeypatch.setattr(router_of(str(tiny_artifact.resolve()), tiny_artifact.name).reader, "read", read_or_break)
    done = predict.predict(tiny_artifact, write_lines(tmp_path / "in.jsonl", complaints(3)), tmp_path / "out.jsonl")
    said = read_lines(tmp_path / "out.jsonl")
    assert done.errors == 1
    assert said[1] == {"error": "could not be routed: ZeroDivisionError: no", "line": 2, "id": "a-1"}
    assert [row["id"] for row in said] == ["a-0", "a-1", "a-2"]


def test_memory_does_not_grow_with_the_input(tiny_artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "CHUNK_RECORDS", 15)
    monkeypatch.setattr(predict, "CHUNKS_AHEAD", predict.FEW_CHUNKS)
    heavy = {"text": "lampu", "note": "x" * 50_000}  # quickly answered, but much to hold
    ahead = predict.CHUNKS_AHEAD * predict.CHUNK_RECORDS

    def peak(count: int) -> int:
        source = write_lines(tmp_path / "in.jsonl", [heavy] * count)
        tracemalloc.start()
        try:
            predict.predict(tiny_artifact, source, tmp_path / "out.jsonl")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    predict.predict(tiny_artifact, write_lines(tmp_path / "in.jsonl", complaints(1)), tmp_path / "out.jsonl")
    assert peak(4 * ahead) < peak(2 * ahead) + ahead * len(heavy["note"]) / 2


# The command


def test_standard_input_goes_to_standard_output(tiny_artifact: Path) -> None:
    given = "".join(f"{json.dumps(row)}\n" for row in [*complaints(3), {"id": "a-3", "text": ""}]).encode()
    ran = subprocess.run(command(tiny_artifact, Path("-"), Path("-")), input=given, capture_output=True, check=False)
    assert ran.returncode == 2
    assert [json.loads(line)["id"] for line in ran.stdout.splitlines()] == ["a-0", "a-1", "a-2", "a-3"]
    assert ran.stderr.decode().splitlines()[0] == "standard output: 3 complaints answered, 1 could not be read"


def run_main(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["predict", *args])
    assert isinstance(ended.value.code, int)
    return ended.value.code, capsys.readouterr().err


def test_unread_records_end_with_code_2_and_a_whole_output(
    tiny_artifact: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_lines(tmp_path / "in.jsonl", [{"text": TEXTS[0]}, {"text": ""}, {"text": TEXTS[1]}])
    code, said = run_main(capsys, str(tiny_artifact), "--input", str(source), "--output", str(tmp_path / "out.jsonl"))
    assert code == 2
    assert said.splitlines() == [
        f"{tmp_path / 'out.jsonl'}: 2 complaints answered, 1 could not be read",
        "salur-training: 1 of 3 records could not be read: they have an error in the output",
    ]
    assert len(read_lines(tmp_path / "out.jsonl")) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--input", "nowhere.jsonl"], "nowhere.jsonl: no such file"),
        (["--output", "nowhere/out.jsonl"], "nowhere/out.jsonl: no such folder"),
        (["--jobs", "2", "--dask", "tcp://127.0.0.1:1"], "--jobs or --dask, not both"),
        (["--resume", "--output", "-"], "standard output cannot be resumed"),
        (["--input", "in.csv", "--output", "-"], "in.csv: a table cannot go to standard output"),
        (["--input", "in.jsonl", "--output", "./in.jsonl"], "in.jsonl: is what is read"),
        (["--input", "in.jsonl", "--output", "same.jsonl"], "same.jsonl: is what is read"),
        (["--input", "in.csv", "--output", "in.csv"], "in.csv: is what is read"),
        (["--input", "in.jsonl", "--output", "out.csv"], "out.csv: the same format comes back, JSON Lines: name"),
        (["--input", "-", "--output", "out.xlsx"], "out.xlsx: the same format comes back, JSON Lines"),
        (["--input", "in.csv", "--output", "out.xlsx"], "out.xlsx: the same format comes back, table"),
        (["--input", "in.csv", "--output", "out.jsonl"], "out.jsonl: the same format comes back, table"),
        (["--input", "bare.csv", "--output", "out.csv"], "isi pengaduan, pengaduan; rename one that is called otherwise"),
    ],
)
def test_a_wrong_call_is_one_clear_line_and_writes_nothing(
    tiny_artifact: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_lines(tmp_path / "in.jsonl", complaints(1))
    (tmp_path / "in.csv").write_text("text,id\nlampu mati,1\n", encoding="utf-8")
    (tmp_path / "bare.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "same.jsonl").symlink_to("in.jsonl")
    given = (tmp_path / "in.jsonl").read_bytes()
    before = sorted(tmp_path.iterdir())
    code, said = run_main(capsys, str(tiny_artifact), "--input", "in.jsonl", "--output", "out.jsonl", *options)
    assert code == 2
    assert message in said
    assert "Traceback" not in said
    assert said.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "in.jsonl").read_bytes() == given


def test_a_changed_model_is_refused_before_anything_is_begun(tiny_artifact: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(tiny_artifact, tmp_path / "model"))
    with (model / "arrays.npz").open("r+b") as file:
        file.seek(1_000)
        file.write(b"x")
    with pytest.raises(SalurError, match=r"arrays\.npz: its digest"):
        predict.predict(model, write_lines(tmp_path / "in.jsonl", complaints(1)), tmp_path / "out.jsonl")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "model"]


# Tables


def test_an_export_comes_back_with_our_columns_beside_theirs(tiny_artifact: Path, router: Router, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Laporan Ringkas"])
    sheet.append(["No", "Tracking ID", "Judul Laporan", "Isi Laporan Awal", "Tipe Laporan Anonim Rahasia", "Kecamatan"])
    sheet.append([1, "#101", "Lampu", TEXTS[0], "", "Sangatta Utara"])
    sheet.append([2, "#102", "", "", "", ""])
    sheet.append([3, "#103", "Kantor camat", TEXTS[5], "Rahasia", "Bengalon"])
    book.save(tmp_path / "in.xlsx")
    done = predict.predict(tiny_artifact, tmp_path / "in.xlsx", tmp_path / "out.xlsx")
    rows = list(openpyxl.load_workbook(tmp_path / "out.xlsx").active.iter_rows(values_only=True))
    first = router.route(Complaint(TEXTS[0], "Lampu", "Sangatta Utara"))
    assert (done.records, done.errors) == (3, 1)
    assert rows[1][-4:] == lapor.OURS
    assert rows[2] == (
        1,
        "#101",
        "Lampu",
        TEXTS[0],
        None,
        "Sangatta Utara",
        *(c or None for c in lapor.cells_of(first, router.register)),
    )
    assert not any(rows[3][-4:])
    assert "Laporan rahasia" in str(rows[4][-1])
    assert rows[4][-4] == "Kecamatan Bengalon"
    assert leftovers(tmp_path) == []


def test_a_table_comes_back_with_our_columns_and_an_error_where_there_is_no_text(
    tiny_artifact: Path, router: Router, tmp_path: Path
) -> None:
    short = "Air keruh"  # for a person, however sure the model is
    (tmp_path / "in.csv").write_text(
        f"Nomor;Isi Aduan;Tanggal;Rahasia\n7;{short};3 Maret 2026;ya\n8;;;\n9;{TEXTS[3]};;\n", encoding="utf-8"
    )
    done = predict.predict(tiny_artifact, tmp_path / "in.csv", tmp_path / "out.csv")
    header, first, second, third = csv.reader(io.StringIO((tmp_path / "out.csv").read_text(encoding="utf-8")), delimiter=";")
    assert done.errors == 1
    assert header == ["Nomor", "Isi Aduan", "Tanggal", "Rahasia", *COLUMNS]
    assert first[:4] == ["7", short, "3 Maret 2026", "ya"]
    said = router.route(Complaint(short, confidential=True))
    assert len(said.reasons) > 1
    reasons, sure = " ".join(said.reasons), f"{said.candidates[0].probability:.4f}"
    assert first[4:] == ["perumdam", said.unit, said.decision, sure, reasons, router.version, ""]
    assert second == ["8", "", "", "", "", "", "", "", "", "", "text is empty"]
    assert third[4] == "disdukcapil"


def test_a_file_in_capital_letters_comes_back_in_capital_letters_or_small_ones(tiny_artifact: Path, tmp_path: Path) -> None:
    (tmp_path / "ADUAN.CSV").write_text(f"id,text\n1,{TEXTS[0]}\n", encoding="utf-8")
    for target in ("HASIL.CSV", "hasil.csv"):
        predict.predict(tiny_artifact, tmp_path / "ADUAN.CSV", tmp_path / target)
    assert (tmp_path / "HASIL.CSV").read_bytes() == (tmp_path / "hasil.csv").read_bytes()


def test_no_answers_are_written_among_a_models_own_files(tiny_artifact: Path, tmp_path: Path) -> None:
    source = write_lines(tmp_path / "in.jsonl", complaints(1))
    model = Path(shutil.copytree(tiny_artifact, tmp_path / "model"))
    for target in (model / "out.jsonl", model / "report" / "out.jsonl"):
        with pytest.raises(InvalidData, match="lies in the model's own folder"):
            predict.predict(model, source, target)
        assert not target.exists()


@pytest.mark.parametrize("name", [lapor.OURS[0], COLUMNS[0]])
def test_our_own_output_is_not_taken_in_again(tiny_artifact: Path, tmp_path: Path, name: str) -> None:
    columns = "Tracking ID,Judul Laporan,Isi Laporan Awal" if name in lapor.OURS else "text"
    (tmp_path / "in.csv").write_text(f"{columns},{name}\n1,2,3,4\n", encoding="utf-8")
    with pytest.raises(InvalidData, match="has our columns already"):
        predict.predict(tiny_artifact, tmp_path / "in.csv", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


# Kills


Run = tuple[Path, bytes]
"""An input, one line of it bad, and the output of a run that nothing stopped."""


def whole_run(model: Path, folder: Path, count: int) -> Run:
    rows = complaints(count)
    rows[100]["text"] = ""
    source = write_lines(folder / "in.jsonl", rows)
    predict.predict(model, source, folder / "out.jsonl")
    return source, (folder / "out.jsonl").read_bytes()


@pytest.fixture(scope="module")
def long_run(tiny_artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Several rounds."""
    return whole_run(tiny_artifact, tmp_path_factory.mktemp("long"), 3 * predict.CHUNKS_AHEAD * CHUNK)


@pytest.fixture(scope="module")
def short_run(tiny_artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A few chunks."""
    return whole_run(tiny_artifact, tmp_path_factory.mktemp("short"), 2 * CHUNK_RECORDS + 100)


def has_ended(session: int) -> bool:
    """Tell whether no process of a session is left."""
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_run_goes_on_and_no_line_is_lost_or_doubled(tiny_artifact: Path, tmp_path: Path, long_run: Run, jobs: int) -> None:
    source, whole = long_run
    target = tmp_path / "out.jsonl"
    part = tmp_path / "out.jsonl.part"
    chance = random.Random(jobs)  # noqa: S311
    kills = 0
    for _ in range(3):
        before = part.stat().st_size if part.exists() else 0
        wanted = before + chance.randrange(1, len(whole) // 12)
        run = subprocess.Popen(
            command(tiny_artifact, source, target, "--resume", "--jobs", str(jobs)),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while run.poll() is None and (part.stat().st_size if part.exists() else 0) < wanted:
            time.sleep(0.002)
        run.send_signal(signal.SIGKILL)
        kills += run.wait() == -signal.SIGKILL
        assert not target.exists()
        until = time.monotonic() + 20
        while not has_ended(run.pid):
            assert time.monotonic() < until, "its workers go on without it"
            time.sleep(0.05)
    assert kills == 3
    assert 0 < part.stat().st_size < len(whole)
    done = predict.predict(tiny_artifact, source, target, resume=True)
    assert target.read_bytes() == whole
    assert (done.records, done.errors) == (whole.count(b"\n"), 1)
    assert 0 < done.resumed < done.records
    assert leftovers(tmp_path) == []


def unfinished(folder: Path, short_run: Run, size: int, run: dict[str, object], records: int | None = None) -> Path:
    """Leave what a killed run leaves: `size` bytes of its output, of which it had announced `records`."""
    source, whole = short_run
    lines = source.read_bytes().splitlines(keepends=True)
    announced = 500 if records is None else records
    digest = hashlib.sha256(b"".join(lines[:announced])).hexdigest()
    (folder / "out.jsonl.part").write_bytes(whole[:size])
    (folder / "out.jsonl.state").write_text(json.dumps({"run": run, "records": announced, "digest": digest}), encoding="utf-8")
    return folder / "out.jsonl"


def as_run(artifact: Path, **changes: object) -> dict[str, object]:
    return {"model": artifact.name, "input": "JSON Lines", "evidence": False, **changes}


def test_half_a_line_is_written_anew(tiny_artifact: Path, tmp_path: Path, short_run: Run) -> None:
    source, whole = short_run
    for size in (0, 1, whole.index(b"\n"), whole.index(b"\n") + 1, whole.index(b"\n") + 2, whole.rindex(b"\n", 0, 300_000)):
        target = unfinished(tmp_path, short_run, size, as_run(tiny_artifact))
        done = predict.predict(tiny_artifact, source, target, resume=True)
        assert target.read_bytes() == whole
        assert done.resumed == whole[:size].count(b"\n")


def test_a_run_that_is_killed_as_soon_as_its_first_lines_are_written_goes_on(
    tiny_artifact: Path, tmp_path: Path, short_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, whole = short_run
    written = Journal.write

    def killed(journal: Journal, lines: bytes, count: int, errors: int) -> None:
        written(journal, lines, count, errors)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            predict.predict(tiny_artifact, source, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl.part").stat().st_mode & 0o077 == 0, "nobody else reads what complaints are about"
    done = predict.predict(tiny_artifact, source, tmp_path / "out.jsonl", resume=True)
    assert (done.resumed, done.errors) == (CHUNK_RECORDS, 1)
    assert (tmp_path / "out.jsonl").read_bytes() == whole


def test_what_could_not_be_read_is_not_called_answered_before_either() -> None:
    told = str(predict.Summary("out.jsonl", 3_000, 1, 2_000))
    assert told == "out.jsonl: 2,999 complaints answered, 1 could not be read; 2,000 of the 3,000 were done before"
    assert str(predict.Summary("out.jsonl", 3, 0, 2)) == "out.jsonl: 3 complaints answered; 2 of the 3 were done before"


def test_only_the_same_input_model_and_options_go_on(tiny_artifact: Path, tmp_path: Path, short_run: Run) -> None:
    source, _ = short_run
    lines = source.read_bytes().splitlines(keepends=True)
    changed, short = tmp_path / "changed.jsonl", tmp_path / "short.jsonl"
    changed.write_bytes(b"".join([*lines[:50], b'{"text": "lain"}\n', *lines[51:]]))
    short.write_bytes(b"".join(lines[:499]))
    for other in (changed, short):
        target = unfinished(tmp_path, short_run, 50_000, as_run(tiny_artifact))
        with pytest.raises(InvalidData, match="not the input that"):
            predict.predict(tiny_artifact, other, target, resume=True)
    for changes in ({"model": "other"}, {"evidence": True}, {"input": "table"}):
        target = unfinished(tmp_path, short_run, 50_000, as_run(tiny_artifact, **changes))
        with pytest.raises(JournalError, match=f"begun with {next(iter(changes))}"):
            predict.predict(tiny_artifact, source, target, resume=True)
    target = unfinished(tmp_path, short_run, 50_000, as_run(tiny_artifact), records=3)
    with pytest.raises(JournalError, match="knows of 3"):
        predict.predict(tiny_artifact, source, target, resume=True)
    state = tmp_path / "out.jsonl.state"
    for torn in ("{", "[]", '{"run": {}}', '{"run": {}, "records": [], "digest": ""}'):
        state.write_text(torn, encoding="utf-8")
        with pytest.raises(JournalError, match="missing or unreadable"):
            predict.predict(tiny_artifact, source, target, resume=True)
    state.unlink()
    with pytest.raises(JournalError, match="missing or unreadable"):
        predict.predict(tiny_artifact, source, target, resume=True)
    assert (tmp_path / "out.jsonl.part").stat().st_size == 50_000
    assert not target.exists()


def test_an_unfinished_output_is_not_written_over(tiny_artifact: Path, tmp_path: Path, short_run: Run) -> None:
    target = unfinished(tmp_path, short_run, 50_000, as_run(tiny_artifact))
    with pytest.raises(JournalError, match="go on with it by --resume, or delete it"):
        predict.predict(tiny_artifact, short_run[0], target)
    assert (tmp_path / "out.jsonl.part").stat().st_size == 50_000


def test_two_runs_never_write_the_same_output(tiny_artifact: Path, tmp_path: Path, short_run: Run) -> None:
    target = unfinished(tmp_path, short_run, 50_000, as_run(tiny_artifact))
    with (
        Journal(tmp_path / "out.jsonl.part", tmp_path / "out.jsonl.state", as_run(tiny_artifact), resume=True),
        pytest.raises(JournalError, match="another run is writing it"),
    ):
        predict.predict(tiny_artifact, short_run[0], target, resume=True)


def test_a_table_goes_on_as_well(tiny_artifact: Path, tmp_path: Path) -> None:
    rows = "".join(f"{number},{TEXTS[number % 6]}\n" for number in range(500))
    (tmp_path / "in.csv").write_text(f"id,text\n{rows}", encoding="utf-8")
    predict.predict(tiny_artifact, tmp_path / "in.csv", tmp_path / "whole.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predict, "_write_table", stop)
        with pytest.raises(KeyboardInterrupt):
            predict.predict(tiny_artifact, tmp_path / "in.csv", tmp_path / "out.csv")
    assert leftovers(tmp_path) == ["out.csv.answers.part", "out.csv.state"]
    done = predict.predict(tiny_artifact, tmp_path / "in.csv", tmp_path / "out.csv", resume=True)
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert done.resumed == 500
    assert leftovers(tmp_path) == []


def stop(*_: object) -> None:
    raise KeyboardInterrupt


# Workers


def test_workers_give_what_one_process_gives(tiny_artifact: Path, tmp_path: Path, long_run: Run) -> None:
    source, whole = long_run
    ran = subprocess.run(command(tiny_artifact, source, tmp_path / "out.jsonl", "--jobs", "2"), capture_output=True, check=False)
    assert ran.returncode == 2
    assert b"Traceback" not in ran.stderr
    assert (tmp_path / "out.jsonl").read_bytes() == whole


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no /proc: the processes of a run cannot be found")
def test_a_worker_that_dies_here_is_told_and_the_run_goes_on(tiny_artifact: Path, tmp_path: Path, long_run: Run) -> None:
    source, whole = long_run
    target, part = tmp_path / "out.jsonl", tmp_path / "out.jsonl.part"
    run = subprocess.Popen(command(tiny_artifact, source, target, "--jobs", "2"), stderr=subprocess.PIPE, text=True)
    wait_for(lambda: part.exists() and part.stat().st_size > 0, run)
    children = map(int, Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split())
    worker = next(child for child in children if b"popen_loky" in Path(f"/proc/{child}/cmdline").read_bytes())
    os.kill(worker, signal.SIGKILL)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 2
    assert said.splitlines()[-1].startswith("salur-training: a worker process died")
    assert "Traceback (most recent call last)" not in said
    predict.predict(tiny_artifact, source, target, resume=True)
    assert target.read_bytes() == whole


def test_a_worker_with_another_version_of_the_model_refuses(tiny_artifact: Path) -> None:
    with pytest.raises(SalurError, match=rf"version {tiny_artifact.name} on a worker, kemarin where"):
        answer(Work(str(tiny_artifact), "kemarin"), [1], b'{"text": "lampu"}')


class Cluster:
    """A scheduler and workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.workers: list[subprocess.Popen[bytes]] = []
        self._folder = folder
        where = folder / "scheduler.json"
        options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(where))
        self.scheduler = self._start("scheduler.log", "dask_scheduler", *options)
        wait_for(lambda: where.exists() and where.read_bytes().endswith(b"}"), self.scheduler)
        self.address = json.loads(where.read_bytes())["address"]

    def _start(self, log: str, module: str, *options: str) -> subprocess.Popen[bytes]:
        with (self._folder / log).open("wb") as said:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", *options],
                cwd=self._folder,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                stdout=subprocess.DEVNULL,
                stderr=said,
            )

    def add_worker(self) -> subprocess.Popen[bytes]:
        # Without a nanny: nobody brings a killed one back.
        log = self._folder / f"worker-{len(self.workers)}.log"
        self.workers.append(
            self._start(
                log.name,
                "dask_worker",
                self.address,
                "--no-nanny",
                "--nthreads",
                "1",
                "--no-dashboard",
                "--local-directory",
                str(self._folder),
            )
        )
        # A run gives up a cluster that has no worker for ten seconds, and a scheduler that does not answer for five.
        wait_for(lambda: b"Registered to" in log.read_bytes(), self.workers[-1])
        return self.workers[-1]

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    if importlib.util.find_spec("distributed") is None:
        pytest.skip("distributed is not installed: pip install 'salur[dask]'")
    made = Cluster(tmp_path)
    yield made
    made.stop()


def test_a_killed_worker_of_a_cluster_costs_no_line(cluster: Cluster, tiny_artifact: Path, tmp_path: Path, long_run: Run) -> None:
    source, whole = long_run
    target, part = tmp_path / "out.jsonl", tmp_path / "out.jsonl.part"
    victim, _ = cluster.add_worker(), cluster.add_worker()
    log = tmp_path / "log"
    with log.open("wb") as said:
        run = subprocess.Popen(command(tiny_artifact, source, target, "--dask", cluster.address), stderr=said)
        wait_for(lambda: part.exists() and part.stat().st_size > len(whole) // 20, run)
        assert run.poll() is None, log.read_text()
        victim.kill()
        assert run.wait(timeout=240) == 2, log.read_text()  # one line is bad
    assert victim.wait() == -signal.SIGKILL
    assert target.read_bytes() == whole
    assert leftovers(tmp_path) == []


def test_a_cluster_that_is_lost_is_told_and_the_run_goes_on_without_it(
    cluster: Cluster, tiny_artifact: Path, tmp_path: Path, long_run: Run
) -> None:
    source, whole = long_run
    target, part = tmp_path / "out.jsonl", tmp_path / "out.jsonl.part"
    cluster.add_worker()
    log = tmp_path / "log"
    with log.open("wb") as said:
        run = subprocess.Popen(command(tiny_artifact, source, target, "--dask", cluster.address), stderr=said)
        wait_for(lambda: part.exists() and part.stat().st_size > len(whole) // 20, run)
        cluster.scheduler.kill()
        assert run.wait(timeout=120) == 2
    assert f"salur-training: {cluster.address}: the cluster gave up" in log.read_text()
    assert "Traceback (most recent call last)" not in log.read_text()
    predict.predict(tiny_artifact, source, target, resume=True)
    assert target.read_bytes() == whole


def wait_for(holds: Callable[[], bool], run: subprocess.Popen[Any], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not holds() and run.poll() is None and time.monotonic() < until:
        time.sleep(0.02)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "tls://127.0.0.1:9", "nonsense"])
def test_a_cluster_that_is_not_there_is_named(tiny_artifact: Path, tmp_path: Path, address: str) -> None:
    pytest.importorskip("distributed", reason="distributed is not installed: pip install 'salur[dask]'")
    source = write_lines(tmp_path / "in.jsonl", complaints(1))
    target = tmp_path / "out.jsonl"
    ran = subprocess.run(command(tiny_artifact, source, target, "--dask", address), capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr.startswith(f"salur-training: {address}: no Dask scheduler answers there")
    assert ran.stderr.count("\n") == 1
    assert leftovers(tmp_path) == []


def test_dask_is_asked_for_where_it_is_not_installed(tiny_artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    source = write_lines(tmp_path / "in.jsonl", complaints(1))
    with pytest.raises(SalurError, match=r"pip install 'salur\[dask\]'"):
        predict.predict(tiny_artifact, source, tmp_path / "out.jsonl", dask="tcp://127.0.0.1:9")
