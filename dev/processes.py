"""The set of started processes: their output, their deaths, and their end in order.

One thread and one selector: every wait of the launcher goes through `pump`, so
that output never stops flowing and a Ctrl-C is never missed.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dev.children import signal_group
from dev.combined_log import CombinedLog, LineWriter
from dev.paths import ROOT

_READ_BYTES = 65_536
_POLL_SECONDS = 0.05


class StopRequested(Exception):
    """Somebody pressed Ctrl-C, or asked us to end by a signal."""


class ProcessDied(Exception):
    """A process that should run for ever has ended."""

    def __init__(self, child: "Child") -> None:
        super().__init__(f"{child.name} {how_it_ended(child.process.returncode)}")
        self.child = child


@dataclass(eq=False, slots=True)
class Child:
    """One started process."""

    name: str
    process: subprocess.Popen[bytes]
    lines: LineWriter
    # A process like `release` may end; what counts is how.
    may_end: bool = False


class Processes:
    """Everything that is running because of us."""

    def __init__(self, log: CombinedLog) -> None:
        self.stop_requests = 0
        self._log = log
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._wakeup = os.pipe()
        self._watchdog = subprocess.Popen(
            [sys.executable, "-m", "dev.watchdog"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._listen_for_signals()

    def add(
        self,
        name: str,
        process: subprocess.Popen[bytes],
        *,
        last_signal: signal.Signals,
        is_service: bool = False,
        may_end: bool = False,
    ) -> Child:
        """Take over a process that was started with its output in a pipe."""
        self._tell_watchdog(f"+{process.pid} {int(last_signal)}\n")
        lines = self._log.writer(name, len(self._children), is_service=is_service)
        child = Child(name, process, lines, may_end)
        self._children.append(child)
        if process.stdout is not None:
            os.set_blocking(process.stdout.fileno(), False)
            self._selector.register(process.stdout, selectors.EVENT_READ, child)
        return child

    def pump(self, seconds: float) -> None:
        """Pass on output for a while.

        Raises:
            StopRequested: when a signal has asked for the end.
            ProcessDied: when a process that must not has ended.
        """
        self.pass_on_output(seconds)
        if self.stop_requests:
            raise StopRequested
        for child in self._children:
            if not child.may_end and child.process.poll() is not None:
                self._drain(child)
                raise ProcessDied(child)

    def wait_until(self, predicate: Callable[[], bool], *, seconds: float) -> bool:
        """Pump until the predicate holds; False when it does not within the time."""
        deadline = time.monotonic() + seconds
        while not predicate():
            if time.monotonic() > deadline:
                return False
            self.pump(_POLL_SECONDS)
        return True

    def stop(self, children: Iterable[Child], *, patience_seconds: float) -> None:
        """Ask these to end, wait, and kill what has not; at once on a further Ctrl-C."""
        waiting = [child for child in children if child.process.poll() is None]
        for child in waiting:
            child.process.terminate()
        requests, deadline = self.stop_requests, time.monotonic() + patience_seconds
        while waiting and time.monotonic() < deadline and self.stop_requests == requests:
            self.pass_on_output(_POLL_SECONDS)
            waiting = [child for child in waiting if child.process.poll() is None]
        if waiting:
            self._log.say(f"killing {', '.join(child.name for child in waiting)}")
        for child in children:
            signal_group(child.process.pid, signal.SIGKILL)
            child.process.wait()
            self.forget(child)

    def forget(self, child: Child) -> None:
        """The process has ended: show its last output and let go of it."""
        self._drain(child)
        self._tell_watchdog(f"-{child.process.pid}\n")
        if child in self._children:
            self._children.remove(child)

    def close(self) -> None:
        """Everything is stopped: the watchdog may go, and signals are not for us any more."""
        if self._watchdog.stdin is not None:
            with contextlib.suppress(OSError):
                self._watchdog.stdin.close()
        self._watchdog.wait()
        signal.set_wakeup_fd(-1)
        self._selector.close()
        for descriptor in self._wakeup:
            os.close(descriptor)

    def pass_on_output(self, seconds: float) -> None:
        """Wait for output, at most so long, and write it to the log."""
        for key, _events in self._selector.select(seconds):
            if isinstance(key.data, Child):
                self._read(key.data)
            else:
                os.read(key.fd, 512)  # the signal's number; its handler has run

    def _read(self, child: Child) -> bool:
        """Read once; whether there may be more."""
        pipe = child.process.stdout
        if pipe is None or pipe.closed:
            return False
        try:
            data = os.read(pipe.fileno(), _READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._selector.unregister(pipe)
            pipe.close()
            child.lines.end()
            return False
        child.lines.feed(data)
        return True

    def _drain(self, child: Child) -> None:
        while self._read(child):
            pass
        child.lines.end()

    def _tell_watchdog(self, line: str) -> None:
        if self._watchdog.stdin is not None:
            with contextlib.suppress(OSError):  # killed: the kernel's part still works
                self._watchdog.stdin.write(line.encode())
                self._watchdog.stdin.flush()

    def _listen_for_signals(self) -> None:
        os.set_blocking(self._wakeup[1], False)
        signal.set_wakeup_fd(self._wakeup[1])  # ends a select at once
        self._selector.register(self._wakeup[0], selectors.EVENT_READ)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._request_stop)

    def _request_stop(self, _number: int, _frame: object) -> None:
        self.stop_requests += 1


def how_it_ended(status: int | None) -> str:
    """An exit status in words."""
    if status is not None and status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"
