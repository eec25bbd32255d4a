"""The service under gunicorn beside a bare Flask app: python tests/benchmarks/serving.py [--models DIR] [--postgres URL].

The bare app parses the same request and returns the same JSON as the service answered, under the same gunicorn with the same
workers and threads; both are asked in turns by the same clients, so that a busy machine slows both. Without `--models` a router
of fixed answers stands in for the model: then only the service itself is measured.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from importlib import resources
from itertools import cycle
from pathlib import Path
from typing import Any

from model import labelled
from service.security import keys
from service.storage.database import Database
from tests.served import free_port, schema

CORPUS = Path(__file__).parents[2] / "data" / "kutai-timur" / "complaints.jsonl"
APPS = """
import gc, json, os
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from flask import Flask, jsonify, request
from model.register import Agency, Register
from model.router import Router
from model.routing import Candidate, Decision, Evidence, Reason, Routing, Span
from service.wsgi import make_app

@dataclass(frozen=True)
class FixedRouter:
    version: str
    register: Any = Register((Agency("dishub", "Dinas Perhubungan"),))
    manifest: Any = field(default_factory=dict)

    @classmethod
    def load(cls, folder):
        return cls(folder.name)

    def route(self, asked):
        evidence = tuple(Evidence(Span("text", n * 6, n * 6 + 5), "kata", 0.5, 0.1) for n in range(15))
        return Routing(Decision.REVIEW, "dishub", "", tuple(Candidate(f"instansi-{n}", 0.1) for n in range(7)),
                       (Reason.LOW_CONFIDENCE,), (), "pengaduan", False, asked.kecamatan, "", (), (), evidence, None, self.version)

def service():
    return make_app(FixedRouter.load if os.environ["FIXED_ROUTER"] == "yes" else Router.load)

def bare():
    app = Flask("bare")
    # The configuration gives a new worker its own connections, and lets it look for its model: here there are none.
    engine, models = SimpleNamespace(dispose=lambda close: None), SimpleNamespace(look=lambda: None)
    app.extensions["salur"] = SimpleNamespace(database=SimpleNamespace(engine=engine), models=models)
    with open(os.environ["ANSWER"], encoding="utf-8") as file:
        answer = json.load(file)

    @app.post("/echo")
    def echo():
        request.get_json()
        return jsonify(answer)

    gc.collect()
    gc.freeze()  # as the service does
    return app
