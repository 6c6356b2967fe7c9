"""Add, change or delete a model of one of the organization's own providers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from api.use_cases.save_provider import find_own
from common.domain.errors import Conflict, Forbidden, NotFound
from common.domain.provider import ProvidedModel
from common.storage import idempotency, models, organizations
from common.storage.engine import Tx
from common.storage.idempotency import IdempotencyKey
from common.storage.models import ModelFields

_MOST_MODELS = 10_000


def add_model(
    deps: Deps,
    caller: Caller,
    provider_id: UUID,
    given: dict[str, Any],
    key: IdempotencyKey | None,
) -> ProvidedModel:
    """Store a model that the provider is known to offer.

    Raises:
        NotFound: there is no such provider.
        Forbidden: it is built in.
        Conflict: it has a model of that name already.
        IdempotencyKeyReused: the key came with another body.
    """
    organization_id = caller.organization_id
    with deps.database.transaction() as tx:
        model_id = deps.new_id()
        if key is not None:
            first = idempotency.first_answer(
                tx, key, resource_id=model_id.hex, status_code=HTTPStatus.CREATED
            )
            if first is not None:
                return find(tx, organization_id, UUID(first.resource_id))
        organizations.lock(tx, organization_id)
        provider = find_own(tx, organization_id, provider_id)
        fields = ModelFields(
            model_id=given["model_id"],
            display_name=given.get("display_name", given["model_id"]),
            capabilities=given.get("capabilities", ["chat"]),
            enabled=given.get("enabled", True),
            is_favorite=given.get("is_favorite", False),
            profile=given.get("profile"),
            settings=given.get("settings") or {},
        )
        _check_free(tx, organization_id, provider.id, fields.model_id, but=None)
        if models.count(tx, organization_id, provider.id) >= _MOST_MODELS:
            raise Conflict("The provider has as many models as it may have")
        models.insert(tx, organization_id, provider.id, model_id, fields)
        return find(tx, organization_id, model_id)


def patch_model(deps: Deps, caller: Caller, model_id: UUID, given: dict[str, Any]) -> ProvidedModel:
    """Change the fields that are given; null takes profile and settings back.

    Raises:
        NotFound: there is no such model.
        Forbidden: it is built in.
        Conflict: its provider has another model of the new name.
    """
    organization_id = caller.organization_id
    with deps.database.transaction() as tx:
        organizations.lock(tx, organization_id)
        before = _find_own(tx, organization_id, model_id)
        fields = ModelFields(
            model_id=given.get("model_id", before.model_id),
            display_name=given.get("display_name", before.display_name),
            capabilities=given.get("capabilities", before.capabilities),
            enabled=given.get("enabled", before.enabled),
            is_favorite=given.get("is_favorite", before.is_favorite),
            profile=given.get("profile", before.profile),
            settings=given.get("settings", before.settings) or {},
        )
        _check_free(tx, organization_id, before.provider_id, fields.model_id, but=model_id)
        models.update(tx, organization_id, model_id, fields)
        return find(tx, organization_id, model_id)


def delete_model(deps: Deps, caller: Caller, model_id: UUID) -> None:
    """Remove it; a turn that names it fails and says so.

    Raises:
        NotFound: there is no such model.
        Forbidden: it is built in.
    """
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        _find_own(tx, caller.organization_id, model_id)
        models.delete(tx, caller.organization_id, model_id)


def find(tx: Tx, organization_id: UUID, model_id: UUID) -> ProvidedModel:
    """The organization's model or a built-in one.

    Raises:
        NotFound: there is none.
    """
    found = models.find(tx, organization_id, model_id)
    if found is None:
        raise NotFound("Model not found")
    return found


def _find_own(tx: Tx, organization_id: UUID, model_id: UUID) -> ProvidedModel:
    found = find(tx, organization_id, model_id)
    if found.organization_id is None:
        raise Forbidden("A built-in model cannot be changed: add one to a provider of your own")
    return found


def _check_free(
    tx: Tx, organization_id: UUID, provider_id: UUID, name: str, *, but: UUID | None
) -> None:
    holder = models.find_by_name(tx, organization_id, provider_id, name)
    if holder is not None and holder.id != but:
        raise Conflict("The provider has a model of this name already")
