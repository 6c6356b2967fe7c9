"""How every driver tells of a provider that gives no answer, or not to its end."""

from dataclasses import replace

import pytest

from common import provider_connections
from dev.services import free_test_port
from tests.contract.llm.playback import Answer, Event, Playback, error_answer
from tests.contract.llm.stage import KEY, REMOTE, MockedProvider, a_request, hear
from worker.llm.driver import Endpoint, FailureReason
from worker.llm.failures import LONGEST_DETAIL


@pytest.mark.parametrize(
    ("status", "reason", "may_retry"),
    [
        (400, FailureReason.PROCESSING_ERROR, False),
        (401, FailureReason.MISCONFIGURED, False),
        (403, FailureReason.MISCONFIGURED, False),
        (404, FailureReason.MODEL_UNAVAILABLE, False),
        (408, FailureReason.UNAVAILABLE, True),
        (409, FailureReason.UNAVAILABLE, True),
        (413, FailureReason.REQUEST_TOO_LARGE, False),
        (422, FailureReason.PROCESSING_ERROR, False),
        (429, FailureReason.RATE_LIMITED, True),
        (500, FailureReason.UNAVAILABLE, True),
        (501, FailureReason.UNAVAILABLE, False),
        (503, FailureReason.UNAVAILABLE, True),
        (529, FailureReason.UNAVAILABLE, True),
    ],
)
def test_a_status_has_its_reason(
    provider: MockedProvider, status: int, reason: FailureReason, *, may_retry: bool
) -> None:
    provider.does("fail", status=status, message="because of this", code="some_code")
    fault = hear(provider.endpoint, provider.request()).fault
    assert (fault.reason, fault.may_retry) == (reason, may_retry)
    assert "because of this" in fault.detail
    # The library's exception holds the response, and with it what was sent.
    assert fault.__cause__ is None
    assert fault.__context__ is None


def test_the_provider_says_how_long_to_wait(provider: MockedProvider) -> None:
    provider.does("fail", status=429, retry_after=7)
    fault = hear(provider.endpoint, provider.request()).fault
    assert fault.reason is FailureReason.RATE_LIMITED
    assert fault.retry_after_seconds == 7


def test_an_exhausted_quota_is_not_worth_a_retry(provider: MockedProvider) -> None:
    provider.does(
        "fail", status=429, code="insufficient_quota", message="You exceeded your current quota"
    )
    fault = hear(provider.endpoint, provider.request()).fault
    assert (fault.reason, fault.may_retry) == (FailureReason.QUOTA_EXHAUSTED, False)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("This model's maximum context length is 8192 tokens.", "context_length_exceeded"),
        ("prompt is too long: 300000 tokens > 200000 maximum", None),
    ],
)
def test_a_conversation_that_outgrew_the_model(
    provider: MockedProvider, message: str, code: str | None
) -> None:
    provider.does("fail", status=400, message=message, code=code)
    assert (
        hear(provider.endpoint, provider.request()).fault.reason is FailureReason.REQUEST_TOO_LARGE
    )


def test_a_tool_schema_that_the_provider_refuses(provider: MockedProvider) -> None:
    message = "tools.0.custom.input_schema: JSON schema is invalid"
    provider.does("fail", status=400, message=message)
    fault = hear(provider.endpoint, provider.request()).fault
    assert (fault.reason, fault.may_retry) == (FailureReason.INVALID_TOOL_SCHEMA, False)


def test_a_key_that_is_quoted_is_masked_and_a_long_message_cut(provider: MockedProvider) -> None:
    message = f"Incorrect API key provided: {KEY}. Bearer abcdefghijk {'x' * 5000}"
    provider.does("fail", status=401, message=message)
    fault = hear(provider.endpoint, provider.request()).fault
    assert KEY not in fault.detail
    assert "abcdefghijk" not in fault.detail
    assert fault.detail.startswith("Incorrect API key provided: [masked]")
    assert len(fault.detail) <= LONGEST_DETAIL


