"""Passwords as they are kept: Argon2id, and no more of it at once than the machine can bear.

A hash takes memory and processor time by design, so a flood of logins must neither pile up
hashes nor the threads that wait for them: beyond a few it is refused.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from common.domain.errors import Overloaded

_AT_ONCE: Final = 2
_WAITING: Final = 2
_PATIENCE_SECONDS: Final = 5.0

T = TypeVar("T")


class Passwords:
    """One a process; thread-safe.

    `at_once` are hashed at a time and `waiting` more wait for `patience_seconds`; all others are
    refused at once.  `hasher` says how costly a hash is: by default 64 MiB and three passes.
    """

    def __init__(
        self,
        hasher: PasswordHasher | None = None,
        *,
        at_once: int = _AT_ONCE,
        waiting: int = _WAITING,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._hasher = hasher or PasswordHasher()
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._turns = threading.BoundedSemaphore(at_once)
        self._patience_seconds = patience_seconds
        self._decoy: str | None = None

    def hash(self, password: str) -> str:
        """What to keep of a password.

        Raises:
            Overloaded: too many are hashed just now.
        """
        return self._one(lambda: self._hasher.hash(password))

    def is_right(self, password: str, kept: str | None) -> bool:
        """Whether it is the password of which that was kept; None takes as long and is never so.

        Raises:
            Overloaded: too many are hashed just now.
        """

        def verify() -> bool:
            if self._decoy is None:
                self._decoy = self._hasher.hash(secrets.token_hex())
            try:
                return self._hasher.verify(kept or self._decoy, password) and kept is not None
            except (VerificationError, InvalidHashError):
                return False

        return self._one(verify)

    def is_dated(self, kept: str) -> bool:
        """Whether a password is better hashed anew: other costs apply now."""
        return self._hasher.check_needs_rehash(kept)

    def _one(self, hashing: Callable[[], T]) -> T:
        if not self._places.acquire(blocking=False):
            raise _busy()
        try:
            if not self._turns.acquire(timeout=self._patience_seconds):
                raise _busy()
            try:
                return hashing()
            finally:
                self._turns.release()
        finally:
            self._places.release()


def _busy() -> Overloaded:
    return Overloaded("Too many passwords are looked at just now; try again")
