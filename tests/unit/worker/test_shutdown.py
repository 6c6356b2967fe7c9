"""A worker that is told to leave, whatever the signal interrupts."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from tests.conditions import wait_until
from worker import shutdown as shutdown_module
from worker.lease import Leases
from worker.shutdown import Shutdown


class _OneLock:
    """A lock that both the interrupted thread and whoever leaves need, as that of the log."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def info(self, *_: Any, **__: Any) -> None:
        if not self._lock.acquire(timeout=5):
            raise AssertionError("the signal handler waits for what it has interrupted")
        self._lock.release()

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._lock:
            yield


def _leases(*held: Any) -> Leases:
    return cast(Leases, SimpleNamespace(all=lambda: list(held)))


@pytest.fixture
def on_signal() -> Iterator[Callable[[Callable[[], None]], None]]:
    previous = signal.getsignal(signal.SIGUSR1)

    def register(handler: Callable[[], None]) -> None:
        signal.signal(signal.SIGUSR1, lambda *_: handler())

    yield register
    signal.signal(signal.SIGUSR1, previous)


def test_a_signal_in_the_middle_of_a_log_line_is_heard(
    monkeypatch: pytest.MonkeyPatch, on_signal: Callable[[Callable[[], None]], None]
) -> None:
    log = _OneLock()
    monkeypatch.setattr(shutdown_module, "_log", log)
    shutdown = Shutdown(_leases(), grace_seconds=60)
    shutdown.start()
    on_signal(shutdown.begin)

    with log.writing():
        signal.raise_signal(signal.SIGUSR1)
        assert shutdown.has_begun

    shutdown.stop()


def test_turns_are_interrupted_at_half_the_grace_period() -> None:
    lease = SimpleNamespace(stop=threading.Event())
    shutdown = Shutdown(_leases(lease), grace_seconds=0.1)
    with capture_logs() as lines:
        shutdown.begin()  # before its thread runs
        assert not lease.stop.is_set()
        shutdown.start()
        shutdown.begin()
        assert lease.stop.wait(10)
    assert [(line["event"], line["turns"]) for line in lines] == [("worker_leaving", 1)]


def test_a_worker_that_has_ended_interrupts_nothing() -> None:
    lease = SimpleNamespace(stop=threading.Event())
    shutdown = Shutdown(_leases(lease), grace_seconds=60)
    shutdown.start()
    shutdown.begin()
    shutdown.stop()
    wait_until(
        lambda: all(each.name != "shutdown" for each in threading.enumerate()),
        description="its thread is over",
    )
    assert not lease.stop.is_set()
