"""Wait for something to become true, instead of sleeping and hoping."""

import time
from collections.abc import Callable
from typing import TypeVar

_POLL_SECONDS = 0.02


T = TypeVar("T")


def wait_until(predicate: Callable[[], T], *, description: str, timeout_seconds: float = 10.0) -> T:
    """Return the predicate's first true value; fail, naming what was awaited, after the time."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_seconds:g} s in vain: {description}")
        time.sleep(_POLL_SECONDS)
