"""Show that a long command is alive without showing all it says.

On a terminal one line is rewritten in place; elsewhere a line every few
seconds.  The full output goes to a log, and its end to the screen on failure.
Standard library only.
"""

import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

_WIDTH = 78
_QUIET_SECONDS = 5.0
_LAST_LINES = 15


def run_with_progress(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    show_failure: bool,
) -> bool:
    """Run the command to its end; True when it succeeded."""
    started = shown = time.monotonic()
    last_lines: deque[str] = deque(maxlen=_LAST_LINES)
    on_terminal = sys.stdout.isatty()
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        file.write(f"$ {' '.join(command)}\n")
        assert process.stdout is not None  # noqa: S101  (we asked for a pipe)
        for line in process.stdout:
            file.write(line)
            last_lines.append(line.rstrip())
            now = time.monotonic()
            if on_terminal:
                _rewrite(f"  {now - started:3.0f} s  {_short(line)}")
            elif now - shown > _QUIET_SECONDS:
                shown = now
                print(f"  {now - started:3.0f} s  {_short(line)}", flush=True)
    if on_terminal:
        _rewrite("")
    if process.returncode != 0 and show_failure:
        print("\n".join(last_lines), file=sys.stderr)
    return process.returncode == 0


def _short(line: str) -> str:
    """What pip is at, without which file of ours made it."""
    return line.strip().partition(" (from ")[0][: _WIDTH - 10]


def _rewrite(text: str) -> None:
    sys.stdout.write("\r" + text[:_WIDTH].ljust(_WIDTH) + "\r")
    sys.stdout.flush()
