"""What gunicorn is told: a worker can be stopped from its first moment on and stays on its core; no folder is left behind."""

import json
import os
import signal
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

BORN = """
import os, signal, time
from service.serving import gunicorn_conf
signal.signal(signal.SIGTERM, lambda *_: None)  # as gunicorn's parent process takes it
gunicorn_conf.on_starting(None)
born, tell = os.pipe()
child = os.fork()
if not child:
    os.write(tell, b".")
    time.sleep(30)
    os._exit(0)
os.read(born, 1)
os.kill(child, signal.SIGTERM)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_worker_that_does_not_listen_to_signals_yet_ends_when_told() -> None:
    told = subprocess.run([sys.executable, "-c", BORN], capture_output=True, text=True, check=True, timeout=60)
    assert int(told.stdout) == -signal.SIGTERM


PINNED = """
import importlib, json, os, sys
from types import SimpleNamespace
from service.serving import gunicorn_conf

def cores(workers, pin):
    os.environ |= {"SALUR_WORKERS": str(workers), "SALUR_PIN_WORKERS": pin}
    importlib.reload(gunicorn_conf)
    server, found = SimpleNamespace(WORKERS={}), []
    for pid in range(gunicorn_conf.workers):
        worker = SimpleNamespace()
        gunicorn_conf.pre_fork(server, worker)
        server.WORKERS[pid] = worker
        child = os.fork()
        if not child:
            gunicorn_conf.post_fork(server, worker)
            os._exit(0 if worker.core is None or os.sched_getaffinity(0) == {worker.core} else 1)
        found.append((worker.core, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
    return found

print(json.dumps([cores(workers, pin) for workers, pin in json.loads(sys.argv[1])]))
"""
FEW = set(sorted(os.sched_getaffinity(0))[:4])  # a server has 64 workers at the most, and some machines more cores
CORES = len(FEW)


@pytest.mark.skipif(CORES < 2, reason="one core: nothing to choose from")
def test_each_worker_stays_on_a_core_of_its_own_unless_they_are_more_than_cores_or_the_setting_says_no() -> None:
    script = f"import os\nos.sched_setaffinity(0, {FEW})\n{PINNED}"
    asked = json.dumps([(CORES, "yes"), (CORES + 1, "yes"), (1, "no")])
    told = subprocess.run([sys.executable, "-c", script, asked], capture_output=True, text=True, check=True, timeout=60)
    own, more, unpinned = json.loads(told.stdout)
    assert {core for core, _ in own} == FEW
    assert [code for _, code in own] == [0] * CORES
    assert more == [[None, 0]] * (CORES + 1)
    assert unpinned == [[None, 0]]


FAILS = """
import os
def make_app():
    print(os.environ["PROMETHEUS_MULTIPROC_DIR"], flush=True)
    raise ValueError("cannot be made")
"""
WRONG = """
import os
try:
    from service.serving import gunicorn_conf
finally:
    print(os.environ["PROMETHEUS_MULTIPROC_DIR"], os.path.isdir(os.environ["PROMETHEUS_MULTIPROC_DIR"]), flush=True)
"""


def test_a_server_that_cannot_begin_leaves_no_folder_of_figures(tmp_path: Path) -> None:
    (tmp_path / "failing_app.py").write_text(FAILS)
    command = [sys.executable, "-m", "gunicorn", "--config", f"file:{resources.files('service.serving') / 'gunicorn_conf.py'}"]
    environ = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    ran = subprocess.run([*command, "failing_app:make_app()"], env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode != 0
    folder = Path(ran.stdout.strip())
    assert folder.name.startswith("salur-metrics-")
    assert not folder.exists()


def test_nor_does_one_with_a_wrong_setting() -> None:
    environ = {**os.environ, "SALUR_WORKERS": "many"}
    ran = subprocess.run([sys.executable, "-c", WRONG], env=environ, capture_output=True, text=True, check=False, timeout=60)
    folder, was_there = ran.stdout.split()
    assert was_there == "True"
    assert not Path(folder).exists()


def test_a_worker_that_ends_leaves_the_figures_of_the_others() -> None:
    ends = "import os, sys\nfrom service.serving import gunicorn_conf as it\nif not (child := os.fork()):\n    sys.exit(0)\n"
    looks = "os.waitpid(child, 0)\nprint(os.path.isdir(os.environ['PROMETHEUS_MULTIPROC_DIR']))"
    ran = subprocess.run([sys.executable, "-c", ends + looks], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "True"


FORKED = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from service.serving import gunicorn_conf
from service.active_model import ActiveModel

folder = Path(sys.argv[1])
class Router:
    def __init__(self, folder):
        time.sleep(0.5 if folder.name == "baru" else 0)
        self.version = folder.name
    def route(self, _):
        return None
for version in ("lama", "baru"):
    (folder / version).mkdir()
models = ActiveModel(folder, Router)
(folder / "current").write_text("lama")
models.router()  # the parent's, of the day on which the server began
(folder / "current").write_text("baru")  # promoted since
database = SimpleNamespace(engine=SimpleNamespace(dispose=lambda close: None))
watches = [lambda: models.follow(lambda _: None)]
app = SimpleNamespace(extensions={"salur": SimpleNamespace(models=models, database=database), "salur-watches": watches})
gunicorn_conf.post_worker_init(SimpleNamespace(app=SimpleNamespace(wsgi=lambda: app)))
time.sleep(0.1)
print(models.router().version)
"""


def test_a_worker_that_takes_the_place_of_a_dead_one_never_answers_by_a_model_that_was_replaced(tmp_path: Path) -> None:
    told = subprocess.run([sys.executable, "-c", FORKED, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.split()[-1] == "baru"


LOGS = """
from gunicorn.config import Config
from service.serving import gunicorn_conf
log = gunicorn_conf.logger_class(Config())
log.info("Booting worker with pid: %s", 7)
try:
    raise ValueError("broken")
except ValueError:
    log.exception("Exception in worker process")
"""


def test_what_gunicorn_itself_logs_is_json_too() -> None:
    ran = subprocess.run([sys.executable, "-c", LOGS], capture_output=True, text=True, check=True, timeout=60)
    born, broken = map(json.loads, ran.stderr.splitlines())
    assert (born["event"], born["level"]) == ("Booting worker with pid: 7", "info")
    assert (broken["event"], broken["level"]) == ("Exception in worker process", "error")
    assert broken["exception"].endswith("ValueError: broken")
    assert born.keys() < broken.keys()
