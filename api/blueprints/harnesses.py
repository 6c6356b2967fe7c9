"""Harnesses: create, find, change, copy, archive; examples to begin with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from apiflask import APIBlueprint
from flask import Response

from api.agent_preview import show_preview
from api.endpoint import Answer, Call, Contract, endpoint, json_response
from api.examples import HARNESS_EXAMPLES
from api.schemas.agents import AvailableSchema, PoliciesSchema
from api.schemas.analysis import HarnessPreviewSchema, PreviewAnswerSchema
from api.schemas.harnesses import (
    ExampleQuery,
    HarnessChanges,
    HarnessExampleSchema,
    HarnessListQuery,
    HarnessListSchema,
    HarnessNameQuery,
    HarnessPatchSchema,
    HarnessSchema,
    NewHarnessSchema,
    show_harness,
)
from api.schemas.stats import ResourceStatsSchema, show_stats
from api.use_cases import save_harness
from common.domain.access import Scope
from common.domain.agent import NamedRef, slug_of
from common.domain.errors import NotFound
from common.domain.harness import HarnessConfig, harness_ref
from common.storage import harnesses, usage_stats

blueprint = APIBlueprint("harnesses", __name__, url_prefix="/v1")

_POLICIES = ("create", "update", "delete", "archive", "copy", "import")


@blueprint.post("/harnesses")
@endpoint(
    Contract(
        summary="Create a harness",
        scope=Scope.HARNESSES_WRITE,
        status=201,
        takes=NewHarnessSchema(),
        needs_body=True,
        returns=HarnessSchema(),
        fails=(404, 409, 422, 503),
    )
)
def create_harness(call: Call[HarnessConfig, None]) -> Answer:
    """Create a harness; its name must be free, also of the built-in ones."""
    return show_harness(save_harness.create_harness(call.deps, call.caller, call.body, call.key))


@blueprint.get("/harnesses")
@endpoint(
    Contract(
        summary="List harnesses",
        scope=Scope.HARNESSES_READ,
        query=HarnessListQuery(),
        returns=HarnessListSchema(),
        fails=(404, 503),
    )
)
def list_harnesses(call: Call[None, dict[str, Any]]) -> Answer:
    """List the built-in harnesses and the organization's own."""
    with call.deps.database.reading() as tx:
        found = harnesses.find_all(
            tx,
            call.caller.organization_id,
            search=call.query["search"],
            include_archived=call.query["include_archived"],
        )
    return {"data": [show_harness(each) for each in found], "total": len(found)}


@blueprint.get("/harnesses/check-name")
@endpoint(
    Contract(
        summary="Is a harness name free?",
        scope=Scope.HARNESSES_READ,
        query=HarnessNameQuery(),
        returns=AvailableSchema(),
        fails=(404, 503),
    )
)
def check_harness_name(call: Call[None, dict[str, Any]]) -> Answer:
    """Tell whether a harness could have this name."""
    ref = NamedRef(None, slug_of(call.query["name"]), call.query["name"])
    with call.deps.database.reading() as tx:
        holder = harnesses.find(tx, call.caller.organization_id, ref)
    return {"available": holder is None or holder.id == call.query["exclude_id"]}


@blueprint.get("/harnesses/config")
@endpoint(
    Contract(
        summary="What may be done with harnesses",
        scope=Scope.HARNESSES_READ,
        returns=PoliciesSchema(),
        fails=(404, 503),
    )
)
def show_harness_policies(_call: Call[None, None]) -> Answer:
    """Tell what the caller may do with harnesses."""
    return {"policies": dict.fromkeys(_POLICIES, True)}


@blueprint.post("/harnesses/preview")
@endpoint(
    Contract(
        summary="Preview a harness",
        scope=Scope.HARNESSES_READ,
        only_reads=True,
        description="The prompt and the tools that it amounts to with its parents, and what is"
        " noticed about them. Nothing is stored.",
        takes=HarnessPreviewSchema(),
        returns=PreviewAnswerSchema(),
        fails=(404, 422, 503),
    )
)
def preview_harness(call: Call[dict[str, Any], None]) -> Answer:
    """Show what a harness would amount to."""
    return show_preview(call.deps, call.caller, call.body, below=call.body["parent_harness_id"])


