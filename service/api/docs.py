"""The API's document at /api/openapi.json, and a page at /api/docs that shows it without a script or a foreign host."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request

from service.api import openapi
from service.security import access
from service.web.problems import KINDS

blueprint = Blueprint("api_docs", __name__, url_prefix="/api")


@blueprint.get("/openapi.json")
@access.public()
def document() -> Response:
    """Give the OpenAPI document."""
    return Response(json.dumps(_document(), ensure_ascii=False), content_type="application/json")


@blueprint.get("/docs")
@access.public()
def page() -> str:
    """Show the document as a page."""
    host = request.host_url.rstrip("/")  # so that an example can be called as it stands
    helpers = {"type_of": _type, "resolve": _resolve, "example_path": _example_path}
    return render_template("api_docs.html", document=_document(), kinds=KINDS, host=host, **helpers)


def _document() -> dict[str, Any]:
    if "salur-openapi" not in current_app.extensions:  # made at the first call: few processes are ever asked
        current_app.extensions["salur-openapi"] = openapi.document(current_app)
    made: dict[str, Any] = current_app.extensions["salur-openapi"]
    return made


def _resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference into the components."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = _document()["components"]["schemas"][name] if name else schema
    return found


def _example_path(path: str, operation: dict[str, Any]) -> str:
    """Fill the parameters of a path with their examples."""
    given = {p["name"]: p["schema"]["examples"][0] for p in operation.get("parameters", ()) if p["in"] == "path"}
    return path.format(**given)


def _type(schema: dict[str, Any]) -> str:
    """Say in a few words what a schema asks for."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema or "const" in schema:
        return " | ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    for alternatives in ("anyOf", "oneOf"):
        if alternatives in schema:
            return " or ".join(dict.fromkeys(_type(part) for part in schema[alternatives]))
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if "format" in schema:
        return f"{kind} ({schema['format']})"
    limits = [f"{name} {schema[key]:,}" for key, name in (("minLength", "at least"), ("maxLength", "at most")) if key in schema]
    return f"{kind}, {', '.join(limits)} characters" if limits else kind
