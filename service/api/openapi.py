"""The OpenAPI 3.1 document of the API, made from the views themselves, so that it cannot say what they do not do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, NamedTuple, TypeVar

from flask import Flask
from pydantic import TypeAdapter

from service.security.access import Access
from service.web.problems import KINDS, MEDIA_TYPE
from service.web.schemas import DecisionOut, ProblemOut

_View = TypeVar("_View", bound=Callable[..., Any])
UNREAD = ("bad-request", "too-slow", "uri-too-long", "headers-too-large")
"""How the server answers, before any view, what is no request of HTTP, or none that came whole."""
_REF = "#/components/schemas/{model}"
_COME_AGAIN = {"Retry-After": ("integer", "seconds to wait")}
_HEADERS = {
    "201": {"Location": ("string", "the path of what was made")},
    "401": {"WWW-Authenticate": ("string", "how to say who is calling")},
    "409": {"Retry-After": ("integer", "seconds to wait, with `in-flight` alone")},
    "429": _COME_AGAIN,
    "503": _COME_AGAIN,
}
"""Headers that an answer of some status carries, each with its type and what it says."""

_TOLD_WITH = (
    (
        "Salur-Signature",
        "`t=TIME,v1=HEX`: when it was signed, in seconds since 1970, and the HMAC-SHA256 of `TIME.BODY` in hexadecimal, of the "
        "bytes as they come, with the signing key as it was shown",
        r"^t=\d+,v1=[0-9a-f]{64}$",
    ),
    ("Salur-Delivery", "the same for each attempt to tell one entry to one address", r"^\d+-\d+$"),
)
"""The headers of what is posted to webhooks: each with what it says, and its form."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the path, the query or a header."""

    name: str
    where: str
    text: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True)
class Operation:
    """What one view takes and gives. `answers`: status -> (what it means, type, or None where there is no body)."""

    summary: str
    text: str = ""
    takes: Sequence[Any] = ()
    takes_media: str = "application/json"
    gives_media: str = "application/json"
    answers: Mapping[int, tuple[str, Any]] = field(default_factory=dict)
    problems: Sequence[str] = ()
    parameters: Sequence[Parameter] = ()
    example: Any = None


def describes(operation: Operation) -> Callable[[_View], _View]:
    """Attach its description to a view."""

    def mark(view: _View) -> _View:
        view.operation = operation  # type: ignore[attr-defined]
        return view

    return mark


class Described(NamedTuple):
    """A described view, and where it is."""

    path: str
    method: str
    name: str
    operation: Operation
    access: Access


def operations(app: Flask) -> list[Described]:
    """Answer every described view, in the order of the addresses."""
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if (operation := getattr(view, "operation", None)) is not None:
            path = re.sub(r"<(?:[a-z]+(?:\([^)]*\))?:)?(\w+)>", r"{\1}", rule.rule)
            method = next(name for name in ("GET", "POST", "PUT", "DELETE") if name in (rule.methods or ()))
            name = rule.endpoint.rpartition(".")[2]
            access: Access = view.access  # type: ignore[union-attr]
            found.append(Described(path, method, name, operation, access))
    return sorted(found, key=lambda view: (view.path, view.method))


def document(app: Flask) -> dict[str, Any]:
    """Make the document of an app."""
    listed = operations(app)
    types = _types(listed)
    taken = [kind for view in listed for kind in view.operation.takes]
    adapters = {index: TypeAdapter(kind) for index, kind in enumerate(types)}
    # What comes in and what goes out differ in what is required; nothing of ours is both.
    modes = {index: "validation" if kind in taken else "serialization" for index, kind in enumerate(types)}
    schemas, definitions = TypeAdapter.json_schemas(
        [(index, modes[index], adapter) for index, adapter in adapters.items()],  # type: ignore[misc]
        ref_template=_REF,
    )
    by_type = {kind: schemas[(index, modes[index])] for index, kind in enumerate(types)}  # type: ignore[index]
    paths: dict[str, dict[str, Any]] = {}
    for view in listed:
        paths.setdefault(view.path, {})[view.method.lower()] = _operation(view, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Salur",
            "version": metadata.version("salur"),
            "summary": "Who is responsible for a citizen's complaint, how sure that is, and whether a person must look first.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "webhooks": {"decision": {"post": _webhook(by_type[DecisionOut])}},
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "an API key: salur_…"}},
        },
    }


def _webhook(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Describe what `service.outbound.webhooks` posts."""
    return {
        "operationId": "told_decision",
        "summary": "Be told what is decided",
        "description": "Salur posts each entry of `GET /api/v1/decisions` to an address that its operator has added. It may come "
        "twice, or behind later ones: keep the highest `cursor` of each complaint. Redirects are not followed.",
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string", "pattern": form}}
            for name, text, form in _TOLD_WITH
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": entry}}},
        "responses": {
            "2XX": {"description": "Taken: it does not come again."},
            "410": {"description": "Not wanted: this entry does not come again."},
            "default": {"description": "Not taken: it is tried again, for a day and a half."},
        },
    }


def _types(listed: Sequence[Described]) -> list[Any]:
    found: list[Any] = [ProblemOut, DecisionOut]
    for view in listed:
        for kind in (*view.operation.takes, *(kind for _, kind in view.operation.answers.values())):
            if kind is not None and kind not in found:
                found.append(kind)
    return found


def _operation(view: Described, by_type: Mapping[Any, Any]) -> dict[str, Any]:
    operation, access = view.operation, view.access
    kinds = [*operation.problems, *UNREAD, "internal"]
    if access.scope:
        # Every call may come when there are too many, or when there is no database to find its key in.
        kinds += ["no-key", "wrong-key", "forbidden", "too-many", "busy"]
    answers: dict[str, Any] = {
        str(status): {"description": text}
        | ({"content": {operation.gives_media: {"schema": by_type[kind]}}} if kind is not None else {})
        for status, (text, kind) in operation.answers.items()
    }
    for kind in dict.fromkeys(kinds):
        status = str(KINDS[kind].status)
        text = f"{KINDS[kind].title} (`{kind}`)."
        if status in answers and "content" in answers[status] and MEDIA_TYPE in answers[status]["content"]:
            answers[status]["description"] += f" {text}"
        else:
            answers[status] = {"description": text, "content": {MEDIA_TYPE: {"schema": by_type[ProblemOut]}}}
    for status in _HEADERS.keys() & answers.keys():
        answers[status]["headers"] = {
            name: {"schema": {"type": kind}, "description": text} for name, (kind, text) in _HEADERS[status].items()
        }
    made: dict[str, Any] = {"operationId": view.name, "summary": operation.summary, "responses": dict(sorted(answers.items()))}
    if operation.text:
        made["description"] = operation.text
    if not access.scope:
        made["security"] = []
    elif access.scope != "any":
        made["x-scope"] = access.scope
    if operation.parameters:
        made["parameters"] = [
            {"name": p.name, "in": p.where, "required": p.where == "path", "description": p.text, "schema": dict(p.schema)}
            for p in operation.parameters
        ]
    if operation.takes:
        schemas = [by_type[kind] for kind in operation.takes]
        content: dict[str, Any] = {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}
        if operation.example is not None:
            content["example"] = operation.example
        made["requestBody"] = {"required": True, "content": {operation.takes_media: content}}
    return made
