"""Where a provider is reached and with which key: the one place that opens stored keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from common.domain.provider import (
    PROVIDER_TYPES,
    Provider,
    ProviderStatus,
    fits_environment_key,
    key_purpose,
)
from common.encryption import SecretBox
from common.settings import Settings
from common.storage import providers
from common.storage.engine import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFacts:
    """What a call of a provider needs.

    Attributes:
        base_url: None for the provider's own address.
        api_key: None when there is none; never logged, never in an error.
        settings: options of its driver.
    """

    provider_id: UUID
    provider_type: str
    base_url: str | None
    api_key: str | None = field(repr=False)
    settings: Mapping[str, Any]
    is_active: bool


def endpoint_facts(
    tx: Tx,
    organization_id: UUID,
    provider_id: UUID,
    *,
    secrets: SecretBox,
    settings: Settings,
) -> ProviderFacts | None:
    """The facts of a provider that the organization may use; None when there is none.

    Its own key comes first, then the environment's: that one only for the provider's own
    address, so that nobody can have it sent elsewhere.

    Raises:
        common.encryption.EncryptionUnavailable: it has a key, and no master key is configured.
        common.encryption.CannotDecrypt: it has a key that the configured master keys do not open.
    """
    found = providers.find_with_key(tx, organization_id, provider_id)
    if found is None:
        return None
    provider = found.provider
    key: str | None
    if found.envelope is not None:
        key = secrets.decrypt(found.envelope, purpose=key_purpose(provider.id))
    else:
        key = environment_key(settings, provider.provider_type, provider.base_url)
    return ProviderFacts(
        provider_id=provider.id,
        provider_type=provider.provider_type,
        base_url=provider.base_url,
        api_key=key,
        settings=provider.settings,
        is_active=provider.status is ProviderStatus.ACTIVE,
    )


def environment_key(settings: Settings, provider_type: str, base_url: str | None) -> str | None:
    """The environment's key for such a provider; None when none is set or may be sent there."""
    if not fits_environment_key(provider_type, base_url):
        return None
    by_name = {
        "openai": settings.default_openai_api_key,
        "anthropic": settings.default_anthropic_api_key,
    }
    return by_name.get(PROVIDER_TYPES[provider_type].environment_key or "") or None


def has_key(settings: Settings, provider: Provider) -> bool:
    """Whether a key is set for it: its own, or for a built-in one the environment's."""
    if provider.is_built_in:
        return environment_key(settings, provider.provider_type, provider.base_url) is not None
    return provider.has_key
