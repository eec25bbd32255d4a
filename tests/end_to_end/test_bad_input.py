"""The list of bad input, item by item, through the real server and the real commands: a clear error, and nothing half-written."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.patience import wait_until
from tests.served import Server, make_memory, served
from training.cli import main

TEXT = "lampu jalan mati sudah seminggu"


@pytest.fixture(scope="module")
def server(tiny_artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """gunicorn with the project's configuration and a model that was really trained."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copytree(tiny_artifact, folder / "models" / tiny_artifact.name)
    (folder / "models" / "current").write_text(f"{tiny_artifact.name}\n")
    url = f"sqlite:///{folder / 'salur.db'}"
    with served(folder, url, make_memory(url), folder / "models", {"SALUR_WORKERS": "1"}, real_model=True) as made:
        yield made


def post(server: Server, body: bytes, **headers: str) -> tuple[int, str, Any]:
    """Ask for a prediction; answers status, media type and the decoded answer."""
    status, told, content = server.call("POST", "/api/v1/predictions", body, headers)
    return status, told["Content-Type"].partition(";")[0], json.loads(content)


def _body(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("body", "status", "kind", "pointer"),
    [
        pytest.param(b"", 400, "not-json", None, id="empty body"),
        pytest.param(_body({"text": ""}), 422, "invalid", "/text", id="empty"),
        pytest.param(_body({"text": " \n\t "}), 422, "invalid", "/text", id="whitespace"),
        pytest.param(_body({"text": "😀👍🏽"}), 422, "invalid", "/text", id="emoji only"),
        pytest.param(_body({"text": "a" * 2**20}), 422, "invalid", "/text", id="1 MB"),
        pytest.param(_body({"text": "lampu\0mati"}), 422, "invalid", "/text", id="NUL"),
        pytest.param(_body({"text": "\u202e\u200f\u2066"}), 422, "invalid", "/text", id="right-to-left marks only"),
        pytest.param(b'{"text": "lampu \xff\xfe"}', 400, "not-json", None, id="invalid UTF-8"),
        pytest.param(_body({"text": 5}), 422, "invalid", "/text", id="wrong type"),
        pytest.param(_body({"text": TEXT, "confidential": "ya"}), 422, "invalid", "/confidential", id="wrong type of a flag"),
        pytest.param(_body([{"text": TEXT}] * 101), 422, "invalid", "", id="101 items"),
        pytest.param(_body({"text": TEXT, "judul": "x"}), 422, "invalid", "/judul", id="unknown field"),
    ],
)
def test_over_http_it_is_a_problem_that_names_what_and_where(
    server: Server, body: bytes, status: int, kind: str, pointer: str | None
) -> None:
    found, media, problem = post(server, body)
    assert (found, media, problem["type"]) == (status, "application/problem+json", f"/api/docs#problem-{kind}")
    assert [error["pointer"] for error in problem.get("errors", [])] == ([] if pointer is None else [pointer])


def test_right_to_left_marks_in_a_text_move_no_offset(server: Server) -> None:
    text = "\u202alampu\u202c jalan \u200fmati"
    status, _, routing = post(server, _body({"text": text}))
    assert status == 200
    written = {one["word"]: text[one["span"]["start"] : one["span"]["end"]] for one in routing["evidence"]}
    assert {"lampu", "mati"} & written.keys()
    assert all(word == text.strip("\u200f") or word in said for word, said in written.items())


@pytest.mark.parametrize(
    ("header", "kind"),
    [({"Authorization": ""}, "no-key"), ({"Authorization": f"Bearer salur_{'a' * 12}_{'b' * 43}"}, "wrong-key")],
    ids=["no key", "wrong key"],
)
def test_without_a_good_key_nothing_is_said(server: Server, header: dict[str, str], kind: str) -> None:
    status, media, problem = post(server, _body({"text": TEXT}), **header)
    assert (status, media, problem["type"]) == (401, "application/problem+json", f"/api/docs#problem-{kind}")


def test_the_server_logged_no_failure(server: Server) -> None:
    """Last, over all that was asked above."""
    assert "request failed" not in (server.folder / "log").read_text()
    assert "Traceback" not in (server.folder / "log").read_text()


Refused = Callable[..., list[str]]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    """Runs a command and answers the lines of its complaint, once it ended with 2 and no other error.

    In this process: test_training.py sees that a process of its own ends so, and most of its time is the loading of libraries.
    """

    def call(*args: str | Path) -> list[str]:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in args])
        said = capsys.readouterr()
        assert ended.value.code == 2, said.err
        assert "Traceback" not in said.err
        return said.err.strip().splitlines()

    return call


