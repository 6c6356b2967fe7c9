"""`everturn`: one command a process, and the tools of those who run and use them.

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

from common import checkout_commands, key_arguments, user_arguments
from common.settings import InvalidSettings, Settings
from common.terminal import commands as terminal_commands


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns the exit status unless the process was replaced."""
    parser = make_parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what could come next
        import argcomplete  # noqa: PLC0415 - no process waits for it

        argcomplete.autocomplete(parser)
    given = parser.parse_args(arguments)
    chosen = given.command
    if chosen in terminal_commands.NAMES:
        return terminal_commands.run(given, os.environ)
    if chosen in checkout_commands.NAMES:
        return checkout_commands.run(given)
    if chosen == _COMPLETION:
        return _print_completion(given.shell)
    try:
        settings = Settings.from_env()
    except InvalidSettings as wrong:
        sys.stderr.write(f"everturn {chosen}: {wrong}\n")
        return 2
    if chosen == _MIGRATE:
        return _migrate(settings, as_json=given.json)
    if chosen == _ROTATE:
        return _rotate_secrets(settings, as_json=given.json)
    if chosen == _KEYS:
        from common import key_commands  # noqa: PLC0415 - no other command needs its imports

        return key_commands.run(settings, given)
    if chosen == _USERS:
        from common import user_commands  # noqa: PLC0415 - no other command needs its imports

        return user_commands.run(settings, given)
    if chosen == _TURNS:
        from common import turn_commands  # noqa: PLC0415 - no other command needs its imports

        return turn_commands.run(settings, given)
    if chosen == _DOCTOR:
        wishes = [f"--{name}" for name in ("fix", "json") if getattr(given, name)]
        _become("worker.doctor", *wishes)
    return _COMMANDS[chosen][1](settings)


def make_parser() -> argparse.ArgumentParser:
    """All commands with what they take; docs/cli.md is written from it."""
    parser = argparse.ArgumentParser(
        prog="everturn", description="Run a part of everturn, or use one that runs."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (summary, _) in _COMMANDS.items():
        commands.add_parser(name, help=summary, description=summary)
    migrating = commands.add_parser(
        _MIGRATE, help=_MIGRATE_SUMMARY, description=_MIGRATE_SUMMARY, epilog=_MIGRATE_EPILOG
    )
    migrating.add_argument("--json", action="store_true", help="print the revisions as JSON")
    rotating = commands.add_parser(
        _ROTATE, help=_ROTATE_SUMMARY, description=_ROTATE_SUMMARY, epilog=_ROTATE_EPILOG
    )
    rotating.add_argument("--json", action="store_true", help="print the counts as JSON")
    examining = commands.add_parser(
        _DOCTOR, help=_DOCTOR_SUMMARY, description=_DOCTOR_SUMMARY, epilog=_DOCTOR_EPILOG
    )
    examining.add_argument("--fix", action="store_true", help="repair what can be repaired safely")
    examining.add_argument("--json", action="store_true", help="print the findings as JSON")
    key_arguments.add_to(commands.add_parser(_KEYS, help=_KEYS_SUMMARY, description=_KEYS_SUMMARY))
    user_arguments.add_to(
        commands.add_parser(_USERS, help=_USERS_SUMMARY, description=_USERS_SUMMARY)
    )
    listing = commands.add_parser(
        _TURNS, help=_TURNS_SUMMARY, description=_TURNS_SUMMARY, epilog=_TURNS_EPILOG
    )
    listing.add_argument("--stuck", action="store_true", help="only those that should have gone on")
    listing.add_argument("--limit", type=_count, default=100, metavar="N", help="at most so many")
    listing.add_argument("--json", action="store_true", help="print the turns as JSON")
    terminal_commands.add_to(commands)
    checkout_commands.add_to(commands)
    completing = commands.add_parser(
        _COMPLETION, help=_COMPLETION_SUMMARY, description=_COMPLETION_SUMMARY
    )
    completing.add_argument("shell", choices=("bash", "zsh", "fish"))
    return parser


def _print_completion(shell: str) -> int:
    from argcomplete.shell_integration import shellcode  # noqa: PLC0415 - no process waits for it

    sys.stdout.write(shellcode(["everturn"], shell=shell) + "\n")
    return 0


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:6]) <= _MOST_LISTED:
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 to {_MOST_LISTED}")
    return int(text)


