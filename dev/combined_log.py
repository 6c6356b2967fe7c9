"""One readable log of all processes: a prefix for each, and colours on a terminal."""

import contextlib
import os
import re
import sys
from collections import deque
from pathlib import Path

_NAME_WIDTH = 9
_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95)
_WORTH_SHOWING = re.compile(rb"\b(ERROR|FATAL|PANIC)\b")
_LONGEST_LINE = 65_536


class CombinedLog:
    """Where the launcher and everything it starts write their lines."""

    def __init__(self, file: Path) -> None:
        if file.exists():
            file.replace(file.with_suffix(".log.1"))
        self._file = file.open("ab", buffering=0)
        self._has_terminal = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._has_reader = True

    def say(self, text: str) -> None:
        """A line, or several, of the launcher's own."""
        for line in text.splitlines() or [""]:
            self._file.write(b"everturn  | " + line.encode() + b"\n")
            self._print(line.encode() + b"\n")

    def writer(self, name: str, index: int, *, is_service: bool) -> "LineWriter":
        """The way in for one process; of a service the screen shows only what is wrong."""
        label = f"{name:<{_NAME_WIDTH}} | ".encode()
        colour = _COLOURS[index % len(_COLOURS)]
        on_screen = b"\x1b[%dm%s\x1b[0m" % (colour, label) if self._has_terminal else label
        return LineWriter(self, label, on_screen, is_service=is_service)

    def write_line(self, label: bytes, label_on_screen: bytes, line: bytes, *, show: bool) -> None:
        """One line of a process."""
        self._file.write(label + line + b"\n")
        if show:
            self._print(label_on_screen + line + b"\n")

    def close(self) -> None:
        """No more lines."""
        self._file.close()

    def _print(self, line: bytes) -> None:
        if self._has_reader:
            try:
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()
            except OSError:  # the terminal is gone, or `| head` has seen enough
                self._has_reader = False
                with contextlib.suppress(OSError):
                    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class LineWriter:
    """Cuts the output of one process into lines and remembers the last ones."""

    def __init__(
        self, log: CombinedLog, label: bytes, label_on_screen: bytes, *, is_service: bool
    ) -> None:
        self.last_lines: deque[bytes] = deque(maxlen=15)
        self._log = log
        self._label = label
        self._label_on_screen = label_on_screen
        # A service's chatter is for the file; the screen shows what is wrong while it is in use.
        self.is_quiet = is_service
        self._is_service = is_service
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take what the process has written; a last half line waits for its end."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._write(line)

    def end(self) -> None:
        """Write what is left without a line end."""
        if self._rest:
            self._write(self._rest)
            self._rest = b""

    def _write(self, line: bytes) -> None:
        self.last_lines.append(line)
        show = not self._is_service or (
            not self.is_quiet and _WORTH_SHOWING.search(line) is not None
        )
        self._log.write_line(self._label, self._label_on_screen, line, show=show)
