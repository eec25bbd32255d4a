"""Decisions told to other systems: signed, tried again, never sent where they must not go."""

from __future__ import annotations

import datetime as dt
import http.client
import http.server
import json
import re
import runpy
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from sqlalchemy import event, select
from structlog.testing import capture_logs

from service.clock import now
from service.complaints import retention, review
from service.complaints.review import Choice
from service.outbound import feed, outgoing, webhooks
from service.outbound.outgoing import ForbiddenAddress
from service.settings import Settings
from service.storage.database import Database
from service.storage.tables import standing, webhook_delivery
from tests.service.conftest import both, postgresql

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.service.conftest import Api

SECRET = "s" * 40


class Receiver:
    """A server on this machine that answers what it is told to, and keeps what it got."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status, self.path = 200, ""
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                receiver.path = self.path
                self.send_response(receiver.status)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/terima?x=1"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


class Clock:
    """A clock that goes when told."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def forward(self, **more: float) -> None:
        self.now += dt.timedelta(**more)


@pytest.fixture
def told(settings: Settings) -> Settings:
    return replace(settings, webhook_hosts=("127.0.0.1",))


def deliveries(database: Database) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(select(webhook_delivery).order_by(webhook_delivery.c.position)))


def add(database: Database, told: Settings, url: str, source: str = "") -> str:
    with database.write() as connection:
        return webhooks.add(connection, SECRET, url, told.webhook_hosts, source)[1]


@both
def test_what_is_decided_is_posted_once_and_signed(
    api: Api, database: Database, told: Settings, receiver: Receiver, tmp_path: Path
) -> None:
    key = add(database, told, receiver.url)
    api.post("/complaints", json={"id": "H-1", "text": "lampu mati pasti"})
    assert [webhooks.deliver(database, told, SECRET) for _ in range(3)] == [1, 0, 0]
    ((headers, body),) = receiver.got
    assert json.loads(body) | {"decided_at": ""} == {
        "cursor": 1,
        "id": "H-1",
        "source": "uji",
        "number": 1,
        "decided_by": "model",
        "outcome": "auto",
        "agency": "dishub",
        "unit": "",
        "also": [],
        "missing": [],
        "question": "",
        "decided_at": "",
    }
    checked = tmp_path / "of_the_readme.py"
    checked.write_text(re.findall(r"```python\n(.*?)```", Path("README.md").read_text(encoding="utf-8"), re.DOTALL)[0])
    is_from_salur = runpy.run_path(str(checked))["is_from_salur"]
    assert is_from_salur(key, headers["Salur-Signature"], body)
    assert not is_from_salur(key, headers["Salur-Signature"], body + b" ")
    assert (headers["Salur-Delivery"], receiver.path) == ("1-1", "/terima?x=1")
    assert [row.state for row in deliveries(database)] == ["delivered"]


@both
def test_the_question_to_the_reporter_is_told_until_it_is_purged(
    api: Api, database: Database, told: Settings, receiver: Receiver
) -> None:
    add(database, told, receiver.url)
    for name in ("H-1", "H-2"):
        api.post("/complaints", json={"id": name, "text": f"lampu mati {name}"})
        with database.write() as connection:
            row = connection.execute(select(standing).order_by(standing.c.complaint_id.desc()).limit(1)).one()
            asked = Choice(outcome="needs-info", missing=("lokasi",), question=f"Di mana {name}?")
            review.record(connection, row, asked, origin="desk")
        if name == "H-1":
            webhooks.deliver(database, told, SECRET)
    listed = api.get("/decisions").json
    assert listed is not None
    assert [(one["missing"], one["question"]) for one in listed["decisions"]] == [
        (["lokasi"], "Di mana H-1?"),
        (["lokasi"], "Di mana H-2?"),
    ]
    shown = api.get("/complaints/H-1").json
    assert shown is not None
    assert [one["question"] for one in shown["verdicts"]] == ["Di mana H-1?"]
    assert retention.purge(database, now() + dt.timedelta(days=1)).complaints == 2
    webhooks.deliver(database, told, SECRET)
    assert [json.loads(body)["question"] for _, body in receiver.got] == ["Di mana H-1?", ""]
    for answer in (api.get("/decisions"), api.get("/complaints/H-1")):
        assert "Di mana" not in answer.text
        assert '"question": ""' in answer.text


