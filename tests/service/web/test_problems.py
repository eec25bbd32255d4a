"""What goes wrong is told to machines in RFC 9457 and to people in Indonesian, and gives nothing away."""

from __future__ import annotations

import html
import json
import re
import shlex
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import jsonschema
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from service.security import access
from service.web import problems
from service.web.problems import KINDS, Problem

if TYPE_CHECKING:
    from tests.service.conftest import Api, Person


@access.public()
def burst() -> str:
    """Fail, quoting a citizen."""
    raise RuntimeError("Joko menulis: lampu mati")


@access.public()
def lock() -> str:
    """Fail as a locked database does."""
    raise OperationalError("INSERT ... Joko", {}, Exception("database is locked"))


@access.public()
def teapot() -> str:
    """Fail with a problem of ours."""
    raise Problem("conflict", "Somebody was faster.", sentence="Sudah diputuskan oleh Bu Ani.")


@pytest.fixture
def failing(make_app: Callable[..., Flask]) -> FlaskClient:
    """A client of an app with views that fail, once for machines and once for people."""
    app = make_app()
    for view in (burst, lock, teapot):
        for prefix in ("", "/api/v1"):
            app.add_url_rule(f"{prefix}/{view.__name__}", f"{prefix}{view.__name__}", view)
    return app.test_client()


