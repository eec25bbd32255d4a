"""The service as it is run: gunicorn with its configuration, real sockets, several processes."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from service.storage.database import Database
from tests.patience import wait_until
from tests.served import Server, make_memory, make_registry, served


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Two worker processes over SQLite, whose router is sure where the text says "pasti"."""
    url = f"sqlite:///{folder / 'salur.db'}"
    with served(folder, url, make_memory(url), make_registry(folder / "models")) as made:
        yield made


@pytest.fixture(name="served")
def _served(tmp_path: Path) -> Iterator[Server]:
    """A server of one's own: to count what it did, to kill it, to give it another model."""
    with running(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for all who leave it as it is, but for complaints of their own."""
    with running(tmp_path_factory.mktemp("shared")) as made:
        yield made


def add_version(server: Server, name: str) -> None:
    """Put a second version beside the live one."""
    (server.folder / "models" / name).mkdir()
    (server.folder / "models" / name / "ok").touch()


def test_a_complaint_goes_in_and_its_decision_comes_out(shared: Server) -> None:
    status, prediction = shared.post("/predictions", {"text": "lampu mati pasti"})
    assert (status, prediction["agency"]) == (200, "dishub")
    before = json.loads(shared.call("GET", "/api/v1/decisions?limit=1000")[2])["next"]
    status, stored = shared.post("/complaints", {"id": "U-1", "text": "lampu mati pasti"})
    assert (status, stored["decision"]) == (201, "auto")
    status, _ = shared.post("/complaints/U-1/outcome", {"outcome": "bukan-wewenang", "agency": "pln"})
    assert status == 200
    feed = json.loads(shared.call("GET", f"/api/v1/decisions?after={before}")[2])
    assert [(entry["outcome"], entry["agency"]) for entry in feed["decisions"]] == [("auto", "dishub"), ("changed", "pln")]


def test_figures_are_added_up_over_the_processes(shared: Server) -> None:
    def counted() -> float:
        figures = shared.call("GET", "/metrics")[2].decode().splitlines()
        lines = [line for line in figures if line.startswith("salur_routings_total{") and "predictions" in line]
        return sum(float(line.split()[-1]) for line in lines)

    before = counted()
    for _ in range(40):
        shared.post("/predictions", {"text": "lampu mati"})
    assert counted() == before + 40


def test_every_worker_follows_the_pointer(served: Server) -> None:
    add_version(served, "dua")
    (served.folder / "models" / "neu").write_text("dua")
    (served.folder / "models" / "neu").replace(served.folder / "models" / "current")
    began = time.monotonic()
    seen: set[str] = set()
    while seen != {"dua"}:
        answers = [served.post("/predictions", {"text": "lampu"}) for _ in range(12)]
        assert [status for status, _ in answers] == [200] * 12, answers
        seen = {answer["model_version"] for _, answer in answers}
        assert time.monotonic() - began < 10


def open_files(process: str) -> Iterator[str]:
    for one in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):  # it was just closed
            yield str(one.readlink())


def test_a_challenger_answers_each_complaint_once_whichever_process_dies(served: Server) -> None:
    add_version(served, "dua")
    (served.folder / "models" / "shadow").write_text("dua\n2026-01-01T00:00:00+00:00\n")
    memory = Database(f"sqlite:///{served.folder / 'salur.db'}")

    def asked_about() -> list[int]:
        query = "SELECT complaint_id FROM routing WHERE shadow AND model_version = 'dua' ORDER BY complaint_id"
        with memory.read() as connection:
            return list(connection.exec_driver_sql(query).scalars())

    for number in range(10):
        assert served.post("/complaints", {"id": f"C-{number}", "text": "lampu pasti"})[1]["routing"]["model_version"] == "satu"
    wait_until(lambda: asked_about() == list(range(1, 11)))
    workers = subprocess.run(["pgrep", "-P", str(served.process.pid)], capture_output=True, text=True, check=True).stdout.split()
    asking: list[str] = []
    deadline = time.monotonic() + 20
    while len(asking) != 1:  # who only tries the lock has it open for some microseconds a second
        assert time.monotonic() < deadline, asking
        asking = [worker for worker in workers if any(name.endswith("/.shadow.lock") for name in open_files(worker))]
    os.kill(int(asking[0]), signal.SIGKILL)
    answered = 0
    while answered < 10:  # a call that the dead one had taken fails
        try:
            answered += served.post("/complaints", {"id": f"D-{answered}", "text": "lampu pasti"})[0] in (200, 201)
        except (OSError, http.client.HTTPException):
            continue
    wait_until(lambda: asked_about() == list(range(1, 21)))
    memory.dispose()


def test_a_batch_larger_than_any_buffer_comes_back_whole(shared: Server) -> None:
    """The sender reads nothing before it has sent everything: if we answered as we read, both would wait for ever."""
    count = 2_000
    body = b"\n".join(json.dumps({"id": f"B-{number}", "text": "sampah " * 250}).encode() for number in range(count))
    status, _, content = shared.call("POST", "/api/v1/complaints/batch", body, {"Content-Type": "application/x-ndjson"})
    assert status == 200
    answers = [json.loads(line) for line in content.splitlines()]
    assert [answer["line"] for answer in answers] == list(range(1, count + 1))
    assert {answer["status"] for answer in answers} == {201}


def test_stopping_lets_requests_end_and_loses_none(served: Server) -> None:
    acknowledged: list[str] = []
    stop = threading.Event()

    def send(name: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                status, _ = served.post("/complaints", {"id": f"S-{name}-{number}", "text": "lampu pasti"})
            except (OSError, http.client.HTTPException):
                return
            if status == 201:
                acknowledged.append(f"S-{name}-{number}")

    senders = [threading.Thread(target=send, args=(name,)) for name in range(4)]
    for sender in senders:
        sender.start()
    wait_until(lambda: len(acknowledged) >= 20)
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(35) == 0
    stop.set()
    for sender in senders:
        sender.join()
    memory = Database(f"sqlite:///{served.folder / 'salur.db'}")
    with memory.read() as connection:
        kept = set(connection.exec_driver_sql("SELECT client_id FROM complaint").scalars())
        decided = connection.exec_driver_sql("SELECT count(*) FROM decision").scalar()
    memory.dispose()
    assert set(acknowledged) <= kept
    assert decided == len(kept)


def test_a_killed_worker_loses_nothing_that_was_acknowledged(served: Server) -> None:
    workers: list[str] = []
    while len(workers) < 2:  # the first one answers while the second is still being born
        found = subprocess.run(["pgrep", "-P", str(served.process.pid)], capture_output=True, text=True, check=True)
        workers = found.stdout.split()
    acknowledged = []
    for number in range(120):
        if number == 40:
            os.kill(int(workers[0]), signal.SIGKILL)
        try:
            status, _ = served.post("/complaints", {"id": f"K-{number}", "text": "lampu pasti"})
        except (OSError, http.client.HTTPException):
            continue
        if status == 201:
            acknowledged.append(f"K-{number}")
    assert len(acknowledged) >= 100
    for client_id in acknowledged:
        assert served.call("GET", f"/api/v1/complaints/{client_id}")[0] == 200
    feed = json.loads(served.call("GET", "/api/v1/decisions?limit=1000")[2])["decisions"]
    assert [entry["cursor"] for entry in feed] == list(range(1, len(feed) + 1))
    assert set(acknowledged) <= {entry["id"] for entry in feed}


def test_nothing_of_a_complaint_is_in_the_log(shared: Server) -> None:
    shared.post("/complaints", {"text": "lampu milik Joko Widuri mati pasti"})
    shared.post("/complaints", {"text": ["Joko Widuri"]})
    shared.call("GET", "/antrean?cari=Joko")
    assert "Joko" not in (shared.folder / "log").read_text()


@pytest.mark.parametrize(
    ("request_line", "header", "status", "kind"),
    [
        ("GET /api/v1/decisions?after=" + "Joko" * 1_100 + " HTTP/1.1", "", 414, "uri-too-long"),
        ("GET /healthz HTTP/1.1", "X-Panjang: " + "Joko" * 2_100, 431, "headers-too-large"),
        ("GET /healthz HTTP/1.1", "X-Banyak: Joko\r\n" * 51 + "X-Akhir: 1", 431, "headers-too-large"),
        ("GET /healthz HTTP/9.1 Joko", "", 400, "bad-request"),
        ("GET /healthz HTTP/1.1", "Joko tanpa titik dua", 400, "bad-request"),
        ("POST /healthz HTTP/1.1", "Transfer-Encoding: joko", 400, "bad-request"),
    ],
    ids=["long address", "long header", "many headers", "no version", "no header", "no such coding"],
)
def test_what_is_no_request_is_refused_with_a_problem_and_not_logged(
    shared: Server, request_line: str, header: str, status: int, kind: str
) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), timeout=10) as caller:
        caller.sendall(f"{request_line}\r\nHost: localhost\r\n{header}\r\n\r\n".replace("\r\n\r\n\r\n", "\r\n\r\n").encode())
        head, _, body = b"".join(iter(lambda: caller.recv(65_536), b"")).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Content-Type: application/problem+json" in head
    assert json.loads(body)["type"] == f"/api/docs#problem-{kind}"
    assert b"Joko" not in head + body
    assert "Joko" not in (shared.folder / "log").read_text()
