"""Processes that fit folds side by side.

Not threads: liblinear draws from one generator a process, and the same data must give the same model.
"""

from __future__ import annotations

from joblib import Parallel
from joblib.externals.loky import get_reusable_executor

JOBS = 2
"""Processes for the folds of one model: each takes some hundred megabytes."""


def workers(jobs: int) -> Parallel:
    """Give processes that do tasks as they come and answer in order."""
    return Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="n_jobs")


def dismiss_workers() -> None:
    """Let the processes go that wait for further tasks: each still holds what its last fit took."""
    get_reusable_executor().shutdown(wait=True)
