"""What Schemathesis must be told of this API: how NDJSON is written and read, and which valid data may be refused."""

from __future__ import annotations

import json
from typing import Any

import schemathesis

NDJSON = "application/x-ndjson"
EXPLAINED = (
    "must lie between the year 2000 and now, which the header Date says as we have it",
    "contains the character U+0000, which no database keeps",
    "has no letter and no digit: there is nothing to read",
    "is no agency of the register: give its id, as /api/v1/agencies lists it",
    "goes with bukan-wewenang only",
    "goes with an agency only",
    "goes with a family of agencies only",
    "must name the kecamatan whose office it is, as the register has it",
    "must name the desa whose office it is, as the register has it",
    "is the agency that the complaint was sent to",
    "This Idempotency-Key was used with another body.",
    "no decision has this cursor: the service came back from an older copy of its database. "
    "Go on from the last cursor of that copy, or from an earlier one",
)
"""Every reason for which data that fits the schema may be refused: JSON Schema cannot say them, or only the database knows."""


@schemathesis.serializer(NDJSON)
def write_line(_ctx: object, value: Any) -> bytes:
    """Send a body as the one line of a batch."""
    return value if isinstance(value, bytes) else json.dumps(value).encode() + b"\n"


@schemathesis.deserializer(NDJSON)
def read_line(_ctx: object, response: Any) -> Any:
    """Read the answer to that line; the document describes a line, not the stream."""
    return _first_line(response)


@schemathesis.check
def valid_data_is_taken_or_refused_for_a_known_reason(_ctx: object, response: Any, case: Any) -> None:
    """Stands in for `positive_data_acceptance`, which knows statuses only: a refusal must say one of the reasons above."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    document = json.loads(response.content or b"null") if response.status_code == 422 else None
    if response.status_code == 200 and case.operation.path.endswith("/batch"):
        document = _first_line(response).get("problem")
        if document is not None and document["status"] != 422:
            assert document["status"] == 409, document
            return
    if document is None:
        assert response.status_code < 300 or response.status_code in (401, 404, 405, 406, 409), response.status_code
        return
    reasons = [error["detail"] for error in document.get("errors", [])] or [document["detail"]]
    assert all(reason in EXPLAINED for reason in reasons), reasons


def _first_line(response: Any) -> Any:
    lines = [json.loads(line) for line in response.content.splitlines()]
    return lines[0] if lines else {"line": 1, "status": 200}  # blank lines are skipped, and not answered