@pytest.mark.parametrize("kind", ["disconnect", "truncate", "malformed"])
# Before the first piece of text in every format, and in the middle of it.
@pytest.mark.parametrize("after_chunks", [1, 6])
def test_a_stream_that_breaks_is_not_taken_for_an_answer(
    provider: MockedProvider, kind: str, after_chunks: int
) -> None:
    provider.says("one two three four five six seven eight nine ten")
    provider.breaks_stream(kind, after_chunks=after_chunks)
    heard = hear(provider.endpoint, provider.request())
    assert heard.fault.reason is FailureReason.UNAVAILABLE
    assert heard.fault.may_retry
    assert bool(heard.texts) == (after_chunks == 6)


def test_a_call_that_breaks_off_is_not_made(provider: MockedProvider) -> None:
    provider.says(calls=[("get_weather", {"city": "a town with a rather long name"})])
    provider.breaks_stream("truncate", after_chunks=5)
    heard = hear(provider.endpoint, provider.request())
    assert heard.fault.may_retry


def test_a_provider_that_falls_silent_is_given_up(provider: MockedProvider) -> None:
    provider.says("one two three four five six seven eight")
    provider.breaks_stream("stall", after_chunks=6, stall_seconds=20)
    endpoint = provider.with_settings(read_timeout_seconds=0.6)
    heard = hear(endpoint, provider.request())
    assert heard.texts
    assert heard.fault.reason is FailureReason.UNAVAILABLE
    assert heard.fault.may_retry
    assert "in time" in heard.fault.detail


@pytest.mark.parametrize("provider_type", REMOTE)
def test_a_provider_that_never_begins_is_given_up(playback: Playback, provider_type: str) -> None:
    playback.plays(Answer(is_silent=True))
    settings = {"read_timeout_seconds": 0.6}
    endpoint = Endpoint("provider_test", provider_type, playback.url, KEY, settings)
    fault = hear(endpoint, a_request()).fault
    assert (fault.reason, fault.may_retry) == (FailureReason.UNAVAILABLE, True)
    assert "in time" in fault.detail


@pytest.mark.parametrize("provider_type", REMOTE)
def test_nobody_is_there(provider_type: str) -> None:
    url = f"http://127.0.0.1:{free_test_port()}"
    fault = hear(Endpoint("provider_test", provider_type, url, KEY), a_request()).fault
    assert (fault.reason, fault.may_retry) == (FailureReason.UNAVAILABLE, True)
    assert "connection" in fault.detail


@pytest.mark.parametrize("provider_type", REMOTE)
def test_the_providers_own_address_needs_a_key(provider_type: str) -> None:
    fault = hear(Endpoint("provider_test", provider_type), a_request()).fault
    assert (fault.reason, fault.may_retry) == (FailureReason.MISCONFIGURED, False)
    assert "key" in fault.detail


@pytest.mark.parametrize("provider_type", REMOTE)
@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("localhost:1234/v1", KEY),
        ("ftp://localhost/v1", KEY),
        ("http://[::1/v1", KEY),
        ("http://127.0.0.1:1/v1", "sk-with-a-newline\n"),
        ("http://127.0.0.1:1/v1", "schlüssel"),
    ],
)
def test_an_address_or_a_key_that_cannot_be_used(provider_type: str, url: str, key: str) -> None:
    fault = hear(Endpoint("provider_test", provider_type, url, key), a_request()).fault
    assert (fault.reason, fault.may_retry) == (FailureReason.MISCONFIGURED, False)
    assert key not in fault.detail


def test_another_address_may_need_none(provider: MockedProvider) -> None:
    provider.says("Welcome.")
    assert hear(replace(provider.endpoint, api_key=None), provider.request()).text == "Welcome."


@pytest.mark.parametrize("provider_type", REMOTE)
def test_a_redirect_is_not_followed(playback: Playback, provider_type: str) -> None:
    elsewhere = {"location": f"{playback.url}/elsewhere"}
    playback.plays(Answer(status=307, headers=elsewhere, raw=b"{}"))
    fault = hear(Endpoint("provider_test", provider_type, playback.url, KEY), a_request()).fault
    assert (fault.reason, fault.may_retry) == (FailureReason.MISCONFIGURED, False)
    assert len(playback.received) == 1


def _chat_chunk(text: str) -> Event:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}


