"""How long a request has waited for a thread: one that waited too long is refused at once.

When requests come faster than they can be served, each would wait longer than the one
before, until clients give up on answers that are still being made.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_of_this_thread = threading.local()


def waited_seconds() -> float:
    """How long the request that this thread serves has waited for it."""
    return float(getattr(_of_this_thread, "waited", 0.0))


class MeasuringPool(ThreadPoolExecutor):
    """Threads that know how long their work has waited."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        came = time.monotonic()

        def begin() -> T:
            _of_this_thread.waited = time.monotonic() - came
            return fn(*args, **kwargs)

        return super().submit(begin)
