"""The shapes on the wire: what the API takes and gives. The checks and the OpenAPI document are both made from these."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    TypeAdapter,
)
from pydantic_core import PydanticCustomError

from model.complaint import MAX_TEXT, MAX_TITLE, Complaint
from model.routing import Decision, Reason, Routing

MAX_ITEMS = 100
"""Complaints of one call; more go through `/complaints/batch`."""
ID_PATTERN = r"^([A-Za-z0-9._:~-]{3,100}|\.?[A-Za-z0-9_:~-]|[A-Za-z0-9_:~-][A-Za-z0-9._:~-])$"
"""1 to 100 of these characters, but not "." or "..", which clients resolve in an address before they send it."""
MAX_PLACE = 200
MAX_CHANNEL = 100
MAX_NOTE = 10_000
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}", re.ASCII)
EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

ROUTING: TypeAdapter[Routing] = TypeAdapter(Routing)


def routing_json(routing: Routing) -> bytes:
    """Write a routing as JSON, the same always as the same bytes; as `Routing.to_dict`, `emergency` only where there is one."""
    return ROUTING.dump_json(routing, exclude=None if routing.emergency else {"emergency"})


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise PydanticCustomError("nul", "contains the character U+0000, which no database keeps")
    return value


def _visible(value: str) -> str:
    # Of blanks and invisible marks alone: nobody could see it, nor press the link that it is on the pages.
    return value if any(char.isprintable() and not char.isspace() for char in value) else ""


def _with_words(value: str) -> str:
    if not any(char.isalnum() for char in value):
        raise PydanticCustomError("no_words", "has no letter and no digit: there is nothing to read")
    return value


def _written_moment(value: Any) -> Any:
    # Else a number would be taken as seconds since 1970, or as milliseconds where it is large.
    if not isinstance(value, dt.datetime) and not (isinstance(value, str) and _ISO.match(value)):
        raise PydanticCustomError("iso", "must be a string with a date and time in ISO 8601, such as 2026-03-01T08:00:00+08:00")
    return value


def _sane_moment(value: dt.datetime) -> dt.datetime:
    if not EARLIEST <= value <= dt.datetime.now(dt.UTC) + dt.timedelta(days=1):
        raise PydanticCustomError("moment", "must lie between the year 2000 and now, which the header Date says as we have it")
    return value


# A constraint stands before the validators, so that it is told, and documented, as one of a string.
Name = Annotated[StrictStr, Field(max_length=100), AfterValidator(_without_nul)]
PlaceName = Annotated[StrictStr, Field(max_length=MAX_PLACE), AfterValidator(_without_nul)]
Title = Annotated[StrictStr, Field(max_length=MAX_TITLE), AfterValidator(_without_nul), AfterValidator(_visible)]
Note = Annotated[StrictStr, Field(max_length=MAX_NOTE), AfterValidator(_without_nul)]
Text = Annotated[StrictStr, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(_without_nul), AfterValidator(_with_words)]
Moment = Annotated[AwareDatetime, BeforeValidator(_written_moment), AfterValidator(_sane_moment)]


class Shape(BaseModel):
    """Base of everything that comes in: no unknown field, no silent conversion, no value in an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ComplaintIn(Shape):
    """A complaint as the form gave it. Only its text is certain to be there."""

    text: Text = Field(
        description="what the citizen wrote, with a letter or digit at least, and without markup: that would be read as words",
        examples=["lampu jalan di depan pasar mati sudah seminggu"],
    )
    title: Title = Field("", description="the title, where there is one")
    kecamatan: PlaceName = Field("", description="kecamatan that the reporter chose in the form")
    desa: PlaceName = Field("", description="desa or kelurahan that the reporter chose in the form")
    id: Annotated[StrictStr, Field(pattern=ID_PATTERN)] | Literal[""] = Field(
        "",
        description="the sender's own id of the complaint: 1 to 100 letters, digits or `. _ : ~ -`; sending it again does not "
        "store it again. It stays when the words are deleted, for a complaint sent again must be known: let it hold nobody's name "
        "or number",
    )
    received_at: Moment | None = Field(
        None, description="when the citizen sent it, from 2000 on, with time zone; now where left out"
    )
    confidential: StrictBool = Field(False, description="LAPOR!'s *rahasia*: never routed automatically")
    channel: Name = Field("", description="how it came: web, WhatsApp, SMS ...")

    def complaint(self, today: str = "") -> Complaint:
        """Give the complaint as the model reads it, unmasked; received on an ISO date (`today`) where it does not say when."""
        return Complaint(
            text=self.text,
            title=self.title,
            kecamatan=self.kecamatan,
            desa=self.desa,
            id=self.id,
            received_at=self.received_at.isoformat() if self.received_at else today,
            confidential=self.confidential,
        )


Several = Annotated[list[ComplaintIn], Field(min_length=1, max_length=MAX_ITEMS)]