@both
@pytest.mark.parametrize("read_before", [True, False])
def test_an_address_hears_what_comes_after_it_and_of_its_source_alone(
    api: Api, database: Database, told: Settings, receiver: Receiver, read_before: bool
) -> None:
    api.post("/complaints", json={"id": "H-1", "text": "lampu mati pasti"})
    if read_before:
        api.get("/decisions")
    add(database, told, receiver.url)
    add(database, told, receiver.url, source="lain")
    api.post("/complaints", json={"id": "H-2", "text": "sampah pasti"})
    webhooks.deliver(database, told, SECRET)
    assert [json.loads(body)["id"] for _, body in receiver.got] == ["H-2"]


@both
def test_the_list_says_what_waits_what_was_given_up_and_why(
    api: Api, database: Database, told: Settings, receiver: Receiver
) -> None:
    def listed() -> list[tuple[int, int, str]]:
        with database.read() as connection:
            return [(one.waiting, one.given_up, one.failure) for one in webhooks.listed(connection)]

    def last_taken() -> dt.datetime | None:
        with database.read() as connection:
            return webhooks.listed(connection)[0].delivered_at

    add(database, told, receiver.url)
    assert listed() == [(0, 0, "")]
    assert last_taken() is None
    api.post("/complaints", json={"id": "H-1", "text": "lampu mati pasti"})
    webhooks.deliver(database, told, SECRET, clock=Clock())
    assert listed() == [(0, 0, "")]
    receiver.status = 500
    api.post("/complaints", json={"id": "H-2", "text": "sampah pasti"})
    webhooks.deliver(database, told, SECRET)
    assert listed() == [(1, 0, "answered with status 500")]
    receiver.status = 410
    api.post("/complaints", json={"id": "H-3", "text": "jalan pasti"})
    webhooks.deliver(database, told, SECRET)
    assert listed() == [(1, 1, "answered with status 410")]
    receiver.close()
    api.post("/complaints", json={"id": "H-4", "text": "air pasti"})
    webhooks.deliver(database, told, SECRET)
    assert listed() == [(2, 1, "ConnectionRefusedError")]
    assert last_taken() == Clock().now


@both
def test_what_fails_is_tried_again_ever_later_and_then_given_up(
    api: Api, database: Database, told: Settings, receiver: Receiver
) -> None:
    add(database, told, receiver.url)
    api.post("/complaints", json={"id": "H-1", "text": "lampu mati pasti"})
    receiver.status, clock = 500, Clock()
    clock.now = dt.datetime.now(dt.UTC)
    waits = []
    while deliveries(database)[:1] == [] or deliveries(database)[0].state == "pending":
        assert webhooks.deliver(database, told, SECRET, clock=clock) == 1
        assert webhooks.deliver(database, told, SECRET, clock=clock) == 0
        waits.append((deliveries(database)[0].next_at - clock.now).total_seconds())
        clock.now = max(clock.now, deliveries(database)[0].next_at)
    assert len(receiver.got) == webhooks.MAX_ATTEMPTS
    assert waits[:4] == [10, 20, 40, 80]
    assert max(waits) <= 6 * 3600
    assert (deliveries(database)[0].state, deliveries(database)[0].last_status) == ("given-up", 500)


@both
def test_what_was_to_be_tried_again_before_the_clock_was_set_back_does_not_wait_for_it(
    api: Api, database: Database, told: Settings, receiver: Receiver
) -> None:
    add(database, told, receiver.url)
    api.post("/complaints", json={"id": "H-1", "text": "lampu mati pasti"})
    receiver.status, clock = 500, Clock()
    webhooks.deliver(database, told, SECRET, clock=clock)
    clock.forward(hours=-5)
    assert webhooks.deliver(database, told, SECRET, clock=clock) == 0
    clock.forward(days=-1)
    receiver.status = 200
    assert webhooks.deliver(database, told, SECRET, clock=clock) == 1
    assert [row.state for row in deliveries(database)] == ["delivered"]


