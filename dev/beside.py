"""`dev.py everturn …`: a command for the installation that `dev.py run` serves, with its settings.

A run leaves its settings in a file, for as long as it is ready.
"""

import fcntl
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields

from common.settings import Settings
from dev.paths import RUN_LOCK, RUN_SETTINGS


def tell(environment: Mapping[str, str]) -> None:
    """Leave the settings of a run that is ready; they hold keys, so only its user may read them."""
    known = {"PORT", *(field.name.upper() for field in fields(Settings))}
    settings = {name: value for name, value in environment.items() if name in known}
    forget()
    descriptor = os.open(RUN_SETTINGS, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        json.dump(settings, opened, indent=1)


def forget() -> None:
    """The run ends."""
    RUN_SETTINGS.unlink(missing_ok=True)


def settings_of_the_run() -> dict[str, str] | None:
    """The settings that its processes have; None when none is ready."""
    if not RUN_SETTINGS.exists() or not _is_running():
        return None
    found: dict[str, str] = json.loads(RUN_SETTINGS.read_text(encoding="utf-8"))
    return found


def _is_running() -> bool:
    """Whether somebody holds the run's lock; a run that was killed leaves its file behind."""
    with RUN_LOCK.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def main(arguments: Sequence[str]) -> int:
    """Become `everturn` with these arguments; 1 when there is no run to ask about."""
    found = settings_of_the_run()
    if found is not None:
        url = f"http://localhost:{found['PORT']}"
        command = [sys.executable, "-m", "common.cli", *arguments]
        os.execve(sys.executable, command, {"EVERTURN_URL": url, **os.environ, **found})
    print("dev.py everturn: nothing runs here; start it with `dev.py run`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
