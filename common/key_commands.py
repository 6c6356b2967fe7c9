"""`everturn keys`: make, list and revoke API keys on the database itself.

It is how the first key is made, and how any key is revoked whoever made it.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from common.clock import new_id
from common.domain.access import (
    AN_AGENT,
    EVERYTHING,
    LONGEST_DAYS,
    NAME_CHARACTERS,
    ApiKey,
    Grants,
    agent_principal,
    digest_of,
    is_grant,
    key_text,
    shown_prefix,
)
from common.domain.agent import AgentRef, agent_ref
from common.domain.errors import InvalidId
from common.domain.ids import DEFAULT_ORGANIZATION, OPERATOR_PRINCIPAL, Kind, parse_id, show_id
from common.event_codec import show_optional_time, show_time
from common.live import Live
from common.redis_client import Breaker, make_client
from common.settings import Settings
from common.storage import agents, api_keys, organizations
from common.storage.api_keys import NewKey
from common.storage.engine import Database, DatabaseError, sqlstate

_SECRET_BYTES: Final = 32


def parse(words: Sequence[str], *, description: str) -> argparse.Namespace:
    """Read what follows `everturn keys`; ends the process when it makes no sense."""
    parser = argparse.ArgumentParser(prog="everturn keys", description=description)
    deeds = parser.add_subparsers(dest="deed", required=True)
    making = deeds.add_parser("create", help="make a key; its text is printed this once")
    making.add_argument("--name", required=True, type=_name, help="for people to know it by")
    making.add_argument(
        "--organization",
        type=_organization,
        default=DEFAULT_ORGANIZATION,
        metavar="ID",
        help="where it can be used; the default one when left out",
    )
    granted = making.add_mutually_exclusive_group()
    granted.add_argument(
        "--agent",
        type=_agent,
        metavar="AGENT",
        help="id or name of the only agent whose sessions it is for",
    )
    granted.add_argument(
        "--scope",
        action="append",
        type=_scope,
        metavar="SCOPE",
        help="what it grants, such as sessions:read; repeat for more; everything when left out",
    )
    making.add_argument("--expires-in-days", type=_days, metavar="DAYS", help="never when left out")
    listing = deeds.add_parser("list", help="list the keys that are not revoked")
    revoking = deeds.add_parser("revoke", help="let a key open nothing any more")
    revoking.add_argument("key", type=_key, help="its id, as `list` shows it")
    for each in (making, listing, revoking):
        each.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(words)


def run(settings: Settings, given: argparse.Namespace) -> int:
    """Do what was asked; 0 when it was done, 1 when there is nothing to do it to, 2 for trouble."""
    database = Database(settings.database_url, pool_size=1, application="everturn keys")
    try:
        match given.deed:
            case "create":
                return _create(database, given)
            case "list":
                return _list(database, given)
            case _:
                return _revoke(database, settings, given)
    except DatabaseError as failure:
        kind, code = type(failure).__name__, sqlstate(failure)
        sys.stderr.write(f"everturn keys: the database failed ({kind}, SQLSTATE {code})\n")
        return 2
    finally:
        database.close()


def _create(database: Database, given: argparse.Namespace) -> int:
    text = key_text(secrets.token_bytes(_SECRET_BYTES), is_agents=given.agent is not None)
    with database.transaction() as tx:
        agent = None
        if not organizations.exists(tx, given.organization):
            return _nothing("organization")
        if given.agent is not None:
            agent = agents.find(tx, given.organization, given.agent)
            if agent is None:
                return _nothing("agent")
        everything = EVERYTHING if agent is None else AN_AGENT
        new = NewKey(
            id=new_id(),
            organization_id=given.organization,
            principal_id=OPERATOR_PRINCIPAL if agent is None else agent_principal(agent.id),
            agent_id=None if agent is None else agent.id,
            name=given.name,
            digest=digest_of(text),
            prefix=shown_prefix(text),
            grants=Grants(tuple(dict.fromkeys(given.scope))) if given.scope else everything,
            lasts=given.expires_in_days,
        )
        key = api_keys.insert(tx, new)
    if given.json:
        _print_json({**_shown(key), "key": text})
    else:
        # Alone on its line, so that a script can take it.
        sys.stderr.write(f"{_line(key)}\nIt is shown this once:\n")
        sys.stdout.write(f"{text}\n")
    return 0


def _list(database: Database, given: argparse.Namespace) -> int:
    with database.reading() as tx:
        found = api_keys.find_all(tx)
    if given.json:
        _print_json([_shown(key) for key in found])
    else:
        sys.stdout.writelines(f"{_line(key)}\n" for key in found)
    return 0


def _revoke(database: Database, settings: Settings, given: argparse.Namespace) -> int:
    with database.transaction() as tx:
        is_revoked = api_keys.revoke(tx, given.key)
    if not is_revoked:
        return _nothing("key that is not revoked")
    redis = make_client(settings.pubsub_url, timeout_seconds=settings.redis_timeout_seconds)
    Live(redis, Breaker(), text_ttl_seconds=settings.live_text_ttl_seconds).revoke(given.key)
    redis.close()
    shown = show_id(Kind.API_KEY, given.key)
    if given.json:
        _print_json({"id": shown, "revoked": True})
    else:
        sys.stdout.write(f"{shown} is revoked\n")
    return 0


def _nothing(what: str) -> int:
    sys.stderr.write(f"everturn keys: there is no such {what}\n")
    return 1


def _line(key: ApiKey) -> str:
    ends = "never expires" if key.expires_at is None else f"expires {show_time(key.expires_at)}"
    used = "never used" if key.last_used_at is None else f"used {show_time(key.last_used_at)}"
    scopes = " ".join(key.grants.names)
    return f"{show_id(Kind.API_KEY, key.id)}  {key.prefix}  {key.name!r}  {scopes}  {ends}  {used}"


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "id": show_id(Kind.API_KEY, key.id),
        "name": key.name,
        "key_prefix": key.prefix,
        "organization_id": show_id(Kind.ORGANIZATION, key.organization_id),
        "principal_id": str(key.principal_id),
        "agent_id": key.agent_id and show_id(Kind.AGENT, key.agent_id),
        "scopes": list(key.grants.names),
        "expires_at": show_optional_time(key.expires_at),
        "last_used_at": show_optional_time(key.last_used_at),
        "created_at": show_time(key.created_at),
    }


def _print_json(value: dict[str, Any] | Sequence[dict[str, Any]]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


def _name(text: str) -> str:
    if not text.strip() or len(text) > NAME_CHARACTERS:
        raise argparse.ArgumentTypeError(f"must have 1 to {NAME_CHARACTERS} characters")
    return text


def _scope(text: str) -> str:
    if not is_grant(text):
        raise argparse.ArgumentTypeError(f"there is no scope {text!r}")
    return text


def _days(text: str) -> timedelta:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:6]) <= LONGEST_DAYS:
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 to {LONGEST_DAYS}")
    return timedelta(days=int(text))


def _agent(text: str) -> AgentRef:
    try:
        return agent_ref(text)
    except InvalidId as malformed:
        raise argparse.ArgumentTypeError(malformed.message) from malformed


def _organization(text: str) -> UUID:
    return _id(Kind.ORGANIZATION, text)


def _key(text: str) -> UUID:
    return _id(Kind.API_KEY, text)


def _id(kind: Kind, text: str) -> UUID:
    try:
        return parse_id(kind, text)
    except InvalidId as malformed:
        raise argparse.ArgumentTypeError(malformed.message) from malformed
