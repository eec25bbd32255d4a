"""Who did what, and when. Never what a complaint says."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import g, has_request_context
from sqlalchemy import Connection, insert

from service.clock import now
from service.storage import tables

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def write(
    connection: Connection,
    action: str,
    thing: str = "",
    detail: Mapping[str, Any] = _NOTHING,
    *,
    account_id: int | None = None,
    api_key_id: int | None = None,
) -> None:
    """Add a line in the same transaction as what it tells of. `thing` is `kind:id`, such as `account:3`."""
    connection.execute(
        insert(tables.audit_log).values(
            at=now(),
            account_id=account_id,
            api_key_id=api_key_id,
            action=action,
            object=thing,
            detail=dict(detail),
            request_id=g.get("request_id", "") if has_request_context() else "",
        )
    )
