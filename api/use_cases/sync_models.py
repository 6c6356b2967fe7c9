"""Ask a provider for its models and store what it says."""

from __future__ import annotations

from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from api.use_cases.save_provider import find_own
from common.domain.errors import Conflict, EncryptionMissing, ProviderFailed
from common.domain.provider import is_usable_without_key
from common.encryption import CannotDecrypt, EncryptionUnavailable
from common.model_listing import ListingFailed, has_list, list_models
from common.provider_access import ProviderFacts, endpoint_facts
from common.storage import models, organizations, providers
from common.storage.models import Synced


def sync_models(deps: Deps, caller: Caller, provider_id: UUID) -> Synced | None:
    """Bring the provider's models to what it lists; None when its type has no list.

    Raises:
        NotFound: there is no such provider.
        Forbidden: it is built in.
        Conflict: it is disabled, or there is no key to ask with.
        ProviderFailed: it could not be reached, refused, or answered something else.
        EncryptionMissing: its key cannot be opened.
    """
    facts = _facts(deps, caller.organization_id, provider_id)
    if not has_list(facts.provider_type):
        return None
    if not facts.is_active:
        raise Conflict("The provider is disabled")
    if facts.api_key is None and not is_usable_without_key(facts.provider_type, facts.base_url):
        raise Conflict("The provider has no API key to ask with")
    try:
        listed = list_models(facts)
    except ListingFailed as failure:
        raise ProviderFailed(str(failure)) from None
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        # It may be gone by now.
        find_own(tx, caller.organization_id, provider_id)
        synced = models.keep_listed(
            tx, caller.organization_id, provider_id, listed, new_id=deps.new_id
        )
        providers.note_synced(tx, caller.organization_id, provider_id)
        return synced


def _facts(deps: Deps, organization_id: UUID, provider_id: UUID) -> ProviderFacts:
    with deps.database.reading() as tx:
        find_own(tx, organization_id, provider_id)
        try:
            facts = endpoint_facts(
                tx,
                organization_id,
                provider_id,
                secrets=deps.secrets,
                settings=deps.settings,
            )
        except (EncryptionUnavailable, CannotDecrypt):
            raise EncryptionMissing(
                "The provider's key cannot be opened: the master key that it was stored under is"
                " not configured. Set SECRETS_ENCRYPTION_KEY or SECRETS_ENCRYPTION_KEY_PREVIOUS"
                " to it, or store the key anew"
            ) from None
    if facts is None:
        raise Conflict("The provider was just deleted")
    return facts
