"""Passwords that cost a test nothing."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from argon2 import PasswordHasher

from service.security import accounts


@contextmanager
def cheap_passwords() -> Iterator[None]:
    """Hash passwords as cheaply as argon2 allows, that of nobody too: what is tested is not that it is slow."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(accounts, "_hasher", cheap)
        patched.setattr(accounts, "_UNKNOWN", cheap.hash(secrets.token_hex()))
        yield
