"""Mask personal data in a complaint: NIK and KK, phone numbers, e-mail addresses."""

from __future__ import annotations

import re

_MARKS = (
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"), "[EMAIL]"),
    (re.compile(r"(?<!\d)\d{16}(?!\d)"), "[NIK]"),
    (re.compile(r"(?<!\d)(?:\+?62|0)8\d{7,11}(?!\d)"), "[TELEPON]"),
)


def mask(text: str) -> str:
    """Answer the text with personal data replaced by marks."""
    for pattern, mark in _MARKS:
        text = pattern.sub(mark, text)
    return text