def _zip(path: Path, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("name", "write", "says"),
    [
        ("broken.xlsx", lambda path: path.write_bytes(b"PK\x03\x04broken"), "not a readable .xlsx"),
        (
            "bomb.xlsx",
            lambda path: _zip(path, {"[Content_Types].xml": b"x", "xl/worksheets/sheet1.xml": bytes(2**25)}),
            "a zip bomb?",
        ),
        ("latin.jsonl", lambda path: path.write_bytes(b'{"text": "\xff", "agency": "dlh"}\n'), "not UTF-8: byte 0xff"),
        ("nul.csv", lambda path: path.write_bytes(bytes(range(256)) * 20), "NUL bytes: this is not a text file"),
        ("half.jsonl", lambda path: path.write_bytes(rb'{"text": "\ud800", "agency": "dlh"}'), "half a surrogate pair"),
    ],
    ids=["broken workbook", "zip bomb", "invalid UTF-8", "NUL bytes", "half a surrogate pair"],
)
def test_a_file_that_cannot_be_read_is_one_line_and_nothing_is_written(
    refused: Refused, region: Path, tmp_path: Path, name: str, write: Callable[[Path], object], says: str
) -> None:
    write(tmp_path / name)
    given = ("--data", region / "complaints.jsonl", "--unlabelled", tmp_path / name, "--models", tmp_path / "models")
    for args in (("import", tmp_path / name, "--out", tmp_path / "out.jsonl"), ("train", *given), ("retrain", *given)):
        (line,) = refused(*args, "--register", region)
        assert name in line
        assert says in line
        assert [path.name for path in tmp_path.iterdir()] == [name]


def test_nothing_is_written_into_the_folder_of_a_version(
    refused: Refused, region: Path, tiny_artifact: Path, tmp_path: Path
) -> None:
    version, data = Path(shutil.copytree(tiny_artifact, tmp_path / tiny_artifact.name)), region / "complaints.jsonl"
    before = {path: path.read_bytes() for path in version.rglob("*") if path.is_file()}
    into = [("evaluate", "--data", "--report", version / place) for place in ("", "report", "baru")]
    into += [("suspects", "--data", "--out", version / place) for place in ("manifest.json", "baru.jsonl")]
    into += [("predict", "--input", "--output", version / place) for place in ("manifest.json", "baru.jsonl")]
    for command, given, option, place in into:
        (line,) = refused(command, version, given, data, option, place)
        assert "lies in the model's own folder" in line
    assert {path: path.read_bytes() for path in version.rglob("*") if path.is_file()} == before


def test_a_row_of_a_crosswalk_that_matches_nothing_is_named_by_its_line(refused: Refused, region: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("isi;instansi\nAir mati;PDAM\n", encoding="utf-8")
    (tmp_path / "walk.csv").write_text("name,category,agency\nPDAM,,perumdam\nDinas Khayal,,dlh\n", encoding="utf-8")
    args = (
        "import",
        tmp_path / "a.csv",
        "--register",
        region,
        "--crosswalk",
        tmp_path / "walk.csv",
        "--out",
        tmp_path / "out.jsonl",
    )
    (line,) = refused(*args, "--strict")
    assert "walk.csv:3: 'dinas khayal / *' matches nothing in the source" in line
    assert not (tmp_path / "out.jsonl").exists()


def test_unknown_agencies_agencies_without_rows_and_doubled_ids_are_refused_before_training(
    refused: Refused, region: Path, tmp_path: Path
) -> None:
    data, models = tmp_path / "data.jsonl", tmp_path / "models"
    rows = {
        "data.jsonl:1: agency 'dinas-khayal'": '{"text": "a b c", "agency": "dinas-khayal"}\n',
        "agency 'pln' has no complaint": '{"text": "sampah", "agency": "dlh"}\n',
        "data.jsonl:2: id '1' stands already": '{"id": "1", "text": "a", "agency": "dlh"}\n' * 2,
    }
    for says, content in rows.items():
        data.write_text(content, encoding="utf-8")
        lines = refused("train", "--register", region, "--data", data, "--models", models)
        assert any(says in line for line in lines), lines
    assert not models.exists() or not list(models.iterdir())


def test_an_artifact_with_one_byte_changed_is_refused_by_the_commands_and_never_served(
    refused: Refused, server: Server, region: Path, tiny_artifact: Path, tmp_path: Path
) -> None:
    broken = Path(shutil.copytree(tiny_artifact, tmp_path / tiny_artifact.name))
    for name in ("arrays.npz", "manifest.json"):
        content = bytearray((tiny_artifact / name).read_bytes())
        content[len(content) // 2] ^= 1
        (broken / name).write_bytes(bytes(content))
        (line,) = refused("evaluate", broken, "--data", region / "complaints.jsonl")
        assert name in line
        shutil.copy(tiny_artifact / name, broken / name)
    shutil.copytree(tiny_artifact, server.folder / "models" / "rusak")
    (server.folder / "models" / "rusak" / "vocabulary.txt").write_bytes(b"\xff")
    (server.folder / "models" / "current").write_text("rusak\n")
    wait_until(lambda: '"model not loaded"' in server.log())
    status, _, routing = post(server, _body({"text": TEXT}))
    assert (status, routing["model_version"]) == (200, tiny_artifact.name)
