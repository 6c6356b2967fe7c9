"""What running calls tell whoever watches: live only, bounded, never stored.

Frames of one call are at least 100 ms apart; what comes in between is put together and
goes out with the next one, with the turn's next look around, or as the call ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Literal

from common.domain.events import EventType, Json
from common.domain.text import storable

# Tells subscribers of one report: its type and its data.
Tell = Callable[[EventType, Json], None]

GAP_SECONDS: Final = 0.1
OUTPUT_BYTES: Final = 64 * 1024
MESSAGE_CHARACTERS: Final = 2000
_CUT: Final = "\n[more output is not shown]\n"


class CallReport:
    """The report of one call; may be used from any thread, and after the call's end."""

    def __init__(
        self,
        tell: Tell,
        *,
        tool_call_id: str,
        tool_name: str,
        display_name: str,
        is_over: Callable[[], bool] = lambda: False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_over` says that nobody waits for the call any more: nothing is told then."""
        self._tell = tell
        self._is_over = is_over
        self._call: Json = {"tool_call_id": tool_call_id, "tool_name": tool_name}
        self._display_name = display_name
        self._monotonic = monotonic
        self._guard = threading.Lock()
        self._told_at = float("-inf")
        self._room = OUTPUT_BYTES
        self._message: str | None = None
        self._output: list[tuple[str, str]] = []
        self._is_closed = False

    def progress(self, message: str) -> None:
        """One line for people; of several at once the last is shown."""
        with self._guard:
            self._message = storable(message)[:MESSAGE_CHARACTERS]
            self._tell_if_due()

    def output(self, text: str, *, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        """More of what it prints; 64 KiB of it are shown."""
        with self._guard:
            if self._room > 0 and text:
                self._output.append((stream, self._fitting(text)))
            self._tell_if_due()

    def flush_if_due(self) -> None:
        """Send what has waited long enough."""
        with self._guard:
            self._tell_if_due()

    def close(self) -> None:
        """The call has its result: send what is left, and drop what comes later."""
        with self._guard:
            if not self._is_closed:
                self._tell_now()
            self._is_closed = True

    def _fitting(self, text: str) -> str:
        clean = storable(text)
        size = len(clean.encode())
        if size <= self._room:
            self._room -= size
            return clean
        start = clean.encode()[: self._room].decode(errors="ignore")
        self._room = 0
        return start + _CUT

    def _tell_if_due(self) -> None:
        if not self._is_closed and self._monotonic() - self._told_at >= GAP_SECONDS:
            self._tell_now()

    def _tell_now(self) -> None:
        if self._is_over():
            self._is_closed = True
            return
        output, self._output = self._output, []
        message, self._message = self._message, None
        for stream, text in _joined(output):
            self._tell(EventType.TOOL_OUTPUT_DELTA, {**self._call, "stream": stream, "delta": text})
            self._told_at = self._monotonic()
        if message is not None:
            shown = {"message": message, "display_name": self._display_name}
            self._tell(EventType.TOOL_PROGRESS, {**self._call, **shown})
            self._told_at = self._monotonic()


class CallReports:
    """The reports of a turn's running calls."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._guard = threading.Lock()
        self._open: set[CallReport] = set()

    def begin(
        self,
        *,
        tool_call_id: str,
        tool_name: str,
        display_name: str,
        is_over: Callable[[], bool],
    ) -> CallReport:
        """The report of a call that begins; pair it with `end`."""
        report = CallReport(
            self._tell,
            tool_call_id=tool_call_id,
            tool_name=tool_name,
            display_name=display_name,
            is_over=is_over,
        )
        with self._guard:
            self._open.add(report)
        return report

    def end(self, report: CallReport) -> None:
        """The call has ended."""
        with self._guard:
            self._open.discard(report)
        report.close()

    def flush(self) -> None:
        """Send what has waited long enough."""
        with self._guard:
            reports = list(self._open)
        for report in reports:
            report.flush_if_due()


def _joined(output: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Neighbours of one stream as one."""
    joined: list[tuple[str, str]] = []
    for stream, text in output:
        if joined and joined[-1][0] == stream:
            joined[-1] = (stream, joined[-1][1] + text)
        else:
            joined.append((stream, text))
    return joined
