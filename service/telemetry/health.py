"""Whether the process lives (/healthz) and whether it can do its work (/readyz)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from sqlalchemy.exc import SQLAlchemyError

from service.parts import parts
from service.security import access
from service.storage.tables import REVISION

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
        revision = parts().database.revision()
        # Which of them is older shows in the numbers; beside a newer server it is this program.
        apart = f"the tables are at {revision or 'none'}, this program's at {REVISION}"
        database = "ok" if revision == REVISION else f"{apart}: run salur-service migrate, or update the program"
    except SQLAlchemyError:
        database = "cannot be reached"
    answer = {
        "ready": router is not None and database == "ok",
        "model": {"version": router.version if router else None, "trouble": parts().models.trouble},
        "database": database,
    }
    return answer, 200 if answer["ready"] else 503
