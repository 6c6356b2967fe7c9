"""dev.py before anything is installed: what it says, and when it has nothing to do."""

import subprocess
import sys
from pathlib import Path

import pytest

from dev import bootstrap, paths, setup
from dev.paths import ROOT


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"  {command}" in said for command in ("run", "test", "lint", "setup", "reset"))


def test_an_unknown_command_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["rum"]) == 2
    assert "usage:" in capsys.readouterr().out


def test_an_unknown_argument_of_run_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["run", "--flowers"]) == 2
    assert "--flowers" in capsys.readouterr().err


def test_the_first_steps_need_only_the_standard_library() -> None:
    code = "import sys; import dev.bootstrap, dev.reset; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-ISc", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name.partition(".")[0] for name in answer.stdout.split()}
    assert loaded - sys.stdlib_module_names <= {"dev", "__main__"}


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.touch()
    monkeypatch.setattr(setup, "VENV", tmp_path)
    monkeypatch.setattr(setup, "_PYTHON", python)
    monkeypatch.setattr(setup, "_STAMP", tmp_path / "stamp")
    return tmp_path


def test_an_interrupted_install_is_not_current(elsewhere: Path) -> None:
    assert not setup._is_current()
    (elsewhere / "stamp").write_text(setup._fingerprint())
    assert setup._is_current()


def test_another_lock_file_makes_it_stale(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / "stamp").write_text(setup._fingerprint())
    changed = elsewhere / "changed.lock"
    changed.write_bytes(paths.LOCK_FILE.read_bytes() + b"\n")
    monkeypatch.setattr(paths, "LOCK_FILE", changed)
    assert not setup._is_current()


def test_a_python_that_is_gone_makes_it_stale(elsewhere: Path) -> None:
    (elsewhere / "stamp").write_text(setup._fingerprint())
    (elsewhere / "bin" / "python").unlink()
    (elsewhere / "bin" / "python").symlink_to("/nowhere/python3")
    assert not setup._is_current()