class Complaints(Shape):
    """Several complaints in one call."""

    complaints: Several


class OutcomeIn(Shape):
    """What happened downstream: the agency took it, or said that it is not theirs."""

    outcome: Literal["accepted", "bukan-wewenang"]
    agency: Name = Field("", description="with `bukan-wewenang`: the id of the right agency, where it is known")
    unit: PlaceName = Field("", description="the unit of a family, such as the kecamatan")
    note: Note = Field("", description="why, in the agency's words; masked before it is stored")


class Routings(BaseModel):
    """Answers in the order of the complaints, all from one model version."""

    routings: list[Routing]


class Links(BaseModel):
    """Where to go on."""

    self: str
    outcome: str
    desk: str


class Deadlines(BaseModel):
    """Last days, in working days of Indonesia."""

    verify_by: dt.date
    follow_up_by: dt.date
    finish_by: dt.date


class Stored(BaseModel):
    """A complaint that was taken in. The offsets of the routing point into the masked text."""

    id: str
    number: int = Field(description="the desk's number of the complaint")
    stored_at: dt.datetime
    decision: Decision = Field(description="what to do now; the routing's own, unless a precaution of the service holds it back")
    agency: str = Field(
        description="its id in `GET /agencies`; only proposed where `decision` is not `auto`, and then empty at times"
    )
    unit: str = Field(description="which of a family's offices, such as the name of the kecamatan; empty for any other agency")
    reasons: list[Reason]
    similar_to: str | None = Field(
        description="id of the first complaint about the same matter, where one of the same sender is near"
    )
    deadlines: Deadlines
    routing: Routing | None = Field(
        description="the model's answer as it was; null where no model was ready, or what the complaint said was purged"
    )
    links: Links


Question = Annotated[str, Field(description="what to ask the reporter, with `needs-info`; else, or once it was purged, empty")]


class VerdictOut(BaseModel):
    """What a person decided. A later one supersedes an earlier one."""

    outcome: str
    agency: str
    unit: str
    also: list[str]
    missing: list[str]
    question: Question
    by: Literal["desk", "api", "import"]
    decided_at: dt.datetime


class Full(Stored):
    """A complaint with all that was decided about it."""

    state: Literal["sent", "waiting", "asked", "decided", "closed"]
    current_agency: str = Field(description="who has it where `state` is sent or decided; else who had it last, or is proposed")
    current_unit: str
    verdicts: list[VerdictOut]


class DecisionOut(BaseModel):
    """One entry of the feed."""

    cursor: int
    id: str
    source: str
    number: int
    decided_by: Literal["model", "person"]
    outcome: Literal["auto", "confirmed", "changed", "needs-info", "not-a-complaint", "returned", "undone"] = Field(
        description="`auto`, `confirmed` and `changed`: `agency` has it. `needs-info`: put `question` to the reporter, if there is "
        "one. `not-a-complaint`: nobody has it. `returned`: the agency gave it back, and a person decides anew. `undone`: what a "
        "person decided last does not hold; `GET /complaints/{client_id}` tells what does"
    )
    agency: str
    unit: str
    also: list[str] = Field(description="agencies that support it")
    missing: list[str]
    question: Question
    decided_at: dt.datetime


class DecisionsOut(BaseModel):
    """A page of the feed. Ask again with `after` = `next`; the same entry may come twice, none is left out."""

    decisions: list[DecisionOut]
    next: int
    more: bool


class BatchLine(BaseModel):
    """The answer to one line of a batch: with `answer`, or else with `problem`. What there is not is left out."""

    line: int
    id: str | None = Field(None, description="the sender's own id, where the line has one that can be read")
    status: int
    answer: Stored | None = None
    problem: ProblemOut | None = None


class AgencyOut(BaseModel):
    """An agency of the register."""

    id: str
    name: str
    aliases: list[str]
    authority: str = Field(description="the level of government that it belongs to")
    per: str = Field(description="`kecamatan` or `desa` where it is a family with an office in each; else empty")
    matters: str
    valid_from: str
    valid_until: str = Field(description="its last day, where it has ended or will")
    successor: str = Field(description="id of who took over")


class AgenciesOut(BaseModel):
    """Everyone who can be responsible."""

    agencies: list[AgencyOut]
    model_version: str


class PointedOut(BaseModel):
    """One thing wrong in the body."""

    pointer: str = Field(description="JSON pointer to what is wrong")
    detail: str


class ProblemOut(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(
        description="which problem it is: `/api/docs#problem-` and the name that stands behind each title in the answers of a call",
        examples=["/api/docs#problem-conflict"],
    )
    title: str
    status: int
    detail: str
    errors: list[PointedOut] = []
    request_id: str = Field("", description="by which the service's log knows the request, where it came so far")


Manifest = dict[str, Any]
BatchLine.model_rebuild()
