"""The service as it is run: real gunicorn on loopback, senders who never give up, and a count of what was stored afterwards."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from service.security import keys
from service.storage.database import Database

SCOPES = ("predict", "intake", "outcome", "feed")
APP = """
import os, time
from dataclasses import dataclass, field
from typing import Any
from model.register import Agency, Register
from model.routing import Candidate, Decision, Reason, Routing
from service import create_app
from service.telemetry import logs
from service.settings import Settings

@dataclass(frozen=True)
class FakeRouter:
    version: str
    register: Any = Register((Agency("dishub", "Dinas Perhubungan"), Agency("pln", "PLN", authority="pusat")))
    manifest: Any = field(default_factory=dict)

    @classmethod
    def load(cls, folder):
        if not (folder / "ok").is_file():
            raise ValueError("torn")
        return cls(folder.name)

    def route(self, asked):
        if "lambat" in asked.text:
            time.sleep(0.1)
        sure = "pasti" in asked.text
        reasons = () if sure else (Reason.LOW_CONFIDENCE,)
        return Routing(Decision.AUTO if sure else Decision.REVIEW, "dishub", "", (Candidate("dishub", 0.9),), reasons, (),
                       "pengaduan", False, asked.kecamatan, "", (), (), (), None, self.version)

def make_app():
    logs.configure("info")
    app = create_app(Settings.from_environment(os.environ), FakeRouter.load)
    app.extensions["salur"].models.router()
    return app
"""
"""A router that is sure where a text says "pasti", slow where it says "lambat", and the same in every process."""


@dataclass
class Server:
    """A running server; `folder` is where its log, its registry and its secret are."""

    port: int
    key: str
    folder: Path
    process: subprocess.Popen[bytes]
    url: str

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, seconds: float = 30.0
    ) -> tuple[int, Any, bytes]:
        """Ask once, on a connection of its own; answers status, headers and body. Raises OSError or HTTPException."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            usual = {"Authorization": f"Bearer {self.key}"} | ({"Content-Type": "application/json"} if body is not None else {})
            connection.request(method, path, body, {**usual, **(headers or {})})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        """Post JSON to the API; answers status and decoded body."""
        status, _, content = self.call("POST", f"/api/v1{path}", json.dumps(body).encode())
        return status, json.loads(content)

    def workers(self) -> list[int]:
        """Process ids of the workers that live now."""
        pid = self.process.pid
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def memory(self) -> float:
        """Answer the memory of master and workers in MB; what several share is counted once (PSS)."""
        kilobytes = 0
        for pid in (self.process.pid, *self.workers()):
            with suppress(OSError):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return round(kilobytes / 1024, 1)

    def handles(self) -> int:
        """Answer how many files, sockets and pipes the workers have open, but for SQLite's, which a pool keeps and bounds."""
        found = 0
        for pid in self.workers():
            for handle in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):  # it was just closed
                    found += "salur.db" not in str(handle.readlink())
        return found

    def log(self) -> str:
        """Answer all that it wrote."""
        return (self.folder / "log").read_text(errors="replace")

    def wait_until_ready(self, seconds: float = 60.0) -> None:
        """Return when /readyz says so. Raises RuntimeError with the log where that does not come."""
        deadline = time.monotonic() + seconds
        while True:
            with suppress(OSError, http.client.HTTPException):
                if self.call("GET", "/readyz", seconds=5)[0] == 200:
                    return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(self.log()[-3_000:])
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it as an operator does, and the hard way where that takes too long."""
        self.process.terminate()
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port() -> int:
    """Find a port that nobody listens to now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def make_memory(url: str) -> str:
    """Make the tables, and a key of the source "uji" that may do everything; answers the key."""
    memory = Database(url)
    memory.migrate()
    with memory.write() as connection:
        _, key = keys.add(connection, "Uji", SCOPES, rate_limit="1000000 per second", source="uji")
    memory.dispose()
    return key


def make_registry(folder: Path, version: str = "satu") -> Path:
    """Make a registry with one version of the fake router, live."""
    (folder / version).mkdir(parents=True)
    (folder / version / "ok").touch()
    (folder / "current").write_text(version)
    return folder


