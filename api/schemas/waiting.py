"""Answers to a waiting turn on the wire (contract 3.6, 3.14): results of calls, decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from marshmallow import Schema, ValidationError, fields, post_load, validate

from api.schemas.fields import Text, unacceptable
from api.schemas.shared import Body
from common.domain.turn import SessionStatus
from common.domain.waiting import RESULT_LIMIT_BYTES, Decision, Waiting, WaitKind
from common.event_codec import show_time

Json = dict[str, Any]

_REASON_BYTES = 2048
_ID_CHARACTERS = 1024
_MOST_CALLS = 1000
_STATUSES = (str(SessionStatus.ACTIVE), str(SessionStatus.WAITING))


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What the client says a call came to; an `error` that is not None is what it came to."""

    tool_call_id: str
    result: Any
    error: str | None


@dataclass(frozen=True, slots=True)
class CallDecision:
    """What a person says of a call."""

    tool_call_id: str
    decision: Decision
    reason: str | None


class ToolResultSchema(Body):
    """One call's result: any JSON, or an error text."""

    tool_call_id = Text(required=True, validate=validate.Length(min=1, max=_ID_CHARACTERS))
    result = fields.Raw(allow_none=True, metadata={"description": "Any JSON value"})
    error = Text(allow_none=True)

    @post_load
    def make(self, data: Json, **_: object) -> ToolResult:
        """Demand one of result and error, of bounded size."""
        result, error = data.get("result"), data.get("error")
        if error is not None and result is not None:
            raise ValidationError("Give result or error, not both", "error")
        if error is None and "result" not in data:
            raise ValidationError("Needs result or error", "result")
        name = "result" if error is None else "error"
        if len(orjson.dumps(data[name])) > RESULT_LIMIT_BYTES:
            message = f"Must not be larger than {RESULT_LIMIT_BYTES} bytes"
            raise ValidationError(unacceptable(message).messages, name)
        return ToolResult(data["tool_call_id"], result, error)


class ToolResultsSchema(Body):
    """Body of POST tool-results."""

    tool_results = fields.List(
        fields.Nested(ToolResultSchema()),
        required=True,
        validate=[
            validate.Length(min=1, error="Must not be empty"),
            validate.Length(max=_MOST_CALLS, error=f"Must not be more than {_MOST_CALLS}"),
        ],
    )

    @post_load
    def make(self, data: Json, **_: object) -> tuple[ToolResult, ...]:
        """Refuse two results for one call."""
        results = tuple(data["tool_results"])
        _refuse_repeats("tool_results", [each.tool_call_id for each in results])
        return results


class CallDecisionSchema(Body):
    """One call's decision."""

    tool_call_id = Text(required=True, validate=validate.Length(min=1, max=_ID_CHARACTERS))
    decision = Text(required=True, validate=validate.OneOf([str(each) for each in Decision]))
    reason = Text(allow_none=True, max_bytes=_REASON_BYTES)

    @post_load
    def make(self, data: Json, **_: object) -> CallDecision:
        """Build the command."""
        return CallDecision(data["tool_call_id"], Decision(data["decision"]), data.get("reason"))


class CallDecisionsSchema(Body):
    """Body of POST tool-approvals."""

    decisions = fields.List(
        fields.Nested(CallDecisionSchema()),
        required=True,
        validate=[
            validate.Length(min=1, error="Must not be empty"),
            validate.Length(max=_MOST_CALLS, error=f"Must not be more than {_MOST_CALLS}"),
        ],
    )

    @post_load
    def make(self, data: Json, **_: object) -> tuple[CallDecision, ...]:
        """Refuse two decisions on one call."""
        decisions = tuple(data["decisions"])
        _refuse_repeats("decisions", [each.tool_call_id for each in decisions])
        return decisions


class ToolResultsAnswerSchema(Schema):
    """How many results were taken, and what the session does now."""

    accepted = fields.Integer(required=True)
    status = fields.String(required=True, validate=validate.OneOf(_STATUSES))


class DecisionsAnswerSchema(Schema):
    """Which calls were decided on, and what the session does now."""

    resolved = fields.List(fields.String(), required=True)
    status = fields.String(required=True, validate=validate.OneOf(_STATUSES))


class PendingCallSchema(Schema):
    """A call that the session waits for."""

    tool_call_id = fields.String(required=True)
    name = fields.String(required=True)
    arguments = fields.Dict(required=True)
    requested_at = fields.DateTime(required=True)
    deadline = fields.DateTime(required=True)


def show_pending(waiting: Waiting | None, kind: WaitKind) -> list[Json]:
    """The calls that wait for results, or for decisions; often none."""
    if waiting is None or waiting.kind is not kind:
        return []
    return [
        {
            "tool_call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
            "requested_at": show_time(waiting.requested_at),
            "deadline": waiting.deadline,
        }
        for call in waiting.pending
    ]


def _refuse_repeats(field: str, ids: Sequence[str]) -> None:
    seen: set[str] = set()
    for place, call_id in enumerate(ids):
        if call_id in seen:
            message = {place: {"tool_call_id": ["Stands here twice"]}}
            raise ValidationError({field: message})
        seen.add(call_id)
