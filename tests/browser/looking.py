"""What it takes to look at pages in a browser: a server on loopback, an eye for grave faults, and small pictures."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from PIL import Image
from playwright.sync_api import Page, expect
from werkzeug.serving import WSGIRequestHandler, make_server

PASSWORD = "katak-melompat-7x"  # noqa: S105
SIZES = {"1280": (1280, 900), "360": (360, 740)}
SMALL = 120_000
"""Bytes of a picture at the most."""
PATIENCE = 60_000
"""Milliseconds: a machine that does much else gives a browser its turn late."""
expect.set_options(timeout=PATIENCE)
BREACHES = """
addEventListener("securitypolicyviolation", (event) => console.error(`CSP ${event.violatedDirective} ${event.blockedURI}`));
"""
"""A script that tells of every breach of the policy."""


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: what a test prints is what it measures."""


@contextmanager
def answering(app: Flask) -> Iterator[str]:
    """Let an app answer on a port of its own until the block ends; gives its address."""
    made = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    app.extensions["salur-imports"].stop()
    made.shutdown()
    thread.join()
    made.server_close()
    app.extensions["salur"].database.dispose()


def faults_of(page: Page) -> list[str]:
    """Keep from now on what the browser complains about."""
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    return faults


def check(page: Page, where: str, *, script: bool = True) -> None:
    """Let axe look for faults that keep somebody out, which needs the script, and see that the page does not slide sideways."""
    if script:
        found = Axe().run(page).response["violations"]
        grave = [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in ("serious", "critical")]
        assert not grave, f"{where} at {page.viewport_size}: {grave}"
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{where} slides at {page.viewport_size}"


def picture(page: Page, name: str) -> None:
    """Keep a small picture, where DESK_SCREENSHOTS names a folder."""
    if folder := os.environ.get("DESK_SCREENSHOTS"):
        width = page.evaluate("innerWidth")
        path = Path(folder) / (f"{name}.png" if width == SIZES["1280"][0] else f"{name}-{width}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path)
        Image.open(path).convert("RGB").quantize(96).save(path, optimize=True)
        assert path.stat().st_size < SMALL
