"""End what a killed launcher leaves behind: the part that no kernel feature covers everywhere.

The launcher holds the other end of our standard input and tells us there which
process groups it has started.  End of file while some are left means that it is
gone without having stopped them.  Grandchildren are in their parent's group.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable

_GRACE_SECONDS = 8.0


def main(lines: Iterable[bytes]) -> None:
    """Read `+<group> <signal>` and `-<group>` to the end, then signal what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, int] = {}
    for line in lines:
        name, _, number_text = line[1:].partition(b" ")
        if line.startswith(b"+"):
            groups[int(name)] = int(number_text)
        else:
            groups.pop(int(name), None)
    for group, final in groups.items():
        _signal(group, final)
    deadline = time.monotonic() + _GRACE_SECONDS
    while time.monotonic() < deadline and any(_signal(group, 0) for group in groups):
        time.sleep(0.05)
    for group in groups:
        _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> bool:
    """Signal a process group; whether there was one."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    main(sys.stdin.buffer)
