"""Why does a session not go on?"""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint

from api.endpoint import Answer, Call, Contract, endpoint
from api.schemas.diagnosis import DiagnosisSchema, show_diagnosis
from common.domain.access import Scope

blueprint = APIBlueprint("diagnosis", __name__, url_prefix="/v1")


@blueprint.get("/sessions/<session_id>/diagnosis")
@endpoint(
    Contract(
        summary="Say why a session does not go on",
        scope=Scope.SESSIONS_READ,
        description=(
            "One sentence with its evidence: idle, queued behind others, no live worker, running"
            " in which step on which worker, a worker that was lost, a call that is waited for, a"
            " dead letter. Looks at the database and Redis, and changes nothing."
        ),
        returns=DiagnosisSchema(),
        fails=(404, 503),
    )
)
def diagnose_session(call: Call[None, None], session_id: UUID) -> Answer:
    """Name the cause, with evidence and what may be done about it."""
    with call.deps.database.reading() as tx:
        found = call.deps.examiner.examine(tx, call.caller.organization_id, session_id)
    return show_diagnosis(found)
