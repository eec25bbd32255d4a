"""How urgent a waiting complaint is: its place in the queue, in days."""

from __future__ import annotations

import datetime as dt

RETURN_DAYS = 7.0
"""Days that a complaint loses at the wrong agency, which has five working days to say so."""
OVERSIGHT_DAYS = 2.0
"""Head start of a complaint about an official's wrongdoing: the longer it lies about, the more people have read it."""
EMERGENCY_DAYS = 365.0
"""Head start of what may be an emergency: nothing that came within a year stands before it."""


def rank(due: dt.date, probability: float, queue: str, *, oversight: bool = False, emergency: bool = False) -> float:
    """Place a complaint in the queue: the lowest comes first.

    The unit is days. A complaint should be looked at on the day it is due, and earlier by the days that it stands to lose: the
    chance that the model is wrong, times what a wrong agency costs. Time takes the same from all: the order needs no recounting.
    What an agency gave back comes before what nobody has sent yet, and an emergency before everything.
    """
    wrong = 1.0 if queue in ("ask", "no-model", "returned") else 1.0 - probability
    lost = RETURN_DAYS if queue == "returned" else 0.0
    ahead = (OVERSIGHT_DAYS if oversight else 0.0) + (EMERGENCY_DAYS if emergency else 0.0)
    return due.toordinal() - RETURN_DAYS * wrong - lost - ahead
