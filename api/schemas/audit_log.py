"""The audit log on the wire."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, post_load, validate

from api.schemas.fields import QueryBoolean, QueryInteger, Timestamp
from api.schemas.shared import DEFAULT_PAGE
from common.domain.audit import ActorType, Entry, Outcome, Resource, spellings
from common.domain.ids import Kind, show_id
from common.event_codec import show_time
from common.storage.audit_log import Place, Search

_LONGEST: Final = 1024
_OUTCOMES: Final = [outcome.value for outcome in Outcome]
_ACTOR_TYPES: Final = [each.value for each in ActorType]


class EntryToken(fields.Field[Place]):
    """Where the page before ended; opaque to callers."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Place:
        try:
            shown = urlsafe_b64decode(str(value).encode()).decode()
            moment, _, entry_id = shown.partition("/")
            place = Place(datetime.fromisoformat(moment), UUID(entry_id))
        except (binascii.Error, UnicodeError, ValueError) as malformed:
            raise ValidationError("Is no page token of this list") from malformed
        if place.at.tzinfo is None:
            raise ValidationError("Is no page token of this list")
        return place


class AuditLogQuery(Schema):
    """Query of GET /audit-log; what is left out does not matter."""

    actor = fields.String(
        validate=validate.Length(max=_LONGEST),
        metadata={"description": "A user, key or agent by its id, or a type of actor"},
    )
    action = fields.String(
        validate=validate.Length(max=_LONGEST),
        metadata={"description": "An operation of this document"},
    )
    outcome = fields.String(validate=validate.OneOf(_OUTCOMES))
    resource_type = fields.String(validate=validate.Length(max=_LONGEST))
    resource_id = fields.String(validate=validate.Length(max=_LONGEST))
    since = Timestamp()
    until = Timestamp()
    installation = QueryBoolean(
        load_default=False,
        metadata={"description": "True: what belongs to no organization; for the operator"},
    )
    limit = QueryInteger(load_default=DEFAULT_PAGE, validate=validate.Range(min=1))
    page_token = EntryToken(load_default=None)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        """Build the search beside what says how much of it is wanted."""
        actor, resource_id = data.get("actor"), data.get("resource_id")
        search = Search(
            actors=None if actor is None else spellings(actor),
            action=data.get("action"),
            outcome=Outcome(data["outcome"]) if "outcome" in data else None,
            resource_type=data.get("resource_type"),
            resource_ids=None if resource_id is None else spellings(resource_id),
            since=data.get("since"),
            until=data.get("until"),
            after=data["page_token"],
        )
        return {"search": search, "limit": data["limit"], "installation": data["installation"]}


class AuditActorSchema(Schema):
    """Who acted."""

    type = fields.String(required=True, validate=validate.OneOf(_ACTOR_TYPES))
    id = fields.String(
        required=True, allow_none=True, metadata={"description": "Of the user or the key"}
    )
    on_behalf_of = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The user whose key it is, or the agent that it is for"},
    )


class AuditResourceSchema(Schema):
    """What was acted on."""

    type = fields.String(required=True)
    id = fields.String(required=True)


class AuditEntrySchema(Schema):
    """An entry; `method`, `route` and `status` are null for what came by no request."""

    id = fields.String(required=True)
    at = fields.DateTime(required=True)
    actor = fields.Nested(AuditActorSchema(), required=True)
    action = fields.String(
        required=True, metadata={"description": "An operation, as this document names it"}
    )
    method = fields.String(required=True, allow_none=True)
    route = fields.String(required=True, allow_none=True)
    resources = fields.List(
        fields.Nested(AuditResourceSchema()),
        required=True,
        metadata={"description": "What the path names, outermost first, then what was made"},
    )
    outcome = fields.String(required=True, validate=validate.OneOf(_OUTCOMES))
    status = fields.Integer(required=True, allow_none=True)
    request_id = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    count = fields.Integer(
        required=True, metadata={"description": "How many acts it stands for; mostly 1"}
    )


class AuditLogSchema(Schema):
    """A page of entries, newest first."""

    data = fields.List(fields.Nested(AuditEntrySchema()), required=True)
    next_page_token = fields.String(required=True, allow_none=True)


def show_entry(entry: Entry) -> dict[str, Any]:
    """The entry as answers carry it."""
    actor = entry.actor
    return {
        "id": show_id(Kind.AUDIT_ENTRY, entry.id),
        "at": show_time(entry.at),
        "actor": {"type": actor.type, "id": actor.id, "on_behalf_of": actor.on_behalf_of},
        "action": entry.action,
        "method": entry.method,
        "route": entry.route,
        "resources": [_show_resource(each) for each in entry.resources],
        "outcome": entry.outcome,
        "status": entry.status,
        "request_id": entry.request_id,
        "address": entry.address,
        "count": entry.count,
    }


def show_entry_token(entry: Entry) -> str:
    """The token of the page after an entry."""
    shown = f"{entry.at.isoformat()}/{entry.id}"
    return urlsafe_b64encode(shown.encode()).decode()


def _show_resource(resource: Resource) -> dict[str, str]:
    return {"type": resource.type, "id": resource.id}
