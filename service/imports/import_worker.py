"""Does the steps of imports beside the requests: one thread a process, there only while there is work.

A server's processes look now and then, whether anybody calls or not: the job of a process that was killed is taken over by one
that lives, and files leave on an idle server too. Where nobody keeps watch, as under a development server, requests do the looking.
"""

from __future__ import annotations

import errno
import re
import threading
import time
from collections.abc import Mapping
from typing import cast

import structlog
from flask import Flask, current_app

from model.faults import InvalidData
from service.imports import exchange, import_jobs
from service.imports.import_jobs import Job, LostLease
from service.parts import Parts
from service.web.problems import is_busy, log_failure

LOOK_SECONDS = 300.0
"""How often a process looks for work unasked."""
PAUSE_SECONDS = 3.0
"""How long the thread rests after a failure, or while another process works."""
_FAILED = "import step failed"
_log = structlog.get_logger("salur")
_FAULTS: Mapping[str, str] = {
    r"no such file": "Berkasnya sudah tidak ada. Unggah lagi.",
    r"an old \.xls|encrypted": "Berkas .xls lama atau berkata sandi tidak dapat dibaca. Simpan sebagai .xlsx tanpa kata sandi.",
    r"a zip archive|not a readable|a sheet (?:in|with)": "Berkas .xlsx ini rusak. Ekspor ulang dari SP4N-LAPOR!.",
    r"over [\d,.]+ (?:MB|times)|unpacks|parts:": "Isi berkas ini terlalu besar atau tidak wajar. Ekspor masa yang lebih pendek.",
    r"quotation mark": "Tanda kutip pembuka sebuah sel tidak ditutup: laporan sesudahnya tidak terbaca. Ekspor ulang.",
    r"NUL bytes|not text|not CSV": "Berkas ini bukan .csv yang dapat dibaca. Ekspor ulang, atau simpan sebagai .csv UTF-8.",
    r"no LAPOR! export": "Ini bukan ekspor “Laporan Ringkas”: tidak ada kolom Tracking ID, Judul Laporan, dan Isi Laporan Awal.",
    r"more than [\d,]+ reports": "Berkas memuat lebih dari 50.000 laporan. Ekspor masa yang lebih pendek.",
    r"has our columns already": "Berkas ini hasil dari Salur. Unggah berkas seperti yang diekspor SP4N-LAPOR!.",
    r"no column left": "Lembar kerja ini sudah penuh sampai kolom terakhir. Ekspor ulang dari SP4N-LAPOR!.",
}
"""How the faults of `model.lapor` and `model.table` begin: what an officer reads instead."""


class ImportWorker:
    """The thread of one process."""

    def __init__(self, parts: Parts) -> None:
        """Look after the imports of an app; nothing runs before the first `wake`."""
        self._parts = parts
        self._lock = threading.Lock()
        self._wanted = False
        self._thread: threading.Thread | None = None
        self._watch: threading.Thread | None = None
        self._stopping = threading.Event()
        self._looked_at = float("-inf")

    def keep_watch(self) -> None:
        """Look every LOOK_SECONDS until `stop`, without any request. A server calls it once in each of its processes."""
        self._watch = threading.Thread(target=self._keep_watch, name="salur-imports-watch", daemon=True)
        self._watch.start()

    def look(self) -> None:
        """Wake up, but not more often than every LOOK_SECONDS, and only where a file was ever uploaded."""
        moment = time.monotonic()
        if moment - self._looked_at >= LOOK_SECONDS:
            self._looked_at = moment
            if self._parts.settings.uploads.is_dir():
                self.wake()

    def wake(self) -> None:
        """See to it that somebody works while there is work."""
        with self._lock:
            self._wanted = True
            if self._stopping.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._run, name="salur-imports", daemon=True)
            self._thread.start()

    def stop(self, seconds: float = 30.0) -> None:
        """Stop after the step that is under way."""
        self._stopping.set()
        with self._lock:
            threads = (self._watch, self._thread)
        for thread in threads:
            if thread is not None:
                thread.join(seconds)

    def work_off(self) -> None:
        """Do every step that can be done now, in this thread."""
        while not self._stopping.is_set() and (job := import_jobs.claim(self._parts)) is not None:
            self._step(job)

    def _keep_watch(self) -> None:
        while not self._stopping.is_set():
            self.look()
            self._stopping.wait(LOOK_SECONDS)

    def _run(self) -> None:
        try:
            import_jobs.expire(self._parts.database, self._parts.settings.uploads)
        except Exception as error:
            log_failure(error, _FAILED)
        while not self._stopping.is_set():
            self._wanted = False
            try:
                self.work_off()
                if not import_jobs.is_work_left(self._parts):
                    with self._lock:  # whoever wakes us now sees either that we go on, or that nobody is there
                        if not self._wanted:
                            self._thread = None
                            return
                    continue
            except Exception as error:  # whatever it was, the lease runs out and the job is taken up again
                log_failure(error, _FAILED)
            self._stopping.wait(PAUSE_SECONDS)

    def _step(self, job: Job) -> None:
        try:
            exchange.work(self._parts, job)
        except LostLease:
            _log.warning("import taken over by another worker", job=job.id)
        except InvalidData as error:
            # Not the reason: what openpyxl says of a broken cell quotes the cell.
            _log.info("import refused", job=job.id, line=error.faults[0].line if error.faults else 0)
            import_jobs.fail(self._parts, job, explain(error))
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            import_jobs.fail(self._parts, job, "Penyimpanan server penuh. Hubungi pengelola, lalu unggah lagi.")
        except Exception as error:
            if is_busy(error):  # the others go first; this job loses nothing
                _log.warning("import waits for the database", job=job.id)
            else:
                log_failure(error, _FAILED)
            self._stopping.wait(PAUSE_SECONDS)
            import_jobs.release(self._parts, job, counted=not is_busy(error))


def explain(error: InvalidData) -> str:
    """Say to an officer what is wrong with a file, where in it, and what to do."""
    fault = error.faults[0] if error.faults else None
    if fault is None:
        return "Berkas ini tidak dapat dibaca."
    sentence = next((told for start, told in _FAULTS.items() if re.search(start, fault.reason)), None)
    where = f" (baris {fault.line})" if fault.line else ""
    return f"{sentence}{where}" if sentence else f"Berkas ini tidak dapat dibaca{where}. Rincian: {fault.reason[:200]}"


def init_app(app: Flask, parts: Parts) -> None:
    """Give the app its worker."""
    made = ImportWorker(parts)
    app.extensions["salur-imports"] = made
    app.before_request(made.look)


def worker() -> ImportWorker:
    """Answer the worker of the app that serves this request."""
    return cast(ImportWorker, current_app.extensions["salur-imports"])