def test_one_that_fails_does_not_hold_up_the_next(api: Api, database: Database, told: Settings, receiver: Receiver) -> None:
    add(database, told, receiver.url)
    api.post("/complaints", json={"id": "H-1", "text": "lampu mati pasti"})
    receiver.status = 503
    webhooks.deliver(database, told, SECRET)
    api.post("/complaints", json={"id": "H-2", "text": "lampu mati pasti"})
    receiver.status = 204
    webhooks.deliver(database, told, SECRET)
    assert [row.state for row in deliveries(database)] == ["pending", "delivered"]


def test_a_receiver_that_is_not_there_delays_the_others_by_one_attempt_a_round(
    api: Api, database: Database, told: Settings, receiver: Receiver
) -> None:
    add(database, told, "http://127.0.0.1:1/")
    add(database, told, receiver.url)
    for number in range(webhooks.AT_ONCE_EACH):
        api.post("/complaints", json={"id": f"H-{number}", "text": "lampu mati pasti"})
    tried = []

    def send(target: outgoing.Target, body: bytes, headers: Mapping[str, str]) -> int:
        tried.append(target.port)
        if target.port == 1:
            raise TimeoutError
        return outgoing.post(target, body, headers)

    webhooks.deliver(database, told, SECRET, send)
    assert len(receiver.got) == webhooks.AT_ONCE_EACH
    assert tried.count(1) == 1
    dead = [row for row in deliveries(database) if row.webhook_id == 1]
    assert {(row.state, row.attempts, row.last_error) for row in dead} == {("pending", 1, "TimeoutError")}


def test_what_a_round_has_no_time_for_is_due_in_the_next_and_not_counted(
    api: Api, database: Database, told: Settings, receiver: Receiver
) -> None:
    add(database, told, receiver.url)
    for number in range(4):
        api.post("/complaints", json={"id": f"H-{number}", "text": "lampu mati pasti"})
    clock = Clock()
    clock.now = dt.datetime.now(dt.UTC)

    def send(*_: Any) -> int:
        clock.forward(seconds=outgoing.SECONDS - 1)
        return 200

    for made in range(1, 5):  # what the others are to be told meanwhile waits for one slow answer, not for three
        webhooks.deliver(database, told, SECRET, send, clock)
        found = [(row.state, row.attempts) for row in deliveries(database)]
        assert found == [("delivered", 1)] * made + [("pending", 0)] * (4 - made)


@both
def test_receivers_that_are_slow_take_nobody_elses_time(api: Api, database: Database, told: Settings) -> None:
    """In one round all goes to who answers, while each of the others still holds its first."""
    slow, quick = range(1, 5), 6
    for port in (*slow, quick):
        add(database, told, f"http://127.0.0.1:{port}/")
    for number in range(20):
        api.post("/complaints", json={"id": f"H-{number}", "text": "lampu mati pasti"})
    arrived: list[int] = []
    done = threading.Event()

    def send(target: outgoing.Target, *_: Any) -> int:
        if target.port != quick:
            if not done.wait(30):
                raise TimeoutError
            return 200
        arrived.append(target.port)
        if len(arrived) == 20:
            done.set()
        return 200

    assert webhooks.deliver(database, told, SECRET, send) == 100
    assert len(arrived) == 20
    assert {(row.state, row.attempts) for row in deliveries(database)} == {("delivered", 1)}


def test_what_fails_of_one_address_ends_none_of_the_others(api: Api, database: Database, told: Settings) -> None:
    """A database that goes away in the middle, say: what was sent to the others is noted all the same."""
    for port in (1, 2):
        add(database, told, f"http://127.0.0.1:{port}/")
    api.post("/complaints", json={"id": "H-1", "text": "lampu mati pasti"})

    def send(target: outgoing.Target, *_: Any) -> int:
        if target.port == 1:
            raise RuntimeError("not foreseen")
        return 200

    with pytest.raises(RuntimeError, match="not foreseen"):
        webhooks.deliver(database, told, SECRET, send)
    with database.read() as connection:
        rows = connection.execute(select(webhook_delivery.c.webhook_id, webhook_delivery.c.state)).all()
    assert sorted(map(tuple, rows)) == [(1, "pending"), (2, "delivered")]


