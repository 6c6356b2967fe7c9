"""The launcher's own behaviour, with processes that do as they are told."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.children import spawn
from dev.combined_log import CombinedLog
from dev.processes import Child, ProcessDied, Processes, StopRequested

_STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "run.log"


@pytest.fixture
def processes(log_file: Path) -> Iterator[Processes]:
    handlers = {
        number: signal.getsignal(number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    with contextlib.closing(CombinedLog(log_file)) as log:
        processes = Processes(log)
        yield processes
        processes.close()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _launch(processes: Processes, name: str, code: str) -> Child:
    process = spawn(
        [sys.executable, "-uc", code],
        environment={},
        output=subprocess.PIPE,
        death_signal=signal.SIGKILL,
    )
    return processes.add(name, process, last_signal=signal.SIGKILL)


def _await_line(processes: Processes, child: Child, line: bytes) -> None:
    assert processes.wait_until(lambda: line in child.lines.last_lines, seconds=10)


def test_the_death_of_one_is_told_with_its_last_lines(processes: Processes) -> None:
    child = _launch(processes, "worker", "print('no such table'); raise SystemExit(3)")
    with pytest.raises(ProcessDied, match="worker ended with status 3") as death:
        processes.wait_until(lambda: False, seconds=10)
    assert list(death.value.child.lines.last_lines) == [b"no such table"]
    processes.stop([child], patience_seconds=1)


def test_every_line_is_in_the_file_under_its_name(processes: Processes, log_file: Path) -> None:
    code = "import os, time; os.write(1, b'one\\ntwo\\nhalf'); time.sleep(60)"
    child = _launch(processes, "api", code)
    _await_line(processes, child, b"two")
    processes.stop([child], patience_seconds=5)
    assert log_file.read_text() == "api       | one\napi       | two\napi       | half\n"


def test_a_signal_is_a_request_to_stop(processes: Processes) -> None:
    child = _launch(processes, "api", "import time; time.sleep(60)")
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(StopRequested):
        processes.pump(10)
    processes.stop([child], patience_seconds=5)
    assert child.process.returncode == -signal.SIGTERM


def test_what_does_not_end_in_time_is_killed(processes: Processes) -> None:
    child = _launch(processes, "worker", _STUBBORN)
    _await_line(processes, child, b"up")
    processes.stop([child], patience_seconds=0.2)
    assert child.process.returncode == -signal.SIGKILL


def test_a_second_request_kills_at_once(processes: Processes) -> None:
    child = _launch(processes, "worker", _STUBBORN)
    _await_line(processes, child, b"up")
    again = subprocess.Popen(
        [sys.executable, "-c", "import os, signal, time; time.sleep(.3); os.kill(os.getppid(), 2)"]
    )
    processes.stop([child], patience_seconds=30)
    assert child.process.returncode == -signal.SIGKILL
    assert again.wait() == 0


def test_a_reader_that_leaves_does_not_stop_the_log(
    log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as gone:  # noqa: PTH123  (a descriptor, not a path)
        monkeypatch.setattr(sys, "stdout", gone)
        with contextlib.closing(CombinedLog(log_file)) as log:
            log.say("first")
            log.say("second")
    assert log_file.read_text().count("\n") == 2
