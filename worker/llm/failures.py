"""Says in our words why a provider gave no answer.

The SDKs' exceptions are read by their shape, which both share, so that neither has to
be imported here.  Nothing of an exception but the provider's own message is kept, and
that masked and cut: a response's body may repeat what was sent (I10).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from common.domain.masking import masked
from common.provider_connections import MetadataRefused
from common.retry_after import retry_after
from worker.llm.driver import Endpoint, FailureReason, LLMFailure

LONGEST_DETAIL: Final = 2048  # characters
_MOST_READ: Final = 32 * LONGEST_DETAIL

_QUOTA_CODES: Final = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_error", "billing_not_active"}
)
_QUOTA_WORDS: Final = re.compile(
    r"credit balance is too low|exceeded your current quota", re.IGNORECASE
)
_USAGE_LIMIT_CODES: Final = frozenset({"usage_limit_reached", "usage_limit_exceeded"})
_TOO_LARGE_CODES: Final = frozenset(
    {"context_length_exceeded", "request_too_large", "string_above_max_length"}
)
_TOO_LARGE_WORDS: Final = re.compile(
    r"prompt is too long|maximum context length|context[ _]length|context window"
    r"|input is too long|^request too large|too many tokens",
    re.IGNORECASE,
)
_NO_MODEL_CODES: Final = frozenset({"model_not_found", "not_found_error", "invalid_model"})
_NO_ACCESS_CODES: Final = frozenset(
    {"invalid_api_key", "authentication_error", "permission_error", "invalid_authentication"}
)
_TOOL_SCHEMA_CODES: Final = frozenset({"invalid_function_parameters", "invalid_function_schema"})
_TOOL_SCHEMA_WORDS: Final = re.compile(
    r"input_schema|invalid schema for function|\btools[.\[]\d+|function[_ ]parameters",
    re.IGNORECASE,
)
# What an error without a status of its own (in mid-stream) would have had as one.
_STATUS_OF_CODE: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
    "invalid_prompt": 400,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "api_error": 500,
    "server_error": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "timeout_error": 504,
    "vector_store_timeout": 504,
    "overloaded_error": 529,
    "server_is_overloaded": 529,
    "slow_down": 529,
}
_TO_METADATA: Final = "the provider's name leads to a link-local address, where no request goes"
_BROKEN_INPUT_STATUSES: Final = frozenset({400, 422})
_FIRST_REDIRECT_STATUS: Final = 300
_FIRST_ERROR_STATUS: Final = 400
_PAYMENT_REQUIRED: Final = 402
_TOO_LARGE: Final = 413
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500
_NOT_IMPLEMENTED: Final = 501
_HTTP_STATUSES: Final = range(100, 600)


@dataclass(frozen=True, slots=True)
class ProviderError:
    """What a provider said instead of an answer.

    Attributes:
        status: of the HTTP response; None for an error in mid-stream.
        codes: its own words for it, type and code alike.
        param: what in the request it does not like.
    """

    message: str
    status: int | None = None
    codes: frozenset[str] = field(default_factory=frozenset)
    param: str = ""
    retry_after_seconds: float | None = None


def failure_from(error: Exception, endpoint: Endpoint, *, has_begun: bool = True) -> LLMFailure:
    """The failure that an exception of an SDK, or of the HTTP library below it, stands for.

    `has_begun`: whether the provider had begun to answer.
    """
    if isinstance(error, LLMFailure):
        return error  # one of ours already
    if isinstance(error, MetadataRefused) or isinstance(error.__cause__, MetadataRefused):
        return _failure(FailureReason.MISCONFIGURED, _TO_METADATA, endpoint, retry=False)
    names = {each.__name__ for each in type(error).__mro__}
    if names & {"APITimeoutError", "TimeoutException"}:
        return unavailable("the provider did not answer in time", endpoint)
    if names & {"APIConnectionError", "TransportError", "OSError"}:
        cause = error.__cause__ or error
        return unavailable(f"the connection failed: {type(cause).__name__}", endpoint)
    if hasattr(error, "body") and hasattr(error, "message"):
        return failure_of(_read(error), endpoint)
    if not has_begun:
        detail = f"the request could not be made: {type(error).__name__}"
        return _failure(FailureReason.PROCESSING_ERROR, detail, endpoint, retry=False)
    # A chunk that is no JSON, or JSON of another shape than the wire format's.
    return unavailable(f"the answer could not be read: {type(error).__name__}", endpoint)


def failure_of(said: ProviderError, endpoint: Endpoint) -> LLMFailure:
    """The failure that a provider's error stands for."""
    status = _status(said)
    reason = _reason(said, status)
    return _failure(
        reason,
        said.message or f"the provider answered {status}",
        endpoint,
        retry=_may_retry(reason, status),
        after=said.retry_after_seconds,
    )


def unavailable(detail: str, endpoint: Endpoint) -> LLMFailure:
    """No answer, or not to its end; the next try may be luckier."""
    return _failure(FailureReason.UNAVAILABLE, detail, endpoint, retry=True)


def cut_off(endpoint: Endpoint) -> LLMFailure:
    """The stream ended as if all were well, yet without saying how the answer ends."""
    return unavailable("the stream ended before the answer did", endpoint)


