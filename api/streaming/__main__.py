"""Run the stream process: `python -m api.streaming`, configured by the environment."""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import NoReturn

import structlog

from api.streaming.bootstrap import build
from api.streaming.metrics import StreamMetrics
from api.streaming.server import make_server, open_socket, raise_file_limit
from common import logs
from common.metrics import expose
from common.settings import InvalidSettings, Settings


def main() -> NoReturn:
    """Serve until a signal; exits with 0 after SIGTERM or SIGINT."""
    try:
        settings = Settings.from_env()
    except InvalidSettings as wrong:
        sys.stderr.write(f"everturn stream: {wrong}\n")
        sys.exit(2)
    logs.configure(settings, process="stream")
    log = structlog.get_logger()
    raise_file_limit()
    try:
        listening = open_socket(settings.bind_host, settings.stream_port)
    except OSError as taken:
        sys.exit(f"everturn stream: cannot listen on STREAM_PORT: {taken}")
    # The server restores these and raises the signal again once it has ended well.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    log.info("listening", host=settings.bind_host, port=settings.stream_port)
    metrics = StreamMetrics()
    expose(metrics.registry, settings.metrics_host, settings.stream_metrics_port)
    make_server(lambda: build(settings, metrics=metrics)).run(sockets=[listening])
    log.info("stopped")
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # A thread that waits for a frozen database cannot be ended and must not hold us up.
    os._exit(0)


if __name__ == "__main__":
    main()
