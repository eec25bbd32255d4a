"""An hour's traffic in ten minutes: python -P tests/benchmarks/soak.py --models DIR [--seconds N] [--postgres URL] [--json FILE].

Callers ask at the full rate what an intake, a feed and people ask: complaints one by one and in batches, now and then the same
again, predictions, decisions, pages. Told are the growth of memory after the first fifth (caches are full then), handles that were
not closed, and whether each acknowledged complaint is stored, once and whole. Without --models a router of fixed answers stands in.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from model import labelled
from tests.served import Sender, Server, count, make_memory, make_registry, schema, served

CORPUS = Path(__file__).parents[2] / "data" / "kutai-timur" / "complaints.jsonl"
WARM_UP = 15
"""Seconds for which more call than later on: every thread has then opened the connections to the database that it keeps."""
SETTLED = 0.2
"""Share of the time after which memory is compared with its end."""


@dataclass
class Caller(Sender):
    """Does all that callers do, by lot; what was acknowledged is kept as a sender keeps it."""

    texts: Sequence[Sequence[str]] = ()
    calls: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)

    def call(self, stopped: threading.Event, seed: int) -> None:
        """Call until told to stop."""
        die = random.Random(seed)  # noqa: S311
        number, after = 0, 0
        while not stopped.is_set():
            lot = die.random()
            number += 1
            client_id = f"{self.name}-{number}"
            if lot < 0.5:
                self._store(client_id, self._complaint(die, client_id))
            elif lot < 0.52 and self.created:
                self._say("GET", f"/api/v1/complaints/{die.choice(self.created)}", None, 200)
            elif lot < 0.53:
                self._batch(die, client_id)
            elif lot < 0.56:
                told = json.loads(self._say("GET", f"/api/v1/decisions?after={after}&limit=100", None, 200) or "{}")
                after = told.get("next", after)
            elif lot < 0.58:  # so few that strangers' pages stay within their 120 a minute
                self._say("GET", die.choice(("/masuk", "/coba", "/api/openapi.json", "/metrics", "/static/salur.css")), None, 200)
            elif lot < 0.59:
                self._say("POST", "/api/v1/predictions", b'{"text": ["wrong"]}', 422)
            else:
                self._say("POST", "/api/v1/predictions", json.dumps(self._complaint(die, "")).encode(), 200)
        self._connection.close()

    def _complaint(self, die: random.Random, client_id: str) -> dict[str, str]:
        # Halves of three texts: hardly two are alike, and the words are those that complaints have.
        words = [word for half in die.sample(self.texts, 3) for word in die.sample(half, len(half) // 2)]
        return {"id": client_id, "text": " ".join(words), "title": " ".join(words[:6])}

    def _store(self, client_id: str, complaint: dict[str, str]) -> None:
        body = json.dumps(complaint).encode()
        if self._say("POST", "/api/v1/complaints", body, 201):
            self.acknowledged.append(client_id)
            self.created.append(client_id)
            if len(self.created) % 50 == 0:
                self._say("POST", "/api/v1/complaints", body, 200)

    def _batch(self, die: random.Random, client_id: str) -> None:
        lines = [self._complaint(die, f"{client_id}-{line}") for line in range(20)]
        body = "\n".join(json.dumps(line) for line in lines).encode()
        for line in (self._say("POST", "/api/v1/complaints/batch", body, 200, "application/x-ndjson") or b"").splitlines():
            told = json.loads(line)
            if told["status"] == 201:
                self.acknowledged.append(told["answer"]["id"])
                self.created.append(told["answer"]["id"])
            else:
                self.wrong[f"batch {told['status']}"] += 1

    def _say(self, method: str, path: str, body: bytes | None, wanted: int, kind: str = "application/json") -> bytes | None:
        headers = {"Authorization": f"Bearer {self.server.key}", "Content-Type": kind}
        self.calls[f"{method} {path.partition('?')[0].rpartition('/')[0] if '-' in path else path.partition('?')[0]}"] += 1
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            self.wrong[type(error).__name__] += 1
            return None
        self.statuses[str(response.status)] = self.statuses.get(str(response.status), 0) + 1
        if response.status == 503 and path.endswith("/batch"):  # as many batches are being read as may be: come again, as told
            self._connection.close()  # the server would, before it is time
            time.sleep(float(response.headers["Retry-After"]))
            return self._say(method, path, body, wanted, kind)
        if response.status != wanted:
            self.wrong[f"{path.partition('?')[0]} {response.status}"] += 1
            return None
        return content


def measure(folder: Path, url: str, models: Path | None, seconds: float, callers: int = 8, workers: int = 2) -> dict[str, Any]:
    """Let callers call for so long; answers calls, memory, handles and what is stored."""
    texts = [row.text.split() for row in labelled.load(CORPUS) if len(row.text) > 60]
    key = make_memory(url)
    registry = models or make_registry(folder / "models")
    environ = {"SALUR_WORKERS": str(workers), "SALUR_AUDIT_SHARE": "0.05", "SALUR_LOG_LEVEL": "warning"}
    with served(folder, url, key, registry.resolve(), environ, real_model=models is not None) as server:
        everyone = [Caller(server, f"c{number}", texts=texts) for number in range(callers * 4)]
        _press(everyone, WARM_UP)
        before = _handles_at_rest(server)
        samples = _press(everyone[:callers], seconds)
        after = _handles_at_rest(server)
        processes = len(server.workers())
        errors = server.log().count('"level": "error"')
    settled = [memory for at, memory in samples if at >= seconds * SETTLED]
    fifth = max(1, len(settled) // 5)
    began, ended = statistics.median(settled[:fifth]), statistics.median(settled[-fifth:])
    calls = sum((one.calls for one in everyone), Counter[str]())
    return {
        "workers": processes,
        "calls": calls.total(),
        "calls_a_second": round(calls.total() / (seconds + WARM_UP)),
        "by_kind": dict(calls.most_common(12)),
        "wrong": dict(sum((one.wrong for one in everyone), Counter[str]())),
        "errors_logged": errors,
        "memory_mb": [memory for _, memory in samples][:: max(1, len(samples) // 20)],
        "memory_mb_settled": began,
        "memory_mb_end": ended,
        "growth": round(ended / began - 1, 4),
        "handles_before": before,
        "handles_after": after,
        **asdict(found := count(url, everyone)),
        "good": found.good,
    }


def _press(everyone: Sequence[Caller], seconds: float) -> list[tuple[float, float]]:
    """Let all call for so long; answers (seconds since the start, MB) every so often."""
    stopped, began = threading.Event(), time.monotonic()
    seeds = [random.randrange(10**9) for _ in everyone]  # noqa: S311
    for one in everyone:
        one.name = f"{one.name.partition('.')[0]}.{seeds[0]}"
    threads = [threading.Thread(target=one.call, args=(stopped, seed)) for one, seed in zip(everyone, seeds, strict=True)]
    for thread in threads:
        thread.start()
    samples = []
    while (at := time.monotonic() - began) < seconds:
        samples.append((at, everyone[0].server.memory()))
        time.sleep(max(0.5, seconds / 200))
    stopped.set()
    for thread in threads:
        thread.join()
    return samples


def _handles_at_rest(server: Server) -> int:
    time.sleep(7)  # kept-alive connections are closed after five seconds
    return server.handles()


def main() -> None:
    """Measure on SQLite, or on PostgreSQL where it is given; fail where a figure misses what is asked of it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--models", type=Path, help="a registry with a promoted model")
    asked.add_argument("--seconds", type=float, default=600.0)
    asked.add_argument("--postgres", help="URL of a PostgreSQL database in which a schema may be made and dropped")
    asked.add_argument("--json", type=Path)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if given.postgres:
            with schema(given.postgres) as url:
                found = measure(Path(name), url, given.models, given.seconds)
        else:
            found = measure(Path(name), f"sqlite:///{name}/salur.db", given.models, given.seconds)
    print(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    if not found["good"] or found["growth"] > 0.05 or found["handles_after"] > found["handles_before"] or found["wrong"]:
        sys.exit("memory grew, a handle stayed open, a call failed, or a complaint was lost or doubled")


if __name__ == "__main__":
    main()
