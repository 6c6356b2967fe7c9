"""`everturn users`: make, list and close accounts on the database itself.

It is how the first user is made, how a forgotten password is replaced, and how anybody is
shut out whoever they are.
"""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final
from uuid import UUID

from common.clock import new_id
from common.domain.access import Role
from common.domain.audit import shown
from common.domain.errors import Conflict
from common.domain.identity import (
    MOST_PASSWORD_BYTES,
    User,
    password_fault,
)
from common.domain.ids import Kind, show_id
from common.event_codec import show_optional_time, show_time
from common.live import Live
from common.passwords import Passwords
from common.redis_client import Breaker, make_client
from common.settings import Settings
from common.storage import audit_log, logins, members, organizations, users
from common.storage.engine import Database, DatabaseError, Tx, sqlstate
from common.storage.users import NewUser

_PROGRAM: Final = "everturn users"


class _NotDone(Exception):
    """It cannot be done; the message says why."""


def run(settings: Settings, given: argparse.Namespace) -> int:
    """Do what was asked; 0 when it was done, 1 when it cannot be, 2 for trouble."""
    database = Database(settings.database_url, pool_size=1, application=_PROGRAM)
    try:
        if given.deed == "list":
            return _list(database, given)
        changed, user = _DEEDS[given.deed](database, given)
        _tell(settings, changed)
        _print(given, user)
    except (_NotDone, Conflict) as why:
        sys.stderr.write(f"{_PROGRAM}: {why}\n")
        return 1
    except DatabaseError as failure:
        kind, code = type(failure).__name__, sqlstate(failure)
        sys.stderr.write(f"{_PROGRAM}: the database failed ({kind}, SQLSTATE {code})\n")
        return 2
    finally:
        database.close()
    return 0


_Done = tuple[list[UUID], User]


def _create(database: Database, given: argparse.Namespace) -> _Done:
    kept = Passwords().hash(_read_password())
    with database.transaction() as tx:
        _lock(tx, given.organization)
        new = NewUser(
            id=new_id(),
            email=given.email,
            name=given.name or given.email,
            password_hash=kept,
            is_operator=given.operator,
        )
        user = users.insert(tx, new)
        if user is None:
            raise _NotDone("there is a user of this address already")
        members.add(tx, given.organization, user.id, given.role or _role(tx, given.organization))
        _note(tx, given, user)
    return [], user


def _join(database: Database, given: argparse.Namespace) -> _Done:
    with database.transaction() as tx:
        _lock(tx, given.organization)
        user = _find(tx, given.email)
        role = given.role or _role(tx, given.organization)
        if not members.add(tx, given.organization, user.id, role):
            members.change(tx, given.organization, user.id, role)
        _note(tx, given, user)
    return [user.id], user


def _set_password(database: Database, given: argparse.Namespace) -> _Done:
    kept = Passwords().hash(_read_password())
    with database.transaction() as tx:
        user = _find(tx, given.email)
        users.lock(tx, user.id)
        account = users.get_account(tx, user.id)
        before = None if account is None else account.password_hash
        users.set_password(tx, user.id, kept, before=before)
        _note(tx, given, user)
        return logins.revoke_all(tx, user.id), user


def _disable(database: Database, given: argparse.Namespace) -> _Done:
    with database.transaction() as tx:
        user = _find(tx, given.email)
        users.set_disabled(tx, user.id, is_disabled=True)
        _note(tx, given, user)
        ended = logins.revoke_all(tx, user.id)
        return [*ended, user.id], _find(tx, given.email)


def _enable(database: Database, given: argparse.Namespace) -> _Done:
    with database.transaction() as tx:
        user = _find(tx, given.email)
        users.set_disabled(tx, user.id, is_disabled=False)
        _note(tx, given, user)
        return [user.id], _find(tx, given.email)


_DEEDS: Final[dict[str, Callable[[Database, argparse.Namespace], _Done]]] = {
    "create": _create,
    "join": _join,
    "password": _set_password,
    "disable": _disable,
    "enable": _enable,
}


_AUDITED: Final = {
    "create": "create_user",
    "join": "join_user",
    "password": "set_password",
    "disable": "disable_user",
    "enable": "enable_user",
}


def _note(tx: Tx, given: argparse.Namespace, user: User) -> None:
    """Enter it in the audit log: of the organization that it is about, if it is about one."""
    audit_log.append_of_cli(
        tx,
        _AUDITED[given.deed],
        shown(Kind.USER, user.id),
        organization_id=getattr(given, "organization", None),
    )


def _list(database: Database, given: argparse.Namespace) -> int:
    with database.reading() as tx:
        found = users.find_all(tx)
    if given.json:
        sys.stdout.write(json.dumps([_shown(user) for user in found]) + "\n")
    else:
        sys.stdout.writelines(f"{_line(user)}\n" for user in found)
    return 0


def _lock(tx: Tx, organization_id: UUID) -> None:
    if not organizations.exists(tx, organization_id):
        raise _NotDone("there is no such organization")
    organizations.lock(tx, organization_id)


def _find(tx: Tx, email: str) -> User:
    account = users.find_account(tx, email)
    if account is None:
        raise _NotDone("there is no such user")
    return account.user


def _role(tx: Tx, organization_id: UUID) -> Role:
    return Role.MEMBER if members.count(tx, organization_id) else Role.OWNER


def _read_password() -> str:
    """The password: from a terminal twice and unseen, else the first line of what comes in."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise _NotDone("the two are not the same")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    fault = password_fault(password)
    if fault is not None or len(password.encode()) > MOST_PASSWORD_BYTES:
        raise _NotDone(f"the password cannot be chosen. {fault or 'It is too long'}")
    return password


def _tell(settings: Settings, changed: Iterable[UUID]) -> None:
    redis = make_client(settings.pubsub_url, timeout_seconds=settings.redis_timeout_seconds)
    live = Live(redis, Breaker(), text_ttl_seconds=settings.live_text_ttl_seconds)
    for each in changed:
        live.revoke(each)
    redis.close()


def _print(given: argparse.Namespace, user: User) -> None:
    shown = json.dumps(_shown(user)) if given.json else _line(user)
    sys.stdout.write(f"{shown}\n")


def _line(user: User) -> str:
    closed = f"disabled {show_time(user.disabled_at)}" if user.disabled_at else "open"
    operator = "  operator" if user.is_operator else ""
    return f"{show_id(Kind.USER, user.id)}  {user.email}  {user.name!r}  {closed}{operator}"


def _shown(user: User) -> dict[str, Any]:
    return {
        "id": show_id(Kind.USER, user.id),
        "email": user.email,
        "name": user.name,
        "is_operator": user.is_operator,
        "created_at": show_time(user.created_at),
        "disabled_at": show_optional_time(user.disabled_at),
    }
