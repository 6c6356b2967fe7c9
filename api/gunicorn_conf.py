"""How gunicorn serves the api: threads over short database transactions.

The application is loaded after the fork (no preload), so connections are made in
the process that uses them.  Requests are logged by the application, without content.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

from common.settings import Settings

_settings = Settings.from_env()

_host = _settings.bind_host
# An IPv6 address has colons of its own.
bind = f"[{_host}]:{_settings.api_port}" if ":" in _host else f"{_host}:{_settings.api_port}"
worker_class = "api.gunicorn_worker.PacedWorker"
# It would pass by the pace that answers are taken at.
sendfile = False
# The most that gunicorn takes: filters of events may name a lot.
limit_request_line = 8190
workers = _settings.api_workers
threads = _settings.api_threads
backlog = 2048
keepalive = 30
timeout = 30
graceful_timeout = 10
max_requests = 0
preload_app = False
accesslog = None
errorlog = "-"
loglevel = "warning"
proc_name = "everturn-api"
# One socket a user would be shared by all installations of that user.
control_socket_disable = True

# Metrics: one folder for all processes, and one socket that each of them answers on.  The
# library reads the folder's name when it is first imported, so that is left to the hooks.
_folder = Path(tempfile.mkdtemp(prefix="everturn-api-metrics-"))
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_folder)  # noqa: TID251 - how that library is told
_listening: list[socket.socket] = []


def on_starting(_server: Any) -> None:
    """Before any fork: take the port that is scraped."""
    from common.metrics import open_port

    listening = open_port(_settings.metrics_host, _settings.api_metrics_port)
    if listening is not None:
        _listening.append(listening)


def post_worker_init(_worker: Any) -> None:
    """In each process: answer scrapes for all of them."""
    from api.metrics import registry_of_all
    from common.metrics import serve

    for listening in _listening:
        serve(lambda: registry_of_all(_folder), listening)


def child_exit(_server: Any, worker: Any) -> None:
    """A process has ended, however it did."""
    from api.metrics import bury

    bury(_folder, worker.pid)


def on_exit(_server: Any) -> None:
    """The last of all."""
    shutil.rmtree(_folder, ignore_errors=True)
