"""Providers on the wire (contract 3.9).  The key goes in and never comes out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate

from api.schemas.fields import Number, Text, unacceptable
from api.schemas.shared import Body, given_values
from common.domain.ids import Kind, show_id
from common.domain.provider import (
    KEY_CHARACTERS,
    KEY_HEADERS,
    NAME_CHARACTERS,
    PROVIDER_TYPES,
    NewProvider,
    Provider,
    ProviderStatus,
    checked_url,
)
from common.event_codec import show_optional_time, show_time

_HEADERS: Final = 20
_HEADER_CHARACTERS: Final = 2048
_SETTING_CHARACTERS: Final = 128
_LONGEST_SECONDS: Final = 3600
# For the documentation: what is none of them is well-formed, and answered with 422.
_TYPES: Final = {"enum": list(PROVIDER_TYPES)}
_KEY: Final = re.compile(r"[\x21-\x7e]*")
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class ProviderChanges:
    """A patch: the fields it names, null for those it clears."""

    given: dict[str, Any] = field(repr=False)


def _check_name(text: str) -> None:
    if not text.strip():
        raise unacceptable("Must not be blank")


def _check_type(text: str) -> None:
    if text not in PROVIDER_TYPES:
        raise unacceptable(f"Must be one of {', '.join(PROVIDER_TYPES)}")


def _check_key(text: str) -> None:
    if not _KEY.fullmatch(text.strip()):
        raise unacceptable("Must be visible ASCII characters without spaces")


def _check_url(text: str) -> None:
    if not text.strip():
        return
    try:
        checked_url(text)
    except ValueError as wrong:
        raise unacceptable(str(wrong)) from wrong


def _check_headers(headers: dict[str, str]) -> None:
    if len(headers) > _HEADERS:
        raise ValidationError(f"Must not be more than {_HEADERS}")
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise unacceptable("Has a name or value that no header may have")
        if name.lower() in KEY_HEADERS:
            raise unacceptable("Must not carry the key: use api_key")


def _seconds() -> Number:
    bounds = validate.Range(min=0, min_inclusive=False, max=_LONGEST_SECONDS)
    return Number(validate=bounds)


def _setting() -> Text:
    return Text(validate=validate.Length(max=_SETTING_CHARACTERS))


class ProviderSettingsSchema(Body):
    """Options of the driver."""

    headers = fields.Dict(
        keys=Text(),
        values=Text(validate=validate.Length(max=_HEADER_CHARACTERS)),
        validate=_check_headers,
    )
    api_version = _setting()
    organization = _setting()
    project = _setting()
    connect_timeout_seconds = _seconds()
    read_timeout_seconds = _seconds()


class ProviderFields(Body):
    """All that a caller may write."""

    name = Text(validate=[validate.Length(max=NAME_CHARACTERS), _check_name])
    base_url = Text(allow_none=True, validate=_check_url)
    api_key = Text(
        allow_none=True,
        load_only=True,
        validate=[validate.Length(max=KEY_CHARACTERS), _check_key],
        metadata={"format": "password"},
    )
    settings = fields.Nested(ProviderSettingsSchema(), allow_none=True)
    status = Text(validate=validate.OneOf([each.value for each in ProviderStatus]))


class NewProviderSchema(ProviderFields):
    """Body of POST."""

    name = Text(required=True, validate=[validate.Length(max=NAME_CHARACTERS), _check_name])
    provider_type = Text(required=True, validate=_check_type, metadata=_TYPES)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> NewProvider:
        """Build the command."""
        return NewProvider(**given_values(_settled(data)))


class ProviderPatchSchema(ProviderFields):
    """Body of PATCH: what is absent stays, what is null is cleared."""

    provider_type = Text(validate=_check_type, metadata=_TYPES)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> ProviderChanges:
        """Build the command."""
        return ProviderChanges(_settled(data))


def _settled(data: dict[str, Any]) -> dict[str, Any]:
    """With addresses and keys as they are stored; an empty text is none."""
    settled = dict(data)
    if settled.get("base_url") is not None:
        settled["base_url"] = (
            checked_url(settled["base_url"]) if settled["base_url"].strip() else None
        )
    if settled.get("api_key") is not None:
        settled["api_key"] = settled["api_key"].strip() or None
    if "status" in settled:
        settled["status"] = ProviderStatus(settled["status"])
    if "name" in settled:
        settled["name"] = settled["name"].strip()
    return settled


class ProviderSchema(Schema):
    """A provider; its key is never shown."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    provider_type = fields.String(required=True)
    base_url = fields.String(required=True, allow_none=True)
    api_key_set = fields.Boolean(required=True)
    settings = fields.Dict(required=True)
    header_names = fields.List(fields.String(), required=True)
    status = fields.String(
        required=True, validate=validate.OneOf([each.value for each in ProviderStatus])
    )
    is_built_in = fields.Boolean(required=True)
    last_synced_at = fields.DateTime(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)


class ProviderListSchema(Schema):
    """All providers that the caller may use."""

    data = fields.List(fields.Nested(ProviderSchema()), required=True)
    total = fields.Integer(required=True)


class DriverSchema(Schema):
    """A type of provider and what it asks for, as a JSON Schema."""

    driver = fields.String(required=True)
    name = fields.String(required=True)
    credential_schema = fields.Dict(required=True)
    supports_oauth = fields.Boolean(required=True)
    supports_sync = fields.Boolean(required=True)


class ProviderConfigSchema(Schema):
    """What a form for providers needs to know."""

    drivers = fields.List(fields.Nested(DriverSchema()), required=True)
    policies = fields.Dict(keys=fields.String(), values=fields.Boolean(), required=True)


class SyncSchema(Schema):
    """What a provider's list of models changed; the counts are absent if it has none."""

    status = fields.String(required=True, validate=validate.OneOf(("success", "not_supported")))
    created = fields.Integer()
    updated = fields.Integer()
    stale = fields.Integer()


def show_provider(provider: Provider, *, api_key_set: bool) -> dict[str, Any]:
    """The provider as responses carry it; of its headers the names alone."""
    settings = {name: value for name, value in provider.settings.items() if name != "headers"}
    return {
        "id": show_id(Kind.PROVIDER, provider.id),
        "name": provider.name,
        "provider_type": provider.provider_type,
        "base_url": provider.base_url,
        "api_key_set": api_key_set,
        "settings": settings,
        "header_names": sorted(provider.settings.get("headers") or {}),
        "status": provider.status,
        "is_built_in": provider.is_built_in,
        "last_synced_at": show_optional_time(provider.last_synced_at),
        "created_at": show_time(provider.created_at),
        "updated_at": show_time(provider.updated_at),
    }


def show_driver(provider_type: str, *, can_sync: bool) -> dict[str, Any]:
    """A type of provider as `GET /providers/config` shows it."""
    known = PROVIDER_TYPES[provider_type]
    needs_url = known.default_url is None and known.needs_key
    properties: dict[str, Any] = {
        "api_key": {"type": "string", "title": "API key", "format": "password", "writeOnly": True},
        "base_url": {"type": "string", "title": "Address", "format": "uri"},
    }
    if known.default_url is not None:
        properties["base_url"]["default"] = known.default_url
    return {
        "driver": provider_type,
        "name": known.title,
        "credential_schema": {
            "type": "object",
            "properties": properties if known.needs_key else {},
            "required": ["base_url"] if needs_url else [],
        },
        "supports_oauth": False,
        "supports_sync": can_sync,
    }
