"""Providers of models: which types there are, what each needs, and the rules of an address.

A new type is an entry in `PROVIDER_TYPES` and the module that it names.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

from common.domain.outbound import is_metadata

NAME_CHARACTERS: Final = 128
KEY_CHARACTERS: Final = 4096
URL_CHARACTERS: Final = 2048
PROVIDERS: Final = 100
SIMULATED_TYPE: Final = "llmsim"

# Where instance metadata, and with it credentials of the machine, is served.
_METADATA_NAMES: Final = frozenset({"metadata", "metadata.google.internal", "instance-data"})
_NOT_IN_URL: Final = re.compile(r"[\s\x00-\x1f\x7f\\]")
# What would send the key, or another one, past `api_key` and so unencrypted.
KEY_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "api-key", "cookie"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderType:
    """What a type of provider needs.

    Attributes:
        driver: the module in `worker.llm` that speaks to it, by its `make_driver`.
        default_url: where its API is when a provider names no address; None: it must name one.
        environment_key: which key of the environment serves providers without one of their own.
        lists: the form of its list of models, None when it has none.
    """

    title: str
    driver: str
    default_url: str | None
    environment_key: Literal["openai", "anthropic"] | None = None
    lists: Literal["openai", "anthropic"] | None = None
    needs_key: bool = True


PROVIDER_TYPES: Final[Mapping[str, ProviderType]] = MappingProxyType(
    {
        "openai": ProviderType(
            title="OpenAI Responses API",
            driver="openai_responses",
            default_url="https://api.openai.com/v1",
            environment_key="openai",
            lists="openai",
        ),
        "openai_completions": ProviderType(
            title="Chat Completions, of OpenAI or any compatible server",
            driver="openai_completions",
            default_url="https://api.openai.com/v1",
            environment_key="openai",
            lists="openai",
        ),
        "openrouter": ProviderType(
            title="OpenRouter",
            driver="openai_completions",
            default_url="https://openrouter.ai/api/v1",
            lists="openai",
        ),
        # Its list has base models, while requests name deployments.
        "azure_openai": ProviderType(
            title="Azure OpenAI", driver="openai_completions", default_url=None
        ),
        "anthropic": ProviderType(
            title="Anthropic Messages API",
            driver="anthropic_messages",
            default_url="https://api.anthropic.com",
            environment_key="anthropic",
            lists="anthropic",
        ),
        SIMULATED_TYPE: ProviderType(
            title="Simulated model, for development",
            driver="llmsim.driver",
            default_url=None,
            needs_key=False,
        ),
    }
)


def offered_types(*, is_development: bool) -> tuple[str, ...]:
    """The types a provider may be made of: the simulated one in development alone."""
    return tuple(name for name in PROVIDER_TYPES if is_development or name != SIMULATED_TYPE)


class ProviderStatus(StrEnum):
    """A disabled provider's models cannot be used."""

    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A stored provider, without its key.

    Attributes:
        organization_id: None for a built-in one, whose key comes from the environment.
        has_key: whether one of its own is stored.
        settings: options of its driver.
    """

    id: UUID
    organization_id: UUID | None
    name: str
    provider_type: str
    base_url: str | None
    has_key: bool
    settings: dict[str, Any]
    status: ProviderStatus
    last_synced_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def is_built_in(self) -> bool:
        return self.organization_id is None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProvider:
    """What a caller writes; `api_key` never leaves the transaction unencrypted."""

    name: str
    provider_type: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    settings: dict[str, Any] = field(default_factory=dict)
    status: ProviderStatus = ProviderStatus.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvidedModel:
    """A stored model and the provider that offers it.

    Attributes:
        model_id: the provider's name for it.
        profile: in the wire's form (contract 6.2), None when the row has none.
        stale_since: when the provider's list first went without it.
    """

    id: UUID
    organization_id: UUID | None
    provider_id: UUID
    provider_name: str
    provider_type: str
    provider_is_active: bool
    provider_base_url: str | None
    provider_has_key: bool
    model_id: str
    display_name: str
    capabilities: list[str]
    enabled: bool
    is_favorite: bool
    source: str
    stale_since: datetime | None
    profile: dict[str, Any] | None
    settings: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """A model as a provider's own list has it; `profile` in the wire's form."""

    model_id: str
    display_name: str
    profile: dict[str, Any] | None = None


def key_purpose(provider_id: UUID) -> str:
    """What a provider's key is encrypted as, so that it opens in no other row."""
    return f"provider:{provider_id}"


def fits_environment_key(provider_type: str, base_url: str | None) -> bool:
    """Whether a key of the environment may be sent there: to the provider's own address alone."""
    known = PROVIDER_TYPES.get(provider_type)
    return known is not None and known.environment_key is not None and base_url is None


def is_usable_without_key(provider_type: str, base_url: str | None) -> bool:
    """Whether calls may succeed without a key: servers of one's own often ask for none."""
    known = PROVIDER_TYPES.get(provider_type)
    if known is None or not known.needs_key:
        return True
    return provider_type in ("openai", "openai_completions", "anthropic") and base_url is not None


def checked_url(text: str) -> str:
    """An address that requests may be sent to, without a slash at its end.

    Raises:
        ValueError: it is none, saying why; never repeating it, as it may hold a password.
    """
    url = text.strip()
    if len(url) > URL_CHARACTERS or _NOT_IN_URL.search(url):
        raise ValueError("Must be an address without spaces and control characters")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("Must be an http or https address") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("Must be an http or https address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("Must not hold a user name or a password: use api_key")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValueError("Must not have a query or a fragment")
    if _serves_metadata(host):
        raise ValueError("Must not be a link-local or metadata address")
    return url.rstrip("/")


def _serves_metadata(host: str) -> bool:
    name = host.rstrip(".").lower()
    if name in _METADATA_NAMES:
        return True
    try:
        return is_metadata(ipaddress.ip_address(name.partition("%")[0]))
    except ValueError:
        # Another spelling of an IPv4 address, such as 0xa9fea9fe or 169.254.43518.
        last = name.rpartition(".")[2]
        return re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last) is not None
