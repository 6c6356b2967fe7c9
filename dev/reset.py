"""`dev.py reset`: forget the data of the local run.  Standard library only."""

import fcntl
import shutil
import sys

from dev.paths import LOCAL, RUN_LOCK, shared_data_home


def reset() -> int:
    """Remove data and logs, unless a run is using them; `.venv` stays."""
    if LOCAL.exists():
        outside = shared_data_home()
        with RUN_LOCK.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("dev.py reset: the project is running; stop it first", file=sys.stderr)
                return 1
            for path in LOCAL.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path != RUN_LOCK:
                    path.unlink()
        if outside.exists():
            shutil.rmtree(outside)
            print(f"dev.py: the data in {outside} is gone")
    print(f"dev.py: the data below {LOCAL} is gone")
    return 0
