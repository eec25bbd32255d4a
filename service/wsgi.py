"""The app as a server loads it: `service.wsgi:make_app()`, from the SALUR_ variables of its environment."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path

from flask import Flask

from model.router import Router
from service import create_app
from service.active_model import RouterLike
from service.parts import Parts
from service.settings import Settings
from service.telemetry import logs


def make_app(load_router: Callable[[Path], RouterLike] = Router.load) -> Flask:
    """Make the app with its model loaded, so that workers forked from this process share the model's memory."""
    settings = Settings.from_environment(os.environ)
    logs.configure(settings.log_level)
    app = create_app(settings, load_router)
    # Every template now, once for all workers: an update puts others in their place, minutes perhaps before this server ends.
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)
    parts: Parts = app.extensions["salur"]
    parts.models.router()
    gc.collect()
    gc.freeze()  # what is here now is never collected, so the collector does not copy its pages in every worker
    return app