def _migrate(settings: Settings, *, as_json: bool) -> int:
    from common.migrate import revisions, upgrade  # noqa: PLC0415 - no other command needs Alembic
    from common.storage.engine import DatabaseError, sqlstate  # noqa: PLC0415

    try:
        before, wanted = revisions(settings.database_url)
        upgrade(settings.database_url)
    except DatabaseError as failure:
        kind, code = type(failure).__name__, sqlstate(failure)
        sys.stderr.write(f"everturn {_MIGRATE}: the database failed ({kind}, SQLSTATE {code})\n")
        return 2
    if as_json:
        sys.stdout.write(json.dumps({"before": before, "after": wanted}) + "\n")
    else:
        sys.stdout.write(f"The schema is at {wanted}; it was at {before or 'nothing'}.\n")
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
    is_local = settings.is_development and settings.listens_on_loopback
    if not settings.flower_basic_auth and not is_local:
        sys.stderr.write(
            "everturn flower: FLOWER_BASIC_AUTH is not set (name:password). Without it Flower"
            " shows everybody everything; only DEPLOYMENT_GRADE=dev on loopback may.\n"
        )
        sys.exit(2)
    if not settings.flower_basic_auth:
        os.environ.pop("FLOWER_BASIC_AUTH", None)  # empty, it would be a credential
    for name, value in _FLOWER_DEFAULTS.items():
        os.environ.setdefault(name, value)
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
    "api": ("serve the HTTP API", _api),
    "stream": ("serve live event streams", _stream),
    "worker": ("run turns", _worker),
    "sweeper": ("recover turns and purge what was deleted", _sweeper),
    "flower": ("serve Celery Flower", _flower),
}

_MIGRATE = "migrate"
_MIGRATE_SUMMARY = "bring the database to this release's schema"
_MIGRATE_EPILOG = (
    "May be run at any time and by several at once.  Exits with 0 when the schema is this"
    " release's, with 2 when the database failed."
)

_TURNS = "turns"
_TURNS_SUMMARY = "list the turns that are under way, or those that do not go on"
_TURNS_EPILOG = (
    "Reads the database, for all organizations.  Exits with 0, with 1 when --stuck finds turns,"
    " with 2 when it cannot look."
)
_MOST_LISTED = 10_000

_COMPLETION = "completion"
_COMPLETION_SUMMARY = "print what makes a shell complete these commands"

# Flower's own settings, which the environment may change.
_FLOWER_DEFAULTS = {
    # Turns are cancelled and workers drained through the API, which knows what that means.
    "FLOWER_READ_ONLY": "true",
    "FLOWER_TASKS_COLUMNS": "name,args,kwargs,state,result,received,started,runtime,worker",
    "FLOWER_MAX_TASKS": "10000",
}

_ROTATE = "rotate-secrets"
_ROTATE_SUMMARY = "encrypt stored keys and secrets anew under the current master key"
_ROTATE_EPILOG = (
    "Exits with 0 when every secret opens and is under SECRETS_ENCRYPTION_KEY, with 1 when some"
    " could not be decrypted (they are named and stay as they are), with 2 when it could not run."
)

_KEYS = "keys"
_KEYS_SUMMARY = "make, list and revoke API keys"

_USERS = "users"
_USERS_SUMMARY = "make, list and close accounts of users"

_DOCTOR = "doctor"
_DOCTOR_SUMMARY = "say what is wrong with this installation, and repair what can be"
_DOCTOR_EPILOG = (
    "Exits with 0 when all is well, with 1 when something is not, with 2 when it cannot look."
)


if __name__ == "__main__":
    sys.exit(main())
