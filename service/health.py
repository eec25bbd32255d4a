"""Whether the process lives (/healthz) and whether it can do its work (/readyz)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from sqlalchemy.exc import SQLAlchemyError

from service import access
from service.parts import parts

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@access.public()
def alive() -> dict[str, str]:
    """Answer at all."""
    return {"status": "ok"}


@blueprint.get("/readyz")
@access.public()
def ready() -> tuple[dict[str, Any], int]:
    """Say whether model and database can serve. A model kept because its successor is broken still serves, and says so."""
    router = parts().models.router()
    try:
        database = "ok" if parts().database.is_current() else "the tables are not those of this version: run salur-service migrate"
    except SQLAlchemyError:
        database = "cannot be reached"
    answer = {
        "ready": router is not None and database == "ok",
        "model": {"version": router.version if router else None, "trouble": parts().models.trouble},
        "database": database,
    }
    return answer, 200 if answer["ready"] else 503
