"""Changing the model under load: python -P tests/benchmarks/swap.py --models DIR [--json FILE].

Two models that answer differently go live in turns, under gunicorn with the project's own configuration, while clients ask
without a pause. Every answer is compared with what the version that it names says of the same text: whatever differs was put
together from two. Then a challenger runs beside the model while complaints come at a steady pace, in turns with none.
`--models` is a registry with a promoted model; a copy is used.
"""

from __future__ import annotations

import argparse
import http.client
import json
import secrets
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, select

from model import artifact as artifacts
from model import labelled
from model.registry import Registry
from model.router import Router
from service.clock import now
from service.models import shadow
from service.storage.database import Database
from service.storage.tables import complaint
from service.web.schemas import ComplaintIn, routing_json
from tests.served import make_memory, served

CORPUS = Path(__file__).parents[2] / "data" / "kutai-timur" / "complaints.jsonl"
FIRST, SECOND = "pertama", "kedua"
TEXTS = 60
IN_ONE = 3
"""Texts of one call for predictions: all its answers must be of one version."""
FEW, PAUSE = 8, 0.05
"""Clients of a desk that is not busy, and the seconds between two calls of each."""
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Answered:
    """One call: when it was sent and answered, in seconds of one clock, and the version that it named."""

    sent: float
    answered: float
    version: str


