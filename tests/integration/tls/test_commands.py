"""A command that fails for want of a server says so without the password it would have used."""

import subprocess
import sys

import pytest

from dev.paths import ROOT

_PLANTED = "planted-password-4711"


@pytest.mark.parametrize("command", [["migrate"], ["doctor"], ["keys", "list"]])
def test_a_failing_command_keeps_its_passwords(command: list[str]) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "common.cli", *command],
        env={
            "DATABASE_URL": f"postgresql://everturn:{_PLANTED}@127.0.0.1:1/everturn",
            "REDIS_URL": f"redis://:{_PLANTED}@127.0.0.1:1/0",
            "PYTHONPATH": str(ROOT),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode != 0
    assert done.stdout + done.stderr
    assert _PLANTED not in done.stdout + done.stderr
