"""Whatever bytes a provider streams, the call has a defined outcome, and soon."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.llm.playback import Answer, Playback
from tests.contract.llm.stage import KEY, REMOTE, a_request, hear
from tests.contract.llm.wire import ANSWERS
from tests.fuzzing import damaged, fuzzed
from worker.llm.driver import Endpoint


def _bytes(provider_type: str, *deltas: str, **more: Any) -> bytes:
    frames = []
    for event in ANSWERS[provider_type](*deltas, **more):
        name = f"event: {event['type']}\n" if "type" in event else ""
        frames.append(f"{name}data: {json.dumps(event)}\n\n")
    return "".join(frames).encode() + b"data: [DONE]\n\n"


_WHOLE = {
    provider_type: [
        _bytes(provider_type, "Hello ", "you"),
        _bytes(provider_type, calls=[("c1", "get_weather", ['{"city": ', '"Oslo"}'])]),
        _bytes(provider_type, "x", end="stop"),
    ]
    for provider_type in REMOTE
}
_values = st.sampled_from(
    [b"null", b"[]", b"{}", b"-1", b"1e999", b'"\\ud800"', b"NaN", b"9" * 400, b"true", b'"x"']
)


@st.composite
def _streams(draw: st.DrawFn, provider_type: str) -> bytes:
    """Damaged bytes, or whole events of which a value is another one."""
    if draw(st.booleans()):
        return draw(damaged(_WHOLE[provider_type]) | st.binary(max_size=120))
    raw = draw(st.sampled_from(_WHOLE[provider_type]))
    at = draw(st.integers(0, raw.count(b": ") - 1))
    pieces = raw.split(b": ")
    begin, sign, rest = pieces[at + 1].partition(b",")
    pieces[at + 1] = draw(_values) + (sign + rest if sign else begin[-1:])
    return b": ".join(pieces)


@pytest.mark.parametrize("provider_type", REMOTE)
def test_any_stream_ends_in_a_reply_or_a_failure(playback: Playback, provider_type: str) -> None:
    endpoint = Endpoint("provider_test", provider_type, playback.url, KEY)

    @fuzzed(60)
    @given(_streams(provider_type))
    def try_one(raw: bytes) -> None:
        playback.plays(Answer(raw=raw, headers={"content-type": "text/event-stream"}))

        heard = hear(endpoint, a_request())

        assert (heard.reply is None) != (heard.failure is None)
        assert all(isinstance(text, str) for text in [*heard.texts, *heard.thoughts])
        assert KEY not in str(heard.failure)

    try_one()
