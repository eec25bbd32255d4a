"""The app as a server loads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.templating import DispatchingJinjaLoader
from jinja2 import TemplateNotFound

from service import wsgi
from service.parts import Parts
from service.settings import Settings
from tests.service.conftest import FakeRouter


def test_a_server_shows_its_own_pages_until_it_ends_whatever_an_update_puts_in_their_place(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pages of the next version ask for what this one does not have: where a checkout is updated, half of them failed."""
    environ = {
        "SALUR_DATABASE": f"sqlite:///{tmp_path / 'salur.db'}",
        "SALUR_SECRET_FILE": str(settings.secret_file),
        "SALUR_MODELS": str(settings.models),
        "SALUR_UPLOADS": str(tmp_path / "uploads"),
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("service.telemetry.logs.configure", lambda _: None)
    monkeypatch.setattr("gc.freeze", lambda: None)  # for the rest of the tests it would keep what is there now
    app = wsgi.make_app(FakeRouter.load)

    def gone(_: DispatchingJinjaLoader, __: object, name: str) -> None:
        raise TemplateNotFound(name)

    monkeypatch.setattr(DispatchingJinjaLoader, "get_source", gone)
    assert app.test_client().get("/masuk").status_code == 200
    parts: Parts = app.extensions["salur"]
    parts.database.dispose()
