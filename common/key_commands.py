"""`everturn keys`: make, list and revoke API keys on the database itself.

It is how the first key is made, and how any key is revoked whoever made it.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Sequence
from typing import Any, Final

from common.clock import new_id
from common.domain.access import (
    AN_AGENT,
    EVERYTHING,
    ApiKey,
    Grants,
    agent_principal,
    digest_of,
    key_text,
    shown_prefix,
)
from common.domain.audit import shown
from common.domain.ids import OPERATOR_PRINCIPAL, Kind, show_id
from common.event_codec import show_optional_time, show_time
from common.live import Live
from common.redis_client import Breaker, make_client
from common.settings import Settings
from common.storage import agents, api_keys, audit_log, organizations
from common.storage.api_keys import NewKey
from common.storage.engine import Database, DatabaseError, sqlstate

_SECRET_BYTES: Final = 32


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
        made = shown(Kind.API_KEY, key.id)
        audit_log.append_of_cli(tx, "create_api_key", made, organization_id=key.organization_id)
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
        organization_id = api_keys.revoke(tx, given.key)
        if organization_id is not None:
            revoked = shown(Kind.API_KEY, given.key)
            audit_log.append_of_cli(tx, "revoke_api_key", revoked, organization_id=organization_id)
    if organization_id is None:
        return _nothing("key that is not revoked")
    redis = make_client(settings.pubsub_url, timeout_seconds=settings.redis_timeout_seconds)
    Live(redis, Breaker(), text_ttl_seconds=settings.live_text_ttl_seconds).revoke(given.key)
    redis.close()
    if given.json:
        _print_json({"id": revoked.id, "revoked": True})
    else:
        sys.stdout.write(f"{revoked.id} is revoked\n")
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
