"""Events on the wire: the query that comes in, the envelope that goes out (contract 3.4)."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate

from api.schemas.fields import Id, QueryBoolean, QueryInteger, QueryList, Timestamp
from common.domain.cursor import MAX_SEQUENCE
from common.domain.events import is_known_filter
from common.domain.ids import Kind

Json = dict[str, Any]

MOST_EVENTS: Final = 1000
_MOST_TYPES: Final = 40
_MOST_TAGS: Final = 20
_TEXT: Final = validate.Length(max=500)


class EventListQuery(Schema):
    """Query of GET events."""

    since_id = fields.String(load_default=None)
    after_sequence = QueryInteger(load_default=None, validate=validate.Range(min=0))
    before_sequence = QueryInteger(load_default=None, validate=validate.Range(min=0))
    limit = QueryInteger(load_default=None, validate=validate.Range(min=1, max=MOST_EVENTS))
    around = fields.String(load_default=None)
    window = QueryInteger(load_default=50, validate=validate.Range(min=0, max=500))
    types = QueryList(at_most=_MOST_TYPES, check=is_known_filter, load_default=())
    excluded = QueryList(
        data_key="exclude", at_most=_MOST_TYPES, check=is_known_filter, load_default=()
    )
    from_ts = Timestamp(load_default=None)
    to_ts = Timestamp(load_default=None)
    turn_id = Id(Kind.TURN, load_default=None)
    exec_id = Id(Kind.EXEC, load_default=None)
    trace_id = fields.String(load_default=None, validate=_TEXT)
    tags = QueryList(at_most=_MOST_TAGS, load_default=())
    tool_name = fields.String(load_default=None, validate=_TEXT)
    q = fields.String(load_default=None, validate=_TEXT)
    order_desc = QueryBoolean(load_default=False)

    @post_load
    def check(self, data: Json, **_: object) -> Json:
        """Refuse cursors that contradict one another."""
        if data["since_id"] is not None and data["after_sequence"] is not None:
            raise ValidationError("Give since_id or after_sequence, not both", "since_id")
        if data["around"] is not None:
            for name in ("since_id", "after_sequence", "before_sequence"):
                if data[name] is not None:
                    raise ValidationError(f"Cannot be combined with {name}", "around")
        for name in ("after_sequence", "before_sequence"):
            if data[name] is not None:
                data[name] = min(data[name], MAX_SEQUENCE + 1)
        return data


class EventContextSchema(Schema):
    """What an event belongs to; empty for a session's own events."""

    turn_id = fields.String()
    input_message_id = fields.String()
    exec_id = fields.String()
    trace_id = fields.String()
    stream_sequence = fields.Integer(
        metadata={"description": "the opener of the text stream that this event completes"}
    )


class EventSchema(Schema):
    """An event; `data` is as its type says."""

    id = fields.String(required=True, metadata={"description": "usable as a cursor"})
    type = fields.String(required=True)
    ts = fields.DateTime(required=True)
    session_id = fields.String(required=True)
    sequence = fields.Integer(metadata={"description": "absent only from text deltas"})
    context = fields.Nested(EventContextSchema(), required=True)
    data = fields.Dict(required=True)
    metadata = fields.Dict(required=True, allow_none=True)
    tags = fields.List(fields.String(), required=True)


class EventListSchema(Schema):
    """Events in the order asked for; `total` is how many the session has."""

    data = fields.List(fields.Nested(EventSchema()), required=True)
    total = fields.Integer(required=True)


class TypeCountSchema(Schema):
    """How many events of a type there are."""

    event_type = fields.String(required=True)
    count = fields.Integer(required=True)


class EventSummarySchema(Schema):
    """A session's log in numbers."""

    total = fields.Integer(required=True)
    by_type = fields.List(fields.Nested(TypeCountSchema()), required=True)
    first_ts = fields.DateTime(required=True, allow_none=True)
    last_ts = fields.DateTime(required=True, allow_none=True)
    turn_count = fields.Integer(required=True)
    error_count = fields.Integer(required=True)


class StreamQuery(Schema):
    """Query of the event stream, which another process serves."""

    since_id = fields.String()
    after_sequence = fields.Integer()
    types = fields.List(fields.String())
    excluded = fields.List(fields.String(), data_key="exclude")
    start = fields.String(validate=validate.OneOf(("turn", "live", "all")))
    accumulated = fields.Boolean()
    dialect = fields.String(validate=validate.OneOf(("seed", "sdk")))