@blueprint.post("/harnesses/import")
@endpoint(
    Contract(
        summary="Make a harness of an example",
        scope=Scope.HARNESSES_WRITE,
        status=201,
        query=ExampleQuery(),
        takes_text=True,
        returns=HarnessSchema(),
        fails=(404, 409, 422, 503),
    )
)
def import_harness(call: Call[bytes, dict[str, Any]]) -> Answer:
    """Create a harness from one of `GET /harness-examples`, to be changed at will."""
    example = HARNESS_EXAMPLES.get(call.query["from_example"])
    if example is None:
        raise NotFound("There is no such example")
    config = example.config
    if example.parent_name is not None:
        with call.deps.database.reading() as tx:
            parent = save_harness.find_harness(
                tx, call.caller.organization_id, harness_ref(example.parent_name)
            )
        config = replace(config, parent_harness_id=parent.id)
    return show_harness(save_harness.create_harness(call.deps, call.caller, config, call.key))


@blueprint.get("/harness-examples")
@endpoint(
    Contract(
        summary="List example harnesses",
        scope=Scope.HARNESSES_READ,
        description="A bare array.",
        returns=HarnessExampleSchema(many=True),
        fails=(404, 503),
    )
)
def list_harness_examples(_call: Call[None, None]) -> Response:
    """List the harnesses that can be imported."""
    return json_response(
        [
            {
                "name": each.config.name,
                "display_name": each.config.display_name,
                "description": each.config.description,
                "capabilities": each.config.capabilities,
                "tags": each.config.tags,
                "dev_only": False,
                "parent_name": each.parent_name,
            }
            for each in HARNESS_EXAMPLES.values()
        ]
    )


@blueprint.get("/harnesses/<harness>")
@endpoint(
    Contract(
        summary="Get a harness",
        scope=Scope.HARNESSES_READ,
        returns=HarnessSchema(),
        fails=(404, 503),
    )
)
def get_harness(call: Call[None, None], harness: NamedRef) -> Answer:
    """Get one harness by id or name."""
    with call.deps.database.reading() as tx:
        return show_harness(save_harness.find_harness(tx, call.caller.organization_id, harness))


@blueprint.patch("/harnesses/<harness>")
@endpoint(
    Contract(
        summary="Change a harness",
        scope=Scope.HARNESSES_WRITE,
        takes=HarnessPatchSchema(),
        returns=HarnessSchema(),
        fails=(403, 404, 409, 422, 503),
    )
)
def update_harness(call: Call[HarnessChanges, None], harness: NamedRef) -> Answer:
    """Change the fields that are given; null takes a field back to its default."""
    return show_harness(
        save_harness.patch_harness(call.deps, call.caller, harness, call.body.given)
    )


@blueprint.delete("/harnesses/<harness>")
@endpoint(
    Contract(
        summary="Archive a harness", scope=Scope.HARNESSES_WRITE, status=204, fails=(403, 404, 503)
    )
)
def archive_harness(call: Call[None, None], harness: NamedRef) -> Answer:
    """Archive a harness: agents and sessions that have it go on, nothing new can have it."""
    save_harness.archive_harness(call.deps, call.caller, harness)
    return None


@blueprint.post("/harnesses/<harness>/copy")
@endpoint(
    Contract(
        summary="Copy a harness",
        scope=Scope.HARNESSES_WRITE,
        status=201,
        returns=HarnessSchema(),
        fails=(404, 422, 503),
    )
)
def copy_harness(call: Call[None, None], harness: NamedRef) -> Answer:
    """Make a harness of one's own of this one, named `… (copy)`."""
    return show_harness(save_harness.copy_harness(call.deps, call.caller, harness, call.key))


@blueprint.get("/harnesses/<harness>/stats")
@endpoint(
    Contract(
        summary="Count a harness's use",
        scope=Scope.HARNESSES_READ,
        returns=ResourceStatsSchema(),
        fails=(404, 503),
    )
)
def count_harness_use(call: Call[None, None], harness: NamedRef) -> Answer:
    """Add up what the organization's sessions with this harness have used."""
    organization_id = call.caller.organization_id
    with call.deps.database.reading() as tx:
        found = save_harness.find_harness(tx, organization_id, harness)
        return show_stats(usage_stats.of_harness(tx, organization_id, found.id))
