"""What a waiting turn is answered with: results of client-side tools, and approvals."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint

from api.endpoint import Answer, Call, Contract, endpoint
from api.schemas.waiting import (
    CallDecision,
    CallDecisionsSchema,
    DecisionsAnswerSchema,
    ToolResult,
    ToolResultsAnswerSchema,
    ToolResultsSchema,
)
from api.use_cases import answer_calls
from common.domain.access import Scope

blueprint = APIBlueprint("waiting", __name__, url_prefix="/v1")


@blueprint.post("/sessions/<session_id>/tool-results")
@endpoint(
    Contract(
        summary="Send results of client-side tools",
        scope=Scope.SESSIONS_WRITE,
        description=(
            "Answers calls of a `tool.call_requested` event, all at once or in parts; the turn"
            " goes on when each has its result. All results of a request are taken or none."
        ),
        takes=ToolResultsSchema(),
        needs_body=True,
        returns=ToolResultsAnswerSchema(),
        fails=(404, 409, 413, 422, 503),
    )
)
def create_tool_results(call: Call[tuple[ToolResult, ...], None], session_id: UUID) -> Answer:
    """Take the results of calls that the client has made."""
    return answer_calls.submit_tool_results(call.deps, call.caller, session_id, call.body, call.key)


@blueprint.post("/sessions/<session_id>/tool-approvals")
@endpoint(
    Contract(
        summary="Allow or reject tool calls",
        scope=Scope.SESSIONS_APPROVE,
        description=(
            "Decides on calls of a `tool.approval_requested` event; the turn goes on when each is"
            " decided on. `allow_always` and `reject_always` hold for the tool and the rest of"
            " the session. All decisions of a request are taken or none."
        ),
        takes=CallDecisionsSchema(),
        needs_body=True,
        returns=DecisionsAnswerSchema(),
        fails=(404, 409, 413, 422, 503),
    )
)
def decide_tool_calls(call: Call[tuple[CallDecision, ...], None], session_id: UUID) -> Answer:
    """Take decisions on calls that a person must allow."""
    return answer_calls.submit_tool_approvals(
        call.deps, call.caller, session_id, call.body, call.key
    )
