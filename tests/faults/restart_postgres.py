"""PostgreSQL stopped and started under load: python -P tests/faults/restart_postgres.py [--seconds N] [--json FILE].

A cluster of its own, made for this and removed afterwards, is stopped in turns as an operator does (fast) and as a crash does
(immediate). Told is what callers were answered meanwhile, and whether each acknowledged complaint is stored, once and whole.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.served import count, make_memory, make_registry, senders, served

MODES = ("fast", "immediate")


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL of our own."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """URL of its database."""
        return f"postgresql://salur@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
        self._run("pg_ctl", "--wait", "--log", str(self.folder / "log"), "--options", options, "start")

    def stop(self, mode: str) -> None:
        """Stop it: "fast" ends what is under way, "immediate" is a crash."""
        self._run("pg_ctl", "--wait", "--mode", mode, "stop")

    def make(self) -> None:
        """Make its files."""
        self._run("initdb", "--username=salur", "--auth=trust", "--encoding=UTF8", "--no-sync")

    def _run(self, program: str, *more: str) -> None:
        owner = pwd.getpwnam("postgres") if os.getuid() == 0 else None  # it refuses to run as root
        command = [find(program), "--pgdata", str(self.folder / "data"), *more]
        subprocess.run(
            command,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
        )


def find(program: str) -> str:
    """Find one of PostgreSQL's programs, which many systems keep off the path. Raises FileNotFoundError."""
    found = shutil.which(program) or next(iter(sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{program}")))), None)
    if found is None:
        raise FileNotFoundError(f"{program} is not installed")
    return found


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Make and start a cluster, stopped and removed afterwards. Raises FileNotFoundError where PostgreSQL is not installed."""
    find("initdb")
    with tempfile.TemporaryDirectory(prefix="salur-postgres-") as name:
        folder = Path(name)
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        # Bound as long as the cluster lives, never listened to, as in tests/served.py: it must come back to the same port.
        with socket.socket() as held:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind(("127.0.0.1", 0))
            made = Cluster(folder, held.getsockname()[1])
            made.make()
            made.start()
            try:
                yield made
            finally:
                made.stop("immediate")


def measure(folder: Path, seconds: float, restarts: int = 1_000, down: float = 1.0, up: float = 3.0) -> dict[str, Any]:
    """Stop and start for so long, or so often; answers what callers were told, and what is stored."""
    done = 0
    with cluster() as database:
        key = make_memory(database.url)
        with served(folder, database.url, key, make_registry(folder / "models")) as server:
            with senders(server, 6) as sent:
                until = time.monotonic() + seconds
                for mode in itertools.cycle(MODES):
                    if done >= restarts or time.monotonic() >= until:
                        break
                    time.sleep(up)
                    database.stop(mode)
                    time.sleep(down)
                    database.start()
                    done += 1
                began = time.monotonic()
                before = sum(len(one.acknowledged) for one in sent)
                while sum(len(one.acknowledged) for one in sent) < before + 20 and time.monotonic() < began + 60:
                    time.sleep(0.05)
                recovered = round(time.monotonic() - began, 2)
            unreadable = server.log().count('"error": "')
            found = count(database.url, sent)
    return {"restarts": done, "seconds_to_20_more": recovered, "errors_logged": unreadable, **asdict(found), "good": found.good}


def main() -> None:
    """Measure, print JSON, and fail where anything was lost, doubled, half, or answered by 500."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=120.0)
    asked.add_argument("--json", type=Path)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = measure(Path(name), given.seconds)
    print(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    if not found["good"] or "500" in found["answers"]:
        sys.exit("a complaint was lost, doubled or kept by half, or a caller was told 500")


if __name__ == "__main__":
    main()
