"""The parts that a running app is made of, made once by `create_app` and found again from any request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app

from service.active_model import ActiveModel
from service.clock import WorkCalendar
from service.settings import Settings
from service.storage.database import Database


@dataclass(frozen=True, slots=True)
class Parts:
    """What views work with. `secret` signs sessions and webhooks."""

    settings: Settings
    secret: str
    database: Database
    models: ActiveModel
    calendar: WorkCalendar

    def untold_year(self) -> int | None:
        """Answer the first year whose holidays are not all known among those that deadlines given today reach into; else None."""
        longest = max(self.settings.days_to_finish, self.settings.days_to_finish_oversight)
        return self.calendar.untold_year(self.calendar.today(), longest)


def parts() -> Parts:
    """Answer the parts of the app that serves this request."""
    return cast(Parts, current_app.extensions["salur"])
