"""Makes the official SDKs' clients for an endpoint.

The SDKs are imported here, when the first client is made: they cost a second and tens
of megabytes, which a process that never calls a model does not pay.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from common import tracing
from common.domain.trace import HEADER
from common.provider_connections import look
from worker.llm.driver import Endpoint, FailureReason, LLMFailure

if TYPE_CHECKING:
    import anthropic
    import httpx2
    import openai

CONNECT_SECONDS: Final = 10.0
# Between two pieces of an answer: what thinks for long sends signs of life meanwhile.
READ_SECONDS: Final = 120.0
_WRITE_SECONDS: Final = 60.0
_LONGEST_SECONDS: Final = 3600.0
_MOST_CONNECTIONS: Final = 1000
_MOST_IDLE_CONNECTIONS: Final = 20
_IDLE_SECONDS: Final = 30.0

# For servers that want none; the SDKs insist on one, and would look for it elsewhere.
_NO_KEY: Final = "none"

OPENAI_URL: Final = "https://api.openai.com/v1"
OPENROUTER_URL: Final = "https://openrouter.ai/api/v1"
ANTHROPIC_URL: Final = "https://api.anthropic.com"
_AZURE_API_VERSION: Final = "2024-10-21"

OPENROUTER: Final = "openrouter"
AZURE: Final = "azure_openai"


def openai_client(endpoint: Endpoint) -> openai.OpenAI:
    """A client for OpenAI, Azure, OpenRouter or a server that speaks as they do.

    Raises:
        LLMFailure: `MISCONFIGURED`; key, address or a setting is missing or wrong.
    """
    import openai

    if endpoint.provider_type == AZURE:
        return _azure_client(endpoint)
    own_url = OPENROUTER_URL if endpoint.provider_type == OPENROUTER else OPENAI_URL
    organization, project = _text(endpoint, "organization"), _text(endpoint, "project")
    client = openai.OpenAI(
        base_url=_url(endpoint, own_url), api_key=_api_key(endpoint), **_shared(endpoint)
    )
    # Else taken from the environment, where another tenant's may stand.
    client.organization, client.project = organization, project
    return client


def _azure_client(endpoint: Endpoint) -> openai.OpenAI:
    import openai

    if not endpoint.base_url:
        raise _misconfigured("an Azure provider needs its base_url")
    if not endpoint.api_key:
        raise _misconfigured("the provider has no API key")
    key, url = _api_key(endpoint), _url(endpoint, "").rstrip("/")
    version = _text(endpoint, "api_version")
    shared = _shared(endpoint)
    if url.endswith("/openai/v1"):
        shared["default_headers"] = {"api-key": key, **shared["default_headers"]}
        query = {"api-version": version} if version else None
        return openai.OpenAI(base_url=url, api_key=key, default_query=query, **shared)
    return openai.AzureOpenAI(
        azure_endpoint=url.removesuffix("/openai"),
        api_key=key,
        api_version=version or _AZURE_API_VERSION,
        **shared,
    )


def anthropic_client(endpoint: Endpoint) -> anthropic.Anthropic:
    """A client for Anthropic or a server that speaks as it does.

    Raises:
        LLMFailure: `MISCONFIGURED`; key or a setting is missing or wrong.
    """
    import anthropic

    return anthropic.Anthropic(
        base_url=_url(endpoint, ANTHROPIC_URL),
        api_key=_api_key(endpoint),
        **_shared(endpoint),
        # Our own spans describe the call; the SDK's would know more than they may (I10).
        open_telemetry=False,
    )


def _shared(endpoint: Endpoint) -> dict[str, Any]:
    """What all clients are made with."""
    headers, timeout = _headers(endpoint), _timeout(endpoint)
    return {
        "max_retries": 0,
        "timeout": timeout,
        "default_headers": headers,
        "http_client": _http_client(timeout),
    }


def _url(endpoint: Endpoint, own: str) -> str:
    if endpoint.base_url is None:
        return own
    try:
        parts = urlsplit(endpoint.base_url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _misconfigured("the provider's base_url is not an address of the web")
    return endpoint.base_url


def _api_key(endpoint: Endpoint) -> str:
    if not endpoint.api_key:
        if endpoint.base_url is None:
            raise _misconfigured("the provider has no API key")
        return _NO_KEY
    if not _fits_a_header(endpoint.api_key):
        raise _misconfigured("the provider's API key has characters that no key has")
    return endpoint.api_key


def _fits_a_header(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _http_client(timeout: httpx2.Timeout) -> httpx2.Client:
    import httpx2

    from worker.llm.bounded import bound
    from worker.llm.stoppable import make_stoppable

    # At a lower level these write requests, content and all, into the log (I10).
    for name in ("openai", "anthropic", "httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    client = httpx2.Client(
        timeout=timeout,
        limits=httpx2.Limits(
            max_connections=_MOST_CONNECTIONS,
            max_keepalive_connections=_MOST_IDLE_CONNECTIONS,
            keepalive_expiry=_IDLE_SECONDS,
        ),
        # A key must not follow wherever an address points to.
        follow_redirects=False,
        headers={"accept-encoding": "identity"},
        event_hooks={"request": [_place_in_trace, _watch_connection], "response": [bound]},
    )
    make_stoppable(client)
    return client


def _place_in_trace(request: httpx2.Request) -> None:
    """Tell the provider where in the turn's trace it is called from, if there is one."""
    place = tracing.current()
    if place is not None:
        request.headers[HEADER] = place.header


def _watch_connection(request: httpx2.Request) -> None:
    request.extensions = {**request.extensions, "trace": look}


def _timeout(endpoint: Endpoint) -> httpx2.Timeout:
    import httpx2

    connect = _seconds_setting(endpoint, "connect_timeout_seconds", CONNECT_SECONDS)
    read = _seconds_setting(endpoint, "read_timeout_seconds", READ_SECONDS)
    return httpx2.Timeout(connect=connect, read=read, write=_WRITE_SECONDS, pool=connect)


def _seconds_setting(endpoint: Endpoint, name: str, default: float) -> float:
    value = endpoint.settings.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _misconfigured(f"the provider's {name} must be a number")
    if not 0 < value <= _LONGEST_SECONDS:
        raise _misconfigured(f"the provider's {name} must be above 0, at most an hour")
    return float(value)


def _text(endpoint: Endpoint, name: str) -> str | None:
    value = endpoint.settings.get(name)
    if value is not None and not isinstance(value, str):
        raise _misconfigured(f"the provider's {name} must be a string")
    return value or None


def _headers(endpoint: Endpoint) -> dict[str, str]:
    headers = endpoint.settings.get("headers") or {}
    if not isinstance(headers, Mapping):
        raise _misconfigured("the provider's headers must be an object")
    if not all(isinstance(value, str) and _fits_a_header(value) for value in headers.values()):
        raise _misconfigured("the provider's headers must be strings of plain characters")
    return {str(name): value for name, value in headers.items()}


def _misconfigured(detail: str) -> LLMFailure:
    return LLMFailure(FailureReason.MISCONFIGURED, detail)
