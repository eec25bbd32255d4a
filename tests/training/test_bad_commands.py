"""Commands that are given what they cannot use: exit code 2 and one line for each fault, nothing written, never a traceback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from model.artifact import FORMAT
from model.faults import ALIKE
from model.labelled import MAX_BROKEN, LabelledComplaint, dump
from model.register import FILES
from training.cli import main
from training.commands.options import user

Run = Callable[..., list[str]]
LABELLED = ("compare", "suspects", "drift", "retrain")
ROW = {"text": "sampah menumpuk di pasar", "agency": "dlh"}
BROKEN = {
    "no object": (b'["sampah"]\n', ":1: not a JSON object"),
    "cut short": (b'{"text": "sampah", "agen', ":1: not JSON"),
    "one of an array": (b'{"text": "sampah"},\n', ":1: not JSON: Extra data (character 19); each line is one JSON object"),
    "too deep": (b"[" * 100_000, ":1: not JSON"),
    "not UTF-8": (b'{"text": "\xff\xfe", "agency": "dlh"}\n', ":1: not UTF-8"),
    "binary": (bytes(range(255, 0, -1)), ":1: not UTF-8"),
    "no text": (b'{"agency": "dlh"}\n', ":1: text is missing"),
    "number for a text": (b'{"text": 7, "agency": "dlh"}\n', ":1: text must be text"),
}


@pytest.fixture(scope="module")
def folder(region: Path, tiny_artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with one version, which is live, and files beside it."""
    folder = tmp_path_factory.mktemp("bad")
    shutil.copytree(tiny_artifact, folder / "models" / tiny_artifact.name)
    (folder / "models" / "current").write_text(tiny_artifact.name, encoding="utf-8")
    shutil.copy(region / "complaints.jsonl", folder / "good.jsonl")
    return folder


