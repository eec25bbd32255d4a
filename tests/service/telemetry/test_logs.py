"""Logs: one JSON object a line, with the request's id, in a process of its own as a server has it."""

from __future__ import annotations

import json
import subprocess
import sys

SCRIPT = """
from flask import Flask
from service.telemetry import logs
import structlog
logs.configure("info")
app = Flask("uji")
logs.init_app(app)
app.get("/aduan/<name>")(lambda name: structlog.get_logger("salur").info("seen") or "x")
client = app.test_client()
client.get("/aduan/Joko-Widuri?cari=Joko", headers={"X-Request-Id": "uji-12345678"})
client.get("/aduan/lain")
structlog.get_logger("salur").debug("too fine")
"""


def test_a_line_is_json_and_names_the_request_but_nobody() -> None:
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in ran.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["seen", "request", "seen", "request"]
    assert [line["request_id"] for line in lines[:2]] == ["uji-12345678"] * 2
    assert lines[2]["request_id"] == lines[3]["request_id"] not in ("", "uji-12345678")
    assert (lines[1]["route"], lines[1]["status"], lines[1]["method"]) == ("/aduan/<name>", 200, "GET")
    assert "Joko" not in ran.stderr
    assert ran.stdout == ""


FULL = """
import os, sys
sys.stderr = open("/dev/full", "w", buffering=1)
from flask import Flask
from service.telemetry import logs
from service.web import problems
logs.configure("info")
app, stored = Flask("uji"), []
logs.init_app(app)
problems.init_app(app)
def take_in():
    stored.append(1)
    return "kept", 201
app.post("/api/v1/complaints")(take_in)
client = app.test_client()
print([client.post("/api/v1/complaints").status_code for _ in range(2)], len(stored), flush=True)
os._exit(0)  # not by way of a last flush
"""


def test_what_cannot_be_logged_is_done_and_answered_all_the_same() -> None:
    ran = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, check=True)
    assert ran.stdout == "[201, 201] 2\n"
