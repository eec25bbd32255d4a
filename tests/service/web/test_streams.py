"""Answers that go out piece by piece hold some threads, never all, and let each go whatever becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from service.web.problems import Problem
from service.web.streams import Streams

if TYPE_CHECKING:
    from tests.service.conftest import Person


def _pieces() -> Iterator[bytes]:
    yield b"satu"
    yield b"dua"


def _fail() -> Iterator[bytes]:
    raise RuntimeError("it cannot be made")


def test_a_quarter_of_the_threads_may_be_held_and_one_that_was_read_to_its_end_is_free(app: Flask) -> None:
    streams = Streams(8)
    with app.test_request_context():
        first, second = (streams.begin(_pieces, "text/plain") for _ in range(2))
        with pytest.raises(Problem):
            streams.begin(_pieces, "text/plain")
        assert second.get_data() == b"satudua"
        third = streams.begin(_pieces, "text/plain")
        with pytest.raises(Problem):
            streams.begin(_pieces, "text/plain")
        third.close()
        first.close()


def test_what_is_never_read_or_cannot_be_made_holds_nothing(app: Flask) -> None:
    streams = Streams(1)
    with app.test_request_context():
        for _ in range(3):
            streams.begin(_pieces, "text/plain").close()
            with pytest.raises(RuntimeError, match="cannot be made"):
                streams.begin(_fail, "text/plain")
            streams.begin(_pieces, "text/plain")  # that nobody closes
        read = streams.begin(_pieces, "text/plain")
        read.get_data()
        read.close()  # of one end two are told: it is one thread all the same
        again = streams.begin(_pieces, "text/plain")
        with pytest.raises(Problem):
            streams.begin(_pieces, "text/plain")
        again.close()


def test_whoever_exports_while_too_many_do_is_told_so(petugas: Person, app: Flask) -> None:
    app.extensions["salur-streams"] = Streams(1)
    with app.test_request_context():
        held = app.extensions["salur-streams"].begin(_pieces, "text/plain")
        for form in ("csv", "xlsx"):
            answer = petugas.client.get(f"/riwayat/ekspor.{form}")
            assert (answer.status_code, "sekaligus" in answer.text) == (503, True)
        held.close()
    assert petugas.client.get("/riwayat/ekspor.csv").status_code == 200
