"""POST /predictions: answers that explain themselves, and bad input that is told what is wrong and where."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from sqlalchemy import text

from service.api.intake_api import NDJSON
from service.security import keys
from service.settings import Settings
from service.storage.database import Database
from service.storage.tables import REVISION

if TYPE_CHECKING:
    from tests.service.conftest import Api

TEXT = "lampu jalan poros mati, tolong lampu diganti"


def test_one_complaint_gets_its_routing(api: Api) -> None:
    answer = api.post("/predictions", json={"text": TEXT, "kecamatan": "Bengalon"})
    assert answer.status_code == 200
    assert answer.json is not None
    assert (answer.json["agency"], answer.json["decision"], answer.json["model_version"]) == ("dishub", "review", "palsu-1")
    assert answer.json["candidates"][0] == {"agency": "dishub", "probability": 0.4}
    span = answer.json["evidence"][0]["span"]
    assert TEXT[span["start"] : span["end"]] == "lampu"


@pytest.mark.parametrize(("sent", "day"), [({}, None), ({"received_at": "2026-03-01T08:00:00+08:00"}, "2026-03-01T08:00:00+08:00")])
def test_a_complaint_without_a_moment_is_of_today(
    app: Flask, api: Api, monkeypatch: pytest.MonkeyPatch, sent: dict[str, str], day: str | None
) -> None:
    parts, asked = app.extensions["salur"], []
    route = parts.models.route

    def listen(router: Any, one: Any) -> Any:
        asked.append(one.received_at)
        return route(router, one)

    monkeypatch.setattr(parts.models, "route", listen)
    assert api.post("/predictions", json={"text": TEXT, **sent}).status_code == 200
    assert asked == [day or parts.calendar.today().isoformat()]


@pytest.mark.parametrize("wrap", [lambda items: items, lambda items: {"complaints": items}])
def test_several_get_their_routings_in_order(api: Api, wrap: Any) -> None:
    answer = api.post("/predictions", json=wrap([{"text": "sampah menumpuk"}, {"text": TEXT}, {"text": "ktp hilang"}]))
    assert answer.status_code == 200
    assert answer.json is not None
    assert [routing["agency"] for routing in answer.json["routings"]] == ["dlh", "dishub", "disdukcapil"]


def test_a_hundred_are_taken(api: Api) -> None:
    answer = api.post("/predictions", json=[{"text": TEXT}] * 100)
    assert answer.json is not None
    assert len(answer.json["routings"]) == 100


def test_nothing_is_stored(api: Api, database: Database) -> None:
    api.post("/predictions", json={"text": TEXT})
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM complaint").scalar() == 0


@pytest.mark.parametrize(
    ("body", "pointer", "says"),
    [
        ({"text": ""}, "/text", "is empty"),
        ({"text": " \n\t "}, "/text", "no letter and no digit"),
        ({"text": "😀👍🏽"}, "/text", "no letter and no digit"),
        ({"text": "\u202e\u200f\u2066"}, "/text", "no letter and no digit"),
        ({"text": "lampu\0mati"}, "/text", "U+0000"),
        ({"text": "a" * 1_000_000}, "/text", "at most 20000 characters"),
        ({"text": 7}, "/text", "must be a string"),
        ({"text": None}, "/text", "must be a string"),
        ({"text": ["lampu"]}, "/text", "must be a string"),
        ({"text": TEXT, "confidential": "ya"}, "/confidential", "true or false"),
        ({"text": TEXT, "judul": "x"}, "/judul", "not a field"),
        ({"text": TEXT, "a/b~c": "x"}, "/a~1b~0c", "not a field"),
        ({"text": TEXT, "id": "a b"}, "/id", "letters, digits"),
        ({"text": TEXT, "id": 5}, "/id", "letters, digits"),
        ({"text": TEXT, "received_at": "2026-01-01T00:00:00"}, "/received_at", "time zone"),
        ({"text": TEXT, "received_at": "1826-01-01T00:00:00Z"}, "/received_at", "2000"),
        ({"text": TEXT, "received_at": "kemarin"}, "/received_at", "ISO 8601"),
        ({"text": TEXT, "received_at": "1700000000"}, "/received_at", "ISO 8601"),
        ({"text": TEXT, "received_at": 1_700_000_000}, "/received_at", "ISO 8601"),
        ({"text": TEXT, "received_at": 1.7e9}, "/received_at", "ISO 8601"),
        ({"text": TEXT, "received_at": True}, "/received_at", "ISO 8601"),
        ({"text": TEXT, "received_at": "2026-13-01T00:00:00Z"}, "/received_at", "datetime"),
        ({"text": TEXT, "received_at": "2026-01-01"}, "/received_at", "ISO 8601"),
        ({"title": "lampu"}, "/text", "is missing"),
        ({}, "/text", "is missing"),
        ([], "", "1 to 100"),
        ([{"text": TEXT}] * 101, "", "not 101"),
        ({"complaints": [{"text": TEXT}] * 101}, "/complaints", "at most 100"),
        ({"complaints": [{"text": TEXT}, {"text": ""}]}, "/complaints/1/text", "is empty"),
        ({"complaints": [{"text": TEXT}], "x": 1}, "/x", "not a field"),
        ({"complaints": [{"text": TEXT}], "id": "x"}, "/id", "not a field"),
        ({"complaints": [{"text": TEXT, "id": "a b"}], "x": 1}, "/complaints/0/id", "letters, digits"),
        ([{"text": TEXT}, 5], "/1", "object"),
        ("lampu", "", "object"),
        (5, "", "object"),
    ],
)
def test_what_is_wrong_is_named_and_pointed_to(api: Api, body: Any, pointer: str, says: str) -> None:
    answer = api.post("/predictions", json=body)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["type"] == "/api/docs#problem-invalid"
    assert {error["pointer"]: error["detail"] for error in answer.json["errors"]}[pointer].count(says) == 1


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"text": "\xff\xfe"}', "application/json", 400),
        (b'{"text": "\\ud80 lampu"}', "application/json", 400),
        (b'{"text": NaN}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"text": "lampu"}', "text/plain", 415),
        (b'{"text": "lampu"}', None, 415),
        (b" " * 4_000_001, "application/json", 413),
    ],
)
def test_a_body_that_is_no_json_gets_a_problem(api: Api, body: bytes, kind: str | None, status: int) -> None:
    answer = api.post("/predictions", data=body, content_type=kind)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "kind"), [("/predictions", "application/json"), ("/complaints", "application/json"), ("/complaints/batch", NDJSON)]
)
def test_a_packed_body_is_refused_as_one_and_not_as_broken_json(api: Api, path: str, kind: str) -> None:
    packed = gzip.compress(b'{"text": "lampu mati"}\n')
    answer = api.post(path, data=packed, content_type=kind, headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.headers.get("Accept-Encoding")) == (415, "identity")
    assert "Content-Encoding" in (answer.json or {})["detail"]
    plain = api.post(path, data=gzip.decompress(packed), content_type=kind, headers={"Content-Encoding": "identity"})
    assert plain.status_code in (200, 201)


def test_a_body_that_is_too_large_is_told_how_large_it_may_be(api: Api) -> None:
    answer = api.post("/predictions", data=b" " * 4_000_001, content_type="application/json")
    assert answer.json is not None
    assert answer.json["detail"] == "The body may have 4,000,000 bytes."


def test_a_problem_never_repeats_what_was_sent(api: Api) -> None:
    answer = api.post("/predictions", json=[{"text": {"rahasia": "namaku Joko"}}, {"text": "Joko\0", "id": "Joko Joko"}])
    assert answer.status_code == 422
    assert "Joko" not in answer.text


def test_right_to_left_marks_inside_a_complaint_do_no_harm(api: Api) -> None:
    answer = api.post("/predictions", json={"text": "\u202alampu\u202c mati"})
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["evidence"][0]["span"]["start"] == 1


@pytest.mark.parametrize(
    ("header", "status", "kind"),
    [
        (None, 401, "no-key"),
        ("Bearer", 401, "no-key"),
        ("Bearer salur_abc_def", 401, "wrong-key"),
        ("Bearer \u00ff\u00fe", 401, "wrong-key"),
        ("Basic YTpi", 401, "wrong-key"),
    ],
)
def test_without_a_good_key_nothing_is_said(client: FlaskClient, header: str | None, status: int, kind: str) -> None:
    answer = client.post("/api/v1/predictions", json={"text": TEXT}, headers={"Authorization": header} if header else {})
    assert answer.status_code == status
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json is not None
    assert answer.json["type"].endswith(kind)


def test_a_key_does_only_what_its_scopes_say(database: Database, client: FlaskClient) -> None:
    with database.write() as connection:
        _, feed = keys.add(connection, "Umpan", ["feed"])
        _, admin = keys.add(connection, "Induk", ["admin"])
    refused = client.post("/api/v1/predictions", json={"text": TEXT}, headers={"Authorization": f"Bearer {feed}"})
    assert refused.status_code == 403
    assert client.post("/api/v1/predictions", json={"text": TEXT}, headers={"Authorization": f"Bearer {admin}"}).status_code == 200


def test_a_key_is_held_to_its_rate(database: Database, client: FlaskClient) -> None:
    with database.write() as connection:
        _, slow = keys.add(connection, "Pelan", ["predict"], rate_limit="2 per day")
    calls = [client.post("/api/v1/predictions", json={"text": TEXT}, headers={"Authorization": f"Bearer {slow}"}) for _ in range(3)]
    assert [call.status_code for call in calls] == [200, 200, 429]
    assert int(calls[2].headers["Retry-After"]) > 0


def test_who_tries_keys_is_stopped_and_who_has_one_is_not(client: FlaskClient, api: Api) -> None:
    guess = {"Authorization": "Bearer salur_abc_def"}
    # As many as two minutes allow and more: one may end meanwhile.
    tries = [client.post("/api/v1/predictions", json={"text": TEXT}, headers=guess) for _ in range(122)]
    assert {answer.status_code for answer in tries} == {401, 429}
    assert int(next(answer for answer in tries if answer.status_code == 429).headers["Retry-After"]) > 0
    assert api.post("/predictions", json={"text": TEXT}).status_code == 200


def test_without_a_model_the_caller_is_asked_to_come_again(api: Api, settings: Settings) -> None:
    (settings.models / "current").unlink()
    answer = api.post("/predictions", json={"text": TEXT})
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert api.get("/agencies").status_code == 503


def test_a_broken_model_is_named_in_readiness(client: FlaskClient, settings: Settings) -> None:
    (settings.models / "current").write_text("tidak-ada")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert "tidak-ada" in answer.json["model"]["trouble"]


def test_ready_means_model_and_tables_are_there(client: FlaskClient, database: Database) -> None:
    assert client.get("/readyz").json == {"ready": True, "model": {"version": "palsu-1", "trouble": ""}, "database": "ok"}
    database.downgrade("base")
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_an_old_server_beside_a_newer_one_is_not_told_to_migrate_alone(client: FlaskClient, database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    answer = client.get("/readyz")
    assert (answer.status_code, (answer.json or {})["database"].split(":")[0]) == (
        503,
        f"the tables are at 9999, this program's at {REVISION}",
    )
    assert "update the program" in (answer.json or {})["database"]


def test_agencies_and_model_are_shown(api: Api) -> None:
    listed, model = api.get("/agencies").json, api.get("/models/current").json
    assert listed is not None
    assert [agency["id"] for agency in listed["agencies"]][:2] == ["dishub", "dpupr"]
    assert model is not None
    assert model["version"] == "palsu-1"


def test_requests_and_routings_are_counted(api: Api, client: FlaskClient) -> None:
    api.post("/predictions", json={"text": TEXT})
    for method in ("HALO", "APAKABAR"):  # anybody can make up a method, and each figure is kept for ever
        client.open("/api/v1/predictions", method=method)
    figures = client.get("/metrics").text
    assert "HALO" not in figures
    assert 'method="other"' in figures
    assert 'salur_requests_total{method="POST",route="/api/v1/predictions",status="200"}' in figures
    assert 'salur_routings_total{call="predictions",decision="review"}' in figures


def test_nothing_a_citizen_wrote_is_logged(api: Api, client: FlaskClient, capfd: pytest.CaptureFixture[str]) -> None:
    api.post("/predictions", json={"text": "lampu milik Joko Widuri mati"})
    api.post("/predictions", json={"text": ["Joko Widuri"]})
    client.get("/api/v1/complaints/Joko-Widuri?x=Joko")
    assert "Joko" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/predictions"])
def test_machines_get_problems_for_wrong_addresses_too(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 405)
    assert answer.content_type == "application/problem+json"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["text", "title", "complaints", "id", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(body=JSON)
@example(body={"text": "\ufffe\uffff lampu"})
@effort(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_is_answered_without_an_error_of_ours(api: Api, body: Any) -> None:
    answer = api.post("/predictions", data=json.dumps(body), content_type="application/json")
    assert answer.status_code in (200, 422)


@given(body=st.binary(max_size=200))
@effort(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_answered_without_an_error_of_ours(api: Api, body: bytes) -> None:
    answer = api.post("/predictions", data=body, content_type="application/json")
    assert answer.status_code in (400, 422)


def test_the_model_of_a_request_stays_the_same_and_follows_the_pointer(app: Flask, api: Api, settings: Settings) -> None:
    (settings.models / "palsu-2").mkdir()
    (settings.models / "palsu-2" / "ok").touch()
    assert api.post("/predictions", json={"text": TEXT}).json["model_version"] == "palsu-1"  # type: ignore[index]
    (settings.models / "current").write_text("palsu-2")
    app.extensions["salur"].models._looked_at = float("-inf")
    assert api.post("/predictions", json={"text": TEXT}).json["model_version"] == "palsu-2"  # type: ignore[index]


def test_the_folder_of_models_is_where_the_settings_say(settings: Settings) -> None:
    assert isinstance(settings.models, Path)
