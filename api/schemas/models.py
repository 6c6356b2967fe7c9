"""Models on the wire (contracts 3.9 and 10.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson
from marshmallow import Schema, ValidationError, fields, post_load, validate

from api.schemas.fields import Boolean, Integer, Number, Object, QueryBoolean, Text, unacceptable
from api.schemas.shared import Body
from common.domain.agent import MODEL_CHARACTERS
from common.domain.ids import Kind, show_id
from common.domain.model_catalog import known_profile, vendor_of
from common.domain.provider import ProvidedModel
from common.event_codec import show_optional_time, show_time

SOURCES: Final = ("manual", "discovered", "predefined")
_SETTINGS_BYTES: Final = 100 * 1024
_CAPABILITIES: Final = 20
_MOST_TOKENS: Final = 2**31 - 1
_MODALITIES: Final = ("text", "image", "audio", "video", "pdf")
_EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh")


@dataclass(frozen=True, slots=True)
class ModelChanges:
    """A new model, or a patch: the fields it names, null for those it clears."""

    given: dict[str, Any]


def _check_name(text: str) -> None:
    if not text.strip():
        raise unacceptable("Must not be blank")


def _check_size(value: dict[str, Any] | None) -> None:
    if value is not None and len(orjson.dumps(value)) > _SETTINGS_BYTES:
        raise ValidationError(f"Must not be larger than {_SETTINGS_BYTES} bytes")


def _name(**kwargs: Any) -> Text:
    return Text(validate=[validate.Length(max=MODEL_CHARACTERS), _check_name], **kwargs)


def _tokens(**kwargs: Any) -> Integer:
    return Integer(validate=validate.Range(min=1, max=_MOST_TOKENS), **kwargs)


def _price(**kwargs: Any) -> Number:
    return Number(validate=validate.Range(min=0, max=1_000_000), **kwargs)


def _modalities() -> Any:
    return fields.List(
        Text(validate=validate.OneOf(_MODALITIES)), required=True, validate=validate.Length(max=5)
    )


class LimitsSchema(Body):
    """How many tokens fit."""

    context = _tokens(required=True)
    output = _tokens(required=True)
    input = _tokens()
    max_media = _tokens()


class ModalitiesSchema(Body):
    """What goes in and comes out."""

    input = _modalities()
    output = _modalities()


class CostSchema(Body):
    """USD per million tokens."""

    input = _price(required=True)
    output = _price(required=True)
    cache_read = _price()


class EffortValueSchema(Body):
    """One level of thinking."""

    name = Text(required=True, validate=validate.Length(max=64))
    value = Text(required=True, validate=validate.OneOf(_EFFORTS))


class EffortSchema(Body):
    """How much a model may be asked to think."""

    default = Text(required=True, validate=validate.OneOf(_EFFORTS))
    values = fields.List(
        fields.Nested(EffortValueSchema()), required=True, validate=validate.Length(max=10)
    )


class ModelProfileSchema(Body):
    """What a model can do and how much fits into it."""

    name = Text(required=True, validate=validate.Length(max=MODEL_CHARACTERS))
    family = Text(required=True, validate=validate.Length(max=MODEL_CHARACTERS))
    attachment = Boolean(load_default=True)
    open_weights = Boolean(load_default=False)
    reasoning = Boolean(load_default=False)
    structured_output = Boolean(load_default=False)
    temperature = Boolean(load_default=True)
    tool_call = Boolean(load_default=True)
    limits = fields.Nested(LimitsSchema())
    modalities = fields.Nested(ModalitiesSchema())
    cost = fields.Nested(CostSchema())
    reasoning_effort = fields.Nested(EffortSchema())
    description = Text(validate=validate.Length(max=2048))


class ModelFieldsSchema(Body):
    """All that a caller may write."""

    display_name = _name()
    capabilities = fields.List(
        Text(validate=validate.Length(min=1, max=64)), validate=validate.Length(max=_CAPABILITIES)
    )
    enabled = Boolean()
    is_favorite = Boolean()
    profile = fields.Nested(ModelProfileSchema(), allow_none=True)
    settings = Object(allow_none=True, validate=_check_size)


class NewModelSchema(ModelFieldsSchema):
    """Body of POST: a model of the provider in the path."""

    model_id = _name(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> ModelChanges:
        """Build the command."""
        return ModelChanges(data)


class ModelPatchSchema(ModelFieldsSchema):
    """Body of PATCH: what is absent stays, what is null is cleared."""

    model_id = _name()

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> ModelChanges:
        """Build the command."""
        return ModelChanges(data)


class ModelListQuery(Schema):
    """Query of GET /models."""

    source = fields.String(load_default=None, validate=validate.OneOf(SOURCES))
    include_stale = QueryBoolean(load_default=False)
    favorites_only = QueryBoolean(load_default=False)


class ModelSchema(Schema):
    """A model with its provider."""

    id = fields.String(required=True)
    model_id = fields.String(required=True)
    display_name = fields.String(required=True)
    provider_id = fields.String(required=True)
    provider_name = fields.String(required=True)
    provider_type = fields.String(required=True)
    capabilities = fields.List(fields.String(), required=True)
    enabled = fields.Boolean(required=True)
    healthy = fields.Boolean(required=True)
    is_favorite = fields.Boolean(required=True)
    is_built_in = fields.Boolean(required=True)
    source = fields.String(required=True, validate=validate.OneOf(SOURCES))
    stale_since = fields.DateTime(required=True, allow_none=True)
    model_vendor = fields.String(required=True, allow_none=True)
    profile = fields.Nested(ModelProfileSchema(), required=True, allow_none=True)
    settings = fields.Dict(required=True)
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)


class ModelListSchema(Schema):
    """All models that the caller may use."""

    data = fields.List(fields.Nested(ModelSchema()), required=True)
    total = fields.Integer(required=True)


def show_model(model: ProvidedModel, *, healthy: bool) -> dict[str, Any]:
    """The model as responses carry it; a profile of its own, or what is known of its name."""
    return {
        "id": show_id(Kind.MODEL, model.id),
        "model_id": model.model_id,
        "display_name": model.display_name,
        "provider_id": show_id(Kind.PROVIDER, model.provider_id),
        "provider_name": model.provider_name,
        "provider_type": model.provider_type,
        "capabilities": model.capabilities,
        "enabled": model.enabled,
        "healthy": healthy,
        "is_favorite": model.is_favorite,
        "is_built_in": model.organization_id is None,
        "source": model.source,
        "stale_since": show_optional_time(model.stale_since),
        "model_vendor": vendor_of(model.model_id),
        "profile": model.profile or known_profile(model.model_id),
        "settings": model.settings,
        "created_at": show_time(model.created_at),
        "updated_at": show_time(model.updated_at),
    }
