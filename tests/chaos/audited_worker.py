"""A worker that says so when its environment is changed while it has threads."""

import sys
import threading

from worker.celery_app import app

__all__ = ["app"]


def _watch(event: str, _arguments: tuple[object, ...]) -> None:
    if event == "os.putenv" and threading.active_count() > 1:
        print("environment_changed_beside_threads", flush=True)  # noqa: T201 - read by the test


sys.addaudithook(_watch)
