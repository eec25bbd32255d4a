"""Two hosts behind one proxy: they share PostgreSQL and the registry, and nothing else."""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from tests.patience import wait_until
from tests.served import Server, count, make_memory, make_registry, schema, senders, served

POSTGRES = os.environ.get("TEST_POSTGRES", "postgresql://root@127.0.0.1:5432/test")


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """Two servers, each with a folder, a secret and processes of its own."""
    asked = create_engine(POSTGRES.replace("postgresql://", "postgresql+psycopg://"))
    try:
        asked.connect().close()
    except Exception as error:
        pytest.skip(f"no PostgreSQL: {type(error).__name__}")
    finally:
        asked.dispose()
    folder = tmp_path_factory.mktemp("hosts")
    with ExitStack() as stack:
        url = stack.enter_context(schema(POSTGRES))
        key = make_memory(url)
        models = make_registry(folder / "models")
        one, other = (stack.enter_context(served(folder / name, url, key, models)) for name in ("one", "other"))
        yield one, other


def test_what_one_took_in_the_other_shows(hosts: tuple[Server, Server]) -> None:
    one, other = hosts
    status, told = one.post("/complaints", {"id": "H-1", "text": "lampu mati pasti"})
    assert (status, told["decision"]) == (201, "auto")
    status, _, content = other.call("GET", "/api/v1/complaints/H-1")
    assert (status, json.loads(content)["number"]) == (200, told["number"])
    feed = json.loads(other.call("GET", "/api/v1/decisions?limit=1000")[2])["decisions"]
    assert [entry["id"] for entry in feed if entry["id"] == "H-1"] == ["H-1"]


def test_the_same_complaint_through_both_at_once_is_stored_once(hosts: tuple[Server, Server]) -> None:
    for number in range(10):
        answers: list[tuple[int, int]] = []
        together = threading.Barrier(4, timeout=60)

        def send(server: Server, number: int = number, together: threading.Barrier = together) -> None:
            together.wait()
            status, told = server.post("/complaints", {"id": f"D-{number}", "text": "lampu mati pasti"})
            answers.append((status, told["number"]))  # noqa: B023 -- joined before the next round

        threads = [threading.Thread(target=send, args=(host,)) for host in hosts * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(status for status, _ in answers) == [200, 200, 200, 201]
        assert len({told for _, told in answers}) == 1


def test_one_idempotency_key_through_both_is_one_complaint(hosts: tuple[Server, Server]) -> None:
    one, other = hosts
    body = json.dumps({"text": "lampu mati pasti"}).encode()
    first = one.call("POST", "/api/v1/complaints", body, {"Idempotency-Key": "K-1"})
    again = other.call("POST", "/api/v1/complaints", body, {"Idempotency-Key": "K-1"})
    assert (first[0], again[0]) == (201, 200)
    assert json.loads(first[2])["id"] == json.loads(again[2])["id"]


def test_a_promotion_reaches_both(hosts: tuple[Server, Server]) -> None:
    models = hosts[0].folder.parent / "models"
    (models / "dua").mkdir()
    (models / "dua" / "ok").touch()
    (models / "neu").write_text("dua")
    (models / "neu").replace(models / "current")
    began = time.monotonic()
    seen: set[str] = set()
    while seen != {"dua"}:
        answers = [host.post("/predictions", {"text": "lampu"}) for host in hosts for _ in range(8)]
        assert {status for status, _ in answers} == {200}
        seen = {told["model_version"] for _, told in answers}
        assert time.monotonic() - began < 15


def test_one_host_goes_away_and_nothing_is_lost(hosts: tuple[Server, Server], tmp_path: Path) -> None:
    one, other = hosts
    with served(tmp_path / "third", one.url, one.key, one.folder.parent / "models") as third:
        with senders(third, 3) as sent:
            wait_until(lambda: sum(len(sender.acknowledged) for sender in sent) >= 30)
            for pid in (third.process.pid, *third.workers()):
                os.kill(pid, 9)
            for sender in sent:  # the proxy sends them to the other host now
                sender.server = other
            third.process.wait()
            before = sum(len(sender.acknowledged) for sender in sent)
            wait_until(lambda: sum(len(sender.acknowledged) for sender in sent) >= before + 30)
        told = count(one.url, sent)
    assert (told.lost, told.doubled, told.half, told.told_twice) == (0, 0, 0, 0), told


def test_a_host_that_is_asked_after_the_other_has_stopped_serves_on(hosts: tuple[Server, Server]) -> None:
    one, other = hosts
    one.stop()
    with pytest.raises((OSError, http.client.HTTPException)):
        one.call("GET", "/healthz")
    assert other.post("/complaints", {"id": "H-2", "text": "lampu mati"})[0] == 201
