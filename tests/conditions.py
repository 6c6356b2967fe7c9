"""Wait for something to become true, instead of sleeping and hoping."""

import time
from collections.abc import Callable
from typing import TypeVar

_POLL_SECONDS = 0.02
# Who looks all the time takes the processor from what is awaited: after a while less often, so
# that it is noticed late by a twentieth of the wait at most.
_SHARE_OF_WAIT = 0.05
_LONGEST_POLL_SECONDS = 0.1


T = TypeVar("T")


def wait_until(predicate: Callable[[], T], *, description: str, timeout_seconds: float = 10.0) -> T:
    """Return the predicate's first true value; fail, naming what was awaited, after the time."""
    began = time.monotonic()
    while True:
        value = predicate()
        if value:
            return value
        waited = time.monotonic() - began
        if waited > timeout_seconds:
            raise AssertionError(f"waited {timeout_seconds:g} s in vain: {description}")
        time.sleep(min(max(_POLL_SECONDS, waited * _SHARE_OF_WAIT), _LONGEST_POLL_SECONDS))
