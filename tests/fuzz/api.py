"""Attack the served API with what its own document allows and forbids: python -P tests/fuzz/api.py [--models DIR].

Schemathesis runs every phase with every check against gunicorn with the project's configuration and a real model, with a new
seed each round, until enough requests were made. Requests and answers of 500 are counted by the service itself (/metrics), so
the figure is that of the server, not of the tool. Ends with 1 where a check failed or an answer had status 500 or above.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.served import Server, make_memory, schema, served

_HERE = Path(__file__).parent.resolve()
_COUNTED = re.compile(r'salur_requests_total\{method="(\w+)",route="([^"]*)",status="(\d+)"\} ([\d.]+)')


def answers(server: Server) -> Counter[tuple[str, str]]:
    """Count what the server answered so far: (method and route, status) -> answers. The server's own figures."""
    found: Counter[tuple[str, str]] = Counter()
    for method, route, status, count in _COUNTED.findall(server.call("GET", "/metrics")[2].decode()):
        if route.startswith("/api/v1/") or not route.startswith("/"):
            found[f"{method} {route}", status] += int(float(count))
    return found


@dataclass(frozen=True)
class Effort:
    """How hard to try: requests that the server must have counted, and for each round cases of a call, phases, first seed."""

    requests: int
    examples: int
    phases: str
    seed: int


def attack(server: Server, effort: Effort, seed: int, log: Path) -> bool:
    """Run Schemathesis once over the served document; tells whether every check held. Its report is added to `log`."""
    command = [
        *(str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(_HERE / "schemathesis.toml")),
        *("run", f"http://127.0.0.1:{server.port}/api/openapi.json"),
        *("--header", f"Authorization: Bearer {server.key}", "--seed", str(seed)),
        *("--max-examples", str(effort.examples), "--phases", effort.phases),
        *("--mode", "all", "--continue-on-failure", "--no-color", "--suppress-health-check", "all"),
        *("--warnings", "off", "--request-timeout", "20"),
    ]
    with log.open("ab") as out, tempfile.TemporaryDirectory() as folder:
        environ = os.environ | {"PYTHONPATH": str(_HERE)}
        return subprocess.run(command, stdout=out, stderr=out, cwd=folder, env=environ, check=False).returncode == 0


def run(folder: Path, url: str, models: Path, effort: Effort, say: Callable[[str], object]) -> bool:
    """Attack one database until enough requests were counted; tells whether all went well."""
    well, log = True, folder / "schemathesis.log"
    told = {"SALUR_WORKERS": "1", "SALUR_AUDIT_SHARE": "0.05"}
    with served(folder, url, make_memory(url), models, told, real_model=True) as server:
        if server.call("GET", "/api/v1/models/current")[0] != 200:
            raise SystemExit(f"the server does not know the key, and would refuse every request alike\n{server.log()}")
        began, rounds, before = time.monotonic(), 0, -1
        while (counted := answers(server)).total() < effort.requests:
            if counted.total() <= before:
                raise SystemExit(f"a round made no request\n{log.read_text()}")
            before = counted.total()
            held = attack(server, effort, effort.seed + rounds, log)
            if not held and well:
                say(log.read_text())
            well = well and held
            rounds += 1
        seconds = time.monotonic() - began
    for (call, status), count in sorted(counted.items()):
        say(f"{count:>8,}  {status}  {call}")
    failures = sum(count for (_, status), count in counted.items() if status >= "500")
    kind = url.partition(":")[0]
    say(f"{counted.total():,} requests in {rounds} rounds and {seconds:.0f} s over {kind}: {failures} answers of 5xx")
    if failures:
        say((folder / "log").read_text()[-4000:])
    return well and not failures


def main(say: Callable[[str], object] = print) -> int:
    """Attack SQLite, and PostgreSQL where its URL is given; answers the exit code."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--models", type=Path, default=Path("var/models"), help="a registry with a promoted model")
    asked.add_argument("--postgres", help="URL of a PostgreSQL database in which a schema may be made and dropped")
    asked.add_argument("--requests", type=int, default=20_000)
    asked.add_argument("--examples", type=int, default=100, help="cases of each call in one round of the fuzzing phase")
    asked.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    options = (given.models.resolve(), Effort(given.requests, given.examples, given.phases, given.seed), say)
    with tempfile.TemporaryDirectory() as name:
        well = run(Path(name), f"sqlite:///{name}/salur.db", *options)
    if given.postgres:
        with tempfile.TemporaryDirectory() as name, schema(given.postgres) as url:
            well = run(Path(name), url, *options) and well
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main())
