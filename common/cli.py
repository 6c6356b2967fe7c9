"""`everturn`: one command a process, configured by the environment alone.

It starts processes; it does not import them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from common.settings import InvalidSettings, Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns the exit status unless the process was replaced."""
    parser = argparse.ArgumentParser(prog="everturn", description="Run a part of everturn.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (summary, _) in _COMMANDS.items():
        commands.add_parser(name, help=summary, description=summary)
    chosen = parser.parse_args(arguments).command
    try:
        settings = Settings.from_env()
    except InvalidSettings as wrong:
        sys.stderr.write(f"everturn {chosen}: {wrong}\n")
        return 2
    return _COMMANDS[chosen][1](settings)


def _migrate(settings: Settings) -> int:
    from common.migrate import upgrade  # noqa: PLC0415 - no other command needs Alembic

    upgrade(settings.database_url)
    return 0


def _api(_: Settings) -> NoReturn:
    _become("gunicorn", "--config", "python:api.gunicorn_conf", "api.app:create_app()")


def _stream(_: Settings) -> NoReturn:
    _become("api.streaming")


def _worker(settings: Settings) -> NoReturn:
    from common.turn_queue import ALL_QUEUES  # noqa: PLC0415 - no other command needs Celery

    _become(
        "celery",
        "--app=worker.celery_app",
        "--quiet",
        "worker",
        "--pool=threads",
        f"--concurrency={settings.worker_threads}",
        f"--queues={','.join(ALL_QUEUES)}",
        # One name a process: Flower and remote control tell workers apart by it.
        f"--hostname=turns-{os.getpid()}@%h",
        "--without-gossip",
        "--without-mingle",
        "--events",
        f"--loglevel={settings.log_level}",
    )


def _sweeper(_: Settings) -> NoReturn:
    _become("worker.sweeper")


def _flower(settings: Settings) -> NoReturn:
    # Not as an argument: those are shown to everybody on the machine.
    os.environ["CELERY_BROKER_URL"] = settings.broker_url
    _become(
        "celery",
        "flower",
        f"--port={settings.flower_port}",
        f"--address={settings.bind_host}",
    )


def _become(module: str, *arguments: str) -> NoReturn:
    """Replace this process by `python -m module`, so that signals reach it directly."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])


_COMMANDS: dict[str, tuple[str, Callable[[Settings], int]]] = {
    "migrate": ("bring the database to this release's schema", _migrate),
    "api": ("serve the HTTP API", _api),
    "stream": ("serve live event streams", _stream),
    "worker": ("run turns", _worker),
    "sweeper": ("recover turns and purge what was deleted", _sweeper),
    "flower": ("serve Celery Flower", _flower),
}


if __name__ == "__main__":
    sys.exit(main())
