"""Webhooks on the wire: the bodies that come in, the objects that go out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields, post_load, validate

from api.schemas.fields import Boolean, Text
from api.schemas.shared import Body, PageQuery
from common.domain.ids import Kind, show_id
from common.domain.outbound.target import URL_CHARACTERS
from common.domain.webhook import (
    DESCRIPTION_BYTES,
    Delivery,
    DeliveryStatus,
    Webhook,
    WebhookEvent,
)
from common.event_codec import show_optional_time, show_time

_EVENTS = [event.value for event in WebhookEvent]


@dataclass(frozen=True, slots=True)
class GivenWebhook:
    """What a create or a patch names; null stands for the default."""

    given: dict[str, Any]


class WebhookFields(Body):
    """All that a caller may write."""

    url = Text(validate=validate.Length(min=1, max=URL_CHARACTERS))
    description = Text(allow_none=True, max_bytes=DESCRIPTION_BYTES)
    events = fields.List(
        Text(validate=validate.OneOf(_EVENTS)),
        allow_none=True,
        validate=validate.Length(min=1, max=len(_EVENTS)),
    )
    enabled = Boolean()

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> GivenWebhook:
        """Build the command."""
        return GivenWebhook(data)


class NewWebhookSchema(WebhookFields):
    """Body of POST."""

    url = Text(required=True, validate=validate.Length(min=1, max=URL_CHARACTERS))


class WebhookPatchSchema(WebhookFields):
    """Body of PATCH: what is absent stays, what is null goes back to its default."""


class WebhookSchema(Schema):
    """A webhook; its secret is never shown again."""

    id = fields.String(required=True)
    url = fields.String(required=True)
    description = fields.String(required=True, allow_none=True)
    events = fields.List(fields.String(validate=validate.OneOf(_EVENTS)), required=True)
    enabled = fields.Boolean(required=True)
    has_secret = fields.Boolean(required=True)
    gone_at = fields.DateTime(
        required=True,
        allow_none=True,
        metadata={"description": "When its server answered 410; it is off since"},
    )
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)


class MadeWebhookSchema(WebhookSchema):
    """A new webhook with its secret."""

    secret = fields.String(required=True, metadata={"description": "Shown this once"})


class WebhookListSchema(Schema):
    """A page of webhooks, newest first."""

    data = fields.List(fields.Nested(WebhookSchema()), required=True)
    total = fields.Integer(required=True)
    offset = fields.Integer(required=True)
    limit = fields.Integer(required=True)


class DeliveryListQuery(PageQuery):
    """Query of GET …/deliveries."""

    status = fields.String(
        load_default=None, validate=validate.OneOf([status.value for status in DeliveryStatus])
    )


class DeliverySchema(Schema):
    """One thing that a webhook was told, or is to be."""

    id = fields.String(required=True, metadata={"description": "What `webhook-id` says"})
    webhook_id = fields.String(required=True)
    event = fields.String(required=True, validate=validate.OneOf(_EVENTS))
    session_id = fields.String(required=True)
    turn_id = fields.String(required=True)
    status = fields.String(
        required=True, validate=validate.OneOf([status.value for status in DeliveryStatus])
    )
    attempts = fields.Integer(required=True)
    next_attempt_at = fields.DateTime(required=True, allow_none=True)
    last_status = fields.Integer(required=True, allow_none=True)
    last_error = fields.String(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    ended_at = fields.DateTime(required=True, allow_none=True)


class DeliveryListSchema(Schema):
    """A page of deliveries, newest first; `total` goes up to 10,000."""

    data = fields.List(fields.Nested(DeliverySchema()), required=True)
    total = fields.Integer(required=True)
    offset = fields.Integer(required=True)
    limit = fields.Integer(required=True)


def show_webhook(webhook: Webhook) -> dict[str, Any]:
    """The webhook as responses carry it."""
    return {
        "id": show_id(Kind.WEBHOOK, webhook.id),
        "url": webhook.url,
        "description": webhook.description,
        "events": list(webhook.events),
        "enabled": webhook.enabled,
        "has_secret": True,
        "gone_at": show_optional_time(webhook.gone_at),
        "created_at": show_time(webhook.created_at),
        "updated_at": show_time(webhook.updated_at),
    }


def show_delivery(delivery: Delivery) -> dict[str, Any]:
    """The delivery as responses carry it."""
    is_pending = delivery.status is DeliveryStatus.PENDING
    return {
        "id": show_id(Kind.WEBHOOK_DELIVERY, delivery.id),
        "webhook_id": show_id(Kind.WEBHOOK, delivery.webhook_id),
        "event": delivery.event,
        "session_id": show_id(Kind.SESSION, delivery.session_id),
        "turn_id": show_id(Kind.TURN, delivery.turn_id),
        "status": delivery.status,
        "attempts": delivery.attempts,
        "next_attempt_at": show_time(delivery.available_at) if is_pending else None,
        "last_status": delivery.last_status,
        "last_error": delivery.last_error,
        "created_at": show_time(delivery.created_at),
        "ended_at": show_optional_time(delivery.ended_at),
    }
