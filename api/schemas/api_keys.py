"""API keys on the wire, and who one is (contract 2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate

from api.schemas.fields import Integer, Text, unacceptable
from api.schemas.shared import Body
from common.domain.access import LONGEST_DAYS, NAME_CHARACTERS, ApiKey, Grants, is_grant
from common.domain.ids import Kind, show_id
from common.event_codec import show_optional_time, show_time

_MOST_SCOPES: Final = 50
_SCOPE_BYTES: Final = 64
_SCOPES: Final = "Patterns of scopes: `*`, `sessions:read`, `sessions:*`, `*:read`"


@dataclass(frozen=True, slots=True)
class WantedKey:
    """A key to make; `lasts` is None for one that never expires."""

    name: str
    grants: Grants
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
        load_default=lambda: ["*"],
        validate=validate.Length(min=1, max=_MOST_SCOPES),
        metadata={"description": _SCOPES},
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
        days = data["expires_in_days"]
        return WantedKey(
            data["name"],
            Grants(tuple(dict.fromkeys(data["scopes"]))),
            None if days is None else timedelta(days=days),
        )


class ApiKeySchema(Schema):
    """A key, without its text."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    key_prefix = fields.String(required=True)
    scopes = fields.List(fields.String(), required=True)
    expires_at = fields.DateTime(required=True, allow_none=True)
    last_used_at = fields.DateTime(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)


class MadeApiKeySchema(ApiKeySchema):
    """A key with its text, which is shown this once."""

    key = fields.String(required=True)


class ApiKeyListSchema(Schema):
    """The caller's keys, oldest first."""

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
    organization_id = fields.String(required=True)
    scopes = fields.List(fields.String(), required=True)


def show_key(key: ApiKey) -> dict[str, Any]:
    """The key as responses carry it."""
    return {
        "id": show_id(Kind.API_KEY, key.id),
        "name": key.name,
        "key_prefix": key.prefix,
        "scopes": list(key.grants.names),
        "expires_at": show_optional_time(key.expires_at),
        "last_used_at": show_optional_time(key.last_used_at),
        "created_at": show_time(key.created_at),
    }
