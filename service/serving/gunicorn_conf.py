"""How gunicorn serves Salur: a few processes with threads, one copy of the model, slow and greedy callers bounded."""

from __future__ import annotations

import atexit
import os
import random
import resource
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

# Before `service` is imported, and prometheus_client with it: that looks for the folder once. A new one each time, for what an
# earlier server left would be counted again. Gunicorn gets this file by its path: as a module of `service` it is read too late.
# In memory where that can be had: figures are written through a memory map, and on a full disk that kills the process.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(
    prefix="salur-metrics-",
    dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None,  # noqa: S108 -- its name is random, and nobody else reads it
)

from gunicorn.glogging import Logger

from service.settings import Settings
from service.telemetry.logs import ServerLine


def _leave_nothing(folder: str, made_by: int) -> None:
    if os.getpid() == made_by:  # workers end too, and the others still write there
        shutil.rmtree(folder, ignore_errors=True)


# Not gunicorn's `on_exit`: a server that cannot begin never comes to it.
_folder = os.environ["PROMETHEUS_MULTIPROC_DIR"]
atexit.register(_leave_nothing, _folder, os.getpid())

MAX_HANDLES = 16_384
_settings = Settings.from_environment(os.environ)
_handles, _allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
if _handles != resource.RLIM_INFINITY and _handles < MAX_HANDLES:  # most systems give little and let us take more
    _handles = MAX_HANDLES if _allowed == resource.RLIM_INFINITY else min(_allowed, MAX_HANDLES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_handles, _allowed))

wsgi_app = "service.wsgi:make_app()"
bind = _settings.bind
workers = _settings.workers
threads = _settings.threads
worker_class = "service.serving.patient_worker.PatientWorker"
preload_app = True
worker_connections = MAX_HANDLES // 2 if _handles == resource.RLIM_INFINITY else min(MAX_HANDLES, _handles) // 2
"""Connections that one process holds, most of them idle or slow: `service.serving.patient_worker` says what becomes of more."""
backlog = 1024
worker_tmp_dir = str(Path(_folder).parent)
timeout = 60
graceful_timeout = 30
keepalive = 5
limit_request_line = 4094
limit_request_fields = 50
limit_request_field_size = 8190
# Whom to believe about the caller's address is the app's own setting, SALUR_TRUSTED_PROXIES.
forwarded_allow_ips = ""
control_socket_disable = True
proc_name = "salur"


class logger_class(Logger):  # type: ignore[misc]  # noqa: N801 -- gunicorn's name for it
    """Gunicorn's own log, of workers that die for instance, as JSON lines too. Not by its `logconfig_dict`: that logs addresses."""

    def setup(self, cfg: Any) -> None:
        """Write as `service.telemetry.logs` does."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(ServerLine())


_cores = sorted(os.sched_getaffinity(0)) if _settings.pin_workers and hasattr(os, "sched_getaffinity") else []
if len(_cores) < workers:
    _cores = []
random.shuffle(_cores)  # so that two servers of one host seldom choose the same


def pre_fork(server: Any, worker: Any) -> None:
    """Choose a worker's core: the one that fewest others have."""
    taken = [other.core for other in server.WORKERS.values()]
    worker.core = min(_cores, key=taken.count, default=None)


def post_fork(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Keep a worker's threads on one core, for only one of them runs at a time.

    Else each request wakes a thread on another core, which must fetch the model out of the last one's caches: half as much
    processor time again.
    """
    if worker.core is not None:
        with suppress(OSError):  # a host may forbid it, and then it serves more slowly
            os.sched_setaffinity(0, {worker.core})


def on_starting(server: Any) -> None:  # noqa: ARG001
    """Let a worker that is told to stop before it listens to signals end at once.

    Until then it has its parent's handlers, which take the signal and do nothing with it, and it is killed half a minute later.
    """
    os.register_at_fork(after_in_child=_end_when_told)


def _end_when_told() -> None:
    for number in (signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def post_worker_init(worker: Any) -> None:
    """Give a new worker its own connections and request ids, and let it begin to watch what an app watches in each process.

    Not as `post_fork`: a worker told to stop before it listens to signals does not hear it, and is killed half a minute later.
    """
    from service.telemetry import logs

    logs.after_fork()
    extensions = worker.app.wsgi().extensions
    extensions["salur"].database.engine.dispose(close=False)
    # The parent loaded its model when the server started: until this process looks, it would answer by one replaced since.
    extensions["salur"].models.look()
    for begin in extensions.get("salur-watches", ()):
        begin()


def child_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Take a dead worker's gauges out of the figures."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