"""


@dataclass(frozen=True)
class Figure:
    """What one kind of call reached at one number of connections; `share` is of the bare app's requests a second.

    `cpu_share` is the same of processor time a request: where one worker is the limit it says what `share` would be on a machine
    that does nothing else. It leaves out waiting for the disk and for the database server.
    """

    call: str
    connections: int
    requests_per_second: float
    bare_per_second: float
    share: float
    cpu_share: float
    cpu_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Round:
    """One round of calls: how long each took, and the processor time of the server for each."""

    times: Sequence[float]
    cpu: float


def client(port: int, requests: Sequence[bytes], seconds: float, wanted: bytes, out: Any) -> None:
    """Ask one after the other over one connection; tell how long each took, or what went wrong."""
    try:
        out.put(_ask(port, requests, seconds, wanted))
    except (OSError, ValueError) as error:
        out.put(f"a client on port {port}: {type(error).__name__}: {error}")


def _ask(port: int, requests: Sequence[bytes], seconds: float, wanted: bytes) -> list[float]:
    times = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.perf_counter() + seconds
        for body in cycle(requests):
            began = time.perf_counter()
            if began >= end:
                break
            connection.sendall(body)
            answer = connection.recv(65_536)
            while b"\r\n\r\n" not in answer:
                answer += connection.recv(65_536) or _closed()
            head, _, rest = answer.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
            while len(rest) < length:
                rest += connection.recv(65_536) or _closed()
            times.append(time.perf_counter() - began)
            if wanted not in head[:16]:
                raise ValueError(f"answered {head[:60]!r} {rest[:200]!r}")
    return times


def _closed() -> bytes:
    raise ValueError("the server closed the connection")


def load(port: int, requests: Sequence[Sequence[bytes]], seconds: float, wanted: bytes) -> list[float]:
    """Ask over several connections at once, each in a process of its own; answers the time of every call, sorted."""
    out: Any = multiprocessing.SimpleQueue()
    clients = [multiprocessing.Process(target=client, args=(port, one, seconds, wanted, out)) for one in requests]
    for each in clients:
        each.start()
    times: list[float] = []
    for _ in clients:
        told = out.get()
        if isinstance(told, str):
            raise SystemExit(told)
        times += told
    for each in clients:
        each.join()
    return sorted(times)


def raw(path: str, body: bytes, key: str) -> bytes:
    """Write a request as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer {key}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def served(folder: Path, factory: str, port: int, threads: int, environ: dict[str, str]) -> Iterator[int]:
    """Run gunicorn with the project's configuration until the block ends; gives the process id of its master."""
    configuration = f"file:{resources.files('service.serving') / 'gunicorn_conf.py'}"
    command = [sys.executable, "-m", "gunicorn", "--config", configuration, f"apps:{factory}()", "--bind", f"127.0.0.1:{port}"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SALUR_")}
    told = {"PYTHONPATH": str(folder), "SALUR_WORKERS": "1", "SALUR_THREADS": str(threads)}
    with (folder / f"{factory}.log").open("wb") as log:
        process = subprocess.Popen(command, env=kept | told | environ, cwd=folder, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit((folder / f"{factory}.log").read_text()) from None
                time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:  # on a machine that is busy with much else
            process.kill()
            process.wait()


def measure(folder: Path, url: str, models: Path | None, connections: Sequence[int], seconds: float, rounds: int) -> list[Figure]:
    """Measure both calls over one database."""
    memory = Database(url)
    memory.migrate()
    with memory.write() as connection:
        _, key = keys.add(connection, "bench", ["predict", "intake"], rate_limit="100000 per second")
    memory.dispose()
    (folder / "apps.py").write_text(APPS)
    (folder / "secret").write_text(secrets.token_hex(32))
    if models is None:
        (folder / "models" / "tetap").mkdir(parents=True, exist_ok=True)
        (folder / "models" / "current").write_text("tetap")
    told = {
        "SALUR_DATABASE": url,
        "SALUR_SECRET_FILE": str(folder / "secret"),
        "SALUR_MODELS": str(models or folder / "models"),
        "FIXED_ROUTER": "yes" if models is None else "no",
        "ANSWER": str(folder / "answer.json"),
    }
    threads = 8
    ports = [free_port() for _ in range(2)]
    texts = [{"text": row.text, "title": row.title, "kecamatan": row.kecamatan} for row in labelled.load(CORPUS)]
    figures = []
    with served(folder, "service", ports[0], threads, told) as ours:
        for name, path, wanted in (("predictions", "/api/v1/predictions", b" 200"), ("complaints", "/api/v1/complaints", b" 201")):
            sample = _answer(ports[0], raw(path, json.dumps(texts[0]).encode(), key))
            (folder / "answer.json").write_bytes(sample)
            with served(folder, "bare", ports[1], threads, told) as bare:
                for count in connections:
                    asked = [_bodies(texts, number, path, key) for number in range(count)]
                    echoed = [_bodies(texts, number, "/echo", key) for number in range(count)]
                    pairs = []  # in turns, so that whatever else the machine does falls on both
                    for _ in range(rounds):
                        first = _timed(ours, ports[0], asked, seconds, wanted)
                        pairs.append((first, _timed(bare, ports[1], echoed, seconds, b" 200")))
                    figures.append(_figure(name, count, pairs, seconds))
    return figures


def _timed(master: int, port: int, requests: Sequence[Sequence[bytes]], seconds: float, wanted: bytes) -> Round:
    before = _processor_time(master)
    times = load(port, requests, seconds, wanted)
    return Round(times, (_processor_time(master) - before) / max(1, len(times)))


def _processor_time(master: int) -> float:
    """Processor time that the workers of a master have used, in seconds."""
    workers = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    ticks = [sum(map(int, Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[11:13])) for one in workers]
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def _figure(call: str, connections: int, pairs: Sequence[tuple[Round, Round]], seconds: float) -> Figure:
    ours, bare = (statistics.median(len(pair[side].times) / seconds for pair in pairs) for side in (0, 1))
    times = sorted(one for pair in pairs for one in pair[0].times)
    p50, p95, p99 = (round(times[int(len(times) * part)] * 1000, 2) for part in (0.5, 0.95, 0.99))
    return Figure(
        call=call,
        connections=connections,
        requests_per_second=round(ours),
        bare_per_second=round(bare),
        share=round(statistics.median(len(pair[0].times) / len(pair[1].times) for pair in pairs), 3),
        cpu_share=round(statistics.median(pair[1].cpu / pair[0].cpu for pair in pairs), 3),
        cpu_ms=round(statistics.median(pair[0].cpu for pair in pairs) * 1000, 3),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
    )


def _bodies(texts: Sequence[dict[str, str]], number: int, path: str, key: str) -> list[bytes]:
    turned = [*texts[number * 37 :], *texts[: number * 37]]
    return [raw(path, json.dumps(body).encode(), key) for body in turned]


def _answer(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request.replace(b"Host:", b"Connection: close\r\nHost:"))
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    return answer.partition(b"\r\n\r\n")[2]


def main(say: Callable[[str], object] = print) -> None:
    """Measure, print a table, and write JSON where asked to."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--models", type=Path, help="a registry with a promoted model; a router of fixed answers where left out")
    asked.add_argument("--postgres", help="URL of a PostgreSQL database in which a schema may be made and dropped")
    asked.add_argument("--connections", type=int, nargs="+", default=[1, 10, 50])
    asked.add_argument("--seconds", type=float, default=3.0)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--json", type=Path)
    given = asked.parse_args()
    found: dict[str, list[dict[str, Any]]] = {}
    options = (given.models and given.models.resolve(), given.connections, given.seconds, given.rounds)
    with tempfile.TemporaryDirectory() as name:
        found["sqlite"] = [asdict(one) for one in measure(Path(name), f"sqlite:///{name}/salur.db", *options)]
    if given.postgres:
        with tempfile.TemporaryDirectory() as name, schema(given.postgres) as url:
            found["postgresql"] = [asdict(one) for one in measure(Path(name), url, *options)]
    columns = tuple(one.name for one in fields(Figure))
    say("".join(f"{name.removesuffix('_per_second'):>13}" for name in ("database", *columns)))
    for database, figures in found.items():
        for one in figures:
            say("".join(f"{value:>13}" for value in (database, *(one[name] for name in columns))))
    if given.json:
        given.json.write_text(json.dumps({"router": "fixed" if given.models is None else "model", **found}, indent=1))


if __name__ == "__main__":
    main()
