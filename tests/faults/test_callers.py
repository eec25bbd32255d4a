"""Callers who are slow, odd or too many: the others are answered all the same."""

from __future__ import annotations

import json
import math
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.serving.patient_worker import LINGER_SECONDS, MAX_DISCARDED, _Heard
from tests.patience import wait_until
from tests.served import Server, make_memory, make_registry, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One process with four threads: 64 requests in flight are enough for it."""
    folder = tmp_path_factory.mktemp("callers")
    url = f"sqlite:///{folder / 'salur.db'}"
    environ = {"SALUR_WORKERS": "1", "SALUR_THREADS": "4"}
    with served(folder, url, make_memory(url), make_registry(folder / "models"), environ) as made:
        yield made


def _request(server: Server, body: bytes, *more: str) -> bytes:
    lines = ("POST /api/v1/predictions HTTP/1.1", "Host: salur", "Content-Type: application/json")
    head = "\r\n".join((*lines, f"Authorization: Bearer {server.key}", f"Content-Length: {len(body)}", *more))
    return head.encode() + b"\r\n\r\n" + body


def _connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def _answer(sock: socket.socket) -> tuple[int, bytes]:
    """Read one answer, and none of the next: without a buffer."""
    with sock.makefile("rb", buffering=0) as file:
        status = int(file.readline().split()[1])
        length = 0
        while (line := file.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return status, file.read(length)


def test_who_sends_half_a_request_holds_no_thread(server: Server) -> None:
    whole = _request(server, b'{"text": "lampu mati"}')
    slow = [_connect(server) for _ in range(60)]
    for number, sock in enumerate(slow):
        sock.sendall(whole[: 30 if number % 2 else -3])
    began = time.monotonic()
    assert server.post("/predictions", {"text": "lampu mati"})[0] == 200
    assert time.monotonic() - began < 5
    slow[0].sendall(whole[-3:])
    assert _answer(slow[0])[0] == 200
    for sock in slow:
        sock.close()


@pytest.mark.parametrize(
    "length", [b"27", b"0" * 20 + b"27", b"9" * 13, b"9" * 4_290], ids=["written plainly", "padded", "endless", "hardly a number"]
)
def test_a_length_that_is_written_oddly_holds_no_thread(server: Server, length: bytes) -> None:
    head = b"POST /coba HTTP/1.1\r\nHost: salur\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "
    _crowd_is_no_hindrance(server, head + length + b"\r\n\r\n")


def test_headers_without_end_hold_no_thread_and_are_refused(server: Server) -> None:
    lines = b"".join(b"X-%d: %b\r\n" % (number, b"a" * 8_000) for number in range(5))
    _crowd_is_no_hindrance(server, b"GET /api/v1/agencies HTTP/1.1\r\nHost: salur\r\n" + lines)
    with _connect(server) as sock:
        sock.sendall(b"GET /api/v1/agencies HTTP/1.1\r\nHost: salur\r\n" + lines)
        status, content = _answer(sock)
    assert (status, json.loads(content)["type"]) == (431, "/api/docs#problem-headers-too-large")


def _crowd_is_no_hindrance(server: Server, begun: bytes) -> None:
    """Ask as an ordinary caller does while many have begun a request that they do not end."""
    crowd = [_connect(server) for _ in range(20)]
    for sock in crowd:
        sock.sendall(begun)
    time.sleep(0.2)
    began = time.monotonic()
    assert server.post("/predictions", {"text": "lampu mati"})[0] == 200
    assert time.monotonic() - began < 5
    for sock in crowd:
        sock.close()
    deadline = time.monotonic() + 15  # the threads that read from them learn that nothing more comes
    while server.call("POST", "/api/v1/predictions", b" " * 200_000 + b'{"text": "lampu"}')[0] != 200:
        assert time.monotonic() < deadline


def test_who_is_too_slow_is_told_so_in_a_way_that_can_be_read(server: Server) -> None:
    begun = (
        _request(server, b'{"text": "lampu"}')[:30],  # the loop waits for the rest
        _request(server, b" " * 300_000)[: 10 - 300_000],  # a thread does
        b"POST /coba HTTP/1.1\r\nHost: salur\r\n",
    )
    slow = [_connect(server) for _ in begun]
    for sock, part in zip(slow, begun, strict=True):
        sock.sendall(part)
    *machines, (person, page) = map(_last_answer, slow)
    for head, body in machines:
        assert head.startswith(b"HTTP/1.1 408 ")
        assert b"\r\nContent-Type: application/problem+json" in head
        assert json.loads(body)["type"] == "/api/docs#problem-too-slow"
        assert "Nothing was stored; please send it again." in json.loads(body)["detail"]
    assert person.startswith(b"HTTP/1.1 408 ")
    assert b"silakan kirim sekali lagi" in page


def _last_answer(sock: socket.socket) -> tuple[bytes, bytes]:
    """Read an answer until the connection ends: its head, and its body."""
    with sock, sock.makefile("rb") as file:
        head, _, body = file.read().partition(b"\r\n\r\n")
    return head, body


def test_bodies_that_only_the_caller_knows_the_length_of_leave_threads_for_others(server: Server) -> None:
    head = b"POST /coba HTTP/1.1\r\nHost: salur\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    slow = [_connect(server) for _ in range(20)]
    for number, sock in enumerate(slow):
        sock.sendall(head + (b"Transfer-Encoding: chunked\r\n\r\n1\r\n" if number % 2 else b"Content-Length: 900000\r\n\r\nabc"))
    began = time.monotonic()
    assert server.post("/predictions", {"text": "lampu mati"})[0] == 200
    assert time.monotonic() - began < 5
    assert any(_answer(sock)[0] == 503 for sock in slow[-2:])
    for sock in slow:
        sock.close()
    long = b" " * 200_000 + b'{"text": "lampu"}'
    wait_until(
        lambda: server.call("POST", "/api/v1/predictions", long)[0] == 200
    )  # once their threads learn that nothing more comes


def test_a_body_that_ends_before_its_length_is_taken_for_none_though_it_looks_whole(server: Server) -> None:
    line = json.dumps({"id": "SEPARUH", "text": "lampu mati " * 1_000}).encode() + b"\n"
    head = f"POST /api/v1/complaints/batch HTTP/1.1\r\nHost: salur\r\nAuthorization: Bearer {server.key}\r\n"
    with _connect(server) as sock:
        sock.sendall(f"{head}Content-Type: application/x-ndjson\r\nContent-Length: 200000\r\n\r\n".encode() + line * 2)
        sock.shutdown(socket.SHUT_WR)
        status, content = _answer(sock)
    assert (status, json.loads(content)["type"]) == (408, "/api/docs#problem-too-slow")
    assert server.call("GET", "/api/v1/complaints/SEPARUH")[0] == 404


def test_a_body_that_is_not_in_chunks_as_it_says_is_the_callers_fault(server: Server) -> None:
    head = f"POST /api/v1/predictions HTTP/1.1\r\nHost: salur\r\nAuthorization: Bearer {server.key}\r\n"
    with _connect(server) as sock:
        sock.sendall(f"{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".encode())
        status, content = _answer(sock)
    assert (status, json.loads(content)["type"]) == (400, "/api/docs#problem-bad-request")


def test_more_than_can_be_answered_soon_are_refused_at_once_and_told_when_to_come_again(server: Server) -> None:
    body = json.dumps({"text": "lampu lambat"}).encode()
    with ThreadPoolExecutor(120) as crowd:
        asked = [crowd.submit(server.call, "POST", "/api/v1/predictions", body) for _ in range(120)]
        time.sleep(0.2)
        assert server.call("GET", "/healthz")[0] == 200
        answers = [one.result() for one in asked]
    refused = [answer for answer in answers if answer[0] == 503]
    assert {status for status, _, _ in answers} == {200, 503}
    assert len(answers) - len(refused) >= 60
    assert all(headers["Retry-After"] == "5" for _, headers, _ in refused)
    assert {json.loads(content)["type"] for _, _, content in refused} == {"/api/docs#problem-busy"}
    assert 'salur_refused_total{why="busy"}' in server.call("GET", "/metrics")[2].decode()


def test_a_person_who_is_refused_reads_it_in_indonesian(server: Server) -> None:
    body = json.dumps({"text": "lampu lambat"}).encode()
    with ThreadPoolExecutor(160) as crowd:
        asked = [crowd.submit(server.call, "POST", "/api/v1/predictions", body) for _ in range(120)]
        pages = [crowd.submit(server.call, "GET", "/coba") for _ in range(40)]
        refused = [page.result() for page in pages if page.result()[0] == 503]
        for one in asked:
            one.result()
    assert refused
    assert "Sistem sedang sibuk" in refused[0][2].decode()
    assert refused[0][1]["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("cut", [1, 40, -5])
def test_a_request_in_two_pieces_is_one_request(server: Server, cut: int) -> None:
    whole = _request(server, '{"text": "jalan rusak di Sangatta—parah"}'.encode())
    with _connect(server) as sock:
        sock.sendall(whole[:cut])
        time.sleep(0.05)
        sock.sendall(whole[cut:])
        assert _answer(sock)[0] == 200


def test_requests_sent_in_one_go_are_answered_in_order(server: Server) -> None:
    with _connect(server) as sock:
        sock.sendall(
            _request(server, b'{"text": "pasti"}') + _request(server, b'{"text": ""}') + _request(server, b'{"text": "x"}')
        )
        assert [_answer(sock)[0] for _ in range(3)] == [200, 422, 200]


def test_a_large_body_comes_through_whole(server: Server) -> None:
    with _connect(server) as sock:
        sock.sendall(_request(server, b" " * 400_000 + b'{"text": "lampu"}'))
        assert _answer(sock)[0] == 200
        sock.sendall(_request(server, b'{"text": "lampu"}'))
        assert _answer(sock)[0] == 200


def test_who_waits_to_be_told_to_go_on_is_told(server: Server) -> None:
    whole = _request(server, b'{"text": "lampu"}', "Expect: 100-continue")
    with _connect(server) as sock:
        sock.sendall(whole[:-17])
        assert _answer(sock) == (100, b"")
        sock.sendall(whole[-17:])
        statuses = [_answer(sock)[0]]
        while statuses[-1] == 100:
            statuses.append(_answer(sock)[0])
        assert statuses[-1] == 200


@pytest.mark.parametrize(
    ("key", "status", "kind"),
    [("salur_" + "a" * 12 + "_" + "b" * 43, 401, "wrong-key"), ("", 401, "no-key"), (None, 413, "too-large")],
)
def test_who_is_refused_before_a_large_body_is_read_can_send_it_and_reads_why(
    server: Server, key: str | None, status: int, kind: str
) -> None:
    headers = {} if key is None else {"Authorization": f"Bearer {key}" if key else ""}
    found, _, content = server.call("POST", "/api/v1/predictions", b" " * 10_000_000, headers)
    assert (found, json.loads(content)["type"]) == (status, f"/api/docs#problem-{kind}")


def test_who_is_refused_for_want_of_threads_can_send_a_large_body_and_reads_why(server: Server) -> None:
    body = b" " * 3_000_000 + b'{"text": "lampu"}'
    holding = [_connect(server) for _ in range(2)]
    for sock in holding:
        sock.sendall(_request(server, body)[:-1])  # half of the threads wait for the last byte
    assert server.call("POST", "/api/v1/predictions", body)[0] == 503
    for sock in holding:
        sock.sendall(b"}")
        assert _answer(sock)[0] == 200
        sock.close()


def test_who_reads_an_answer_piece_by_piece_leaves_threads_for_others(server: Server) -> None:
    body = b"x\n" * 60_000  # small enough to arrive whole; its answers fill every buffer on the way
    head = f"POST /api/v1/complaints/batch HTTP/1.1\r\nHost: salur\r\nAuthorization: Bearer {server.key}\r\n"
    asked = f"{head}Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    slow = [_connect(server) for _ in range(12)]
    for sock in slow:
        sock.sendall(asked)
    began = time.monotonic()
    assert server.post("/predictions", {"text": "lampu mati"})[0] == 200
    assert time.monotonic() - began < 5
    statuses = [int(sock.recv(12).split()[1]) for sock in slow]
    assert (statuses.count(200), statuses.count(503)) == (1, 11)
    for sock in slow:
        sock.close()
    batch = ("POST", "/api/v1/complaints/batch", b"{}", {"Content-Type": "application/x-ndjson"})
    wait_until(lambda: server.call(*batch)[0] == 200)  # the thread learns that nobody reads any more


def test_who_does_not_hang_up_after_the_last_answer_keeps_nobody_waiting(server: Server) -> None:
    idle = [_connect(server) for _ in range(20)]
    for sock in idle:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: salur\r\nConnection: close\r\n\r\n")
    for sock in idle:
        assert _answer(sock)[0] == 200
    began = time.monotonic()
    for _ in range(5):
        assert server.post("/predictions", {"text": "lampu mati"})[0] == 200
    assert time.monotonic() - began < LINGER_SECONDS
    for sock in idle:
        sock.close()


def test_who_sends_slowly_after_a_refusal_holds_no_thread(server: Server) -> None:
    slow = [_connect(server) for _ in range(8)]  # twice as many as there are threads
    for sock in slow:
        sock.sendall(b"POST /api/v1/predictions HTTP/1.1\r\nHost: salur\r\nContent-Length: 900000\r\n\r\n ")
        assert _answer(sock)[0] == 401
        time.sleep(0.2)
    for sock in slow:
        sock.close()


def test_who_sends_on_and_on_after_a_refusal_is_hung_up_on(server: Server) -> None:
    head = b"POST /api/v1/predictions HTTP/1.1\r\nHost: salur\r\nContent-Length: 999999999\r\n\r\n"
    for piece, pause in ((b" " * 1_000_000, 0.0), (b" ", 0.1)):
        with _connect(server) as sock:
            sock.sendall(head)
            assert _answer(sock)[0] == 401
            assert _sends_until_hung_up_on(sock, piece, pause) < 5 * MAX_DISCARDED
            assert server.call("GET", "/healthz")[0] == 200


def _sends_until_hung_up_on(sock: socket.socket, piece: bytes, pause: float) -> float:
    sent, until = 0, time.monotonic() + 15
    while time.monotonic() < until and sent < 5 * MAX_DISCARDED:
        try:
            sock.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            return sent
        sent += len(piece)
        time.sleep(pause)
    return math.inf


@pytest.mark.parametrize("nonsense", [b"\0" * 40_000, b"GET\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"])
def test_what_is_no_request_is_refused_by_the_parser(server: Server, nonsense: bytes) -> None:
    with _connect(server) as sock:
        sock.sendall(nonsense)
        assert 400 <= _answer(sock)[0] < 500


@pytest.mark.parametrize(
    ("data", "rest"),
    [
        (b"GET / HTTP/1.1\r\n", None),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0),
        (b"POST / HTTP/1.1\r\ncontent-LENGTH:5\r\n\r\nab", 3),
        (b"POST / HTTP/1.1\r\nContent-Length: 0000000000005\r\n\r\nab", 3),
        (b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 0),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcdeGET", 0),
        (b"POST / HTTP/1.1\r\nHost: a\r\n\r\n\r\nContent-Length: 5\r\n", 0),
        (b"a" * 40_000, 0),
    ],
)
def test_what_is_still_to_come_is_known_from_the_head_alone(data: bytes, rest: int | None) -> None:
    assert _Heard(bytearray(data)).rest() == rest
