"""Create, change or delete a provider; its key is stored encrypted or not at all."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from common.domain.errors import (
    Conflict,
    EncryptionMissing,
    FieldProblem,
    Forbidden,
    NotFound,
    Unprocessable,
)
from common.domain.provider import (
    PROVIDERS,
    SIMULATED_TYPE,
    NewProvider,
    Provider,
    key_purpose,
    offered_types,
)
from common.encryption import EncryptionUnavailable
from common.storage import idempotency, organizations, providers
from common.storage.engine import Tx
from common.storage.idempotency import IdempotencyKey

NO_MASTER_KEY = (
    "API keys cannot be stored: SECRETS_ENCRYPTION_KEY is not set in this deployment."
    " Set it, or use the provider without a key of its own"
)


def create_provider(
    deps: Deps, caller: Caller, given: NewProvider, key: IdempotencyKey | None
) -> Provider:
    """Store a provider.

    Raises:
        Unprocessable: its type or address will not do here.
        Conflict: another provider has the name, or there are too many.
        EncryptionMissing: it has a key and there is no master key.
        IdempotencyKeyReused: the key came with another body.
    """
    check_type(deps, given.provider_type)
    _check_address(given.provider_type, given.base_url)
    organization_id = caller.organization_id
    with deps.database.transaction() as tx:
        provider_id = deps.new_id()
        if key is not None:
            first = idempotency.first_answer(
                tx, key, resource_id=provider_id.hex, status_code=HTTPStatus.CREATED
            )
            if first is not None:
                return find(tx, organization_id, UUID(first.resource_id))
        organizations.lock(tx, organization_id)
        _check_free(tx, organization_id, given.name, but=None)
        if providers.count(tx, organization_id) >= PROVIDERS:
            raise Conflict(f"There are {PROVIDERS} providers, which is as many as there may be")
        providers.insert(tx, organization_id, provider_id, given)
        if given.api_key is not None:
            _store_key(tx, deps, organization_id, provider_id, given.api_key)
        return find(tx, organization_id, provider_id)


def patch_provider(
    deps: Deps, caller: Caller, provider_id: UUID, given: dict[str, Any]
) -> Provider:
    """Change the fields that are given; an `api_key` of null removes the key.

    Raises:
        NotFound: there is no such provider.
        Forbidden: it is built in.
        Unprocessable: its type was to change, or its address will not do.
        Conflict: another provider has the new name.
        EncryptionMissing: it gets a key and there is no master key.
    """
    organization_id = caller.organization_id
    with deps.database.transaction() as tx:
        organizations.lock(tx, organization_id)
        before = find_own(tx, organization_id, provider_id)
        if given.get("provider_type", before.provider_type) != before.provider_type:
            raise _unacceptable("provider_type", "Cannot be changed: create another provider")
        name = given.get("name", before.name)
        _check_free(tx, organization_id, name, but=provider_id)
        base_url = given.get("base_url", before.base_url)
        _check_address(before.provider_type, base_url)
        if base_url != before.base_url and before.has_key and "api_key" not in given:
            # Whoever may change the address must not get the key sent to it.
            raise _unacceptable("api_key", "Give the key again, or null: the address changes")
        if (
            base_url != before.base_url
            and before.settings.get("headers")
            and "settings" not in given
        ):
            # Nor the headers, whose values are shown to nobody.
            raise _unacceptable("settings", "Give the headers again: the address changes")
        providers.update(
            tx,
            organization_id,
            provider_id,
            name=name,
            base_url=base_url,
            settings=given.get("settings", before.settings) or {},
            status=given.get("status", before.status),
        )
        if given.get("api_key") is not None:
            _store_key(tx, deps, organization_id, provider_id, given["api_key"])
        elif "api_key" in given:
            providers.set_key(tx, organization_id, provider_id, None)
        return find(tx, organization_id, provider_id)


def delete_provider(deps: Deps, caller: Caller, provider_id: UUID) -> None:
    """Remove it with its key and its models; turns that need one of them fail and say so.

    Raises:
        NotFound: there is no such provider.
        Forbidden: it is built in.
    """
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        find_own(tx, caller.organization_id, provider_id)
        providers.delete(tx, caller.organization_id, provider_id)


def check_type(deps: Deps, provider_type: str) -> None:
    """Refuse the simulated type in production.

    Raises:
        Unprocessable: the type is not to be had here.
    """
    offered = offered_types(is_development=deps.settings.is_development)
    if provider_type not in offered:
        raise _unacceptable("provider_type", f"Must be one of {', '.join(offered)}")


def find(tx: Tx, organization_id: UUID, provider_id: UUID) -> Provider:
    """The organization's provider or a built-in one.

    Raises:
        NotFound: there is none.
    """
    found = providers.find(tx, organization_id, provider_id)
    if found is None:
        raise NotFound("Provider not found")
    return found


def find_own(tx: Tx, organization_id: UUID, provider_id: UUID) -> Provider:
    """The organization's own provider.

    Raises:
        NotFound: there is none.
        Forbidden: it is built in.
    """
    found = find(tx, organization_id, provider_id)
    if found.is_built_in:
        raise Forbidden("A built-in provider cannot be changed: create one of your own")
    return found


def _check_free(tx: Tx, organization_id: UUID, name: str, *, but: UUID | None) -> None:
    holder = providers.holder_of(tx, organization_id, name)
    if holder is not None and holder != but:
        raise Conflict("Another provider has this name")


def _check_address(provider_type: str, base_url: str | None) -> None:
    if provider_type == "azure_openai" and base_url is None:
        raise _unacceptable("base_url", "Is needed for this type: the resource's endpoint")
    if provider_type == SIMULATED_TYPE and base_url is not None:
        raise _unacceptable("base_url", "The simulated model has no address")


def _store_key(tx: Tx, deps: Deps, organization_id: UUID, provider_id: UUID, api_key: str) -> None:
    try:
        envelope = deps.secrets.encrypt(api_key, purpose=key_purpose(provider_id))
    except EncryptionUnavailable:
        raise EncryptionMissing(NO_MASTER_KEY) from None
    providers.set_key(tx, organization_id, provider_id, envelope)


def _unacceptable(field: str, message: str) -> Unprocessable:
    return Unprocessable(f"{field}: {message}", problems=(FieldProblem(field, message),))
