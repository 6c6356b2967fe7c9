"""What the watchdog ends when the launcher is gone, and what it leaves alone."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from dev import watchdog
from dev.paths import ROOT
from tests.conditions import wait_until

_SLEEP = "import time; time.sleep(60)"
_PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_SLEEP!r}])"


def _start(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code], start_new_session=True)


def _watch(*lines: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "dev.watchdog"],
        cwd=ROOT,
        input="".join(f"{line}\n" for line in lines).encode(),
        check=True,
        timeout=20,
    )


def test_it_ends_children_and_grandchildren() -> None:
    with _start(_PARENT) as parent:
        wait_until(lambda: _group_size(parent.pid) == 2, description="the grandchild runs")
        _watch(f"+{parent.pid} {int(signal.SIGKILL)}")
        assert parent.wait() == -signal.SIGKILL
        wait_until(lambda: _group_size(parent.pid) == 0, description="the group is gone")


def test_it_leaves_alone_what_was_stopped_in_order() -> None:
    with _start(_SLEEP) as other:
        _watch(f"+{other.pid} {int(signal.SIGKILL)}", f"-{other.pid}")
        assert other.poll() is None
        other.kill()


def test_one_that_ignores_its_signal_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_GRACE_SECONDS", 0.3)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", f"{code}; time.sleep(60)"],
        start_new_session=True,
        stdout=subprocess.PIPE,
    ) as stubborn:
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
        watchdog.main([b"+%d %d\n" % (stubborn.pid, int(signal.SIGTERM))])
        assert stubborn.wait() == -signal.SIGKILL


def _group_size(group: int) -> int:
    processes = psutil.process_iter()
    return sum(1 for process in processes if _group_of(process) == group)


def _group_of(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid) if process.status() != psutil.STATUS_ZOMBIE else None
    except (OSError, psutil.NoSuchProcess):
        return None
