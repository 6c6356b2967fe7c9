"""A Chromium for the one test that drives a page."""

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """The program: `CHROMIUM`, or what is on PATH, or, in CI on Debian as root, its package."""
    return os.environ.get("CHROMIUM") or _on_path() or _installed()


def _on_path() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def _installed() -> str | None:
    apt = shutil.which("apt-get")
    if "CI" not in os.environ or os.geteuid() != 0 or apt is None:
        return None
    subprocess.run([apt, "update"], capture_output=True, check=False)
    subprocess.run([apt, "install", "-y", "chromium"], capture_output=True, check=False)
    return _on_path()