def test_a_receiver_whose_answer_drips_is_given_up_in_time() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    told = threading.Event()

    def drip() -> None:
        caller, _ = server.accept()
        with caller, suppress(OSError):
            caller.recv(65_536)
            while not told.wait(0.05):
                caller.sendall(b"H")

    thread = threading.Thread(target=drip)
    thread.start()
    target = outgoing.resolve(f"http://127.0.0.1:{server.getsockname()[1]}/", ("127.0.0.1",))
    began = time.monotonic()
    with pytest.raises((OSError, http.client.HTTPException)):
        outgoing.post(target, b"{}", {}, seconds=0.4)
    assert time.monotonic() - began < 3
    told.set()
    thread.join()
    server.close()


def test_a_delivery_is_tried_for_longer_than_a_day() -> None:
    waits = [min(webhooks.FIRST_WAIT * 2**attempt, webhooks.LONGEST_WAIT) for attempt in range(webhooks.MAX_ATTEMPTS - 1)]
    assert dt.timedelta(days=1) < sum(waits, dt.timedelta()) < dt.timedelta(days=2)


def test_what_is_posted_is_what_the_api_s_document_says(
    api: Api, client: FlaskClient, database: Database, told: Settings, receiver: Receiver
) -> None:
    add(database, told, receiver.url)
    api.post("/complaints", json={"id": "H-1", "text": "lampu mati pasti"})
    webhooks.deliver(database, told, SECRET)
    ((headers, body),) = receiver.got
    document = client.get("/api/openapi.json").json or {}
    said = document["webhooks"]["decision"]["post"]
    for one in said["parameters"]:
        assert re.fullmatch(one["schema"]["pattern"], headers[one["name"]])
    schema = said["requestBody"]["content"][headers["Content-Type"]]["schema"]
    jsonschema.validate(json.loads(body), {**schema, "components": document["components"]})
    page = client.get("/api/docs").text
    assert "Webhook <code>decision</code>" in page
    assert "<code>Salur-Signature</code>" in page


@pytest.mark.parametrize(("status", "state"), [(301, "pending"), (410, "given-up"), (404, "pending")])
def test_a_redirect_is_not_followed_and_gone_means_never_again(
    api: Api, database: Database, told: Settings, receiver: Receiver, status: int, state: str
) -> None:
    add(database, told, receiver.url)
    api.post("/complaints", json={"id": "H-1", "text": "lampu mati pasti"})
    receiver.status = status
    webhooks.deliver(database, told, SECRET)
    assert len(receiver.got) == 1
    assert [row.state for row in deliveries(database)] == [state]


def test_a_receiver_that_is_not_there_is_an_attempt_like_any_other(api: Api, database: Database, told: Settings) -> None:
    add(database, told, "http://127.0.0.1:9/")
    api.post("/complaints", json={"id": "H-1", "text": "lampu mati pasti"})
    webhooks.deliver(database, told, SECRET)
    assert [(row.state, row.attempts, row.last_error) for row in deliveries(database)] == [("pending", 1, "ConnectionRefusedError")]


@pytest.mark.parametrize("failure", [http.client.BadStatusLine("x"), UnicodeError()])
def test_an_answer_that_cannot_be_read_is_an_attempt_like_any_other(
    api: Api, database: Database, told: Settings, failure: Exception
) -> None:
    add(database, told, "http://127.0.0.1:9/")
    api.post("/complaints", json={"id": "H-1", "text": "lampu mati pasti"})

    def send(*_: Any) -> int:
        raise failure

    webhooks.deliver(database, told, SECRET, send)
    assert [(row.state, row.last_error) for row in deliveries(database)] == [("pending", type(failure).__name__)]


def test_nothing_is_sent_to_an_address_that_may_not_be_called_any_more(
    api: Api, database: Database, told: Settings, receiver: Receiver
) -> None:
    add(database, told, receiver.url)
    api.post("/complaints", json={"id": "H-1", "text": "lampu mati pasti"})
    webhooks.deliver(database, replace(told, webhook_hosts=()), SECRET)
    assert receiver.got == []
    assert [(row.state, row.last_error[:13]) for row in deliveries(database)] == [("pending", "plain http is")]