@contextmanager
def served(
    folder: Path,
    url: str,
    key: str,
    models: Path,
    environ: Mapping[str, str] | None = None,
    *,
    real_model: bool = False,
    prepare: Callable[[], None] | None = None,
) -> Iterator[Server]:
    """Run a server until the block ends. `prepare` is called in the server's process before it begins, to set limits."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fake_app.py").write_text(APP)
    secret = folder / "secret"
    secret.write_text(secrets.token_hex(32))
    # Bound until the server ends, never listened to: a server that is begun beside this one cannot come to the same port, where one
    # would answer for both and know no key of the other's.
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port = held.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SALUR_")}
    told = {
        "PYTHONPATH": str(folder),
        "SALUR_DATABASE": url,
        "SALUR_SECRET_FILE": str(secret),
        "SALUR_MODELS": str(models),
        "SALUR_UPLOADS": str(folder / "uploads"),
        "SALUR_BIND": f"127.0.0.1:{port}",
        "SALUR_WORKERS": "2",
        "SALUR_AUDIT_SHARE": "0",
    }
    configuration = f"file:{resources.files('service.serving') / 'gunicorn_conf.py'}"
    command = [sys.executable, "-m", "gunicorn", "--config", configuration, "fake_app:make_app()"]
    if real_model:
        command = [str(Path(sys.executable).with_name("salur-service")), "run"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command,
            env=kept | told | dict(environ or {}),
            cwd=folder,
            stdout=log,
            stderr=log,
            preexec_fn=prepare,
        )
    server = Server(port, key, folder, process, url)
    try:
        server.wait_until_ready()
        yield server
    finally:
        if process.poll() is None:
            server.stop()
        held.close()


@contextmanager
def schema(postgres: str) -> Iterator[str]:
    """Make a schema in a PostgreSQL database, dropped afterwards; gives its URL."""
    server = create_engine(postgres.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    name = f"salur_faults_{secrets.token_hex(6)}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    try:
        yield f"{postgres}?options=-csearch_path%3D{name}"
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        server.dispose()


@dataclass
class Sender:
    """An intake system that sends each complaint until it is acknowledged, as any careful one does."""

    server: Server
    name: str
    acknowledged: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Connect when there is something to send."""
        self._connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)

    def send_until(self, stopped: threading.Event, pause: float = 0.0) -> None:
        """Send one complaint after another; what is under way when told to stop is still seen through."""
        for number in itertools.count():
            if stopped.is_set():
                break
            self._see_through(f"{self.name}-{number}")
            if pause:
                time.sleep(pause)
        self._connection.close()

    def _see_through(self, client_id: str) -> None:
        body = json.dumps({"id": client_id, "text": f"lampu jalan mati pasti {client_id}"}).encode()
        headers = {"Authorization": f"Bearer {self.server.key}", "Content-Type": "application/json"}
        deadline = time.monotonic() + 120
        while True:
            if self._connection.port != self.server.port:
                self._connection.close()
                self._connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
            connection = self._connection
            try:
                connection.request("POST", "/api/v1/complaints", body, headers)
                response = connection.getresponse()
                response.read()
                status = response.status
                what = str(status)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                status, what = 0, type(error).__name__
            self.statuses[what] = self.statuses.get(what, 0) + 1
            if status in (200, 201):
                self.acknowledged.append(client_id)
                if status == 201:
                    self.created.append(client_id)
                return
            if time.monotonic() > deadline:
                return
            time.sleep(0.02 if status == 0 else 0.2)


@contextmanager
def senders(server: Server, count: int, pause: float = 0.0) -> Iterator[Sequence[Sender]]:
    """Let several send while the block lasts, and see through what they began."""
    stopped = threading.Event()
    made = [Sender(server, f"{secrets.token_hex(3)}-{number}") for number in range(count)]
    threads = [threading.Thread(target=one.send_until, args=(stopped, pause), daemon=True) for one in made]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        stopped.set()
        for thread in threads:
            thread.join(150)


@dataclass(frozen=True)
class Count:
    """What is stored against what was acknowledged."""

    acknowledged: int
    stored: int
    lost: int
    doubled: int
    half: int
    told_twice: int
    answers: Mapping[str, int]

    @property
    def good(self) -> bool:
        """Tell whether each acknowledged complaint is stored once and whole."""
        return self.acknowledged > 0 and not (self.lost or self.doubled or self.half or self.told_twice)


def count(url: str, sent: Sequence[Sender]) -> Count:
    """Compare the database with what the senders were told.

    `half` are complaints without exactly one routing, one standing and, where sent automatically, one decision;
    `told_twice` are those that were said to be new (201) more than once.
    """
    memory = Database(url)
    with memory.read() as connection:
        ids = list(connection.execute(text("SELECT client_id FROM complaint WHERE source = 'uji'")).scalars())
        half = connection.execute(
            text(
                "SELECT count(*) FROM complaint c WHERE"
                " (SELECT count(*) FROM routing r WHERE r.complaint_id = c.id AND NOT r.shadow) <> 1"
                " OR (SELECT count(*) FROM standing s WHERE s.complaint_id = c.id) <> 1"
                " OR (SELECT count(*) FROM decision d WHERE d.complaint_id = c.id)"
                " <> (SELECT count(*) FROM standing s WHERE s.complaint_id = c.id AND s.state = 'sent')"
            )
        ).scalar_one()
    memory.dispose()
    acknowledged = [one for sender in sent for one in sender.acknowledged]
    created = [one for sender in sent for one in sender.created]
    answers: dict[str, int] = {}
    for sender in sent:
        for what, times in sender.statuses.items():
            answers[what] = answers.get(what, 0) + times
    return Count(
        acknowledged=len(acknowledged),
        stored=len(ids),
        lost=len(set(acknowledged) - set(ids)),
        doubled=len(ids) - len(set(ids)),
        half=int(half),
        told_twice=len(created) - len(set(created)),
        answers=answers,
    )
