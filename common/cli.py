"""`everturn`: one command a process, configured by the environment alone.

It starts processes; it does not import them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import NoReturn

from common.settings import InvalidSettings, Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns the exit status unless the process was replaced."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == [_KEYS]:
        return _keys(words[1:])
    parser = argparse.ArgumentParser(prog="everturn", description="Run a part of everturn.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (summary, _) in _COMMANDS.items():
        commands.add_parser(name, help=summary, description=summary)
    rotating = commands.add_parser(
        _ROTATE, help=_ROTATE_SUMMARY, description=_ROTATE_SUMMARY, epilog=_ROTATE_EPILOG
    )
    rotating.add_argument("--json", action="store_true", help="print the counts as JSON")
    examining = commands.add_parser(
        _DOCTOR, help=_DOCTOR_SUMMARY, description=_DOCTOR_SUMMARY, epilog=_DOCTOR_EPILOG
    )
    examining.add_argument("--fix", action="store_true", help="repair what can be repaired safely")
    examining.add_argument("--json", action="store_true", help="print the findings as JSON")
    commands.add_parser(_KEYS, help=_KEYS_SUMMARY)
    given = parser.parse_args(words)
    chosen = given.command
    settings = _settings(chosen)
    if settings is None:
        return 2
    if chosen == _ROTATE:
        return _rotate_secrets(settings, as_json=given.json)
    if chosen == _DOCTOR:
        wishes = [f"--{name}" for name in ("fix", "json") if getattr(given, name)]
        _become("worker.doctor", *wishes)
    return _COMMANDS[chosen][1](settings)


def _settings(command: str) -> Settings | None:
    """The settings; None when they are wrong, which is said."""
    try:
        return Settings.from_env()
    except InvalidSettings as wrong:
        sys.stderr.write(f"everturn {command}: {wrong}\n")
        return None


def _keys(words: Sequence[str]) -> int:
    from common import key_commands  # noqa: PLC0415 - no process waits for these imports

    given = key_commands.parse(words, description=_KEYS_SUMMARY)
    settings = _settings(_KEYS)
    return 2 if settings is None else key_commands.run(settings, given)


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
    _become(
        "celery",
        # Which reads the broker's address itself: arguments are shown to everybody here.
        "--app=common.flower_app",
        "flower",
        f"--port={settings.flower_port}",
        f"--address={settings.bind_host}",
    )


def _rotate_secrets(settings: Settings, *, as_json: bool) -> int:
    from common import rotation  # noqa: PLC0415 - no other command opens secrets
    from common.encryption import EncryptionUnavailable, SecretBox  # noqa: PLC0415
    from common.storage.engine import Database, DatabaseError, sqlstate  # noqa: PLC0415

    box = SecretBox(settings.secrets_encryption_key, settings.secrets_encryption_key_previous)
    database = Database(settings.database_url, pool_size=1, application="everturn rotate-secrets")
    try:
        results = rotation.rotate(database, box)
    except EncryptionUnavailable:
        sys.stderr.write(f"everturn {_ROTATE}: SECRETS_ENCRYPTION_KEY is not set\n")
        return 2
    except DatabaseError as failure:
        kind, code = type(failure).__name__, sqlstate(failure)
        sys.stderr.write(f"everturn {_ROTATE}: the database failed ({kind}, SQLSTATE {code})\n")
        return 2
    finally:
        database.close()
    if as_json:
        sys.stdout.write(json.dumps([asdict(each) for each in results]) + "\n")
    else:
        for each in results:
            sys.stdout.write(
                f"{each.place}: {each.rotated} encrypted anew, {each.current} were current,"
                f" {len(each.unreadable)} unreadable\n"
            )
            for row in each.unreadable:
                sys.stdout.write(f"  cannot be decrypted: {each.place} of {row}\n")
    return 1 if any(each.unreadable for each in results) else 0


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


_ROTATE = "rotate-secrets"
_ROTATE_SUMMARY = "encrypt stored keys and secrets anew under the current master key"
_ROTATE_EPILOG = (
    "Exits with 0 when every secret opens and is under SECRETS_ENCRYPTION_KEY, with 1 when some"
    " could not be decrypted (they are named and stay as they are), with 2 when it could not run."
)

_KEYS = "keys"
_KEYS_SUMMARY = "make, list and revoke API keys"

_DOCTOR = "doctor"
_DOCTOR_SUMMARY = "say what is wrong with this installation, and repair what can be"
_DOCTOR_EPILOG = (
    "Exits with 0 when all is well, with 1 when something is not, with 2 when it cannot look."
)


if __name__ == "__main__":
    sys.exit(main())
