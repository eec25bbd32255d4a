"""The API for machines, version 1: who is responsible, and what is known of agencies and model."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response

from model.routing import Routing
from service.api.openapi import Operation, describes
from service.parts import parts
from service.security import access
from service.telemetry import metrics
from service.web import bodies
from service.web.schemas import AgenciesOut, AgencyOut, ComplaintIn, Complaints, Manifest, Routings, Several, routing_json

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
EXAMPLE = {"text": "lampu jalan di depan pasar mati sudah seminggu"}


def json_answer(content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON that is written already."""
    return Response(content, status, headers, content_type="application/json")


@blueprint.post("/predictions")
@access.api("predict")
@describes(
    Operation(
        "Say who is responsible",
        'Takes one complaint, or up to 100 as a list or as `{"complaints": [...]}`; stores nothing. One complaint is answered by '
        'its routing, several by `{"routings": [...]}` in their order, all from one model version. '
        "`emergency` is there only where the text seems to tell of danger to life now: show the sentence to the reporter at once. "
        "Offsets of evidence and places count Unicode characters of the field as it was sent.",
        takes=(ComplaintIn, Complaints, Several),
        answers={200: ("The routing, or the routings.", Routing | Routings)},
        problems=("not-json", "too-large", "not-supported", "invalid", "no-model"),
        example=EXAMPLE,
    )
)
def predict() -> Response:
    """Route without storing anything."""
    asked, several = bodies.complaints(bodies.json_body())
    models = parts().models
    router = models.require()
    today = parts().calendar.today().isoformat()  # an agency that ended gets nothing
    routings = [models.route(router, item.complaint(today)) for item in asked]
    metrics.count_routings(routings, "predictions")
    written = [routing_json(routing) for routing in routings]
    return json_answer(b'{"routings":[' + b",".join(written) + b"]}" if several else written[0])


@blueprint.get("/agencies")
@access.api("")
@describes(Operation("List the agencies", answers={200: ("Everyone who can be responsible.", AgenciesOut)}, problems=("no-model",)))
def agencies() -> Response:
    """List the register's agencies."""
    router = parts().models.require()
    listed = [AgencyOut(**asdict(agency)) for agency in router.register.agencies]
    return json_answer(AgenciesOut(agencies=listed, model_version=router.version).model_dump_json().encode())


@blueprint.get("/models/current")
@access.api("")
@describes(Operation("Show the model in use", answers={200: ("The manifest of its artifact.", Manifest)}, problems=("no-model",)))
def current_model() -> dict[str, Any]:
    """Show the manifest of the model in use."""
    return dict(parts().models.require().manifest)
