"""From the bytes of a body to a checked shape, or to a problem that names each fault and where it stands."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Sequence
from typing import Any, TypeVar

from flask import Request, request
from pydantic import ValidationError
from pydantic_core import from_json
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.routing import IntegerConverter, Map

from service.storage.tables import MAX_ID
from service.web.problems import Detail, Problem
from service.web.schemas import MAX_ITEMS, ComplaintIn, Complaints, Shape

MAX_ERRORS = 20
"""Faults told of one body; whoever sends a thousand wrong fields is not sent a thousand lines."""
_S = TypeVar("_S", bound=Shape)
_MESSAGES = {
    "missing": "is missing",
    "extra_forbidden": "is not a field that is known here",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "string_too_short": "is empty",
    "timezone_aware": "needs a time zone, such as 2026-03-01T08:00:00+08:00",
}
_HALF = re.compile(rb"(\\\\|\\u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2})|\\u[Dd][89A-Fa-f][0-9A-Fa-f]{2}")
"""Half of an escaped surrogate pair; in the group is what only looks like one: a backslash that is escaped, and a whole pair."""
_WRONG_ID = "must be 1 to 100 letters, digits or . _ : ~ -, and not . or .. alone"


class _WithoutNul(ImmutableMultiDict[str, Any]):
    """What a form or an address says, without the one character that PostgreSQL does not take; files stay as they are."""

    def __init__(self, mapping: Any = None) -> None:
        given = MultiDict[str, Any](mapping).items(multi=True)
        super().__init__([(name, value.replace("\0", "") if isinstance(value, str) else value) for name, value in given])


class PlainRequest(Request):
    """A request without NUL characters in its fields, whose body is as long as it says: no view has to check either."""

    parameter_storage_class = _WithoutNul

    def __init__(self, environ: dict[str, Any], *args: Any, **options: Any) -> None:
        # gunicorn says of every body that it knows its end. Where the caller ended it early, what came is not what was meant: a
        # batch that is cut between two lines looks whole.
        if "CONTENT_LENGTH" in environ:
            environ.pop("wsgi.input_terminated", None)
        super().__init__(environ, *args, **options)


class RowNumber(IntegerConverter):
    """A row's number in an address, `<row:name>`: a larger one is no address, and never reaches the database."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=MAX_ID)


def row_number(text: str) -> int | None:
    """Read a row's number as a form or an address gives it; None for what can be none."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_ID))):
        return None
    number = int(text)
    return number if number <= MAX_ID else None


def invalid(*errors: Detail) -> Problem:
    """Make the problem of a request that is wrong in some places."""
    return Problem("invalid", "The request is not valid.", errors)


def json_body() -> Any:
    """Decode the body of this request. Raises `not-supported` where it is said not to be JSON, `not-json` where it is none."""
    asked = request._get_current_object()  # type: ignore[attr-defined]
    if not asked.is_json:
        raise Problem("not-supported", "Send JSON, and say so: Content-Type: application/json.")
    refuse_packed()
    return decode(asked.get_data(cache=False))


def refuse_packed() -> None:
    """Raise `not-supported` where this request's body is packed: unpacked here it could be a thousand times what was sent."""
    if request.environ.get("HTTP_CONTENT_ENCODING", "").strip().lower() not in ("", "identity"):
        raise Problem(
            "not-supported",
            "Send the body as it is: no Content-Encoding is unpacked here.",
            headers={"Accept-Encoding": "identity"},
        )


def decode(body: bytes) -> Any:
    """Decode JSON in UTF-8. Raises the problem `not-json` saying where it breaks."""
    # Windows tools begin a file with a byte order mark, which nobody sees: a batch would lose its first complaint to it.
    body = body.removeprefix(BOM_UTF8)
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        # Who cuts a text to a length cuts an emoji in two, and JavaScript writes the half as an escape. That complaint could never
        # be sent: so the half becomes the mark of what cannot be read, as it does wherever such a text is shown.
        if (mended := _HALF.sub(lambda found: found[1] or rb"\ufffd", body)) != body:
            return decode(mended)
        raise Problem("not-json", f"The body is not JSON in UTF-8: {error}.") from error


def check(shape: type[_S], value: Any, at: Sequence[str | int] = ()) -> _S:
    """Check a decoded value; `at` is where it stands in the body. Raises `invalid` with a pointer to each fault."""
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        raise invalid(*_details(error, at)) from error


def complaints(value: Any) -> tuple[list[ComplaintIn], bool]:
    """Read one complaint, a list, or {"complaints": [...]}; answers them, and whether they came as several."""
    if isinstance(value, list):
        if not 1 <= len(value) <= MAX_ITEMS:
            raise invalid(Detail("", f"must hold 1 to {MAX_ITEMS} complaints, not {len(value)}"))
        return _each(value, ()), True
    if isinstance(value, dict) and "complaints" in value:
        items = value["complaints"]
        if isinstance(items, list) and len(items) <= MAX_ITEMS and len(value) == 1 and items:
            return _each(items, ("complaints",)), True
        return check(Complaints, value).complaints, True
    return [check(ComplaintIn, value)], False


def _each(items: list[Any], at: tuple[str, ...]) -> list[ComplaintIn]:
    checked, errors = [], []
    for index, item in enumerate(items):
        try:
            checked.append(ComplaintIn.model_validate(item))
        except ValidationError as error:
            errors += _details(error, (*at, index))
            if len(errors) >= MAX_ERRORS:
                break
    if errors:
        raise invalid(*errors[:MAX_ERRORS])
    return checked


def _details(error: ValidationError, at: Sequence[str | int]) -> list[Detail]:
    # Only kinds and places are told, never the value: a complaint must not come back in an error, nor end in a log.
    found = error.errors(include_url=False, include_input=False, include_context=False)
    details: dict[str, Detail] = {}
    for fault in found[: MAX_ERRORS * 2]:
        location = fault["loc"]
        if "id" in location and fault["type"] != "extra_forbidden":  # of two alternatives; both mean the same to the sender
            location, message = location[: location.index("id") + 1], _WRONG_ID
        else:
            message = _MESSAGES.get(fault["type"], fault["msg"])
        pointer = "".join("/" + str(part)[:100].replace("~", "~0").replace("/", "~1") for part in (*at, *location))
        details.setdefault(pointer, Detail(pointer, message))
    return list(details.values())[:MAX_ERRORS]