@pytest.fixture
def run(folder: Path, region: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on a file and answer the lines of its complaint, after seeing to it that it ended with 2 and wrote nothing."""

    def call(command: str, data: Path, *more: str | Path, model: str | Path = "current") -> list[str]:
        named: dict[str, list[str | Path]] = {
            "predict": [model, "--input", data],
            "next": [model, "--input", data],
            "compare": [model, model, "--data", data],
            "suspects": [model, "--data", data],
            "drift": [model, "--data", data],
            "replay": ["--register", region, "--data", data],
            "retrain": ["--register", region, "--data", data],
            "train": ["--register", region, "--data", data],
            "evaluate": [model, "--data", data],
            "import": [data, "--register", region, "--out", folder / "out.jsonl"],
        }
        registry = [] if command in ("replay", "import") else ["--models", folder / "models"]
        before = sorted(folder.rglob("*"))
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in (command, *named[command], *registry, *more)])
        said = capsys.readouterr()
        assert ended.value.code == 2, said.err
        assert said.out == ""
        assert sorted(folder.rglob("*")) == before
        return [line for line in said.err.splitlines() if line]

    return call


@pytest.mark.parametrize("content", BROKEN)
@pytest.mark.parametrize("command", [*LABELLED, "replay"])
def test_labelled_complaints_that_cannot_be_read_are_refused_with_file_line_and_reason(
    run: Run, tmp_path: Path, command: str, content: str
) -> None:
    given, reason = BROKEN[content]
    (tmp_path / "data.jsonl").write_bytes(given)
    (line,) = run(command, tmp_path / "data.jsonl")
    assert f"data.jsonl{reason}" in line


@pytest.mark.parametrize("command", [*LABELLED, "train", "import"])
def test_every_line_that_is_wrong_is_named_in_one_run(run: Run, tmp_path: Path, command: str) -> None:
    lines = ["[5]", "{", json.dumps({**ROW, "title": 7}), json.dumps({**ROW, "text": "a" * 1_000_000}), json.dumps(ROW), "null"]
    (tmp_path / "data.jsonl").write_text("\n".join(lines), encoding="utf-8")
    named = [line.partition("data.jsonl:")[2].partition(":")[0] for line in run(command, tmp_path / "data.jsonl")]
    assert named == ["1", "2", "3", "4", "6"]


@pytest.mark.parametrize("command", [*LABELLED, "import"])
def test_a_file_of_something_else_is_not_read_to_its_end(run: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "data.jsonl").write_text("isi;instansi\n" * 1000, encoding="utf-8")
    *_, last = run(command, tmp_path / "data.jsonl")
    assert f"the same on {MAX_BROKEN - ALIKE} more lines that were read: not JSON" in last


@pytest.mark.parametrize("command", [*LABELLED, "train", "replay"])
@pytest.mark.parametrize("name", ["rekap.csv", "rekap.xlsx"])
def test_a_table_in_place_of_labelled_complaints_is_told_what_makes_them_of_it(
    run: Run, tmp_path: Path, command: str, name: str
) -> None:
    (tmp_path / name).write_text("isi;instansi\n" * 100, encoding="utf-8")
    (line,) = run(command, tmp_path / name)
    assert line.endswith(f"{name}: is a table: `salur-training import` makes labelled complaints of it")


@pytest.mark.parametrize("content", [name for name in BROKEN if name != "no text"])
def test_complaints_without_a_label_that_cannot_be_read_are_refused_too(run: Run, tmp_path: Path, content: str) -> None:
    given, reason = BROKEN[content]
    (tmp_path / "data.jsonl").write_bytes(given)
    (line,) = run("next", tmp_path / "data.jsonl")
    assert f"data.jsonl{reason}" in line


@pytest.mark.parametrize("command", [*LABELLED, "replay", "next", "predict"])
def test_a_file_that_is_not_there_is_named(run: Run, tmp_path: Path, command: str) -> None:
    lines = run(command, tmp_path / "none.jsonl")
    assert len(lines) == 1
    assert "none.jsonl" in lines[0]


@pytest.mark.parametrize("command", ["compare", "suspects", "drift", "next", "predict"])
@pytest.mark.parametrize("model", ["nothing", "../..", ""])
def test_a_model_that_is_not_there_is_named(run: Run, folder: Path, command: str, model: str) -> None:
    (line,) = run(command, folder / "good.jsonl", model=model)
    assert line.startswith("salur-training: ")


@pytest.mark.parametrize("command", ["compare", "suspects", "drift", "next"])
def test_a_folder_that_is_no_model_is_refused(run: Run, folder: Path, tmp_path: Path, command: str) -> None:
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    (line,) = run(command, folder / "good.jsonl", model=tmp_path)
    assert "manifest" in line


@pytest.mark.parametrize("command", ["train", "retrain", "replay"])
def test_all_faults_of_a_region_are_told_at_once_its_rules_too(
    folder: Path, region: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    wrong = Path(shutil.copytree(region, tmp_path / "region"))
    (wrong / "places.csv").write_text("kecamatan,desa,type\nKaubun,,kota\n", encoding="utf-8")
    (wrong / "rules.toml").write_text("[[rule]]\nid = 7\n", encoding="utf-8")
    registry = [] if command == "replay" else ["--models", str(folder / "models")]
    with pytest.raises(SystemExit):
        main([command, "--register", str(wrong), "--data", str(folder / "good.jsonl"), *registry])
    said = capsys.readouterr().err
    assert f"{wrong / 'places.csv'}:2: type 'kota'" in said
    assert f"{wrong / 'rules.toml'}:2: id must be text" in said


def test_versions_that_cannot_be_read_are_listed_with_the_reason(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = Path(shutil.copytree(folder / "models", tmp_path / "models"))
    manifests = {"a-half": "", "b-old": '{"format": 1, "files": {}}', "c-bare": f'{{"format": {FORMAT}, "files": {{}}}}'}
    for version, manifest in manifests.items():
        (models / version).mkdir()
        if manifest:
            (models / version / "manifest.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["models", "list", "--models", str(models)])
    *others, half, old, bare = sorted(capsys.readouterr().out.splitlines(), key=lambda line: line[2:])
    assert ended.value.code == 0
    assert [line[0] for line in others] == ["*"]
    assert ("missing" in half, "format 1" in old, "no figures" in bare) == (True, True, True)


def test_a_version_is_not_compared_with_itself(run: Run, folder: Path) -> None:
    (line,) = run("compare", folder / "good.jsonl")
    assert "both champion and challenger" in line


@pytest.mark.parametrize("command", LABELLED)
def test_an_unknown_agency_and_no_complaint_at_all_are_refused(run: Run, tmp_path: Path, command: str) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text(json.dumps(ROW) + "\n" + json.dumps({**ROW, "agency": "dinas-x"}) + "\n", encoding="utf-8")
    (line,) = run(command, data)
    assert "data.jsonl:2: agency 'dinas-x' is not in the register" in line
    data.write_text("", encoding="utf-8")
    (line,) = run(command, data)
    assert "no labelled complaints" in line


@pytest.mark.parametrize("command", ["train", "retrain", "replay", "import"])
def test_a_region_s_wrong_files_are_named_in_one_run_its_rules_too(
    run: Run, folder: Path, region: Path, tmp_path: Path, command: str
) -> None:
    wrong = Path(shutil.copytree(region, tmp_path / "region"))
    with (wrong / "agencies.csv").open("a", encoding="utf-8") as agencies:
        agencies.write("Dinas X,,,,,,\n")
    (wrong / "rules.toml").write_text("[[rule]]\nid = 1\n", encoding="utf-8")
    said = run(command, folder / "good.jsonl", "--register", wrong)
    assert {Path(line.removeprefix("salur-training: ").partition(":")[0]) for line in said} == {
        wrong / "agencies.csv",
        wrong / "rules.toml",
    }


@pytest.mark.parametrize("command", [*LABELLED, "replay"])
def test_a_date_that_is_none_is_refused_with_file_and_line(run: Run, tmp_path: Path, command: str) -> None:
    dates = ["2026-05-13", "kemarin dulu"]
    dump([LabelledComplaint(f"sampah {day}", "dlh", id=day, received_at=day) for day in dates], tmp_path / "data.jsonl")
    (line,) = run(command, tmp_path / "data.jsonl")
    assert "data.jsonl:2: received_at 'kemarin dulu' is no date as YYYY-MM-DD" in line


@pytest.mark.parametrize(
    ("command", "rows"),
    [
        ("suspects", [("sampah", "dlh", "")] * 2),
        ("retrain", [("sampah menumpuk", "dlh", "")]),
        ("retrain", [("sampah menumpuk", "dlh", ""), ("lampu mati", "dishub", "")]),
        ("retrain", [("sampah menumpuk", "dlh", "2026-01-01"), ("lampu mati", "dishub", "2026-01-01")]),
        ("replay", [("sampah menumpuk", "dlh", "2026-01-01")]),
        ("replay", [("sampah menumpuk", "dlh", "")]),
        ("replay", [("sampah menumpuk", "dlh", "2026-01-01"), ("lampu mati", "dishub", "2026-09-01")]),
    ],
)
def test_too_little_to_learn_from_is_said_in_one_line(
    run: Run, tmp_path: Path, command: str, rows: Sequence[tuple[str, str, str]]
) -> None:
    dump([LabelledComplaint(text, agency, received_at=day) for text, agency, day in rows], tmp_path / "data.jsonl")
    lines = [line for line in run(command, tmp_path / "data.jsonl") if line.startswith("salur-training:")]
    assert len(lines) == 1
    assert "data:" in lines[0]


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whatever takes long fail: what is refused at once never comes to it."""
    for what in (
        "judging.evaluate.evaluate",
        "replay.replay",
        "replay.over_draws",
        "watching.suspects.find",
        "train.train",
        "retrain.retrain",
    ):
        monkeypatch.setattr(f"training.{what}", lambda *_, **__: pytest.fail("the work was begun"))


TARGETS = [("evaluate", "--report"), ("replay", "--plot"), ("suspects", "--out"), ("train", "--models"), ("retrain", "--models")]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="no folder that refuses even root")
@pytest.mark.parametrize(("command", "option"), TARGETS)
def test_a_place_where_nothing_can_be_written_is_named_before_the_work(
    run: Run, no_work: None, folder: Path, command: str, option: str
) -> None:
    (line,) = [said for said in run(command, folder / "good.jsonl", option, "/proc/x") if said.startswith("salur-training:")]
    assert "/proc/x: cannot be written" in line


