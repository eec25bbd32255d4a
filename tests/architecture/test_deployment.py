"""What runs Salur elsewhere names only what is there: extras, folders, settings, commands."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from service import settings
from service.cli import main
from service.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "service" / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
UNIT = (DEPLOY / "salur.service").read_text(encoding="utf-8")
GUNICORN = (ROOT / "service" / "serving" / "gunicorn_conf.py").read_text(encoding="utf-8")
DELIVERY = (DEPLOY / "salur-deliver.service").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
CRON = [
    line
    for name in ("README.md", "CONTRIBUTING.md")
    for line in re.findall(r"^`?(0 2 \* .+?)`?$", (ROOT / name).read_text(encoding="utf-8"), re.M)
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_image_installs_extras_that_exist() -> None:
    named = set(re.findall(r"'\.\[([\w,]+)\]'", DOCKERFILE))
    assert named == {"service", "training"}
    assert named <= PROJECT["optional-dependencies"].keys()


def test_the_image_of_the_service_holds_no_data_science() -> None:
    last = DOCKERFILE.split("\nFROM ")[-1]
    assert last.startswith("base AS service\n")
    assert "--from=service-built" in last
    assert not re.search("scikit|scipy|joblib|matplotlib", " ".join(PROJECT["dependencies"]))


def test_what_the_image_copies_is_in_the_tree_and_let_through() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = {name for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M) for name in line.split()[:-1]}
    assert copied >= {"pyproject.toml", "model", "service"}
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored


def test_every_wheel_package_is_copied() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert all(f"COPY {package} {package}\n" in DOCKERFILE for package in packages)


@pytest.mark.parametrize("path", ["Dockerfile", "compose.yaml", "salur.service", "salur-deliver.service"])
def test_every_setting_that_is_named_is_one(path: str) -> None:
    known = {settings.variable(name) for name in settings.names()} | {"SALUR_DB_PASSWORD"}  # compose's own, for its .env
    assert set(re.findall(r"\bSALUR_[A-Z_]+", (DEPLOY / path).read_text(encoding="utf-8").replace("SALUR_ variable", ""))) <= known


def test_compose_serves_any_region_under_its_own_name_and_clock() -> None:
    given = COMPOSE["services"]["salur"]["environment"]
    for name in ("region", "time_zone"):
        variable, default = settings.variable(name), getattr(Settings.from_environment({}), name)
        assert given[variable] == f"${{{variable}:-{default}}}"


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
def test_what_citizens_of_another_region_wrote_is_no_file_for_git() -> None:
    paths = [
        "data/bontang/complaints.jsonl",
        "data/bontang/others.jsonl",
        "data/bontang/places.csv",
        "data/kutai-timur/complaints.jsonl",
    ]
    kept_out = subprocess.run(["git", "check-ignore", "--no-index", *paths], cwd=ROOT, capture_output=True, text=True, check=True)
    assert kept_out.stdout.split() == paths[:2]


@pytest.mark.parametrize("target", ["run", "retrain"])
def test_the_region_may_stand_among_the_settings_that_cron_and_timer_read(target: str) -> None:
    environment = {**os.environ, "REGISTER": "data/bontang", "TRANSFER": "data/bontang/others.jsonl"}
    told = subprocess.run(
        ["make", "-n", "-B", target], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert "--register data/bontang --data data/bontang/complaints.jsonl" in told
    assert "--transfer data/bontang/others.jsonl" in told
    assert "kutai-timur/complaints" not in told


def test_an_update_that_trains_again_does_so_by_the_new_program_before_that_serves() -> None:
    """Without a version that loads nobody can name an agency. Within the running container stands the program of before."""
    compose = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert "run --rm -T salur export-labels | docker compose run --rm -T training retrain" in compose
    assert "trained again, before the `up`" in compose
    assert "trained again, before the chown" in UNIT


def test_commands_that_are_named_are_there() -> None:
    text = DOCKERFILE + UNIT + DELIVERY + (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r"salur-service ([\w-]+)|--rm (?:-T )?salur ([\w-]+)", text))
    assert {one or other for one, other in named} <= main.commands.keys()
    assert 'CMD ["run"]' in DOCKERFILE


def test_nothing_of_ours_runs_as_root_or_writes_where_it_need_not() -> None:
    stages = DOCKERFILE.split("\nFROM ")
    assert all("\nUSER 10001\n" in stage for stage in stages if "ENTRYPOINT" in stage)
    for name in ("salur", "deliver", "training"):
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert any(mount.startswith("/tmp:") for mount in service["tmpfs"])  # noqa: S108
        assert all(mount.split(":")[0] in COMPOSE["volumes"] for mount in service["volumes"])
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "User=salur"):
        assert f"\n{line}\n" in UNIT
        assert f"\n{line}\n" in DELIVERY


def test_webhooks_are_told_by_a_process_of_their_own() -> None:
    assert COMPOSE["services"]["deliver"]["command"] == ["deliver"]
    assert COMPOSE["services"]["deliver"]["environment"] == COMPOSE["services"]["salur"]["environment"]
    assert "/salur-service deliver\n" in DELIVERY
    assert re.search(r"^# After an update.+\n.+ restart salur; systemctl try-restart salur-deliver$", UNIT, re.M)


def test_no_secret_stands_in_a_file() -> None:
    database = COMPOSE["services"]["database"]["environment"]["POSTGRES_PASSWORD"]
    assert database == "${SALUR_DB_PASSWORD:?put it into .env}"
    assert "${SALUR_DB_PASSWORD:?" in COMPOSE["services"]["salur"]["environment"]["SALUR_DATABASE"]


def test_who_stops_the_service_waits_longer_than_it_needs() -> None:
    served = re.search(r"^graceful_timeout = (\d+)$", GUNICORN, re.M)
    unit = re.search(r"^TimeoutStopSec=(\d+)$", UNIT, re.M)
    assert served is not None
    assert unit is not None
    assert int(unit[1]) > int(served[1])
    assert int(COMPOSE["services"]["salur"]["stop_grace_period"].removesuffix("s")) > int(served[1])


def test_nobody_reloads_what_is_loaded_before_the_workers_are_forked() -> None:
    assert "\npreload_app = True\n" in GUNICORN
    assert "\nExecReload=" not in UNIT + DELIVERY


def _stub(path: Path, says: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\necho {says} >> "$TOLD"\n', encoding="utf-8")
    path.chmod(0o700)


@pytest.mark.parametrize("target", ["run", "retrain"])
@pytest.mark.parametrize(("environ", "given"), [({}, ("VAR=elsewhere",)), ({"SALUR_MODELS": "elsewhere/models"}, ())])
def test_make_trains_into_the_registry_that_is_served(
    tmp_path: Path, target: str, environ: dict[str, str], given: tuple[str, ...]
) -> None:
    for name in ("salur-service", "salur-training"):
        _stub(tmp_path / "bin" / name, f'{name} "$@" with "$SALUR_MODELS"')
    (tmp_path / "bin" / ".installed").touch()
    told = tmp_path / "told"
    subprocess.run(
        ["make", "--silent", f"BIN={tmp_path / 'bin'}", *given, target],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "TOLD": str(told), **environ},
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=60,
    )
    lines = told.read_text().splitlines()
    assert len(lines) == 3
    assert all("--models elsewhere/models" in line for line in lines if line.startswith("salur-training"))
    assert all(line.endswith(" with elsewhere/models") for line in lines if line.startswith("salur-service"))


def test_make_retrains_with_what_the_first_model_learnt_from(tmp_path: Path) -> None:
    """Else every later version would have to be better without other regions, and none would go live."""
    _stub(tmp_path / "bin" / "salur-service", "asked")
    _stub(tmp_path / "bin" / "salur-training", '"$@"')
    (tmp_path / "bin" / ".installed").touch()
    told = tmp_path / "told"
    subprocess.run(
        ["make", "--silent", f"BIN={tmp_path / 'bin'}", f"VAR={tmp_path / 'var'}", "TRANSFER=a.jsonl b.jsonl", "retrain"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "TOLD": str(told)},
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=60,
    )
    first, later = (line for line in told.read_text().splitlines() if "train" in line)
    for line in (first, later):
        assert " --transfer a.jsonl --transfer b.jsonl " in line


@pytest.mark.parametrize("ends", ["exit 0", "exit 3", "kill -TERM 0; sleep 1", "kill -HUP 0; sleep 1"])
def test_retraining_leaves_no_copy_of_complaints_however_it_ends(tmp_path: Path, ends: str) -> None:
    (tmp_path / "var" / "models").mkdir(parents=True)
    (tmp_path / "var" / "models" / "current").touch()
    copy = tmp_path / "var" / "retrain.jsonl"
    _stub(tmp_path / "bin" / "salur-service", f'exported >> "$TOLD"; echo complaint > {copy}; true')
    _stub(tmp_path / "bin" / "salur-training", f'trained >> "$TOLD"; {ends}; true')
    (tmp_path / "bin" / ".installed").touch()
    told = tmp_path / "told"
    # Under nohup HUP is ignored, and what is ignored stays so in whatever is started.
    done = subprocess.run(
        ["env", "--default-signal=HUP", "make", "--silent", f"BIN={tmp_path / 'bin'}", f"VAR={tmp_path / 'var'}", "retrain"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "TOLD": str(told)},
        capture_output=True,  # whose end is that of all that make started
        check=False,
        start_new_session=True,
        timeout=60,
    )
    assert (done.returncode == 0) == (ends == "exit 0")
    assert told.read_text().split() == ["exported", "trained"]
    assert not copy.exists()


@pytest.mark.parametrize("line", CRON)
@pytest.mark.parametrize("settings_there", [True, False])
def test_by_night_the_settings_of_the_service_hold(tmp_path: Path, line: str, settings_there: bool) -> None:
    assert len(CRON) == 2
    (tmp_path / "var").mkdir()
    _stub(tmp_path / "bin" / "make", '"$@" "$SALUR_REGION"')
    if settings_there:
        assert "one SALUR_ variable a line, in single quotes" in UNIT
        (tmp_path / "salur.env").write_text("SALUR_REGION='Kota & $Uji'\n")
    command = line.split(" ", 5)[5].replace("/srv/salur", str(tmp_path)).replace("/etc/salur.env", str(tmp_path / "salur.env"))
    told = tmp_path / "told"
    environ = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "TOLD": str(told)}
    subprocess.run(["sh", "-c", command], env=environ, check=True, timeout=60)
    assert told.read_text().strip() == ("retrain Kota & $Uji" if settings_there else "retrain")


def test_the_timer_is_given_the_settings_of_the_service() -> None:
    (named,) = re.findall(r"^EnvironmentFile=(\S+)$", UNIT, re.M)
    assert f"EnvironmentFile={named} " in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
