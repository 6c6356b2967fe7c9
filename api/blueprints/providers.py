"""Providers of models: create, find, change, delete; and the models each of them offers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint

from api.blueprints.models import show
from api.deps import Deps
from api.endpoint import Answer, Call, Contract, endpoint
from api.schemas.models import ModelChanges, ModelListQuery, ModelListSchema, ModelSchema
from api.schemas.models import NewModelSchema as NewModel
from api.schemas.providers import (
    NewProviderSchema,
    ProviderChanges,
    ProviderConfigSchema,
    ProviderListSchema,
    ProviderPatchSchema,
    ProviderSchema,
    SyncSchema,
    show_driver,
    show_provider,
)
from api.use_cases import save_model, save_provider
from api.use_cases.sync_models import sync_models
from common.domain.access import Scope
from common.domain.provider import NewProvider, Provider, offered_types
from common.model_listing import has_list
from common.provider_access import has_key
from common.storage import models, providers

blueprint = APIBlueprint("providers", __name__, url_prefix="/v1")

_POLICIES = ("create", "update", "delete", "sync")


@blueprint.get("/providers")
@endpoint(
    Contract(
        summary="List providers",
        scope=Scope.PROVIDERS_READ,
        description="Built-in ones first. Their keys come from the environment.",
        returns=ProviderListSchema(),
        fails=(404, 503),
    )
)
def list_providers(call: Call[None, None]) -> Answer:
    """List all providers that the caller may use."""
    with call.deps.database.reading() as tx:
        found = providers.find_all(tx, call.caller.organization_id)
    return {"data": [_shown(call.deps, each) for each in found], "total": len(found)}


@blueprint.post("/providers")
@endpoint(
    Contract(
        summary="Create a provider",
        scope=Scope.PROVIDERS_WRITE,
        description="The key is stored encrypted and never shown. Without a key of its own a"
        " provider at its usual address uses the environment's, where there is one.",
        status=201,
        takes=NewProviderSchema(),
        needs_body=True,
        returns=ProviderSchema(),
        fails=(404, 409, 422, 503),
    )
)
def create_provider(call: Call[NewProvider, None]) -> Answer:
    """Create a provider."""
    made = save_provider.create_provider(call.deps, call.caller, call.body, call.key)
    return _shown(call.deps, made), 201


@blueprint.get("/providers/config")
@endpoint(
    Contract(
        summary="Types of providers",
        scope=Scope.PROVIDERS_READ,
        returns=ProviderConfigSchema(),
        fails=(404, 503),
    )
)
def show_provider_config(call: Call[None, None]) -> Answer:
    """Tell which types of providers there are, what each needs, and what the caller may do."""
    offered = offered_types(is_development=call.deps.settings.is_development)
    return {
        "drivers": [show_driver(each, can_sync=has_list(each)) for each in offered],
        "policies": dict.fromkeys(_POLICIES, True),
    }


@blueprint.get("/providers/<provider_id>")
@endpoint(
    Contract(
        summary="Get a provider",
        scope=Scope.PROVIDERS_READ,
        returns=ProviderSchema(),
        fails=(404, 503),
    )
)
def get_provider(call: Call[None, None], provider_id: UUID) -> Answer:
    """Get one provider."""
    with call.deps.database.reading() as tx:
        found = save_provider.find(tx, call.caller.organization_id, provider_id)
    return _shown(call.deps, found)


@blueprint.patch("/providers/<provider_id>")
@endpoint(
    Contract(
        summary="Change a provider",
        scope=Scope.PROVIDERS_WRITE,
        description="Changes what is given. An `api_key` of null or empty removes the key; without"
        " the field it stays, unless the address changes: then it has to be given again.",
        takes=ProviderPatchSchema(),
        returns=ProviderSchema(),
        fails=(403, 404, 409, 422, 503),
    )
)
def update_provider(call: Call[ProviderChanges, None], provider_id: UUID) -> Answer:
    """Change a provider."""
    given = call.body.given
    changed = save_provider.patch_provider(call.deps, call.caller, provider_id, given)
    return _shown(call.deps, changed)


@blueprint.delete("/providers/<provider_id>")
@endpoint(
    Contract(
        summary="Delete a provider",
        scope=Scope.PROVIDERS_WRITE,
        description="With its key and its models. Turns that need one of them fail with"
        " `llm_error`, reason `model_unavailable`.",
        status=204,
        fails=(403, 404, 503),
    )
)
def delete_provider(call: Call[None, None], provider_id: UUID) -> Answer:
    """Delete a provider."""
    save_provider.delete_provider(call.deps, call.caller, provider_id)
    return None


@blueprint.get("/providers/<provider_id>/models")
@endpoint(
    Contract(
        summary="List a provider's models",
        scope=Scope.PROVIDERS_READ,
        query=ModelListQuery(),
        returns=ModelListSchema(),
        fails=(404, 503),
    )
)
def list_provider_models(call: Call[None, dict[str, Any]], provider_id: UUID) -> Answer:
    """List the models of one provider."""
    with call.deps.database.reading() as tx:
        save_provider.find(tx, call.caller.organization_id, provider_id)
        found = models.find_all(
            tx, call.caller.organization_id, provider_id=provider_id, **call.query
        )
    return {"data": [show(call.deps, each) for each in found], "total": len(found)}


@blueprint.post("/providers/<provider_id>/models")
@endpoint(
    Contract(
        summary="Add a model",
        scope=Scope.PROVIDERS_WRITE,
        status=201,
        takes=NewModel(),
        needs_body=True,
        returns=ModelSchema(),
        fails=(403, 404, 409, 422, 503),
    )
)
def add_provider_model(call: Call[ModelChanges, None], provider_id: UUID) -> Answer:
    """Add a model that the provider is known to offer."""
    made = save_model.add_model(call.deps, call.caller, provider_id, call.body.given, call.key)
    return show(call.deps, made), 201


@blueprint.post("/providers/<provider_id>/sync-models")
@endpoint(
    Contract(
        summary="Read a provider's own list of models",
        scope=Scope.PROVIDERS_WRITE,
        description="What is new becomes a model with source `discovered`; discovered ones that"
        " are listed no more become stale. Answers `not_supported` for types without a list.",
        returns=SyncSchema(),
        fails=(403, 404, 409, 502, 503),
    )
)
def sync_provider_models(call: Call[None, None], provider_id: UUID) -> Answer:
    """Ask the provider which models it has, now."""
    synced = sync_models(call.deps, call.caller, provider_id)
    if synced is None:
        return {"status": "not_supported"}
    return {
        "status": "success",
        "created": synced.created,
        "updated": synced.updated,
        "stale": synced.stale,
    }


def _shown(deps: Deps, provider: Provider) -> dict[str, Any]:
    return show_provider(provider, api_key_set=has_key(deps.settings, provider))