def test_a_version_is_not_trained_to_go_live_at_once_where_one_is_live(run: Run, no_work: None, folder: Path) -> None:
    live = (folder / "models" / "current").read_text(encoding="utf-8")
    (line,) = run("train", folder / "good.jsonl", "--promote")
    assert line == f"salur-training: {folder / 'models'}: {live} is live already: train without --promote, compare, then promote"


@pytest.mark.parametrize(("command", "option"), [("import", "--out"), ("replay", "--plot"), ("suspects", "--out")])
def test_a_dash_is_not_taken_for_the_name_of_a_file(
    run: Run, no_work: None, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, option: str
) -> None:
    monkeypatch.chdir(tmp_path)
    *_, line = run(command, folder / "good.jsonl", option, "-")
    assert line == "salur-training: -: is no file, and standard output is for the report: name a file"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("command", "option"), [("replay", "--audit"), ("replay", "--minutes"), ("retrain", "--test")])
@pytest.mark.parametrize("number", ["nan", "inf"])
def test_what_is_no_number_is_refused_where_a_number_is_asked_for(
    run: Run, no_work: None, folder: Path, command: str, option: str, number: str
) -> None:
    (line,) = run(command, folder / "good.jsonl", option, number)
    assert line.startswith(f"salur-training {command}: Invalid value for '{option}': ")


