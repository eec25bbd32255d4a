"""What goes wrong beneath the service, in short: the scripts beside this file do the same for minutes."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import kill_workers, restart_postgres, torn_promotions
from tests.patience import wait_until
from tests.served import count, make_memory, make_registry, senders, served


def test_killed_workers_lose_nothing(tmp_path: Path) -> None:
    found = kill_workers.measure(tmp_path, f"sqlite:///{tmp_path / 'salur.db'}", seconds=120, kills=6)
    assert found["good"], found
    assert found["killed"] == 6
    assert found["acknowledged"] >= 20


def test_a_postgresql_that_stops_and_starts_loses_nothing(tmp_path: Path) -> None:
    try:
        found = restart_postgres.measure(tmp_path, seconds=120, restarts=2, down=0.3, up=0.5)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert found["good"], found
    assert found["restarts"] == 2
    assert "500" not in found["answers"]
    assert found["errors_logged"] == 0


def test_a_disk_that_fills_up_under_load_loses_nothing_and_is_used_again_when_there_is_room(tmp_path: Path) -> None:
    """A limit on the size of files is met as a full disk is, and can be lifted while the server runs."""
    url = f"sqlite:///{tmp_path / 'salur.db'}"
    key = make_memory(url)
    size = (tmp_path / "salur.db").stat().st_size + 100_000
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))

    environ = {"SALUR_LOG_LEVEL": "error"}  # the log is a file too
    with served(tmp_path, url, key, make_registry(tmp_path / "models"), environ, prepare=limit) as server:
        with senders(server, 3) as sent:
            wait_until(lambda: all(one.statuses.get("503", 0) >= 3 for one in sent))
            stuck = sum(len(one.acknowledged) for one in sent)
            assert server.call("GET", "/healthz")[0] == 200
            assert server.post("/predictions", {"text": "lampu"})[0] == 200
            for pid in (server.process.pid, *server.workers()):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
            wait_until(lambda: sum(len(one.acknowledged) for one in sent) >= stuck + 20, 60)
        found = count(url, sent)
    assert found.good, found
    assert "500" not in found.answers


def test_promotions_torn_at_any_moment_leave_a_version_live_and_a_ledger_that_goes_on(tmp_path: Path) -> None:
    """In a process of its own, for it forks."""
    script = Path(torn_promotions.__file__)
    done = subprocess.run([sys.executable, "-P", str(script), "--times", "60"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["promoted"] > 10


def test_a_torn_promotion_keeps_the_old_model_serving_and_says_so(tmp_path: Path) -> None:
    """The pointer names a version whose folder is only half there."""
    url = f"sqlite:///{tmp_path / 'salur.db'}"
    models = make_registry(tmp_path / "models")
    (models / "setengah").mkdir()
    with served(tmp_path, url, make_memory(url), models, {"SALUR_WORKERS": "1"}) as server:
        (models / "current").write_text("setengah")
        wait_until(lambda: "setengah" in json.loads(server.call("GET", "/readyz")[2])["model"]["trouble"])
        told = json.loads(server.call("GET", "/readyz")[2])
        assert told["ready"] is True
        assert told["model"]["version"] == "satu"
        assert server.post("/predictions", {"text": "lampu"})[1]["model_version"] == "satu"
        assert "salur_model_trouble 1.0" in server.call("GET", "/metrics")[2].decode()


def test_figures_do_not_stand_on_a_disk_that_can_fill_up(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'salur.db'}"
    with served(tmp_path, url, make_memory(url), make_registry(tmp_path / "models"), {"SALUR_WORKERS": "1"}) as server:
        assert server.post("/predictions", {"text": "lampu"})[0] == 200
        maps = Path(f"/proc/{server.workers()[0]}/maps").read_text()
        figures = {line.split(maxsplit=5)[5] for line in maps.splitlines() if "salur-metrics-" in line}
        before = set(figures)
    assert before
    if os.access("/dev/shm", os.W_OK):  # noqa: S108
        assert all(name.startswith("/dev/shm/") for name in before)  # noqa: S108
    assert not any(Path(name).exists() for name in before)