def error_in(body: object) -> ProviderError:
    """What a provider sent for an error, in one of the shapes that there are."""
    if not isinstance(body, Mapping):
        return ProviderError(message=_sentence(body))
    inner = body.get("error")
    if isinstance(inner, str):
        return ProviderError(message=inner, codes=_codes(body.get("code"), body.get("type")))
    body = inner if isinstance(inner, Mapping) else body
    return ProviderError(
        message=_word(body.get("message")) or _detail(body.get("detail")),
        codes=_codes(body.get("code"), body.get("type")),
        param=_word(body.get("param")),
    )


def _sentence(body: object) -> str:
    """A body that is a sentence; a page that some proxy shows instead is none."""
    text = _word(body).strip()
    return "" if text.startswith("<") else text


def _detail(detail: object) -> str:
    """What FastAPI and those alike say: a sentence, or what is wrong with each field."""
    if not isinstance(detail, list):
        return _word(detail)
    # Beside its message each may repeat what was sent.
    words = (_word(each.get("msg")) for each in detail if isinstance(each, Mapping))
    return "; ".join(word for word in words if word)


def _failure(
    reason: FailureReason,
    detail: str,
    endpoint: Endpoint,
    *,
    retry: bool,
    after: float | None = None,
) -> LLMFailure:
    safe = masked(detail[:_MOST_READ], _secrets(endpoint))[:LONGEST_DETAIL]
    return LLMFailure(reason, safe, may_retry=retry, retry_after_seconds=after if retry else None)


def _secrets(endpoint: Endpoint) -> Iterable[str]:
    if endpoint.api_key:
        yield endpoint.api_key
    headers = endpoint.settings.get("headers")
    if isinstance(headers, Mapping):
        yield from (value for value in headers.values() if isinstance(value, str))


def _read(error: Any) -> ProviderError:
    said = error_in(error.body)
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None)
    return ProviderError(
        message=said.message,
        # Below: an error in the stream of a response that began well.
        status=status if isinstance(status, int) and status >= _FIRST_REDIRECT_STATUS else None,
        codes=said.codes | _codes(getattr(error, "code", None), getattr(error, "type", None)),
        param=said.param,
        retry_after_seconds=retry_after(getattr(response, "headers", None) or {}),
    )


def _codes(*values: object) -> frozenset[str]:
    return frozenset(str(value) for value in values if isinstance(value, str | int) and value)


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def _status(said: ProviderError) -> int:
    if said.status is not None:
        return said.status
    for code in said.codes:
        if code.isdecimal() and int(code) in _HTTP_STATUSES:
            return int(code)
    known = (_STATUS_OF_CODE[code] for code in said.codes if code in _STATUS_OF_CODE)
    # An error that came in mid-stream and says nothing more is the provider's own trouble.
    return next(known, _SERVER_ERROR)


def _reason(said: ProviderError, status: int) -> FailureReason:
    codes, message = said.codes, said.message
    if codes & _QUOTA_CODES or status == _PAYMENT_REQUIRED or _QUOTA_WORDS.search(message):
        return FailureReason.QUOTA_EXHAUSTED
    if codes & _USAGE_LIMIT_CODES:
        return FailureReason.USAGE_LIMIT_REACHED
    if codes & _TOO_LARGE_CODES or status == _TOO_LARGE:
        return FailureReason.REQUEST_TOO_LARGE
    if status in _BROKEN_INPUT_STATUSES | {_TOO_MANY} and _TOO_LARGE_WORDS.search(message):
        return FailureReason.REQUEST_TOO_LARGE
    if codes & _NO_MODEL_CODES:
        return FailureReason.MODEL_UNAVAILABLE
    if codes & _NO_ACCESS_CODES:
        return FailureReason.MISCONFIGURED
    if status in _BROKEN_INPUT_STATUSES and _is_of_a_tool(said):
        return FailureReason.INVALID_TOOL_SCHEMA
    return _reason_of_status(status)


def _reason_of_status(status: int) -> FailureReason:
    match status:
        case 401 | 403:
            return FailureReason.MISCONFIGURED
        case 404:
            return FailureReason.MODEL_UNAVAILABLE
        case 429:
            return FailureReason.RATE_LIMITED
        case 408 | 409:
            return FailureReason.UNAVAILABLE
        case _ if status >= _SERVER_ERROR:
            return FailureReason.UNAVAILABLE
        case _ if status < _FIRST_ERROR_STATUS:
            # A redirect: the address is not the API's, and the key goes nowhere else.
            return FailureReason.MISCONFIGURED
        case _:
            return FailureReason.PROCESSING_ERROR


def _is_of_a_tool(said: ProviderError) -> bool:
    if said.codes & _TOOL_SCHEMA_CODES or said.param.startswith("tools"):
        return True
    return _TOOL_SCHEMA_WORDS.search(said.message) is not None


def _may_retry(reason: FailureReason, status: int) -> bool:
    if reason is FailureReason.RATE_LIMITED:
        return True
    return reason is FailureReason.UNAVAILABLE and status != _NOT_IMPLEMENTED
