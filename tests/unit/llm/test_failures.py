"""What the failure mapping makes of exceptions, by their shape; real ones are met in contract."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from common import clock
from common.retry_after import retry_after
from worker.llm.driver import Endpoint, FailureReason, LLMFailure
from worker.llm.failures import (
    LONGEST_DETAIL,
    ProviderError,
    cut_off,
    error_in,
    failure_from,
    failure_of,
)

_KEY = "a-key-without-any-shape"
_ENDPOINT = Endpoint("p", "openai", api_key=_KEY, settings={"headers": {"x-pass": "open-sesame"}})


class _Response:
    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = headers


class APIStatusError(Exception):
    """As both SDKs have one."""

    def __init__(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__("what the library says, the whole body in it")
        self.message = str(self)
        self.status_code = status
        self.body = body
        self.response = _Response(headers or {})


class APIConnectionError(Exception):
    pass


class TimeoutException(Exception):
    pass


def _reason(status: int | None, *codes: str, message: str = "", param: str = "") -> FailureReason:
    said = ProviderError(message, status, frozenset(codes), param)
    return failure_of(said, _ENDPOINT).reason


@pytest.mark.parametrize(
    ("status", "codes", "message", "reason"),
    [
        (429, ["insufficient_quota"], "", FailureReason.QUOTA_EXHAUSTED),
        (402, [], "Insufficient credits", FailureReason.QUOTA_EXHAUSTED),
        (400, [], "Your credit balance is too low", FailureReason.QUOTA_EXHAUSTED),
        (429, ["usage_limit_reached"], "", FailureReason.USAGE_LIMIT_REACHED),
        (429, ["tokens"], "Request too large for gpt-x", FailureReason.REQUEST_TOO_LARGE),
        (429, ["tokens"], "Rate limit reached for gpt-x", FailureReason.RATE_LIMITED),
        (400, ["context_length_exceeded"], "", FailureReason.REQUEST_TOO_LARGE),
        (400, [], "input length exceeds the context window", FailureReason.REQUEST_TOO_LARGE),
        (400, ["model_not_found"], "", FailureReason.MODEL_UNAVAILABLE),
        (404, ["not_found_error"], "model: claude-x", FailureReason.MODEL_UNAVAILABLE),
        (400, ["invalid_api_key"], "", FailureReason.MISCONFIGURED),
        (400, [], "Invalid schema for function 'f'", FailureReason.INVALID_TOOL_SCHEMA),
        (400, ["invalid_function_parameters"], "", FailureReason.INVALID_TOOL_SCHEMA),
        (400, [], "temperature is too hot", FailureReason.PROCESSING_ERROR),
        (418, [], "", FailureReason.PROCESSING_ERROR),
        (301, [], "", FailureReason.MISCONFIGURED),
        # In mid-stream there is no status.
        (None, ["overloaded_error"], "", FailureReason.UNAVAILABLE),
        (None, ["429"], "", FailureReason.RATE_LIMITED),
        (None, ["invalid_request_error"], "no", FailureReason.PROCESSING_ERROR),
        (None, [], "", FailureReason.UNAVAILABLE),
    ],
)
def test_the_reason_is_found_by_status_code_and_words(
    status: int | None, codes: list[str], message: str, reason: FailureReason
) -> None:
    assert _reason(status, *codes, message=message) is reason


def test_a_refused_parameter_of_a_tool_is_a_schema() -> None:
    invalid = FailureReason.INVALID_TOOL_SCHEMA
    assert _reason(400, message="no", param="tools[0].function.parameters") is invalid
    assert _reason(400, message="no", param="messages[0]") is FailureReason.PROCESSING_ERROR


def test_the_providers_message_is_told_and_nothing_else_of_the_exception() -> None:
    body = {"message": "Too fast.", "type": "requests", "code": "rate_limit_exceeded"}
    failure = failure_from(APIStatusError(429, body, {"retry-after": "3"}), _ENDPOINT)
    assert failure.reason is FailureReason.RATE_LIMITED
    assert failure.detail == "Too fast."
    assert failure.retry_after_seconds == 3
    assert "body" not in str(failure)
    assert json.dumps(vars(failure)) == json.dumps(
        {
            "reason": "provider_rate_limited",
            "detail": "Too fast.",
            "may_retry": True,
            "retry_after_seconds": 3.0,
        }
    )


@pytest.mark.parametrize(
    "body", [None, "<html>prompt</html>", " <!doctype html>prompt", ["prompt"], {"detail": [{}]}, 5]
)
def test_a_body_of_another_shape_is_not_told(body: object) -> None:
    failure = failure_from(APIStatusError(500, body), _ENDPOINT)
    assert failure.detail == "the provider answered 500"
    assert failure.may_retry


_TOO_LONG = "This model's maximum context length is 4096 tokens"


@pytest.mark.parametrize(
    "body",
    [
        _TOO_LONG,
        {"error": _TOO_LONG},
        {"detail": _TOO_LONG},
        {"detail": [{"loc": ["body"], "msg": _TOO_LONG, "type": "t", "input": "what was sent"}]},
        {"message": _TOO_LONG},
        {"error": {"message": _TOO_LONG}},
    ],
    ids=["text", "error", "detail", "details", "message", "wrapped"],
)
def test_the_words_of_every_shape_of_error_are_read(body: object) -> None:
    failure = failure_from(APIStatusError(400, body), _ENDPOINT)
    assert (failure.reason, failure.detail) == (FailureReason.REQUEST_TOO_LARGE, _TOO_LONG)


def test_a_wish_to_wait_is_of_no_use_without_a_retry() -> None:
    failure = failure_from(APIStatusError(401, {}, {"retry-after": "3"}), _ENDPOINT)
    assert (failure.may_retry, failure.retry_after_seconds) == (False, None)


def test_own_secrets_are_masked_and_the_detail_cut() -> None:
    message = f"{_KEY} and open-sesame are wrong {'x' * 5000}"
    failure = failure_from(APIStatusError(401, {"message": message}), _ENDPOINT)
    assert failure.detail.startswith("[masked] and [masked] are wrong")
    assert len(failure.detail) == LONGEST_DETAIL


@pytest.mark.parametrize(
    "error", [APIConnectionError("to http://secret.internal"), ConnectionResetError("secret")]
)
def test_a_broken_connection_is_worth_a_retry(error: Exception) -> None:
    failure = failure_from(error, _ENDPOINT)
    assert (failure.reason, failure.may_retry) == (FailureReason.UNAVAILABLE, True)
    assert "secret" not in failure.detail


def test_silence_is_told_apart() -> None:
    failure = failure_from(TimeoutException(), _ENDPOINT)
    assert (failure.reason, failure.may_retry) == (FailureReason.UNAVAILABLE, True)
    assert "in time" in failure.detail


def test_what_cannot_be_read_is_worth_a_retry_and_not_quoted() -> None:
    try:
        json.loads('{"secret": ')
    except ValueError as error:
        failure = failure_from(error, _ENDPOINT)
    assert (failure.reason, failure.may_retry) == (FailureReason.UNAVAILABLE, True)
    assert failure.detail == "the answer could not be read: JSONDecodeError"


def test_a_request_that_cannot_be_made_is_not_made_again() -> None:
    failure = failure_from(TypeError("unexpected argument"), _ENDPOINT, has_begun=False)
    assert (failure.reason, failure.may_retry) == (FailureReason.PROCESSING_ERROR, False)


def test_a_failure_of_ours_stays_what_it_is() -> None:
    mine = LLMFailure(FailureReason.MISCONFIGURED, "no key")
    assert failure_from(mine, _ENDPOINT) is mine
    assert cut_off(_ENDPOINT).may_retry


@pytest.mark.parametrize(
    "body",
    [
        {"type": "error", "error": {"type": "t", "message": "m", "code": 5, "param": "p"}},
        {"type": "t", "message": "m", "code": 5, "param": "p"},
    ],
)
def test_an_error_object_may_be_wrapped(body: dict[str, Any]) -> None:
    assert error_in(body) == ProviderError("m", None, frozenset({"t", "5"}), "p")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_the_wish_to_wait_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_the_wish_to_wait_may_be_a_date() -> None:
    then = f"{clock.now().replace(year=2999):%a, %d %b %Y %H:%M:%S} GMT"
    waited = retry_after({"retry-after": then})
    assert waited is not None
    assert waited > 1e9