_RESPONSE = {"id": "resp_1", "object": "response", "model": "m", "output": []}
_MESSAGE = {"id": "msg_1", "role": "assistant", "model": "m", "content": [], "usage": {}}
_OVERLOADED = {"type": "overloaded_error", "message": "Overloaded"}


@pytest.mark.parametrize(
    ("provider_type", "events", "reason", "may_retry"),
    [
        (
            "anthropic",
            [
                {"type": "message_start", "message": _MESSAGE},
                {"type": "error", "error": _OVERLOADED},
            ],
            FailureReason.UNAVAILABLE,
            True,
        ),
        (
            "anthropic",
            [{"type": "error", "error": {"type": "rate_limit_error", "message": "Too fast"}}],
            FailureReason.RATE_LIMITED,
            True,
        ),
        (
            "openai",
            [
                {"type": "response.created", "response": _RESPONSE},
                {
                    "type": "response.failed",
                    "response": {
                        **_RESPONSE,
                        "status": "failed",
                        "error": {"code": "server_error", "message": "Sorry"},
                    },
                },
            ],
            FailureReason.UNAVAILABLE,
            True,
        ),
        (
            "openai",
            [
                {
                    "type": "error",
                    "code": "rate_limit_exceeded",
                    "message": "Too fast",
                    "param": None,
                }
            ],
            FailureReason.RATE_LIMITED,
            True,
        ),
        (
            "openai",
            [{"type": "error", "error": {"code": "context_length_exceeded", "message": "Long"}}],
            FailureReason.REQUEST_TOO_LARGE,
            False,
        ),
        (
            "openai_completions",
            [_chat_chunk("Hel"), {"error": {"code": 502, "message": "Upstream is down"}}],
            FailureReason.UNAVAILABLE,
            True,
        ),
        (
            "openai_completions",
            [{"error": {"type": "insufficient_quota", "message": "Pay first"}}],
            FailureReason.QUOTA_EXHAUSTED,
            False,
        ),
    ],
)
def test_an_error_in_mid_stream_has_its_reason(
    playback: Playback,
    provider_type: str,
    events: list[Event],
    reason: FailureReason,
    *,
    may_retry: bool,
) -> None:
    playback.plays_events(*events)
    fault = hear(Endpoint("provider_test", provider_type, playback.url, KEY), a_request()).fault
    assert (fault.reason, fault.may_retry) == (reason, may_retry)
    assert fault.detail


@pytest.mark.parametrize("provider_type", REMOTE)
def test_a_page_that_is_no_json_is_not_repeated(playback: Playback, provider_type: str) -> None:
    page = b"<html>your prompt was: tell me a secret</html>"
    playback.plays(Answer(status=502, raw=page, headers={"retry-after-ms": "1500"}))
    fault = hear(Endpoint("provider_test", provider_type, playback.url, KEY), a_request()).fault
    assert (fault.reason, fault.may_retry) == (FailureReason.UNAVAILABLE, True)
    assert fault.retry_after_seconds == 1.5
    assert "secret" not in fault.detail
    assert "502" in fault.detail


@pytest.mark.parametrize("provider_type", REMOTE)
def test_an_unknown_model(playback: Playback, provider_type: str) -> None:
    error = {"type": "invalid_request_error", "code": "model_not_found", "message": "No gpt-9"}
    playback.plays(error_answer(400, {"error": error}))
    fault = hear(Endpoint("provider_test", provider_type, playback.url, KEY), a_request()).fault
    assert (fault.reason, fault.may_retry) == (FailureReason.MODEL_UNAVAILABLE, False)
    assert fault.detail == "No gpt-9"


def test_a_name_that_leads_to_metadata_is_not_asked(
    provider: MockedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No test can listen on such an address, so this one is taken for one.
    monkeypatch.setattr(provider_connections, "is_metadata", lambda peer: peer.is_loopback)
    provider.says("what nobody may read")
    unused = replace(provider.endpoint, api_key="of-a-client-with-no-connection-yet")
    fault = hear(unused, provider.request()).fault
    assert (fault.reason, fault.may_retry) == (FailureReason.MISCONFIGURED, False)
    assert "link-local" in fault.detail
    assert provider.received() == []
