"""Messages on the wire: the body that comes in, the objects that go out (contract 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate

from api.schemas.fields import Integer, Metadata, Number, Object, QueryInteger, Text, unacceptable
from api.schemas.parts import Parts
from api.schemas.shared import LARGEST_OFFSET, Body, Tags, check_locale
from common.domain.cursor import MAX_SEQUENCE
from common.domain.message import Part

Json = dict[str, Any]

_EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh")
_DISCLOSURES: Final = ("generic", "standard", "detailed")


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A user's message; `extras` are the optional fields that were given, as given."""

    content: list[Part]
    extras: Json


def _at_least_one(value: int) -> None:
    if value < 1:
        raise unacceptable("Must be at least 1")


def _temperature(value: float) -> None:
    if not 0 <= value <= 2:  # noqa: PLR2004 - contract 3.0
        raise unacceptable("Must be from 0 to 2")


def _one_of(*allowed: str) -> Any:
    def check(value: str) -> None:
        if value not in allowed:
            raise unacceptable(f"Must be one of {', '.join(allowed)}")

    return check


class Kept(Schema):
    """An object whose unknown keys are kept."""

    class Meta:
        """How marshmallow treats it."""

        unknown = "include"


class ReasoningSchema(Kept):
    """How hard the model should think."""

    effort = Text(allow_none=True, validate=_one_of(*_EFFORTS))


class ControlsSchema(Kept):
    """What the caller asks of the model for this message."""

    max_tokens = Integer(allow_none=True, validate=_at_least_one)
    temperature = Number(allow_none=True, validate=_temperature)
    model_id = Text(allow_none=True, validate=validate.Length(max=256))
    reasoning = fields.Nested(ReasoningSchema(), allow_none=True)
    locale = Text(allow_none=True, validate=check_locale)
    hints = Object(allow_none=True)
    error_disclosure = Text(allow_none=True, validate=_one_of(*_DISCLOSURES))

    @post_load
    def tidy(self, data: Json, **_: object) -> Json:
        """Leave out nulls: null stands for not given, and must not hide an outer value."""
        return {name: value for name, value in data.items() if value is not None}


class ActorSchema(Kept):
    """Who wrote the message elsewhere."""

    actor_id = Text(required=True, validate=validate.Length(max=256))
    source = Text(required=True, validate=validate.Length(max=256))
    actor_name = Text(allow_none=True, validate=validate.Length(max=256))
    metadata = Metadata(allow_none=True)


class MessageBodySchema(Body):
    """The message itself."""

    role = Text(allow_none=True, validate=_one_of("user"))
    content = Parts(required=True)
    controls = fields.Nested(ControlsSchema(), allow_none=True)
    metadata = Metadata(allow_none=True)


class NewMessageSchema(Body):
    """Body of POST messages: controls and metadata inside the message, beside it, or both."""

    message = fields.Nested(MessageBodySchema(), required=True)
    controls = fields.Nested(ControlsSchema(), allow_none=True)
    metadata = Metadata(allow_none=True)
    tags = Tags(allow_none=True)
    external_actor = fields.Nested(ActorSchema(), allow_none=True)

    @post_load
    def make(self, data: Json, **_: object) -> NewMessage:
        """Build the command; of both placements the inner key wins."""
        message = data["message"]
        extras: Json = {}
        for name in ("controls", "metadata"):
            inner, outer = message.get(name), data.get(name)
            if inner is not None or outer is not None:
                extras[name] = {**(outer or {}), **(inner or {})}
        if data.get("tags"):
            extras["tags"] = data["tags"]
        if data.get("external_actor") is not None:
            extras["external_actor"] = data["external_actor"]
        return NewMessage(message["content"], extras)


class MessageListQuery(Schema):
    """Query of GET messages: nothing for all of them, `limit` for a page."""

    limit = QueryInteger(load_default=None, validate=validate.Range(min=1))
    offset = QueryInteger(load_default=None, validate=validate.Range(min=0, max=LARGEST_OFFSET))
    after_sequence = QueryInteger(load_default=None, validate=validate.Range(min=0))
    before_sequence = QueryInteger(load_default=None, validate=validate.Range(min=1))

    @post_load
    def check(self, data: Json, **_: object) -> Json:
        """Allow one way of paging, and keep numbers where sequences can be."""
        cursors = [name for name in ("after_sequence", "before_sequence") if data[name] is not None]
        if len(cursors) + (data["offset"] is not None) > 1:
            raise ValidationError(
                "Give only one of offset, after_sequence and before_sequence", cursors[-1]
            )
        for name in cursors:
            data[name] = min(data[name], MAX_SEQUENCE + 1)
        return data


class MessageSchema(Schema):
    """A message; `controls` and `metadata` are left out when none were given."""

    id = fields.String(required=True)
    session_id = fields.String(required=True)
    sequence = fields.Integer(required=True)
    role = fields.String(
        required=True, validate=validate.OneOf(("user", "agent", "tool", "tool_result"))
    )
    phase = fields.String(validate=validate.OneOf(("commentary", "final_answer")))
    content = fields.List(fields.Dict(), required=True)
    controls = fields.Dict()
    metadata = fields.Dict()
    tags = fields.List(fields.String())
    external_actor = fields.Dict()
    created_at = fields.DateTime(required=True)


class MessageListSchema(Schema):
    """Messages, oldest first; `offset` and `limit` when a page was asked for."""

    data = fields.List(fields.Nested(MessageSchema()), required=True)
    total = fields.Integer(required=True)
    offset = fields.Integer()
    limit = fields.Integer()