def test_a_new_address_hears_nothing_of_what_came_before_it_however_much_that_is(
    api: Api, database: Database, told: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_PLACED_AT_ONCE", 2)
    for number in range(5):
        api.post("/complaints", json={"id": f"H-{number}", "text": "lampu mati pasti"})
    add(database, told, receiver.url)
    assert webhooks.deliver(database, told, SECRET) == 0


def test_nothing_more_goes_to_an_address_that_was_removed(api: Api, database: Database, told: Settings, receiver: Receiver) -> None:
    add(database, told, receiver.url)
    api.post("/complaints", json={"id": "H-1", "text": "lampu mati pasti"})
    receiver.status = 500
    webhooks.deliver(database, told, SECRET)
    with database.write() as connection:
        assert webhooks.remove(connection, 1)
        assert not webhooks.remove(connection, 1)
    api.post("/complaints", json={"id": "H-2", "text": "lampu mati pasti"})
    assert webhooks.deliver(database, told, SECRET) == 0


def states(database: Database) -> list[tuple[int, int, str, int]]:
    return sorted((row.webhook_id, row.position, row.state, row.attempts) for row in deliveries(database))


def test_removing_an_address_gives_up_what_waits_for_it_and_nothing_else(api: Api, database: Database, told: Settings) -> None:
    for port in (1, 2):
        add(database, told, f"http://127.0.0.1:{port}/")
    for number, status in ((1, 200), (2, 500)):
        api.post("/complaints", json={"id": f"H-{number}", "text": "lampu mati pasti"})
        webhooks.deliver(database, told, SECRET, lambda *_, status=status: status)
    with database.write() as connection:
        webhooks.remove(connection, 1)
    assert states(database) == [(1, 1, "delivered", 1), (1, 2, "given-up", 1), (2, 1, "delivered", 1), (2, 2, "pending", 1)]
    with database.read() as connection:
        assert [one.url for one in webhooks.listed(connection)] == ["http://127.0.0.1:2/"]


@both
def test_an_address_that_is_removed_in_the_middle_of_a_round_hears_nothing_more(
    api: Api, database: Database, told: Settings
) -> None:
    add(database, told, "http://127.0.0.1:1/")
    for number in (1, 2):
        api.post("/complaints", json={"id": f"H-{number}", "text": "lampu mati pasti"})
    sent = []

    def send(_: outgoing.Target, body: bytes, __: Mapping[str, str]) -> int:
        sent.append(json.loads(body)["id"])
        with database.write() as connection:
            webhooks.remove(connection, 1)
        return 200

    webhooks.deliver(database, told, SECRET, send)
    assert sent == ["H-1"]
    assert {row.state for row in deliveries(database)} == {"given-up"}


@both
@pytest.mark.parametrize(("status", "state"), [(200, "delivered"), (500, "pending")])
def test_what_one_worker_is_sending_no_other_sends_until_it_must_have_died_and_then_what_that_one_did_stands(
    api: Api, database: Database, told: Settings, status: int, state: str
) -> None:
    add(database, told, "http://127.0.0.1:1/")
    for number in (1, 2):
        api.post("/complaints", json={"id": f"H-{number}", "text": "lampu mati pasti"})
    clock = Clock()
    clock.now = dt.datetime.now(dt.UTC)
    others = []

    def send(*_: Any) -> int:
        others.append(webhooks.deliver(database, told, SECRET, lambda *_: status, clock))
        clock.forward(seconds=webhooks.LEASE.total_seconds())
        others.append(webhooks.deliver(database, told, SECRET, lambda *_: status, clock))
        raise TimeoutError

    webhooks.deliver(database, told, SECRET, send, clock)
    assert others == [0, 2]
    assert states(database) == [(1, 1, state, 2), (1, 2, state, 2)], "neither the failure nor the lack of time undid it"


def test_much_that_is_due_to_an_address_is_taken_by_as_few_statements_as_little(
    api: Api, database: Database, told: Settings
) -> None:
    add(database, told, "http://127.0.0.1:1/")
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    needed = []
    for many in (1, 5):
        for number in range(many):
            api.post("/complaints", json={"id": f"H-{many}-{number}", "text": "lampu mati pasti"})
        feed.place(database)
        with database.write() as connection:
            webhooks._fan_out(connection, now())
            asked.clear()
            assert [len(of_one) for of_one in webhooks._take_due(connection, now())] == [many]
            needed.append(len(asked))
    assert needed[0] == needed[1] > 0


@postgresql
def test_two_who_deliver_at_once_do_not_wait_for_each_other_and_take_nothing_twice(
    api: Api, database: Database, told: Settings
) -> None:
    add(database, told, "http://127.0.0.1:1/")
    api.post("/complaints", json={"id": "H-1", "text": "lampu mati pasti"})
    feed.place(database)
    with database.write() as other:
        webhooks._fan_out(other, now())
        assert webhooks.deliver(database, told, SECRET, lambda *_: 200) == 0
    with database.write() as other:
        assert [len(of_one) for of_one in webhooks._take_due(other, now())] == [1]
        assert webhooks.deliver(database, told, SECRET, lambda *_: 200) == 0


def test_of_more_addresses_than_a_round_has_threads_for_those_that_wait_longest_are_told(
    api: Api, database: Database, told: Settings
) -> None:
    """What would only wait for a thread would use up its lease."""
    for port in range(1, webhooks.AT_ONCE + 2):
        add(database, told, f"http://127.0.0.1:{port}/")
    api.post("/complaints", json={"id": "H-1", "text": "lampu mati pasti"})
    clock = Clock()
    clock.now = dt.datetime.now(dt.UTC)
    for _ in range(2):
        assert webhooks.deliver(database, told, SECRET, lambda *_: 500, clock) == webhooks.AT_ONCE
        clock.forward(minutes=1)  # by then the first are due again
    assert min(row.attempts for row in deliveries(database)) == 1, "all were told once"


@pytest.mark.parametrize(
    "url",
    [
        "http://contoh.go.id/x",
        "ftp://contoh.go.id/x",
        "https:///x",
        "https://user:sandi@contoh.go.id/",
        "https://user@contoh.go.id/",
        "https://:sandi@contoh.go.id/",
        "https://contoh.go.id/\u00e9",
        "https://contoh.go.id/#x",
        "https://contoh.go.id/a b",
        "https://contoh.go.id:0/",
        "https://contoh.go.id:99999/",
        "https://[::1/",
        "//contoh.go.id",
        "",
    ],
)
def test_an_address_of_the_wrong_form_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        outgoing.check(url, ("127.0.0.1",))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104
        "100.64.0.1",
        "[::1]",
        "[fe80::1]",
        "[::ffff:10.0.0.1]",
        "[fd00::1]",
        "[fec0::1]",
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b:1::10.0.0.1]",
        "[2002:a00:1::1]",
        "[::10.0.0.1]",
        "[::ffff:0:10.0.0.1]",
        "224.0.0.1",
        "[ff0e::1]",
    ],
)
def test_an_address_inside_the_own_network_is_refused(address: str) -> None:
    with pytest.raises(ForbiddenAddress, match="private network"):
        outgoing.resolve(f"https://{address}/", ())