@pytest.mark.parametrize("command", ["list", "history"])
def test_a_registry_that_is_not_there_is_named_and_not_taken_for_an_empty_one(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for there, code, said in ((False, 2, f"salur-training: {tmp_path / 'models'}: no such folder\n"), (True, 0, "")):
        if there:
            (tmp_path / "models").mkdir()
        with pytest.raises(SystemExit) as ended:
            main(["models", command, "--models", str(tmp_path / "models")])
        assert (ended.value.code, *capsys.readouterr()) == (code, "", said)


@pytest.mark.parametrize(("command", "option"), TARGETS[1:3])
def test_a_folder_that_is_not_there_is_named_before_the_work(
    run: Run, no_work: None, folder: Path, tmp_path: Path, command: str, option: str
) -> None:
    *_, line = run(command, folder / "good.jsonl", option, tmp_path / "none" / "out.x")
    assert line.endswith("out.x: no such folder")


@pytest.mark.parametrize(("command", "option"), TARGETS[1:3])
def test_what_is_read_is_never_written_over(run: Run, no_work: None, folder: Path, command: str, option: str) -> None:
    given = (folder / "good.jsonl").read_bytes()
    (folder / "link.jsonl").symlink_to("good.jsonl")
    try:
        for name in ("good.jsonl", "link.jsonl"):
            *_, line = run(command, folder / "good.jsonl", option, folder / name)
            assert f"{name}: is what is read" in line
    finally:
        (folder / "link.jsonl").unlink()
    assert (folder / "good.jsonl").read_bytes() == given


@pytest.mark.parametrize(("command", "option"), [("import", "--out"), ("replay", "--plot")])
@pytest.mark.parametrize("folded", [False, True])
def test_a_file_that_a_region_may_have_is_not_made_of_something_else(
    run: Run, no_work: None, folder: Path, region: Path, tmp_path: Path, command: str, option: str, folded: bool
) -> None:
    """What is written there would be the region's rules from then on, and nothing could read them."""
    own = Path(shutil.copytree(region, tmp_path / "region"))
    (own / "rules.toml").unlink()
    out = own / ".." / "region" / "rules.toml" if folded else own / "rules.toml"
    (line,) = run(command, folder / "good.jsonl", "--register", own, option, out)
    assert "rules.toml: is what is read" in line
    assert not (own / "rules.toml").exists()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(("command", "option"), [("import", "--out"), ("replay", "--plot")])
def test_a_region_s_own_files_are_never_written_over(
    run: Run, no_work: None, folder: Path, region: Path, tmp_path: Path, command: str, option: str, name: str
) -> None:
    own = Path(shutil.copytree(region, tmp_path / "region"))
    given = (own / name).read_bytes()
    (line,) = run(command, folder / "good.jsonl", "--register", own, option, own / name)
    assert f"{name}: is what is read" in line
    assert (own / name).read_bytes() == given


def test_a_user_without_a_name_is_written_down_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_294_000_000)
    assert user() == "uid:4294000000"
