"""What the commands of a checkout say where they cannot run; `tests/dev/test_run.py` runs one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dev.paths import ROOT


@pytest.mark.parametrize("command", ["dev", "bench"])
def test_a_package_without_its_checkout_says_so(command: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "common", tmp_path / "common")
    answer = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "common.cli", command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2
    assert f"everturn {command}: this package was installed without the checkout" in answer.stderr


def test_bench_becomes_the_checkouts_own() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "common.cli", "bench", "--quick", "the-weather"],
        cwd=ROOT / "docs",
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2
    assert "no such rows: the-weather" in answer.stderr
