"""The whole circle, on a small region: what people decide becomes a model that answers so, and the past stays as it was."""

from __future__ import annotations

import json
import random
import re
import secrets
import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from model.labelled import load as load_labelled
from model.ledger import Event
from model.registry import Registry
from service import cli, create_app
from service.parts import Parts
from service.security import accounts, keys
from service.settings import Settings
from service.storage.database import Database
from training.cli import main as training

PASSWORD = "katak-melompat-7x"  # noqa: S105
RIGHT = "perumdam"
"""Whom the officers name for what the first model has never seen."""
PROBE = "Ada buaya muara berjemur di bendungan dekat sekolah, warga takut."
_WHAT = ("buaya muara besar", "dua ekor buaya", "anak buaya", "buaya liar", "sarang buaya", "buaya pemangsa ternak")
_DOES = ("terlihat", "muncul lagi", "berjemur", "berkeliaran", "menyerang ternak")
_WHERE = (
    "di bendungan",
    "di kolam intake",
    "di pinggir waduk",
    "di saluran bendungan",
    "dekat pintu air",
    "di bawah jembatan",
    "di tepi danau",
)
_AFTER = (  # noqa: SIM905 -- one word a line would fill the page
    "warga takut mohon segera ditangani anak kami tidak berani lewat sudah dua kali minggu ini kambing tetangga hilang malam "
    "petugas belum pernah datang tolong pasang pagar papan peringatan pancing ikan perahu subuh hujan banjir surut rumput"
).split()
"""Words that follow, others in each: nearly the same complaints would judge as one."""


class Office:
    """A served desk, asked by a machine and by people, and the commands of the data scientist over the same registry."""

    def __init__(self, app: Flask, environ: dict[str, str], key: str) -> None:
        self.app = app
        self.environ = environ
        self.models = Path(environ["SALUR_MODELS"])
        self._key = {"Authorization": f"Bearer {key}"}

    def intake(self, client_id: str, text: str) -> Any:
        answer = self.app.test_client().post("/api/v1/complaints", json={"id": client_id, "text": text}, headers=self._key)
        assert answer.status_code == 201, answer.text
        return answer.json

    def batch(self, texts: list[str]) -> list[Any]:
        lines = "".join(json.dumps({"id": f"B-{number}", "text": text}) + "\n" for number, text in enumerate(texts))
        headers = self._key | {"Content-Type": "application/x-ndjson"}
        answer = self.app.test_client().post("/api/v1/complaints/batch", data=lines, headers=headers)
        return [json.loads(line)["answer"] for line in answer.text.splitlines()]

    def person(self, name: str) -> tuple[FlaskClient, str]:
        """Sign somebody in; answer their browser and the token of its forms."""
        client = self.app.test_client()
        form = {"nama": name, "sandi": PASSWORD, "csrf_token": _token(client.get("/masuk").text)}
        assert client.post("/masuk", data=form).status_code == 302
        return client, _token(client.get("/sandi").text)

    def replayed(self, client_id: str) -> str:
        done = CliRunner(env=self.environ).invoke(cli.main, ["replay-routing", client_id, "--source", "uji"])
        assert done.exit_code == 0, done.output
        return done.output


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.fixture
def office(tiny_artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """A desk whose model is the small one, with an officer, an administrator, and a key for the intake."""
    monkeypatch.setattr("service.telemetry.logs.configure", lambda _: None)
    (tmp_path / "secret").write_text(secrets.token_hex(32))
    models, version = tmp_path / "models", tiny_artifact.name
    shutil.copytree(tiny_artifact, models / version)
    Registry(models).promote(version, why="pertama", who="ani", at="2026-11-24T08:00:00+00:00")
    environ = {
        "SALUR_DATABASE": f"sqlite:///{tmp_path / 'salur.db'}",
        "SALUR_SECRET_FILE": str(tmp_path / "secret"),
        "SALUR_MODELS": str(models),
        "SALUR_UPLOADS": str(tmp_path / "uploads"),
        "SALUR_AUDIT_SHARE": "0",
        "SALUR_SECURE_COOKIES": "no",
    }
    memory = Database(environ["SALUR_DATABASE"])
    memory.migrate()
    with memory.write() as connection:
        for role in ("petugas", "pengelola"):
            accounts.add(connection, role, role, PASSWORD, must_change=False)
        _, key = keys.add(connection, "Uji", ["intake"])
    memory.dispose()
    app = create_app(Settings.from_environment(environ))
    yield Office(app, environ, key)
    app.extensions["salur-imports"].stop()
    app.extensions["salur-shadow"].stop()
    parts: Parts = app.extensions["salur"]
    parts.database.dispose()


def test_what_people_decide_becomes_a_better_model_and_the_old_answer_still_replays(
    office: Office, plain_region: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # intake: the first model does not know the matter
    first = office.intake("buaya-lama", PROBE)
    old_version = first["routing"]["model_version"]
    assert first["agency"] != RIGHT
    chance = random.Random(0)  # noqa: S311
    texts = [f"{' '.join(matter)}, {' '.join(chance.sample(_AFTER, 12))}" for matter in product(_WHAT, _DOES, _WHERE)]
    stored = office.batch(texts)

    # review: an officer says whose it is
    officer, token = office.person("petugas")
    for complaint in stored:
        form = {"csrf_token": token, "keadaan": "0", "putusan": RIGHT}
        assert officer.post(f"/aduan/{complaint['number']}", data=form).status_code in (302, 303)

    # export
    verdicts = tmp_path / "verdicts.jsonl"
    assert CliRunner(env=office.environ).invoke(cli.main, ["export-labels", "--out", str(verdicts)]).exit_code == 0
    labels = load_labelled(verdicts)
    assert [label.agency for label in labels] == [RIGHT] * len(texts)

    # retrain and compare, on verdicts that neither model has seen
    (tmp_path / "quick.toml").write_text("folds = 2\n", encoding="utf-8")
    files = ["--data", str(plain_region / "complaints.jsonl"), "--data", str(verdicts), "--config", str(tmp_path / "quick.toml")]
    with pytest.raises(SystemExit) as ended:
        training(["retrain", "--register", str(plain_region), *files, "--models", str(office.models), "--test", "0.5"])
    assert ended.value.code == 0, capsys.readouterr().err
    registry = Registry(office.models)
    compared = registry.history().entries[-1]
    assert (compared.what, compared.figures["verdict"], registry.current()) == (Event.COMPARED, "promote", old_version)

    # promote, from the page, without having to insist
    administrator, token = office.person("pengelola")
    form = {"csrf_token": token, "aksi": "pakai", "alasan": "mengenal buaya", "dipakai": old_version}
    assert administrator.post(f"/model/{compared.version}", data=form).status_code == 303
    assert registry.history().entries[-1].why == "mengenal buaya"

    # the same complaint is answered differently, and what was answered before is what it was
    second = office.intake("buaya-baru", PROBE)
    assert (second["agency"], second["routing"]["model_version"]) == (RIGHT, compared.version)
    assert office.replayed("buaya-lama") == f"routing 1 by {old_version}: the same, byte for byte\n"
    assert f"by {compared.version}: the same, byte for byte" in office.replayed("buaya-baru")
