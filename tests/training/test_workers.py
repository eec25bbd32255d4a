"""Processes that fit side by side, and go when they are no longer needed."""

from __future__ import annotations

import os
from pathlib import Path

import joblib
import pytest
from joblib import delayed

from training.workers import dismiss_workers, workers


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="no /proc: nobody can tell whether a process is there")
def test_processes_that_wait_for_further_tasks_are_kept_until_they_are_dismissed() -> None:
    with joblib.parallel_config(backend="loky"):
        first, second = (set(workers(2)(delayed(os.getpid)() for _ in range(20))) for _ in range(2))
    assert first | second
    assert os.getpid() not in first | second
    assert len(first | second) <= 2, "the same ones work on"
    assert all(Path(f"/proc/{pid}").is_dir() for pid in first | second)
    dismiss_workers()
    assert not any(Path(f"/proc/{pid}").is_dir() for pid in first | second)