@pytest.mark.parametrize("host", ["a..b", ".", "x" * 64])
@pytest.mark.parametrize("path", ["/masuk", "/api/v1/agencies"])
def test_a_host_that_is_no_name_is_the_callers_fault(client: FlaskClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert (answer.status_code, (answer.json or {}).get("type")) == (400, "/api/docs#problem-bad-request")


def test_a_page_that_fails_while_it_tells_a_problem_writes_no_line_of_the_callers_making(
    failing: FlaskClient, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise RuntimeError("Joko menulis: lampu mati")

    monkeypatch.setattr(problems, "render_template", fail)
    failing.application.config["PROPAGATE_EXCEPTIONS"] = False
    with pytest.raises(RuntimeError):
        failing.get("/tidak/ada%0aJoko")
    told = capfd.readouterr()
    assert "Joko" not in caplog.text + told.out + told.err
    assert "request failed" in told.out + told.err


@pytest.mark.parametrize(
    ("path", "status", "kind"), [("burst", 500, "internal"), ("lock", 503, "busy"), ("teapot", 409, "conflict")]
)
def test_a_machine_gets_a_problem_document(failing: FlaskClient, path: str, status: int, kind: str) -> None:
    answer = failing.get(f"/api/v1/{path}", headers={"X-Request-Id": "uji-12345678"})
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["type"] == f"/api/docs#problem-{kind}"
    assert answer.json["request_id"] == answer.headers["X-Request-Id"] == "uji-12345678"
    assert "Joko" not in answer.text
    assert ("Retry-After" in answer.headers) is (status == 503)


@pytest.mark.parametrize(
    "path",
    [
        *("/api", "/api/", "/api/v1", "/api/v2/predictions", "/api/predictions", "/api/openapi.yaml"),
        *("/api/v1//predictions", "/api/v1/complaints//outcome"),  # the second is what becomes of an id that is empty
    ],
)
def test_whoever_calls_an_api_that_there_is_not_gets_a_problem_document(client: FlaskClient, path: str) -> None:
    answer = client.post(path, json={"text": "lampu"})
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert (answer.json or {})["type"] == "/api/docs#problem-not-found"


def test_the_page_that_documents_the_api_stays_a_page(client: FlaskClient) -> None:
    assert '<html lang="id">' in client.get("/api/docs").text
    assert '<html lang="id">' in client.post("/api/docs").text


@pytest.mark.parametrize(
    ("path", "says"), [("burst", "Terjadi kesalahan"), ("lock", "sedang sibuk"), ("teapot", "Sudah diputuskan oleh Bu Ani.")]
)
def test_a_person_gets_a_page_in_indonesian(failing: FlaskClient, path: str, says: str) -> None:
    answer = failing.get(f"/{path}")
    assert says in answer.text
    assert '<html lang="id">' in answer.text
    assert "Joko" not in answer.text
    assert "Traceback" not in answer.text


def test_the_page_of_a_database_in_trouble_does_not_ask_the_database(
    failing: FlaskClient, petugas: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr("service.security.accounts.from_session", down)
    answer = petugas.client.get("/sandi")
    assert answer.status_code == 503
    assert "sedang sibuk" in answer.text


def test_what_fails_is_logged_by_kind_and_place_alone(failing: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    failing.get("/api/v1/burst")
    logged = "".join(capsys.readouterr())
    assert "RuntimeError" in logged
    assert "test_problems.py" in logged
    assert "Joko" not in logged


@pytest.mark.parametrize("given", ["", "short", "x" * 100, "semi;colon-here", "new\u2028line-here"])
def test_a_strange_request_id_is_replaced(client: FlaskClient, given: str) -> None:
    headers = {"X-Request-Id": given.encode("utf-8").decode("latin-1")} if given else {}
    answer = client.get("/healthz", headers=headers)
    assert answer.headers["X-Request-Id"] not in ("", given)


def test_every_kind_says_something_to_everybody() -> None:
    for kind in KINDS.values():
        assert kind.title
        assert kind.heading
        assert kind.advice
        assert 400 <= kind.status < 600
    assert set(problems._BY_STATUS.values()) <= set(KINDS)


def test_every_kind_has_its_place_in_the_documentation(client: FlaskClient) -> None:
    page = client.get("/api/docs").text
    assert all(f'id="problem-{kind}"' in page for kind in KINDS)


def test_every_example_of_the_documentation_can_be_called_as_it_stands(client: FlaskClient) -> None:
    page = html.unescape(client.get("/api/docs").text)
    examples = re.findall(r"<code>(curl .*?)</code>", page, re.DOTALL)
    assert len(examples) == 4
    addresses = [shlex.split(example)[-1] for example in examples]
    assert all(address.startswith("http://localhost/api/v1/") for address in addresses)
    assert "http://localhost/api/v1/complaints/WA-2026-00017/outcome" in addresses
    assert any("--data-binary" in example for example in examples), "-d would take the line breaks out of a batch"


def test_no_description_of_the_api_says_anything_twice(client: FlaskClient) -> None:
    told = [sentences(text) for text in descriptions(client.get("/api/openapi.json").json)]
    assert len(told) > 50
    assert [text for text in told if len(set(text)) < len(text)] == []


def descriptions(document: object) -> Iterator[str]:
    """Yield every description in a document."""
    parts = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for name, part in parts:
        if name == "description" and isinstance(part, str):
            yield part
        yield from descriptions(part)


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=\.) ", text)


def test_the_feed_says_whose_decisions_a_key_sees(client: FlaskClient) -> None:
    document = client.get("/api/openapi.json").json
    assert document is not None
    told = document["paths"]["/api/v1/decisions"]["get"]["description"]
    assert "source" in told
    assert "`admin`" in told


def test_every_call_with_a_key_may_have_to_wait_and_says_so(client: FlaskClient) -> None:
    document = client.get("/api/openapi.json").json
    assert document is not None
    for item in document["paths"].values():
        for operation in item.values():
            assert "Retry-After" in operation["responses"]["503"]["headers"], operation["operationId"]


def test_the_document_is_openapi_3_1_and_tells_every_view_of_the_api(app: Flask, client: FlaskClient) -> None:
    answer = client.get("/api/openapi.json")
    assert answer.json is not None
    document = answer.json
    assert document["openapi"] == "3.1.0"
    told = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert told == {
        ("POST", "/api/v1/predictions"),
        ("GET", "/api/v1/agencies"),
        ("GET", "/api/v1/models/current"),
        ("POST", "/api/v1/complaints"),
        ("POST", "/api/v1/complaints/batch"),
        ("GET", "/api/v1/complaints/{client_id}"),
        ("POST", "/api/v1/complaints/{client_id}/outcome"),
        ("GET", "/api/v1/decisions"),
    }
    described = {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/v1/")}
    assert all(hasattr(app.view_functions[endpoint], "operation") for endpoint in described)
    names = {operation["operationId"] for item in document["paths"].values() for operation in item.values()}
    assert len(names) == len(told)


def test_every_operation_tells_that_it_can_be_too_busy_and_when_to_come_again(client: FlaskClient) -> None:
    """The server refuses any request where it has too many under way."""
    document = client.get("/api/openapi.json").json
    assert document is not None
    told = [operation["responses"].get("503", {}) for item in document["paths"].values() for operation in item.values()]
    assert all("Retry-After" in answer.get("headers", {}) for answer in told)


def test_the_document_names_the_headers_that_answers_carry(api: Api, client: FlaskClient) -> None:
    paths = (client.get("/api/openapi.json").json or {})["paths"]
    told = paths["/api/v1/complaints"]["post"]["responses"]
    stored, refused = api.post("/complaints", json={"text": "lampu pasti"}), client.post("/api/v1/complaints", json={})
    for answer, name in ((stored, "Location"), (refused, "WWW-Authenticate")):
        assert name in answer.headers
        assert list(told[str(answer.status_code)]["headers"]) == [name]
    assert "headers" not in told["200"]


def test_the_document_says_of_each_call_what_an_idempotency_key_does(client: FlaskClient) -> None:
    paths = (client.get("/api/openapi.json").json or {})["paths"]

    def told(path: str) -> str:
        parameters = paths[f"/api/v1/complaints{path}"]["post"].get("parameters", [])
        return next((one["description"] for one in parameters if one["name"] == "Idempotency-Key"), "")

    assert told("").endswith("is answered with the first answer")
    assert "known as long as what a complaint says is kept" in told("")
    assert told("/{client_id}/outcome").endswith("is answered with the complaint as it stands then")
    assert told("/batch") == ""
    assert "no Idempotency-Key is read" in paths["/api/v1/complaints/batch"]["post"]["description"]


def test_the_document_says_how_large_a_batch_may_be(client: FlaskClient) -> None:
    paths = (client.get("/api/openapi.json").json or {})["paths"]
    assert "300,000 bytes, and all of them 200,000,000" in paths["/api/v1/complaints/batch"]["post"]["description"]


def test_the_document_names_every_problem_by_the_end_of_its_type(api: Api, client: FlaskClient) -> None:
    """Two problems of one status may ask for opposite things: `in-flight` to come again, `conflict` not to."""
    document = client.get("/api/openapi.json").json or {}
    answers = document["paths"]["/api/v1/complaints"]["post"]["responses"]
    assert answers["409"]["description"] == "Conflict (`conflict`). The same request is still under way (`in-flight`)."
    assert list(answers["409"]["headers"]) == ["Retry-After"]
    assert all(
        "internal" in operation["responses"]["500"]["description"]
        for operation in document["paths"]["/api/v1/predictions"].values()
    )
    for item in document["paths"].values():
        for operation in item.values():
            for status, answer in operation["responses"].items():
                named = re.findall(r"\(`([a-z-]+)`\)", answer["description"])
                assert bool(named) == (status >= "400"), operation["operationId"]
                assert {str(KINDS[kind].status) for kind in named} <= {status}
    api.post("/complaints", json={"id": "N-1", "text": "lampu"})
    refused = api.post("/complaints", json={"id": "N-1", "text": "sampah"}).json or {}
    assert document["components"]["schemas"]["ProblemOut"]["properties"]["type"]["examples"] == [refused["type"]]


def test_the_document_says_what_the_fields_of_a_routing_mean(client: FlaskClient) -> None:
    fields = (client.get("/api/openapi.json").json or {})["components"]["schemas"]["Routing"]["properties"]
    assert all("description" in fields[name] for name in ("missing", "kind", "oversight", "listed", "emergency"))


def test_no_reference_in_the_document_leads_nowhere(client: FlaskClient) -> None:
    answer = client.get("/api/openapi.json")
    assert answer.json is not None
    schemas = answer.json["components"]["schemas"]
    references = {part.split('"')[0] for part in answer.text.split("#/components/schemas/")[1:]}
    assert references <= set(schemas)
    assert {"ComplaintIn", "Routing", "Stored", "ProblemOut", "DecisionsOut"} <= set(schemas)


def test_answers_are_what_the_document_says(api: Api, client: FlaskClient) -> None:
    document = client.get("/api/openapi.json").json
    assert document is not None

    def fits(answer_text: str, path: str, method: str, status: str, media: str = "application/json") -> None:
        schema = document["paths"][path][method]["responses"][status]["content"][media]["schema"]
        jsonschema.validate(json.loads(answer_text), {**schema, "components": document["components"]})

    sure = {"id": "D-1", "text": "lampu pasti"}
    fits(api.post("/predictions", json=sure).text, "/api/v1/predictions", "post", "200")
    fits(api.post("/predictions", json=[sure]).text, "/api/v1/predictions", "post", "200")
    fits(api.post("/predictions", json={}).text, "/api/v1/predictions", "post", "422", "application/problem+json")
    fits(api.post("/complaints", json=sure).text, "/api/v1/complaints", "post", "201")
    fits(api.post("/complaints", json=sure).text, "/api/v1/complaints", "post", "200")
    fits(
        api.post("/complaints/D-1/outcome", json={"outcome": "accepted"}).text,
        "/api/v1/complaints/{client_id}/outcome",
        "post",
        "200",
    )
    fits(api.get("/complaints/D-1").text, "/api/v1/complaints/{client_id}", "get", "200")
    fits(api.get("/complaints/D-2").text, "/api/v1/complaints/{client_id}", "get", "404", "application/problem+json")
    fits(api.get("/decisions").text, "/api/v1/decisions", "get", "200")
    fits(api.get("/agencies").text, "/api/v1/agencies", "get", "200")
    fits(api.get("/models/current").text, "/api/v1/models/current", "get", "200")
    for line in api.post(
        "/complaints/batch", data=b'{"id": "D-9", "text": "lampu"}\n{}', content_type="application/x-ndjson"
    ).text.splitlines():
        fits(line, "/api/v1/complaints/batch", "post", "200", "application/x-ndjson")
