"""Make `.venv` hold exactly what the lock file says, and do nothing when it does already.

A stamp is written last, so an interrupted install is simply done again.  uv is
used when it is there and works, and never needed.  Standard library only.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator

from dev import paths
from dev.paths import LOCAL, PYPROJECT, ROOT, SETUP_LOG, VENV
from dev.progress import run_with_progress

_STAMP = VENV / ".everturn-stamp"
_PYTHON = VENV / "bin" / "python"
# The project itself, from the checkout, built by the locked setuptools: nothing is downloaded.
_EDITABLE = ("--no-build-isolation", "--no-index", "-e", str(ROOT))
_NO_VENV = (
    "this Python can make virtual environments but not put pip into them, and has no pip itself.  "
    "On Debian or Ubuntu: sudo apt-get install -y python3-venv"
)


class SetupFailed(Exception):
    """The environment could not be made; the text is for the person at the keyboard."""


def ensure() -> None:
    """Bring `.venv` up to date.  Safe to call from several processes at once."""
    if _is_current():
        return
    if not os.access(ROOT, os.W_OK):
        raise SetupFailed(f"{ROOT} is not writable by this user, so .venv cannot be made there")
    LOCAL.mkdir(parents=True, exist_ok=True)
    with _only_one():
        if _is_current():  # the one we waited for has done it
            return
        _STAMP.unlink(missing_ok=True)
        _say("setting up .venv (once; about half a minute, longer on a slow network)")
        if not _with_uv():
            _with_pip()
        _STAMP.write_text(_fingerprint())
        _say("set-up is done")


def _is_current() -> bool:
    # exists() follows the link: a Python that was upgraded away counts as missing.
    return _PYTHON.exists() and _STAMP.exists() and _STAMP.read_text() == _fingerprint()


def _fingerprint() -> str:
    """What the environment depends on: also its own place, which its scripts have inside."""
    packages = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
    parts = [sys.version.encode(), str(VENV).encode(), ",".join(packages).encode()]
    digest = hashlib.sha256()
    for part in (*parts, paths.LOCK_FILE.read_bytes(), PYPROJECT.read_bytes()):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    """Hold the lock on `.venv`; the kernel lets go of it when its holder dies."""
    with PYPROJECT.open("rb") as lock:  # any file that is always there
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another dev.py is setting up; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _base_python() -> str:
    """The Python that environments are made from, also when dev.py runs inside one."""
    return getattr(sys, "_base_executable", None) or sys.executable


def _with_uv() -> bool:
    uv = shutil.which("uv")
    if uv is None:
        return False
    python = ["--python", str(_PYTHON)]
    done = (
        _run([uv, "venv", "--clear", "--python", _base_python(), str(VENV)])
        and _run([uv, "pip", "install", *python, "--require-hashes", "-r", str(paths.LOCK_FILE)])
        and _run([uv, "pip", "install", *python, "--no-deps", *_EDITABLE])
    )
    if not done:
        _say("uv did not manage; going on with pip")
    return done


def _with_pip() -> None:
    if _run(_venv_command()):
        pip = [str(_PYTHON), "-m", "pip"]
    elif _run(_venv_command("--without-pip")) and _has_pip():
        # Debian with python3-pip but without python3-venv: the outer pip serves the inner Python.
        pip = [_base_python(), "-m", "pip", "--python", str(_PYTHON)]
    else:
        raise SetupFailed(_NO_VENV)
    install = [*pip, "install", "--disable-pip-version-check", "--no-input", "--no-deps"]
    install += ["--progress-bar", "off"]
    if not (
        _run([*install, "--require-hashes", "-r", str(paths.LOCK_FILE)], show_failure=True)
        and _run([*install, *_EDITABLE], show_failure=True)
    ):
        raise SetupFailed(f"installing failed; the whole output is in {SETUP_LOG}")


def _has_pip() -> bool:
    with contextlib.suppress(ModuleNotFoundError):
        return importlib.util.find_spec("pip.__main__") is not None
    return False


def _venv_command(*options: str) -> list[str]:
    return [_base_python(), "-m", "venv", "--clear", *options, str(VENV)]


def _run(command: list[str], *, show_failure: bool = False) -> bool:
    return run_with_progress(
        command, environment=_clean_environment(), log=SETUP_LOG, show_failure=show_failure
    )


def _clean_environment() -> dict[str, str]:
    """The caller's environment without what would bend an install (index settings stay)."""
    bending = {
        "PIP_CONSTRAINT",
        "PIP_PREFIX",
        "PIP_REQUIRE_HASHES",
        "PIP_REQUIRE_VIRTUALENV",
        "PIP_TARGET",
        "PIP_USER",
        "PYTHONHOME",
        "PYTHONPATH",
        "VIRTUAL_ENV",
    }
    kept = {name: value for name, value in os.environ.items() if name not in bending}
    return {**kept, "UV_PYTHON_DOWNLOADS": "never"}


def _say(text: str) -> None:
    print(f"dev.py: {text}", flush=True)