PUBLIC = ["64:ff9b::93.184.216.34", "2002:5db8:d822::1", "::ffff:93.184.216.34", "2606:2800:220:1::1"]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_called_through_a_translator_too(address: str) -> None:
    assert outgoing.resolve(f"https://[{address}]/", ()).port == 443
    assert outgoing.resolve(f"http://[{address}]/", (address,)).port == 80


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", ("93.184.216.34", 443)), (0, 0, 0, "", ("10.0.0.1", 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    with pytest.raises(ForbiddenAddress, match="private network"):
        outgoing.resolve("https://contoh.go.id/", ())
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found[:1])
    assert outgoing.resolve("https://contoh.go.id/", ()).address == "93.184.216.34"


def test_the_log_says_what_was_not_delivered_and_why(api: Api, database: Database, told: Settings, receiver: Receiver) -> None:
    add(database, told, receiver.url)
    api.post("/complaints", json={"id": "W-1", "text": "lampu pasti Kuncirahasia"})
    clock = Clock()
    said = []
    for status in (500, 410, 200):
        receiver.status = status
        with capture_logs() as logged:
            webhooks.deliver(database, told, SECRET, clock=clock)
        said += [line for line in logged if line["event"] == "not delivered"]
        clock.forward(minutes=1)
    told_of = {"webhook": 1, "cursor": 1, "error": "", "event": "not delivered", "log_level": "warning"}
    assert said == [
        told_of | {"attempt": 1, "status": 500, "given_up": False},
        told_of | {"attempt": 2, "status": 410, "given_up": True},
    ]
    assert "webhook_deliver" not in api._client.get("/metrics").text