@dataclass
class Load:
    """Clients that ask without a pause until stopped, each over one connection, and what they found."""

    port: int
    key: str
    expected: Mapping[str, Sequence[bytes]]
    texts: Sequence[str]
    answers: list[list[Answered]] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    mixed: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, clients: int, pause: float = 0.0) -> None:
        """Let them begin."""
        self.answers = [[] for _ in range(clients)]
        self._threads = [threading.Thread(target=self._ask, args=(number, pause)) for number in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> list[Answered]:
        """Let them end, and answer all calls."""
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        return [one for each in self.answers for one in each]

    def all_name(self, version: str, since: float) -> bool:
        """Tell whether the last call of every client was sent after a moment and answered by a version."""
        return all(each and each[-1].sent >= since and each[-1].version == version for each in self.answers)

    def _ask(self, number: int, pause: float) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        for call in count(number):
            if self._stop.wait(pause) if pause else self._stop.is_set():
                break
            chosen = [(call * IN_ONE + place) % len(self.texts) for place in range(IN_ONE)]
            body = json.dumps([{"text": self.texts[place]} for place in chosen])
            headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            sent = time.perf_counter()
            try:
                connection.request("POST", "/api/v1/predictions", body, headers)
                response = connection.getresponse()
                content = response.read()
            except (OSError, http.client.HTTPException) as error:
                self.failed[type(error).__name__] += 1
                connection.close()
                continue
            if response.status != 200:
                self.failed[str(response.status)] += 1
                continue
            routings = json.loads(content)["routings"]
            version = routings[0]["model_version"]
            whole = b'{"routings":[' + b",".join(self.expected[version][place] for place in chosen) + b"]}"
            self.mixed += content != whole
            self.answers[number].append(Answered(sent, time.perf_counter(), version))
        connection.close()


@dataclass(frozen=True)
class Moves:
    """What came of changes of one kind: seconds from the command to the last answer of the version before, and counts."""

    kind: str
    clients: int
    moves: int
    median_s: float
    worst_s: float
    command_s: float
    calls: int
    failed: int
    mixed: int
    p50_ms: float
    p99_ms: float
    worst_ms: float


@dataclass(frozen=True)
class Beside:
    """Complaints taken in at a steady pace, without and with a challenger beside the model."""

    challenger: str
    sent: int
    failed: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    worst_ms: float
    answered_beside: int
    behind_at_end: int
    drained_s: float


def two_versions(source: Path, folder: Path) -> Registry:
    """Copy a registry's live model under two names, the second with the weights of other agencies: it answers differently."""
    artifact = artifacts.load(Registry(source).resolve("current"))
    agencies = len(artifact.manifest["agencies"])
    turned = {name: array.copy() for name, array in artifact.arrays.items()}
    for name in ("additions", "bias"):
        turned[name][..., :agencies] = np.roll(turned[name][..., :agencies], 1, axis=-1)
    for version, arrays in ((FIRST, artifact.arrays), (SECOND, turned)):
        artifacts.save(folder / version, replace(artifact, arrays=arrays, manifest={**artifact.manifest, "version": version}))
    registry = Registry(folder)
    registry.promote(FIRST, why="bench", who="bench", at=now().isoformat())
    return registry


def promote(registry: Registry, version: str) -> None:
    """Put a version live, as the command does."""
    registry.promote(version, why="bench", who="bench", at=now().isoformat(), force_why="bench")


@dataclass
class Swaps:
    """How often the workers of a server have swapped, by its log."""

    log: Path
    seen: int = 0
    _at: int = 0

    def count(self) -> int:
        """Read on in the log."""
        with self.log.open("rb") as lines:
            lines.seek(self._at)
            new = lines.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._at += len(whole)
        self.seen += whole.count(b"model in use")
        return self.seen


def moved(registry: Registry, load: Load, kind: str, moves: Sequence[str], swaps: Swaps, workers: int) -> Moves:
    """Make moves one after the other under a load, each once every worker has swapped and every client has seen it."""
    waits, commands = [], []
    for move in moves:
        before, wanted = registry.current(), swaps.count() + workers
        began = time.perf_counter()
        if move:
            promote(registry, move)
        else:
            registry.rollback(why="bench", who="bench", at=now().isoformat())
        done = time.perf_counter()
        after = registry.current()
        if after is None or after == before:
            raise SystemExit("the pointer did not move")
        swapped = 0.0
        while not (swapped and load.all_name(after, done)):
            if not swapped and swaps.count() >= wanted:
                swapped = time.perf_counter()
            if time.perf_counter() - done > PATIENCE:
                raise SystemExit(f"{after} did not reach every client in {PATIENCE:.0f} s")
            time.sleep(0.01)
        if not (move and kind == "rollback"):
            old = (one.answered for each in load.answers for one in each[-2_000:] if one.version == before)
            waits.append(max(swapped, *old) - began)
            commands.append(done - began)
    answers = load.stop()
    times = sorted(one.answered - one.sent for one in answers)
    return Moves(
        kind=kind,
        clients=len(load.answers),
        moves=len(waits),
        median_s=_part(sorted(waits), 0.5),
        worst_s=_part(sorted(waits), 1.0),
        command_s=_part(sorted(commands), 0.5),
        calls=len(answers) + load.failed.total(),
        failed=load.failed.total(),
        mixed=load.mixed,
        p50_ms=_ms(times, 0.5),
        p99_ms=_ms(times, 0.99),
        worst_ms=_ms(times, 1.0),
    )


def steady(
    registry: Registry, port: int, key: str, database: Database, texts: Sequence[str], rate: float, seconds: float
) -> Beside:
    """Send complaints at a pace that does not wait for answers, and count what a challenger, where there is one, said of them."""
    beside = registry.shadow()
    marker = secrets.token_hex(4)
    times: list[float] = []
    failed: Counter[str] = Counter()
    numbers = iter(range(int(rate * seconds)))
    began, lock = time.perf_counter() + 0.2, threading.Lock()

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            due = began + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            body = json.dumps({"id": f"{marker}-{number}", "text": texts[number % len(texts)]})
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            try:
                connection.request("POST", "/api/v1/complaints", body, headers)
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException) as error:
                failed[type(error).__name__] += 1
                connection.close()
                continue
            if response.status == 201:
                times.append(time.perf_counter() - due)  # from when it was due: who waits for us counts too
            else:
                failed[str(response.status)] += 1
        connection.close()

    senders = [threading.Thread(target=send) for _ in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    behind, answered, drained = 0, 0, 0.0
    if beside is not None:
        behind = _waiting(database, registry)
        ended = time.perf_counter()
        while _waiting(database, registry):
            if time.perf_counter() - ended > 2 * PATIENCE:
                raise SystemExit("the challenger does not come to an end")
            time.sleep(0.1)
        drained = time.perf_counter() - ended
        with database.read() as connection:
            figures = shadow.figures(connection, beside, registry.current() or "")
        answered = figures.answered
    times.sort()
    return Beside(
        challenger="yes" if beside else "no",
        sent=len(times),
        failed=failed.total(),
        p50_ms=_ms(times, 0.5),
        p95_ms=_ms(times, 0.95),
        p99_ms=_ms(times, 0.99),
        worst_ms=_ms(times, 1.0),
        answered_beside=answered,
        behind_at_end=behind,
        drained_s=round(drained, 2),
    )


def _waiting(database: Database, registry: Registry) -> int:
    beside = registry.shadow()
    assert beside
    with database.read() as connection:
        return shadow.figures(connection, beside, registry.current() or "").waiting


def _part(ordered: Sequence[float], part: float) -> float:
    return round(ordered[min(int(len(ordered) * part), len(ordered) - 1)], 3) if ordered else 0.0


def _ms(ordered: Sequence[float], part: float) -> float:
    return round(ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000, 2) if ordered else 0.0


def measure(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure everything over one server."""
    registry = two_versions(given.models, folder / "models")
    texts = [row.text for row in labelled.load(CORPUS)[:: max(1, 4000 // TEXTS)]][:TEXTS]
    expected = {}
    for version in (FIRST, SECOND):
        router = Router.load(registry.path(version))
        expected[version] = [routing_json(router.route(ComplaintIn.model_validate({"text": text}).complaint())) for text in texts]
    turned = sum(json.loads(one)["agency"] != json.loads(two)["agency"] for one, two in zip(*expected.values(), strict=True))
    found: dict[str, Any] = {"texts": len(texts), "texts_answered_differently": turned}
    url = f"sqlite:///{folder / 'salur.db'}"
    told = {"SALUR_WORKERS": str(given.workers)}
    with served(folder, url, make_memory(url), registry.folder, told, real_model=True) as server, ExitStack() as stack:
        port, key, database = server.port, server.key, Database(url)
        stack.callback(database.dispose)
        kinds: list[tuple[str, int, list[str]]] = [
            ("promotion", FEW, [SECOND, FIRST] * 5),
            ("rollback", FEW, [SECOND, ""] * 10),
            ("promotion", given.clients, [SECOND, FIRST] * (given.promotions // 2)),
            ("rollback", given.clients, [SECOND, ""] * 10),
        ]
        found["moves"], swaps = [], Swaps(folder / "log")
        for kind, clients, moves in kinds:
            load = Load(port, key, expected, texts)
            load.start(clients, pause=PAUSE if clients == FEW else 0.0)
            time.sleep(1.0)
            found["moves"].append(asdict(moved(registry, load, kind, moves, swaps, given.workers)))
            if load.failed:
                found["moves"][-1]["failures"] = dict(load.failed)
        load = Load(port, key, expected, texts)
        load.start(given.clients)
        time.sleep(10.0)
        found["moves"].append(asdict(moved(registry, load, "none", [], swaps, given.workers)))
        found["beside"] = []
        for _ in range(given.rounds):
            for challenger in ("", SECOND):
                if challenger:
                    registry.start_shadow(challenger, why="bench", who="bench", at=now().isoformat())
                with database.read() as connection:
                    before = connection.execute(select(func.count()).select_from(complaint)).scalar_one()
                one = steady(registry, port, key, database, texts, given.rate, given.seconds)
                with database.read() as connection:
                    kept = connection.execute(select(func.count()).select_from(complaint)).scalar_one() - before
                assert kept == one.sent, "a complaint that was acknowledged is not there"
                found["beside"].append(asdict(one))
                if challenger:
                    registry.stop_shadow(why="bench", who="bench", at=now().isoformat())
    return found


def _table(rows: Sequence[Mapping[str, Any]], say: Callable[[str], object]) -> None:
    names = [name for name in rows[0] if name != "failures"]
    say("".join(f"{name:>16}" for name in names))
    for row in rows:
        say("".join(f"{row[name]:>16}" for name in names))


def main(say: Callable[[str], object] = print) -> None:
    """Measure, print two tables, and write JSON where asked to."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--models", type=Path, required=True, help="a registry with a promoted model; it is only read")
    asked.add_argument("--clients", type=int, default=50)
    asked.add_argument("--promotions", type=int, default=50)
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--rate", type=float, default=40.0, help="complaints a second beside which a challenger is asked")
    asked.add_argument("--seconds", type=float, default=10.0)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--json", type=Path)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = measure(given, Path(name))
    say(f"{found['texts_answered_differently']} of {found['texts']} texts go elsewhere with the second version")
    _table(found["moves"], say)
    _table(found["beside"], say)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
