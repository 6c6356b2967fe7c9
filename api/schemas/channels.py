"""The Agent Execution API on the wire (contract 3.14): one agent, and the caller's sessions."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, validate

from api.schemas.fields import Metadata, QueryInteger, Text
from api.schemas.messages import MessageSchema
from api.schemas.sessions import TITLE_BYTES, SessionSchema, show_session
from api.schemas.shared import DEFAULT_PAGE, Body
from common.domain.agent import Agent
from common.domain.session import Session
from common.storage.channel_sessions import Place


class ChannelSessionSchema(Body):
    """Body of POST …/sessions.  `metadata` is checked and not kept."""

    title = Text(allow_none=True, load_default=None, max_bytes=TITLE_BYTES)
    metadata = Metadata(allow_none=True, load_default=None)


class PageToken(fields.Field[Place]):
    """Where the page before ended; opaque to callers."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Place:
        try:
            shown = urlsafe_b64decode(str(value).encode()).decode()
            moment, _, session_id = shown.partition("/")
            place = Place(datetime.fromisoformat(moment), UUID(session_id))
        except (binascii.Error, UnicodeError, ValueError) as malformed:
            raise ValidationError("Is no page token of this list") from malformed
        if place.last_ts.tzinfo is None:
            raise ValidationError("Is no page token of this list")
        return place


class ChannelPageQuery(Schema):
    """Query of GET …/sessions."""

    limit = QueryInteger(load_default=DEFAULT_PAGE, validate=validate.Range(min=1))
    page_token = PageToken(load_default=None)


class ChannelInputSchema(Schema):
    """What an agent takes."""

    text = fields.Boolean(required=True)
    images = fields.Boolean(required=True)
    files = fields.Boolean(required=True)


class CardSchema(Schema):
    """What an application is told of an agent."""

    name = fields.String(required=True)
    description = fields.String(required=True, allow_none=True)
    streaming = fields.Boolean(required=True)
    input = fields.Nested(ChannelInputSchema(), required=True)
    auth = fields.List(fields.Dict(), required=True)
    conversation_starters = fields.List(fields.String(), required=True)
    links = fields.Dict(required=True)


class ChannelSessionViewSchema(SessionSchema):
    """A session, and what it waits for."""

    pending_questions = fields.List(fields.Dict(), required=True)


class ChannelSessionListSchema(Schema):
    """A page of sessions, most recently active first."""

    data = fields.List(fields.Nested(ChannelSessionViewSchema()), required=True)
    next_page_token = fields.String(required=True, allow_none=True)


class ChannelMessageSchema(MessageSchema):
    """A message, and the turn that it began or steers."""

    turn_id = fields.String(required=True, allow_none=True)


def show_channel_session(session: Session) -> dict[str, Any]:
    """The session as this API carries it; nothing asks questions yet."""
    return {**show_session(session), "pending_questions": []}


def show_page_token(place: Place) -> str:
    """The token of the page after a place."""
    shown = f"{place.last_ts.isoformat()}/{place.session_id}"
    return urlsafe_b64encode(shown.encode()).decode()


def show_card(agent: Agent, *, base: str) -> dict[str, Any]:
    """What an application is told of the agent; `base` is the path that it was asked at."""
    return {
        "name": agent.config.display_name or agent.config.name,
        "description": agent.config.description,
        "streaming": True,
        "input": {"text": True, "images": True, "files": False},
        # With AUTH_MODE=none whatever bearer token comes is taken, so this is right there too.
        "auth": [{"type": "agent_key"}],
        "conversation_starters": [],
        "links": {"sessions": f"{base}/sessions"},
    }
