"""The audit log: who did what to which resource."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from api.endpoint import Answer, Call, Contract, endpoint
from api.schemas.audit_log import AuditLogQuery, AuditLogSchema, show_entry, show_entry_token
from api.schemas.shared import page_limit
from api.use_cases.operate import is_operator
from common.domain.access import Scope
from common.domain.errors import Forbidden
from common.storage import audit_log

blueprint = APIBlueprint("audit_log", __name__, url_prefix="/v1")


@blueprint.get("/audit-log")
@endpoint(
    Contract(
        summary="Read the audit log",
        scope=Scope.AUDIT_READ,
        description="Who did what in the organization, newest first: each request that changed"
        " something or was to, and each that was refused. What is frequent appears within about a"
        " second, everything else before it is answered. With `installation` what belongs to no"
        " organization: strangers that were refused, logins, commands of the operator.",
        query=AuditLogQuery(),
        returns=AuditLogSchema(),
        fails=(404, 503),
    )
)
def read_audit_log(call: Call[None, dict[str, Any]]) -> Answer:
    """Read a page of entries, newest first."""
    limit = page_limit(call.query)
    organization_id, database = call.caller.organization_id, call.deps.database
    if call.query["installation"]:
        if not is_operator(call.caller):
            raise Forbidden("What belongs to no organization is for the operator to read")
        # Which the organization that the request is made in does not see.
        database = database.across_organizations()
    with database.reading() as tx:
        found = audit_log.find_page(
            tx,
            None if call.query["installation"] else organization_id,
            call.query["search"],
            limit=limit + 1,
        )
    is_last = len(found) <= limit
    return {
        "data": [show_entry(each) for each in found[:limit]],
        "next_page_token": None if is_last else show_entry_token(found[limit - 1]),
    }
