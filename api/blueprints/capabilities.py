"""Capabilities: what agents, sessions and harnesses may be granted."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from api.endpoint import Answer, Call, Contract, endpoint
from api.schemas.capabilities import (
    CapabilityListQuery,
    CapabilityListSchema,
    CapabilitySchema,
    GuardrailExamplesSchema,
    show_capability,
)
from api.schemas.shared import page, page_limit
from api.use_cases import list_capabilities
from common.domain.access import Scope
from common.domain.errors import NotFound
from common.storage.capability_counts import GrantCounts, count_grants

blueprint = APIBlueprint("capabilities", __name__, url_prefix="/v1")


@blueprint.get("/capabilities")
@endpoint(
    Contract(
        summary="List capabilities",
        scope=Scope.CAPABILITIES_READ,
        query=CapabilityListQuery(),
        returns=CapabilityListSchema(),
        fails=(404, 503),
    )
)
def find_capabilities(call: Call[None, dict[str, Any]]) -> Answer:
    """List a page of capabilities, in the order of the catalogue."""
    organization_id = call.caller.organization_id
    offset, limit = call.query["offset"], page_limit(call.query)
    with call.deps.database.reading() as tx:
        found = list_capabilities.matching(tx, organization_id, call.query["search"])
        shown = found[offset : offset + limit]
        counts = count_grants(tx, organization_id, [info.id for info in shown])
    data = [show_capability(info, counts.get(info.id, GrantCounts())) for info in shown]
    return page(data, total=len(found), offset=offset, limit=limit)


@blueprint.get("/capabilities/guardrails/examples")
@endpoint(
    Contract(
        summary="List presets of guardrails",
        scope=Scope.CAPABILITIES_READ,
        description="There are none yet.",
        returns=GuardrailExamplesSchema(),
        fails=(404, 503),
    )
)
def list_guardrail_examples(_call: Call[None, None]) -> Answer:
    """List presets of guardrails."""
    return {"examples": []}


@blueprint.get("/capabilities/<capability_id>")
@endpoint(
    Contract(
        summary="Get a capability",
        scope=Scope.CAPABILITIES_READ,
        returns=CapabilitySchema(),
        fails=(404, 503),
    )
)
def get_capability(call: Call[None, None], capability_id: str) -> Answer:
    """Get a capability by its id or an alias of it."""
    organization_id = call.caller.organization_id
    with call.deps.database.reading() as tx:
        info = list_capabilities.find(tx, organization_id, capability_id)
        if info is None:
            raise NotFound("Capability not found")
        counts = count_grants(tx, organization_id, [info.id])
    return show_capability(info, counts.get(info.id, GrantCounts()))
