"""A call that is stopped ends at once, and with it the HTTP call."""

import gc
import threading
import time
from dataclasses import replace

import pytest

from tests.contract.llm.playback import Answer, Event, Playback
from tests.contract.llm.stage import KEY, REMOTE, MockedProvider, Stage, a_request, hear
from worker.llm.driver import Endpoint, TextDelta
from worker.llm.registry import driver_for

_AT_ONCE_SECONDS = 1.5
_LONG_ENOUGH_SECONDS = 10.0

_USAGE = {"input_tokens": 1, "output_tokens": 1}
_TEXT = {
    "anthropic": (
        {
            "type": "message_start",
            "message": {"id": "msg_1", "model": "m", "content": [], "usage": _USAGE},
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "Once"},
        },
    ),
    "openai": (
        {
            "type": "response.output_text.delta",
            "item_id": "msg_1",
            "output_index": 0,
            "content_index": 0,
            "delta": "Once",
        },
    ),
    "openai_completions": (
        {
            "id": "c",
            "model": "m",
            "choices": [{"index": 0, "delta": {"content": "Once"}, "finish_reason": None}],
        },
    ),
}


def _endpoint(playback: Playback, provider_type: str) -> Endpoint:
    return Endpoint("provider_test", provider_type, playback.url, KEY)


def _events(provider_type: str) -> tuple[Event, ...]:
    return _TEXT[provider_type]


@pytest.mark.parametrize("provider_type", REMOTE)
@pytest.mark.parametrize("is_silent", [True, False], ids=["before it begins", "in mid-stream"])
def test_a_stop_ends_a_call_whose_provider_says_nothing(
    playback: Playback, provider_type: str, *, is_silent: bool
) -> None:
    playback.plays(Answer(_events(provider_type), is_silent=is_silent, hangs=True))
    stop = threading.Event()
    stopped_at: list[float] = []

    def stop_when_it_hangs() -> None:
        assert playback.is_answered.wait(_LONG_ENOUGH_SECONDS)
        stopped_at.append(time.monotonic())
        stop.set()

    stopper = threading.Thread(target=stop_when_it_hangs)
    stopper.start()
    heard = hear(_endpoint(playback, provider_type), a_request(), stop=stop)
    took = time.monotonic() - stopped_at[0]
    stopper.join()
    assert heard.reply is None
    assert heard.failure is None
    assert took < _AT_ONCE_SECONDS
    assert playback.client_left.wait(_LONG_ENOUGH_SECONDS)


@pytest.mark.parametrize("provider_type", REMOTE)
def test_closing_the_stream_ends_the_http_call(playback: Playback, provider_type: str) -> None:
    playback.plays(Answer(_events(provider_type), hangs=True))
    driver = driver_for(_endpoint(playback, provider_type), allow_simulated=False)
    stream = driver.stream(a_request(), stop=threading.Event())
    assert next(stream) == TextDelta("Once")
    stream.close()
    assert playback.client_left.wait(_LONG_ENOUGH_SECONDS)
    assert list(stream) == []


def test_a_stop_in_mid_answer_ends_it_without_a_reply(stage: Stage) -> None:
    stage.says("one two three four five six seven eight nine ten")
    stop = threading.Event()
    driver = driver_for(stage.endpoint, allow_simulated=True)
    stream = driver.stream(stage.request(), stop=stop)
    assert isinstance(next(stream), TextDelta)
    stop.set()
    assert list(stream) == []


def test_a_call_that_is_stopped_before_it_begins_says_nothing(stage: Stage) -> None:
    stage.says("Hello.")
    stop = threading.Event()
    stop.set()
    heard = hear(stage.endpoint, stage.request(), stop=stop)
    assert (heard.texts, heard.reply, heard.failure) == ([], None, None)


@pytest.mark.parametrize("provider_type", REMOTE)
def test_the_next_call_uses_the_connection_again(playback: Playback, provider_type: str) -> None:
    endpoint = _endpoint(playback, provider_type)
    playback.plays(Answer(status=500, raw=b"{}"))
    for _ in range(3):
        assert hear(replace(endpoint), a_request()).fault.may_retry
    assert len(playback.received) == 3
    assert playback.connections == 1


def test_many_calls_at_once_do_not_mix(provider: MockedProvider) -> None:
    provider.does("reply", text="one two three four five", times=None)
    texts: list[str] = []

    def call() -> None:
        texts.append(hear(provider.endpoint, provider.request()).text)

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gc.collect()
    assert texts == ["one two three four five"] * 12
