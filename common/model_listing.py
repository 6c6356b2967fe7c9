"""Read a provider's own list of models, with little trust in who answers.

Short time-outs, a bounded size, no redirects: a key goes to the address that was configured
and nowhere else.  What the provider said is never repeated, so nothing of a key, or of a server
that should not have been reached, gets out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, TypeGuard

import httpx
import orjson

from common.domain.model_catalog import is_chat_model, known_profile
from common.domain.provider import PROVIDER_TYPES, ListedModel
from common.domain.text import is_storable
from common.provider_access import ProviderFacts
from common.provider_connections import MetadataRefused, look

ANTHROPIC_VERSION: Final = "2026-10-21"

_CONNECT_SECONDS: Final = 5.0
_READ_SECONDS: Final = 10.0
_WHOLE_SECONDS: Final = 20.0
_MOST_BYTES: Final = 8 * 1024 * 1024
_MOST_PAGES: Final = 10
_PAGE: Final = 1000
_MOST_MODELS: Final = 5000
_NAME_CHARACTERS: Final = 256
_MOST_TOKENS: Final = 2**31

Json = Mapping[str, Any]


class ListingFailed(Exception):
    """There is no list to be had; the message is a sentence for the caller."""


def has_list(provider_type: str) -> bool:
    """Whether providers of this type can be asked for their models."""
    known = PROVIDER_TYPES.get(provider_type)
    return known is not None and known.lists is not None


def list_models(facts: ProviderFacts) -> list[ListedModel]:
    """What the provider offers to talk with, as it says itself.

    Raises:
        ListingFailed: it cannot be reached, refuses, or answers something else.
    """
    known = PROVIDER_TYPES[facts.provider_type]
    base = (facts.base_url or known.default_url or "").rstrip("/")
    deadline = time.monotonic() + _WHOLE_SECONDS
    headers = _headers(facts)
    if known.lists == "anthropic":
        url = f"{base.removesuffix('/v1')}/v1/models"
        found = _read_pages(url, headers, deadline)
    else:
        found = _entries(_get(f"{base}/models", headers, {}, deadline))
    listed = {each.model_id: each for each in map(_listed, found) if each is not None}
    return list(listed.values())[:_MOST_MODELS]


def _headers(facts: ProviderFacts) -> dict[str, str]:
    own = facts.settings.get("headers")
    headers = {str(name): str(value) for name, value in own.items()} if own else {}
    headers["accept-encoding"] = "identity"
    if PROVIDER_TYPES[facts.provider_type].lists == "anthropic":
        headers["anthropic-version"] = ANTHROPIC_VERSION
        if facts.api_key:
            headers["x-api-key"] = facts.api_key
    elif facts.api_key:
        headers["authorization"] = f"Bearer {facts.api_key}"
    return headers


def _read_pages(url: str, headers: dict[str, str], deadline: float) -> list[Json]:
    found: list[Json] = []
    query: dict[str, str] = {"limit": str(_PAGE)}
    for _ in range(_MOST_PAGES):
        body = _get(url, headers, query, deadline)
        found += _entries(body)
        last = body.get("last_id")
        if not body.get("has_more") or not isinstance(last, str):
            break
        query = {**query, "after_id": last}
    return found


def _get(url: str, headers: dict[str, str], query: dict[str, str], deadline: float) -> Json:
    timeout = httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
    try:
        with (
            httpx.Client(timeout=timeout, follow_redirects=False) as client,
            client.stream(
                "GET", url, headers=headers, params=query, extensions={"trace": look}
            ) as response,
        ):
            _check_status(response.status_code)
            _check_encoding(response)
            raw = _read(response, deadline)
    except httpx.TimeoutException:
        raise ListingFailed("The provider did not answer in time") from None
    except MetadataRefused:
        raise ListingFailed("The provider's name leads to a link-local address") from None
    # InvalidURL is none of httpx's own errors, and neither are faults in a header's characters.
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError):
        raise ListingFailed("The provider cannot be reached at its address") from None
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise ListingFailed("The provider's list of models is not JSON of the expected form")
    return body


def _check_status(status: int) -> None:
    if status == HTTPStatus.OK:
        return
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise ListingFailed(f"The provider refused the key (HTTP {status})")
    if status == HTTPStatus.NOT_FOUND:
        raise ListingFailed("The provider has no list of models at its address (HTTP 404)")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise ListingFailed("The provider is asked too often; try again later (HTTP 429)")
    if status in range(300, 400):
        raise ListingFailed(
            f"The provider answered with a redirect, which is not followed (HTTP {status})"
        )
    raise ListingFailed(f"The provider failed (HTTP {status})")


def _check_encoding(response: httpx.Response) -> None:
    """Compressed it could be of any size, and would be unpacked before that is known."""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise ListingFailed("The provider's list of models is compressed, which was not asked for")


def _read(response: httpx.Response, deadline: float) -> bytes:
    chunks, size = [], 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > _MOST_BYTES:
            raise ListingFailed("The provider's list of models is too large")
        if time.monotonic() > deadline:
            raise ListingFailed("The provider did not answer in time")
        chunks.append(chunk)
    return b"".join(chunks)


def _entries(body: Json) -> list[Json]:
    data = body.get("data")
    if not isinstance(data, list):
        raise ListingFailed("The provider's list of models is not JSON of the expected form")
    return [entry for entry in data if isinstance(entry, dict)]


def _listed(entry: Json) -> ListedModel | None:
    model_id = entry.get("id")
    if not _is_name(model_id) or not is_chat_model(model_id):
        return None
    shown = entry.get("display_name") or entry.get("name")
    display_name = shown if _is_name(shown) else model_id
    return ListedModel(
        model_id=model_id, display_name=display_name, profile=_profile(model_id, entry)
    )


def _is_name(value: object) -> TypeGuard[str]:
    return (
        isinstance(value, str) and 0 < len(value.strip()) <= _NAME_CHARACTERS and is_storable(value)
    )


def _profile(model_id: str, entry: Json) -> dict[str, Any] | None:
    """What the list itself says of limits and abilities, over what is known of the name."""
    context = _tokens(entry, "context_length", "max_model_len", "max_input_tokens")
    if context is None:
        return None
    top = entry.get("top_provider")
    output = _tokens(entry, "max_tokens", "max_output_tokens") or _tokens(
        top if isinstance(top, dict) else {}, "max_completion_tokens"
    )
    known = known_profile(model_id) or {
        "name": model_id,
        "family": model_id,
        "attachment": True,
        "reasoning": False,
        "temperature": True,
        "tool_call": True,
        "structured_output": False,
        "open_weights": False,
        "modalities": {"input": ["text", "image"], "output": ["text"]},
    }
    profile = {**known, "limits": {"context": context, "output": min(output or context, context)}}
    return {**profile, **_abilities(entry)}


def _tokens(entry: Json, *names: str) -> int | None:
    for name in names:
        value = entry.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MOST_TOKENS:
            return value
    return None


def _abilities(entry: Json) -> dict[str, Any]:
    """As OpenRouter lists them."""
    found: dict[str, Any] = {}
    architecture = entry.get("architecture")
    inputs = architecture.get("input_modalities") if isinstance(architecture, dict) else None
    if isinstance(inputs, list):
        taken = [each for each in ("text", "image", "audio", "video") if each in inputs]
        found["modalities"] = {"input": taken or ["text"], "output": ["text"]}
        found["attachment"] = "image" in taken
    parameters = entry.get("supported_parameters")
    if isinstance(parameters, list):
        found["tool_call"] = "tools" in parameters
        found["temperature"] = "temperature" in parameters
        found["reasoning"] = "reasoning" in parameters
        found["structured_output"] = "structured_outputs" in parameters
    return found
