"""What gunicorn is told: a worker can be stopped from its first moment on, and stays on a core of its own."""

import json
import os
import signal
import subprocess
import sys

import pytest

BORN = """
import os, signal, time
from service import gunicorn_conf
signal.signal(signal.SIGTERM, lambda *_: None)  # as gunicorn's parent process takes it
gunicorn_conf.on_starting(None)
child = os.fork()
if not child:
    time.sleep(30)
    os._exit(0)
time.sleep(0.2)
os.kill(child, signal.SIGTERM)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
gunicorn_conf.on_exit(None)
"""


def test_a_worker_that_does_not_listen_to_signals_yet_ends_when_told() -> None:
    told = subprocess.run([sys.executable, "-c", BORN], capture_output=True, text=True, check=True, timeout=60)
    assert int(told.stdout) == -signal.SIGTERM


PINNED = """
import json, os
from types import SimpleNamespace
from service import gunicorn_conf
server = SimpleNamespace(WORKERS={})
found = []
for pid in range(gunicorn_conf.workers):
    worker = SimpleNamespace()
    gunicorn_conf.pre_fork(server, worker)
    server.WORKERS[pid] = worker
    child = os.fork()
    if not child:
        gunicorn_conf.post_fork(server, worker)
        os._exit(0 if worker.core is None or os.sched_getaffinity(0) == {worker.core} else 1)
    found.append((worker.core, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
print(json.dumps(found))
gunicorn_conf.on_exit(None)
"""
CORES = len(os.sched_getaffinity(0))


def pinned(workers: int, pin: str = "yes") -> list[tuple[int | None, int]]:
    environ = {**os.environ, "SALUR_WORKERS": str(workers), "SALUR_PIN_WORKERS": pin}
    told = subprocess.run([sys.executable, "-c", PINNED], env=environ, capture_output=True, text=True, check=True, timeout=60)
    return [(core, code) for core, code in json.loads(told.stdout)]


@pytest.mark.skipif(CORES < 2, reason="one core: nothing to choose from")
def test_each_worker_stays_on_a_core_of_its_own() -> None:
    cores, codes = zip(*pinned(CORES), strict=True)
    assert set(cores) == os.sched_getaffinity(0)
    assert set(codes) == {0}


def test_more_workers_than_cores_go_where_they_like() -> None:
    assert pinned(CORES + 1) == [(None, 0)] * (CORES + 1)


def test_no_worker_is_pinned_where_the_setting_says_so() -> None:
    assert pinned(1, pin="no") == [(None, 0)]
