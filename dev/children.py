"""Start processes that cannot outlive us, and end them with a bounded wait.

Each child leads a session of its own, so that the terminal's Ctrl-C reaches
only the launcher, which stops things in order.  On Linux the kernel signals a
child when the launcher dies; `dev.watchdog` does that for grandchildren, and
everywhere else.  Children must be started from the main thread: the kernel
takes the death of the starting *thread* for the death of the parent.
"""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

Output = int | IO[bytes]


@dataclass(frozen=True, slots=True)
class Account:
    """The user a server runs as when we are root, which PostgreSQL refuses to be."""

    name: str
    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """Whom to run PostgreSQL as; None means as ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise RuntimeError("running as root, and there is no user 'postgres' or 'nobody' to drop to")


def spawn(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    output: Output,
    death_signal: signal.Signals,
    account: Account | None = None,
    directory: Path = Path("/"),
) -> subprocess.Popen[bytes]:
    """Start one process; `death_signal` is what it gets should we die without stopping it."""
    return subprocess.Popen(
        command,
        env=dict(environment),
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_tether(death_signal),  # noqa: PLW1509  (one call into libc, no threads yet)
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def run_as(
    account: Account | None, command: Sequence[str | Path], *, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a short command to its end as that account and return what it said."""
    return subprocess.run(
        command,
        env=dict(environment),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def can_enter(account: Account | None, directory: Path) -> bool:
    """Whether that account gets through to a directory, which a 0700 home above it forbids."""
    if account is None:
        return os.access(directory, os.X_OK)
    return run_as(account, ["test", "-x", directory], environment=os.environ).returncode == 0


def signal_group(pid: int, number: signal.Signals) -> None:
    """Signal a child and all that it started; nothing happens when they are gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def stop(process: subprocess.Popen[bytes], *steps: tuple[signal.Signals, float]) -> None:
    """Send each signal in turn and wait its number of seconds, until the process has ended."""
    for number, seconds in (*steps, (signal.SIGKILL, 5.0)):
        if process.poll() is not None:
            break
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    signal_group(process.pid, signal.SIGKILL)


def _tether(death_signal: signal.Signals) -> Callable[[], None] | None:
    """What runs in the child before exec; after the change of user, which would undo it."""
    if _LIBC is None:
        return None
    libc, parent = _LIBC, os.getpid()

    def tether() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return tether
