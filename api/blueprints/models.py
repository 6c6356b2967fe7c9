"""Models of all providers: list, look at, change, delete."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint

from api.deps import Deps
from api.endpoint import Answer, Call, Contract, endpoint
from api.schemas.agents import PoliciesSchema
from api.schemas.models import (
    ModelChanges,
    ModelListQuery,
    ModelListSchema,
    ModelPatchSchema,
    ModelSchema,
    show_model,
)
from api.use_cases import save_model
from common.domain.access import Scope
from common.domain.provider import SIMULATED_TYPE, ProvidedModel, is_usable_without_key
from common.provider_access import environment_key
from common.storage import models

blueprint = APIBlueprint("models", __name__, url_prefix="/v1")

_POLICIES = ("create", "update", "delete")


@blueprint.get("/models")
@endpoint(
    Contract(
        summary="List models",
        scope=Scope.PROVIDERS_READ,
        description="Of all providers; without those that their provider lists no more.",
        query=ModelListQuery(),
        returns=ModelListSchema(),
        fails=(404, 503),
    )
)
def list_models(call: Call[None, dict[str, Any]]) -> Answer:
    """List all models that the caller may use."""
    with call.deps.database.reading() as tx:
        found = models.find_all(tx, call.caller.organization_id, **call.query)
    return {"data": [show(call.deps, each) for each in found], "total": len(found)}


@blueprint.get("/models/config")
@endpoint(
    Contract(
        summary="What may be done",
        scope=Scope.PROVIDERS_READ,
        returns=PoliciesSchema(),
        fails=(404, 503),
    )
)
def show_model_policies(_call: Call[None, None]) -> Answer:
    """Tell what the caller may do with models."""
    return {"policies": dict.fromkeys(_POLICIES, True)}


@blueprint.get("/models/<model_id>")
@endpoint(
    Contract(
        summary="Get a model", scope=Scope.PROVIDERS_READ, returns=ModelSchema(), fails=(404, 503)
    )
)
def get_model(call: Call[None, None], model_id: UUID) -> Answer:
    """Get one model."""
    with call.deps.database.reading() as tx:
        found = save_model.find(tx, call.caller.organization_id, model_id)
    return show(call.deps, found)


@blueprint.patch("/models/<model_id>")
@endpoint(
    Contract(
        summary="Change a model",
        scope=Scope.PROVIDERS_WRITE,
        takes=ModelPatchSchema(),
        returns=ModelSchema(),
        fails=(403, 404, 409, 422, 503),
    )
)
def update_model(call: Call[ModelChanges, None], model_id: UUID) -> Answer:
    """Change the fields that are given; null takes profile and settings back."""
    changed = save_model.patch_model(call.deps, call.caller, model_id, call.body.given)
    return show(call.deps, changed)


@blueprint.delete("/models/<model_id>")
@endpoint(
    Contract(
        summary="Delete a model",
        scope=Scope.PROVIDERS_WRITE,
        description="Turns that name it fail with `llm_error`, reason `model_unavailable`. One"
        " that its provider lists comes back with the next sync: disable it instead.",
        status=204,
        fails=(403, 404, 503),
    )
)
def delete_model(call: Call[None, None], model_id: UUID) -> Answer:
    """Delete a model."""
    save_model.delete_model(call.deps, call.caller, model_id)
    return None


def show(deps: Deps, model: ProvidedModel) -> dict[str, Any]:
    """The model as responses carry it."""
    return show_model(model, healthy=_is_healthy(deps, model))


def _is_healthy(deps: Deps, model: ProvidedModel) -> bool:
    """Whether a call has a chance: enabled, still listed, and a key for it."""
    if not (model.enabled and model.provider_is_active) or model.stale_since is not None:
        return False
    kind, address = model.provider_type, model.provider_base_url
    if kind == SIMULATED_TYPE:
        return deps.settings.is_development
    if model.provider_has_key or is_usable_without_key(kind, address):
        return True
    return environment_key(deps.settings, kind, address) is not None
