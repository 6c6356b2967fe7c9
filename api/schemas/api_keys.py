"""API keys on the wire, and who one is (contract 2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, post_load, validate

from api.schemas.fields import Id, Integer, Text, Unacceptable, unacceptable
from api.schemas.shared import Body
from common.domain.access import (
    AN_AGENT,
    EVERYTHING,
    LONGEST_DAYS,
    NAME_CHARACTERS,
    ApiKey,
    Grants,
    is_grant,
)
from common.domain.ids import Kind, show_id
from common.event_codec import show_optional_time, show_time

_MOST_SCOPES: Final = 50
_SCOPE_BYTES: Final = 64
_SCOPES: Final = (
    "Patterns of scopes: `*`, `sessions:read`, `sessions:*`, `*:read`; everything when it is left"
    " out, but for an agent key, which always has `channels:use`"
)


@dataclass(frozen=True, slots=True)
class WantedKey:
    """A key to make.

    Attributes:
        agent_id: for an agent key: the agent.
        lasts: None: for ever.
    """

    name: str
    grants: Grants
    agent_id: UUID | None
    lasts: timedelta | None


def _check_name(text: str) -> None:
    if not text.strip():
        raise ValidationError("Must not be blank")


def _check_scope(text: str) -> None:
    if not is_grant(text):
        raise unacceptable("There is no such scope")


class NewApiKeySchema(Body):
    """Body of POST /auth/api-keys."""

    name = Text(required=True, validate=[validate.Length(max=NAME_CHARACTERS), _check_name])
    scopes = fields.List(
        Text(max_bytes=_SCOPE_BYTES, validate=_check_scope),
        load_default=None,
        validate=validate.Length(min=1, max=_MOST_SCOPES),
        metadata={"description": _SCOPES},
    )
    agent_id = Id(
        Kind.AGENT,
        allow_none=True,
        load_default=None,
    )
    expires_in_days = Integer(
        allow_none=True,
        load_default=None,
        validate=validate.Range(min=1, max=LONGEST_DAYS),
        metadata={"description": "Never, when it is left out; with the key that makes it at last"},
    )

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> WantedKey:
        """Build the command."""
        days, agent_id, scopes = data["expires_in_days"], data["agent_id"], data["scopes"]
        default = AN_AGENT if agent_id else EVERYTHING
        grants = default if scopes is None else Grants(tuple(dict.fromkeys(scopes)))
        if agent_id and grants != AN_AGENT:
            raise ValidationError({"scopes": [Unacceptable("An agent's key has channels:use")]})
        lasts = None if days is None else timedelta(days=days)
        return WantedKey(data["name"], grants, agent_id, lasts)


class ApiKeySchema(Schema):
    """A key, without its text."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    key_prefix = fields.String(required=True)
    scopes = fields.List(fields.String(), required=True)
    agent_id = fields.String(required=True, allow_none=True)
    expires_at = fields.DateTime(required=True, allow_none=True)
    last_used_at = fields.DateTime(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)


class MadeApiKeySchema(ApiKeySchema):
    """A key with its text, which is shown this once."""

    key = fields.String(required=True)


class ApiKeyListSchema(Schema):
    """The caller's keys and those of agents, oldest first."""

    data = fields.List(fields.Nested(ApiKeySchema()), required=True)
    total = fields.Integer(required=True)


class AuthConfigSchema(Schema):
    """How one gets in."""

    mode = fields.String(required=True)
    password_auth_enabled = fields.Boolean(required=True)
    oauth_providers = fields.List(fields.String(), required=True)
    signup_enabled = fields.Boolean(required=True)


class MeSchema(Schema):
    """Who the caller is, where it acts and what it is granted."""

    id = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)
    name = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)
    avatar_url = fields.String(required=True, allow_none=True)
    organization_id = fields.String(required=True, allow_none=True)
    scopes = fields.List(fields.String(), required=True)


def show_key(key: ApiKey) -> dict[str, Any]:
    """The key as responses carry it."""
    return {
        "id": show_id(Kind.API_KEY, key.id),
        "name": key.name,
        "key_prefix": key.prefix,
        "scopes": list(key.grants.names),
        "agent_id": key.agent_id and show_id(Kind.AGENT, key.agent_id),
        "expires_at": show_optional_time(key.expires_at),
        "last_used_at": show_optional_time(key.last_used_at),
        "created_at": show_time(key.created_at),
    }
