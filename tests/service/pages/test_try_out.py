"""The page /coba: what decided is shown, whatever was pasted is harmless, nothing is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from model.complaint import Complaint
from model.routing import Candidate, Decision, Evidence, FoundPlace, Routing, Span
from service.desk import highlight
from service.settings import Settings

if TYPE_CHECKING:
    from tests.service.conftest import Person


def paste(person: Person, **fields: str) -> str:
    return person.send("/coba", form="/coba", **fields).text


def test_the_page_shows_agency_words_and_reasons(person: Person) -> None:
    page = paste(person, text="lampu jalan mati di dekat parkir", kecamatan="Bengalon")
    assert "Dinas Perhubungan" in page
    assert ">lampu</mark>" in page
    assert "Perlu ditinjau petugas" in page
    assert "Belum cukup yakin untuk diteruskan sendiri" in page
    assert "Bengalon" in page


def test_who_tells_of_an_emergency_is_told_first_to_telephone(person: Person) -> None:
    page = paste(person, text="kebakaran di rumah tetangga")
    assert page.index("Telepon 112.") < page.index('id="hasil"')
    assert "darurat" not in paste(person, text="lampu jalan mati").lower()


def test_the_title_and_the_heading_name_the_office(person: Person) -> None:
    page = paste(person, text="lurah galak", kecamatan="Bengalon")
    assert "<title>Kecamatan Bengalon · Coba · " in page
    assert '<h2 id="hasil">Kecamatan Bengalon</h2>' in page
    assert "<title>Coba · " in paste(person, text="")


def test_who_cannot_sign_in_is_told_where_to_turn(client: FlaskClient) -> None:
    page = client.get("/masuk").text
    assert "Lupa kata sandi?" in page
    assert 'href="/coba"' in page


def test_the_page_works_without_scripts_and_without_inline_styles(client: FlaskClient) -> None:
    page = client.get("/coba").text
    assert "<script" not in page
    assert "style=" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_markup_in_a_complaint_stays_text(person: Person) -> None:
    page = paste(person, text="<script>alert(1)</script> lampu <img src=x onerror=alert(1)>", title='"><b>lampu')
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize("text", ["", "   ", "😀😀", "\u202e", "x" * 20_001, "\0"])
def test_what_cannot_be_read_is_answered_kindly(person: Person, text: str) -> None:
    answer = person.send("/coba", form="/coba", text=text)
    assert answer.status_code == 422
    assert "Tuliskan aduan dengan kata-kata" in answer.text


def test_one_address_may_try_thirty_texts_a_minute_and_another_is_not_held_up(person: Person) -> None:
    form = {"csrf_token": person.token("/coba"), "text": "lampu mati"}
    # As many as two minutes allow and more: one may end meanwhile.
    tries = [person.client.post("/coba", data=form) for _ in range(62)]
    assert {answer.status_code for answer in tries[:30]} == {200}
    assert int(next(answer for answer in tries if answer.status_code == 429).headers["Retry-After"]) > 0
    assert person.client.post("/coba", data=form, environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200
    assert person.client.get("/masuk").status_code == 200


def test_an_example_fills_the_form(client: FlaskClient) -> None:
    assert "lampu jalan poros" in client.get("/coba?teks=lampu+jalan+poros").text


def test_examples_name_no_place_of_one_region(client: FlaskClient) -> None:
    assert "Sangatta" not in client.get("/coba").text.partition("Contoh:")[2]
    assert "Sangatta" not in client.get("/api/openapi.json").text


def test_without_a_model_the_page_says_so(person: Person, settings: Settings) -> None:
    (settings.models / "current").unlink()
    assert "Model belum siap" in person.client.get("/coba").text
    answer = person.send("/coba", form="/coba", text="lampu mati")
    assert answer.status_code == 503
    assert "lampu mati</textarea>" in answer.text


def routing(evidence: tuple[Evidence, ...] = (), places: tuple[FoundPlace, ...] = ()) -> Routing:
    return Routing(
        Decision.AUTO,
        "dishub",
        "",
        (Candidate("dishub", 1.0),),
        (),
        (),
        "pengaduan",
        False,
        "",
        "",
        places,
        (),
        evidence,
        None,
        "v",
    )


def test_words_for_and_against_and_places_are_told_apart() -> None:
    text = "lampu mati di Bengalon gelap"
    said = routing(
        (
            Evidence(Span("text", 0, 5), "lampu", 2.0, 1.0),
            Evidence(Span("text", 6, 10), "mati", 0.4, 0.1),
            Evidence(Span("text", 14, 22), "bengalon", 0.9, 0.1),
            Evidence(Span("text", 23, 28), "gelap", 0.2, -0.8),
        ),
        (FoundPlace(Span("text", 14, 22), "kecamatan", "Bengalon"),),
    )
    marked = [(piece.text, piece.mark) for piece in highlight.pieces(Complaint(text), said, "text") if piece.mark]
    assert marked == [("lampu", "strong"), ("mati", "for"), ("Bengalon", "place"), ("gelap", "against")]


SPANS = st.tuples(st.integers(0, 40), st.integers(0, 40), st.floats(-3, 3), st.floats(-3, 3))


@given(text=st.text(max_size=40), spans=st.lists(SPANS, max_size=12), place=st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_however_marks_overlap_the_text_stays_whole(
    text: str, spans: list[tuple[int, int, float, float]], place: tuple[int, int]
) -> None:
    evidence = tuple(Evidence(Span("text", start, end), "x", weight, margin) for start, end, weight, margin in spans)
    said = routing(evidence, (FoundPlace(Span("text", *place), "desa", "X"),))
    assert "".join(piece.text for piece in highlight.pieces(Complaint(text), said, "text")) == text
