"""What gunicorn is told: a worker can be stopped from its first moment on."""

import signal
import subprocess
import sys

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
