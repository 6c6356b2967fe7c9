"""Create, change or delete an MCP server; names are unique by their slug."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import orjson

from api.auth import Caller
from api.deps import Deps
from common.domain.agent import slug_of
from common.domain.errors import (
    Conflict,
    EncryptionMissing,
    FieldProblem,
    NotFound,
    Unprocessable,
)
from common.domain.mcp_server import (
    AuthMode,
    McpServer,
    McpServerConfig,
    McpServerStatus,
    ProtocolMode,
    headers_purpose,
    key_purpose,
)
from common.domain.outbound import OutboundPolicy, OutboundRefused, read_target
from common.encryption import EncryptionUnavailable, Envelope, SecretBox
from common.storage import idempotency, mcp_servers, organizations
from common.storage.engine import Tx
from common.storage.idempotency import IdempotencyKey

_DEFAULTS: Final = McpServerConfig(name="", url="")
# The database sets the times of a new row.
_UNSET: Final = datetime.min.replace(tzinfo=UTC)
_CONFIG_FIELDS: Final = frozenset(McpServerConfig.__dataclass_fields__)


def create_server(
    deps: Deps, caller: Caller, given: dict[str, Any], key: IdempotencyKey | None
) -> McpServer:
    """Store a new server.

    Raises:
        Conflict: another server has the name.
        EncryptionMissing: it has secrets and there is no master key.
        IdempotencyKeyReused: the key came with another body.
        Unprocessable: its URL may not be reached, or auth_mode and api_key contradict.
    """
    server_id = deps.new_id()
    blank = _blank(server_id, caller.organization_id)
    with deps.database.transaction() as tx:
        if key is not None:
            first = idempotency.first_answer(
                tx, key, resource_id=server_id.hex, status_code=HTTPStatus.CREATED
            )
            if first is not None:
                return find_server(tx, caller.organization_id, UUID(first.resource_id))
        organizations.lock(tx, caller.organization_id)
        server = _changed(blank, given, deps)
        _check_free(tx, server)
        mcp_servers.insert(tx, server)
        return find_server(tx, caller.organization_id, server_id)


def patch_server(deps: Deps, caller: Caller, server_id: UUID, given: dict[str, Any]) -> McpServer:
    """Change the fields that are given; null takes a field back to its default.

    Raises:
        NotFound: there is no such server.
        Conflict: another server has the new name.
        EncryptionMissing: it has new secrets and there is no master key.
        Unprocessable: its URL may not be reached, or auth_mode and api_key contradict, or
            the URL changes and its secrets are not given again.
    """
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        existing = find_server(tx, caller.organization_id, server_id)
        server = _changed(existing, given, deps)
        _check_free(tx, server)
        mcp_servers.update(tx, server)
        return find_server(tx, caller.organization_id, server_id)


def find_server(tx: Tx, organization_id: UUID, server_id: UUID) -> McpServer:
    """The server with that id.

    Raises:
        NotFound: the organization has none.
    """
    found = mcp_servers.find(tx, organization_id, server_id)
    if found is None:
        raise NotFound("MCP server not found")
    return found


def _blank(server_id: UUID, organization_id: UUID) -> McpServer:
    return McpServer(
        id=server_id,
        organization_id=organization_id,
        slug="",
        config=_DEFAULTS,
        status=McpServerStatus.ACTIVE,
        created_at=_UNSET,
        updated_at=_UNSET,
    )


def _changed(server: McpServer, given: dict[str, Any], deps: Deps) -> McpServer:
    values = {
        name: getattr(_DEFAULTS, name) if value is None else value
        for name, value in given.items()
        if name in _CONFIG_FIELDS
    }
    if "auth_mode" in values:
        values["auth_mode"] = AuthMode(values["auth_mode"])
    if "protocol_mode" in values:
        values["protocol_mode"] = ProtocolMode(values["protocol_mode"])
    if "url" in values:
        values["url"] = _checked_url(values["url"], deps)
    config = replace(server.config, **values)
    if config.url != server.config.url:
        _check_secrets_given(server, given)
    changed = replace(server, config=config, slug=slug_of(config.name))
    changed = _with_secrets(changed, given, _secret_box(deps))
    # A key says by itself how it is to be used, and so does its end, unless the caller does.
    if "api_key" in given and given.get("auth_mode") is None:
        mode = AuthMode.NONE if given["api_key"] is None else AuthMode.API_KEY
        changed = replace(changed, config=replace(config, auth_mode=mode))
    if changed.config.auth_mode is AuthMode.API_KEY and changed.api_key is None:
        raise _unacceptable(FieldProblem("api_key", "Is needed with auth_mode api_key"))
    if "status" in given:
        changed = replace(changed, status=McpServerStatus(given["status"]))
    return changed


def _check_secrets_given(server: McpServer, given: dict[str, Any]) -> None:
    """Whoever may change the address must not get the stored secrets sent to it."""
    stored = {"api_key": server.api_key, "headers": server.headers}
    problems = [
        FieldProblem(name, f"Give the {what} again, or null: the URL changes")
        for name, what in (("api_key", "key"), ("headers", "headers"))
        if stored[name] is not None and name not in given
    ]
    if problems:
        raise _unacceptable(*problems)


def _with_secrets(server: McpServer, given: dict[str, Any], secrets: SecretBox) -> McpServer:
    if "headers" in given:
        headers = given["headers"] or {}
        server = replace(
            server,
            header_names=sorted(headers, key=str.lower),
            headers=_sealed(secrets, headers, headers_purpose(server.id)) if headers else None,
        )
    if "api_key" in given:
        api_key = given["api_key"]
        purpose = key_purpose(server.id)
        sealed = None if api_key is None else _sealed(secrets, api_key, purpose)
        server = replace(server, api_key=sealed)
    return server


def _sealed(secrets: SecretBox, value: str | dict[str, str], purpose: str) -> Envelope:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    try:
        return secrets.encrypt(text, purpose=purpose)
    except EncryptionUnavailable:
        raise EncryptionMissing(
            "Secrets cannot be stored: SECRETS_ENCRYPTION_KEY is not configured"
        ) from None


def _secret_box(deps: Deps) -> SecretBox:
    settings = deps.settings
    return SecretBox(settings.secrets_encryption_key, settings.secrets_encryption_key_previous)


def _checked_url(url: str, deps: Deps) -> str:
    """The URL as it is stored; what its name leads to is judged at each connection."""
    try:
        target = read_target(url)
        policy = OutboundPolicy(deps.settings.outbound_allow_private)
        policy.check_host(target.host, target.port)
    except OutboundRefused as refused:
        raise _unacceptable(FieldProblem("url", f"Cannot be reached: {refused.reason}")) from None
    return target.url


def _check_free(tx: Tx, server: McpServer) -> None:
    holder = mcp_servers.holder_of(tx, server.organization_id, server.slug)
    if holder is not None and holder != server.id:
        raise Conflict("Another MCP server has this name")


def _unacceptable(*problems: FieldProblem) -> Unprocessable:
    first = problems[0]
    return Unprocessable(f"{first.field}: {first.message}", problems=problems)
