"""Make a key and revoke one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from api.gate import Gate
from api.schemas.api_keys import WantedKey
from common.domain.access import (
    GRANTS_OF,
    MOST_KEYS,
    ApiKey,
    Scope,
    agent_principal,
    digest_of,
    key_text,
    shown_prefix,
)
from common.domain.agent import NamedRef
from common.domain.errors import Conflict, Forbidden, InsufficientScope, NotFound, Unauthorized
from common.domain.ids import ANONYMOUS_PRINCIPAL
from common.storage import agents, api_keys, idempotency, logins, organizations
from common.storage.api_keys import NewKey
from common.storage.engine import Tx
from common.storage.idempotency import IdempotencyKey

_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key with its text, which is known nowhere else."""

    key: ApiKey
    text: str


def create_key(
    deps: Deps, caller: Caller, wanted: WantedKey, idempotency_key: IdempotencyKey | None
) -> MadeKey:
    """Make a key of the caller's, which grants no more and lasts no longer than its own.

    Raises:
        Conflict: without authentication, beyond the most keys, and for a repeat: the first
            answer cannot be given again.
        Forbidden: it would grant more than the caller is granted.
        NotFound: there is no such agent.
    """
    if caller.principal_id == ANONYMOUS_PRINCIPAL:
        raise Conflict(
            "With AUTH_MODE=none there is nobody whose key it would be;"
            " make one with `everturn keys create`"
        )
    # A user's own key never grants more than the user may do when it is used.
    is_bound = caller.login is not None and wanted.agent_id is None
    if not is_bound and not caller.grants.cover(wanted.grants):
        raise Forbidden("A key cannot grant what its maker is not granted")
    text = key_text(secrets.token_bytes(_SECRET_BYTES), is_agents=wanted.agent_id is not None)
    key_id = deps.new_id()
    with deps.database.transaction() as tx:
        if idempotency_key is not None and idempotency.first_answer(
            tx, idempotency_key, resource_id=key_id.hex, status_code=HTTPStatus.CREATED
        ):
            raise Conflict("This request has made a key already, whose text was shown then")
        # Who removes a member or an account holds this lock too: a key that is made meanwhile would
        # outlive its maker, and be bound to nobody's role.
        organizations.lock(tx, caller.organization_id)
        _check_own(tx, caller)
        principal_id = _principal(tx, caller, wanted)
        reached = api_keys.within_reach(tx, caller.organization_id, principal_id)
        if sum(key.principal_id == principal_id for key in reached) >= MOST_KEYS:
            raise Conflict(f"There are {MOST_KEYS} keys already; revoke one first")
        new = NewKey(
            id=key_id,
            organization_id=caller.organization_id,
            principal_id=principal_id,
            agent_id=wanted.agent_id,
            name=wanted.name,
            digest=digest_of(text),
            prefix=shown_prefix(text),
            grants=wanted.grants,
            lasts=wanted.lasts,
            made_with=caller.key_id,
        )
        return MadeKey(api_keys.insert(tx, new), text)


def _principal(tx: Tx, caller: Caller, wanted: WantedKey) -> UUID:
    """On whose behalf the key will be used."""
    if wanted.agent_id is None:
        return caller.principal_id
    if agents.find(tx, caller.organization_id, NamedRef(wanted.agent_id, None, "")) is None:
        raise NotFound("Agent not found")
    return agent_principal(wanted.agent_id)


def revoke_key(deps: Deps, gate: Gate, caller: Caller, key_id: UUID) -> None:
    """Let one of the caller's keys, or of the organization's agents, open nothing any more.

    All processes know in a moment.

    Raises:
        NotFound: the caller has no such key.
    """
    with deps.database.transaction() as tx:
        found = api_keys.revoke_within_reach(
            tx, caller.organization_id, caller.principal_id, key_id
        )
    if not found:
        raise NotFound("API key not found")
    gate.revoked(key_id)
    deps.live.revoke(key_id)


def _check_own(tx: Tx, caller: Caller) -> None:
    """Let nobody make a key with one, by a login or in a role that was good a moment ago."""
    role = None
    if caller.key_id is not None:
        standing = api_keys.still_good(tx, [caller.key_id]).get(caller.key_id)
        if standing is None:
            raise Unauthorized(is_refused=True)
        role = standing.role
    elif caller.login is not None:
        login = logins.still_good(tx, [caller.login.login_id]).get(caller.login.login_id)
        if login is None:
            raise Unauthorized(is_refused=True)
        role = login.roles.get(caller.organization_id)
        if role is None:
            raise InsufficientScope(Scope.KEYS_WRITE)
    if role is not None and not GRANTS_OF[role].allow(Scope.KEYS_WRITE):
        raise InsufficientScope(Scope.KEYS_WRITE)
