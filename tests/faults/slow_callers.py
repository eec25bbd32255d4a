"""Thousands of callers who send a byte a second: python -P tests/faults/slow_callers.py [--connections N] [--seconds N] [--plain].

Meanwhile an ordinary caller asks on: what is told is whether it was answered, how fast, and what the workers' memory came to.
`--plain` serves with gunicorn's own gthread instead, to see what would become of that.
"""

from __future__ import annotations

import argparse
import json
import resource
import selectors
import socket
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.served import Server, make_memory, make_registry, served

REQUEST = b"POST /api/v1/predictions HTTP/1.1\r\nHost: salur\r\nX-Slow: " + b"a" * 10_000
BODY = b"POST /coba HTTP/1.1\r\nHost: salur\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 90000\r\n\r\n"
CHUNKS = (
    b"POST /coba HTTP/1.1\r\nHost: salur\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
)
KINDS = {"head": (b"", REQUEST), "body": (BODY, b"a" * 10_000), "chunks": (CHUNKS, b"1\r\na\r\n" * 2_000)}


@dataclass
class Crowd:
    """Callers who each send a byte a second, and call again when they are turned away."""

    port: int
    size: int
    at_once: bytes
    slowly: bytes
    open: dict[socket.socket, int] = field(default_factory=dict)
    called: int = 0
    turned_away: int = 0

    def press(self, stopped: threading.Event) -> None:
        """Keep `size` connections open until told to stop."""
        selector = selectors.DefaultSelector()
        while not stopped.is_set():
            began = time.monotonic()
            fresh = 0
            while len(self.open) < self.size and fresh < 2_000 and time.monotonic() < began + 0.7:
                fresh += self._call(selector)
            for key, _ in selector.select(0):
                self._look(selector, key.fileobj)
            for sock, sent in list(self.open.items()):
                self._send(selector, sock, sent)
            stopped.wait(max(0.0, 1 - (time.monotonic() - began)))
        for sock in self.open:
            sock.close()

    def _call(self, selector: selectors.BaseSelector) -> int:
        sock = socket.socket()
        sock.settimeout(0.5)
        try:
            sock.connect(("127.0.0.1", self.port))
            sock.sendall(self.at_once)
        except OSError:
            sock.close()
            return 1
        sock.setblocking(False)
        selector.register(sock, selectors.EVENT_READ)
        self.open[sock] = 0
        self.called += 1
        return 1

    def _look(self, selector: selectors.BaseSelector, sock: Any) -> None:
        try:
            if sock.recv(4_096):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._leave(selector, sock)

    def _send(self, selector: selectors.BaseSelector, sock: socket.socket, sent: int) -> None:
        try:
            sock.send(self.slowly[sent : sent + 1])
            self.open[sock] = sent + 1
        except BlockingIOError:
            pass
        except OSError:
            self._leave(selector, sock)

    def _leave(self, selector: selectors.BaseSelector, sock: socket.socket) -> None:
        if self.open.pop(sock, None) is not None:
            selector.unregister(sock)
            sock.close()
            self.turned_away += 1


def ask(server: Server, seconds: float) -> dict[str, Any]:
    """Ask as an ordinary caller does, ten times a second; answers how that went."""
    body = json.dumps({"text": "lampu jalan mati"}).encode()
    times, failed = [], []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            status = server.call("POST", "/api/v1/predictions", body, seconds=5)[0]
        except OSError as error:
            status, what = 0, type(error).__name__
        else:
            what = str(status)
        if status == 200:
            times.append(time.monotonic() - began)
        else:
            failed.append(what)
        time.sleep(0.1)
    ranked = sorted(times) or [float("nan")]
    return {
        "answered": len(times),
        "not_answered": len(failed),
        "why": sorted(set(failed)),
        "median_ms": round(statistics.median(ranked) * 1000, 1),
        "p99_ms": round(ranked[int(len(ranked) * 0.99)] * 1000, 1),
    }


def measure(kind: str, connections: int, seconds: float, *, plain: bool = False) -> dict[str, Any]:
    """Let a crowd of one kind press on a server of two workers; answers what an ordinary caller saw."""
    at_once, slowly = KINDS[kind]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'salur.db'}"
        key = make_memory(url)
        environ = {"GUNICORN_CMD_ARGS": "--worker-class gthread --worker-connections 8192"} if plain else {}
        with served(folder, url, key, make_registry(folder / "models"), environ) as server:
            quiet = ask(server, 3)
            before = server.memory()
            stopped, crowd = threading.Event(), Crowd(server.port, connections, at_once, slowly)
            pressing = threading.Thread(target=crowd.press, args=(stopped,), daemon=True)
            pressing.start()
            time.sleep(3)
            pressed = ask(server, seconds)
            after = server.memory()
            found = {"open": len(crowd.open), "called": crowd.called, "turned_away": crowd.turned_away}
            stopped.set()
            pressing.join(30)
            alive = server.process.poll() is None and len(server.workers()) == 2
    figures = {"kind": kind, "server": "gthread" if plain else "Salur's", **found, "quiet": quiet, "pressed": pressed}
    return figures | {"memory_mb_before": before, "memory_mb_pressed": after, "workers_lived": alive}


def main() -> None:
    """Measure each kind, print JSON, and fail where the ordinary caller was not answered."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--connections", type=int, default=10_000)
    asked.add_argument("--seconds", type=float, default=30.0)
    asked.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    asked.add_argument("--plain", action="store_true")
    asked.add_argument("--json", type=Path)
    given = asked.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    figures = [measure(kind, given.connections, given.seconds, plain=given.plain) for kind in given.kinds]
    print(json.dumps(figures, indent=1))
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1))
    if not given.plain and any(one["pressed"]["not_answered"] or not one["workers_lived"] for one in figures):
        sys.exit("an ordinary caller was not answered")


if __name__ == "__main__":
    main()
