"""The data scientist's way, by the commands of the README, on a small region; and bad input, which ends in one line."""

import io
import json
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from model import artifact as artifacts
from model.register import Register
from model.registry import Registry
from training import train
from training.cli import main


class Said(NamedTuple):
    stdout: str
    stderr: str


def run(*args: str | Path, code: int = 0) -> Said:
    """Call the command in this process: another first spends seconds on loading what trains."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main(list(map(str, args)))
    assert ended.value.code == code, err.getvalue()
    return Said(out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def trained(region: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The registry that a training filled, in processes of its own, and what it told on the way."""
    folder = tmp_path_factory.mktemp("cli") / "models"
    config = folder.parent / "quick.toml"
    config.write_text("folds = 2\n", encoding="utf-8")
    # One pair of processes fits all: to let them go in between, for which training/test_workers.py sees, costs two more starts.
    program = "from training import cli, train; train.dismiss_workers = lambda: None; cli.main()"
    command = [sys.executable, "-c", program, "train", "--promote", "--register", str(region)]
    command += ["--data", str(region / "complaints.jsonl"), "--models", str(folder), "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, done.stderr


@pytest.fixture(scope="module")
def models(trained: tuple[Path, str]) -> Path:
    return trained[0]


def test_training_tells_what_the_model_could_not_be_taught_and_what_its_rules_lack(trained: tuple[Path, str]) -> None:
    folder, told = trained
    assert "**Perhatian.**" in run("models", "show", "current", "--models", folder).stdout
    assert "alleged wrongdoing is not held back for a person: see data/README.md" in told
    assert "nobody is told of an emergency, for no rule says what to do in one: see data/README.md" in told


def test_folds_that_are_fitted_here_and_in_processes_of_their_own_give_the_same_model(models: Path, tiny_artifact: Path) -> None:
    """What the command's processes fitted, against the other tests' training, which did all in one."""
    of_processes, of_one = (artifacts.load(folder) for folder in (Registry(models).resolve("current"), tiny_artifact))
    for name in ("data", "temperature", "reliability", "policy", "figures"):
        assert of_processes.manifest[name] == of_one.manifest[name]
    assert np.array_equal(of_processes.arrays["additions"], of_one.arrays["additions"])


def test_a_trained_version_is_live_and_has_its_card(models: Path) -> None:
    listed = run("models", "list", "--models", models).stdout
    assert listed.startswith("* ")
    assert "# " in run("models", "show", "current", "--models", models).stdout


def test_evaluation_prints_what_the_contract_says(models: Path, region: Path) -> None:
    found = json.loads(run("evaluate", "current", "--models", models, "--data", region / "complaints.jsonl", "--json").stdout)
    wanted = {"rows", "accuracy", "accuracy_interval", "top3", "macro_f1", "ece", "aurc", "auto", "per_agency"}
    assert wanted <= found.keys()
    assert {"target_error", "confidence", "coverage", "wrong", "error"} <= found["auto"].keys()
    assert found["rows"] == sum(row["rows"] for row in found["per_agency"].values())


def test_a_batch_comes_back_in_order(models: Path, tmp_path: Path) -> None:
    given = tmp_path / "in.jsonl"
    given.write_text("".join(json.dumps({"id": str(n), "text": f"air pdam mati {n}"}) + "\n" for n in range(30)), encoding="utf-8")
    run("predict", "current", "--models", models, "--input", given, "--output", tmp_path / "out.jsonl")
    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [answer["id"] for answer in answers] == [str(n) for n in range(30)]
    assert {answer["agency"] for answer in answers} == {"perumdam"}


def test_history_tells_what_was_done(models: Path) -> None:
    told = run("models", "history", "--models", models).stdout
    assert "trained" in told
    assert "promoted" in told
    lines = run("models", "history", "--models", models, "--json").stdout.splitlines()
    assert [json.loads(line)["what"] for line in lines] == [line.split()[1] for line in told.splitlines()]


def test_a_version_of_other_agencies_is_refused_by_the_command_and_one_beside_the_live_one_is_told(
    models: Path, region: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(models, tmp_path / "models"))
    artifact = artifacts.load(Registry(folder).resolve("current"))
    rows = (region / "agencies.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    more = [*rows, "bpbd,BPBD" + "," * (rows[0].count(",") - 1) + "\n"]
    for name, kept in (("larger", more), ("smaller", [row for row in rows if not row.startswith("disdukcapil,")])):
        shutil.copytree(region, tmp_path / name)
        (tmp_path / name / "agencies.csv").write_text("".join(kept), encoding="utf-8")
    larger = Register.load(tmp_path / "larger")
    grown = {**artifact.manifest, "version": "tumbuh", "stemmer": train.stemmer_digest(larger)}
    artifacts.save(folder / "tumbuh", replace(artifact, register=larger, manifest=grown))
    artifacts.save(folder / "sama", replace(artifact, manifest={**artifact.manifest, "version": "sama"}))

    def call(*args: str | Path, code: int = 0) -> str:
        return "".join(run("models", *args, "--models", folder, "--why", "uji", code=code))

    told = call("promote", "sama", "--force-why", "uji", "--register", tmp_path / "smaller", code=2)
    assert "names agencies that the register does not have: disdukcapil" in told
    assert call("promote", "tumbuh", "--force-why", "uji") == f"live: tumbuh (before: {artifact.version})\n"
    assert "agencies that are in the live version's register: bpbd" in call("promote", "sama", "--force-why", "uji", code=2)
    call("rollback")
    assert call("shadow", "sama") == f"beside {artifact.version}: sama\n"
    assert call("shadow", "--stop") == "ended: sama\n"
    assert "name a version, or --stop" in call("shadow", "sama", "--stop", code=2)


def test_importing_without_a_crosswalk_takes_the_registers_own_names(region: Path, tmp_path: Path) -> None:
    table = tmp_path / "aduan.csv"
    table.write_text(
        "isi;instansi\nAir mati;PDAM\nSampah menumpuk;Dinas Lingkungan Hidup\nApa saja;Dinas Khayal\n", encoding="utf-8"
    )
    told = run("import", table, "--register", region, "--out", tmp_path / "out.jsonl").stdout
    assert "Dinas Khayal" in told
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["agency"] for row in rows] == ["perumdam", "dlh"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"text": "a b c", "agency": "dinas-khayal"}\n', "dinas-khayal"),
        ('{"text": "a b c", "agency": "dlh"\n', "not JSON"),
        ('{"agency": "dlh"}\n', "text is missing"),
        ('{"id": "1", "text": "a", "agency": "dlh"}\n{"id": "1", "text": "b", "agency": "dlh"}\n', "'1' stands already"),
        ('{"text": "sampah", "agency": "dlh"}\n', "has no complaint"),
        ("", "no labelled complaints"),
    ],
)
def test_data_that_cannot_be_trained_on_is_refused_with_file_and_reason(
    region: Path, tmp_path: Path, content: str, said: str
) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text(content, encoding="utf-8")
    assert said in run("train", "--register", region, "--data", data, "--models", tmp_path / "models", code=2).stderr
    assert not (tmp_path / "models").exists() or not list((tmp_path / "models").iterdir())


@pytest.mark.parametrize(
    "args",
    [
        ("evaluate", "nothing", "--data", "none.jsonl"),
        ("models", "promote", "nothing", "--why", "x"),
        ("models", "rollback", "--why", "x"),
        ("predict", "current", "--input", "none.jsonl"),
        ("import", "none.xlsx", "--register", "nowhere", "--out", "x.jsonl"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(tmp_path: Path, args: tuple[str, ...]) -> None:
    models = () if args[0] == "import" else ("--models", str(tmp_path))
    done = run(*args, *models, code=2)
    assert len(done.stderr.strip().splitlines()) <= 4


def test_a_changed_artifact_is_refused(models: Path, region: Path, tmp_path: Path) -> None:
    version = (models / "current").read_text(encoding="utf-8").strip()
    broken = Path(shutil.copytree(models / version, tmp_path / version))
    content = bytearray((broken / "arrays.npz").read_bytes())
    content[1000] ^= 1
    (broken / "arrays.npz").write_bytes(bytes(content))
    done = run("evaluate", broken, "--data", region / "complaints.jsonl", code=2)
    assert "arrays.npz" in done.stderr
