import threading
from collections.abc import Generator, Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.events import Usage
from common.domain.text import TEXT_LIMIT_BYTES
from common.domain.turn import Claim
from worker.lease import Lease
from worker.llm.driver import (
    FailureReason,
    ImageLimits,
    LLMFailure,
    LLMRequest,
    Reply,
    Stop,
    Streamed,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
)
from worker.turn.failure import REFUSED
from worker.turn.outcome import ModelAnswer, ModelFailure
from worker.turn.reasoning import (
    Circuit,
    ClosedCircuit,
    Interrupted,
    call_model,
)

_REQUEST = LLMRequest("some-model", "", ())
_REPLY = Reply(Usage(7, 3), "stop", "some-model-0711", response_id="r1")
Item = TextDelta | ThinkingDelta | Reply | LLMFailure


class _WakesAtOnce(threading.Event):
    """A stop flag that notes how long it was waited on, and takes no time over it."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []
        self.is_set_by_wait = False

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None, "a wait without end"
        self.waits.append(timeout)
        if self.is_set_by_wait:
            self.set()
        return self.is_set()


class _Driver:
    """Plays one script a call; counts the streams that were closed."""

    image_limits = ImageLimits()

    def __init__(self, *scripts: list[Item], stop_after: int | None = None) -> None:
        self._scripts: Iterator[list[Item]] = iter(scripts)
        self._stop_after = stop_after
        self.stopped: threading.Event | None = None
        self._kept: list[Generator[Streamed, None, None]] = []
        self.calls = 0
        self.closed = 0

    def stream(self, request: LLMRequest, *, stop: Stop) -> Generator[Streamed, None, None]:
        assert request == replace(_REQUEST, attempt=self.calls)
        self.calls += 1
        # Kept, so that it is the caller who closes it and not the garbage collector.
        self._kept.append(self._play(stop))
        return self._kept[-1]

    def _play(self, stop: Stop) -> Generator[Streamed, None, None]:
        try:
            for position, item in enumerate(next(self._scripts)):
                if position == self._stop_after and self.stopped is not None:
                    self.stopped.set()
                    assert stop.is_set()
                if isinstance(item, LLMFailure):
                    raise item
                yield item
        finally:
            self.closed += 1


class _Call:
    """One model call, whose waiting is seen and whose text is collected."""

    def __init__(self, driver: _Driver) -> None:
        claim = Claim(UUID(int=1), UUID(int=2), UUID(int=3), 1, 1, 0, 1, "m")
        self.lease = Lease(claim, valid_until=float("inf"))
        self.stop = _WakesAtOnce()
        self.lease.stop = self.stop
        self.driver = driver
        driver.stopped = self.stop
        self.shown: list[str] = []
        self.thought: list[str] = []
        self.streams_thinking = True
        self.circuit: Circuit = ClosedCircuit()
        self.most_patience_seconds: float | None = None

    def add(self, text: str) -> None:
        self.shown.append(text)

    def think(self, text: str) -> bool:
        if self.streams_thinking and not self.shown:
            self.thought.append(text)
            return True
        return False

    def run(
        self, *, deadline_seconds: float = 1000, jitter: float = 0.5
    ) -> ModelAnswer | ModelFailure:
        return call_model(
            self.driver,
            _REQUEST,
            sink=self,
            lease=self.lease,
            deadline_seconds=deadline_seconds,
            circuit=self.circuit,
            jitter=lambda: jitter,
            most_patience_seconds=self.most_patience_seconds,
        )


def _busy(after_seconds: float | None = None, *, may_retry: bool = True) -> LLMFailure:
    return LLMFailure(
        FailureReason.RATE_LIMITED,
        "HTTP 429",
        may_retry=may_retry,
        retry_after_seconds=after_seconds,
    )


def _words(*words: str) -> list[Item]:
    return [*(TextDelta(word) for word in words), _REPLY]


def test_an_answer_is_shown_as_it_comes_and_kept_as_a_whole() -> None:
    call = _Call(_Driver(_words("Hel", "lo ", "\ud83d", "\ude00", "\x00")))
    answer = call.run()
    assert isinstance(answer, ModelAnswer)
    assert answer.text == "Hello 😀\ufffd" == "".join(call.shown)
    assert call.shown[0] == "Hel"
    assert (answer.usage, answer.model, answer.response_id) == (
        Usage(7, 3),
        "some-model-0711",
        "r1",
    )
    assert (answer.finish_reason, answer.retries, answer.waited_ms) == ("stop", 0, 0)
    assert answer.first_token_ms is not None
    assert call.driver.closed == 1


def test_half_a_pair_at_the_end_is_shown_before_the_answer_is_over() -> None:
    call = _Call(_Driver(_words("a\ud83d")))
    answer = call.run()
    assert isinstance(answer, ModelAnswer)
    assert answer.text == "a\ufffd" == "".join(call.shown)


def test_an_answer_without_text_has_no_first_token() -> None:
    answer = _Call(_Driver([_REPLY])).run()
    assert isinstance(answer, ModelAnswer)
    assert (answer.text, answer.first_token_ms) == ("", None)


def test_an_endless_answer_is_capped() -> None:
    call = _Call(_Driver(_words(*["x" * 2**20] * 5)))
    answer = call.run()
    assert isinstance(answer, ModelAnswer)
    assert len(answer.text) == TEXT_LIMIT_BYTES == sum(map(len, call.shown))


def test_a_passing_failure_before_the_first_token_is_tried_again() -> None:
    call = _Call(_Driver([_busy()], [_busy()], _words("ok")))
    answer = call.run()
    assert isinstance(answer, ModelAnswer)
    assert (answer.text, answer.retries) == ("ok", 2)
    assert call.stop.waits == [1.0, 2.0]
    assert answer.waited_ms == 3000
    assert call.driver.closed == 3


def test_it_is_tried_three_times_and_no_more() -> None:
    call = _Call(_Driver([_busy()], [_busy()], [_busy()], _words("never")))
    failure = call.run()
    assert isinstance(failure, ModelFailure)
    assert (failure.reason, failure.detail) == ("provider_rate_limited", "HTTP 429")
    assert (failure.retries, failure.model) == (2, "some-model")
    assert call.driver.calls == 3


def test_what_will_not_pass_is_not_tried_again() -> None:
    call = _Call(_Driver([_busy(may_retry=False)]))
    assert isinstance(call.run(), ModelFailure)
    assert (call.driver.calls, call.stop.waits) == (1, [])


def test_once_text_was_shown_nothing_is_tried_again() -> None:
    call = _Call(_Driver([TextDelta("Hel"), _busy()], _words("never")))
    failure = call.run()
    assert isinstance(failure, ModelFailure)
    assert (call.driver.calls, call.stop.waits, call.shown) == (1, [], ["Hel"])


def test_the_provider_s_own_wish_is_honoured() -> None:
    call = _Call(_Driver([_busy(7.5)], [_busy(0)], _words("ok")))
    assert isinstance(call.run(jitter=1.0), ModelAnswer)
    assert call.stop.waits == [7.5, 0]


def test_a_wish_beyond_reason_is_cut() -> None:
    call = _Call(_Driver([_busy(86_400)], [_busy(-1)], _words("ok")))
    call.run()
    assert call.stop.waits == [60, 0]


@given(st.floats(0, 1))
def test_pauses_differ_by_a_quarter_at_most(jitter: float) -> None:
    call = _Call(_Driver([_busy()], [_busy()], _words("ok")))
    call.run(jitter=jitter)
    first, second = call.stop.waits
    assert 0.75 <= first <= 1.25
    assert 1.5 <= second <= 2.5
    assert first == pytest.approx(0.75 + jitter / 2)


def test_a_call_that_is_stopped_in_mid_text_records_nothing() -> None:
    call = _Call(_Driver(_words("Hel", "lo", "!"), stop_after=1))
    with pytest.raises(Interrupted):
        call.run()
    assert call.shown == ["Hel"]
    assert call.driver.closed == 1


def test_a_call_that_is_stopped_between_two_tries_records_nothing() -> None:
    call = _Call(_Driver([_busy()], _words("never")))
    call.stop.is_set_by_wait = True
    with pytest.raises(Interrupted):
        call.run()
    assert call.driver.calls == 1


def test_a_failure_that_only_comes_of_being_stopped_is_none() -> None:
    call = _Call(_Driver([TextDelta("Hel"), _busy()], stop_after=1))
    with pytest.raises(Interrupted):
        call.run()


def test_an_answer_that_was_complete_when_the_stop_came_is_kept() -> None:
    call = _Call(_Driver(_words("ok"), stop_after=1))
    assert isinstance(call.run(), ModelAnswer)


def test_a_call_past_its_deadline_has_failed() -> None:
    call = _Call(_Driver(_words("Hel", "lo")))
    failure = call.run(deadline_seconds=0)
    assert isinstance(failure, ModelFailure)
    assert failure.reason == "provider_unavailable"
    assert "deadline" in failure.detail
    assert call.driver.closed == 1


def test_a_pause_does_not_outlast_the_deadline() -> None:
    call = _Call(_Driver([_busy(60)], [_busy(60)], [_busy(60)]))
    call.run(deadline_seconds=5)
    assert all(wait <= 5 for wait in call.stop.waits)


def test_a_stream_that_just_ends_has_failed() -> None:
    failure = _Call(_Driver([TextDelta("Hel")])).run()
    assert isinstance(failure, ModelFailure)
    assert failure.reason == "provider_unavailable"


def test_the_provider_s_words_can_be_stored() -> None:
    broken = LLMFailure(FailureReason.PROCESSING_ERROR, "bad \x00 \ud800")
    failure = _Call(_Driver([broken])).run()
    assert isinstance(failure, ModelFailure)
    assert failure.detail == "bad \ufffd \ufffd"


# --- thinking --------------------------------------------------------------------


def test_thinking_is_shown_before_the_answer_and_none_of_it() -> None:
    thoughts = [ThinkingDelta("hm\ud83d"), ThinkingDelta("\ude00\x00")]
    call = _Call(_Driver([*thoughts, *_words("So", " be it")]))
    answer = call.run()
    assert isinstance(answer, ModelAnswer)
    assert "".join(call.thought) == "hm😀\ufffd"
    assert (answer.text, answer.late_thinking) == ("So be it", "")


def test_thinking_that_comes_after_text_is_kept_and_not_shown() -> None:
    call = _Call(_Driver([ThinkingDelta("one "), *_words("So")[:1], ThinkingDelta("two"), _REPLY]))
    answer = call.run()
    assert isinstance(answer, ModelAnswer)
    assert (call.thought, answer.late_thinking) == (["one "], "two")


def test_half_a_pair_at_the_end_of_thinking_comes_before_the_text() -> None:
    call = _Call(_Driver([ThinkingDelta("a\ud83d"), *_words("So")]))
    answer = call.run()
    assert isinstance(answer, ModelAnswer)
    assert "".join(call.thought) == "a\ufffd"
    assert not answer.late_thinking


def test_thinking_told_with_the_reply_alone_is_shown_then() -> None:
    block = ThinkingBlock("hm", "anthropic", {"signature": "s"})
    call = _Call(_Driver([Reply(Usage(), "stop", "m", thinking=(block,))]))
    answer = call.run()
    assert isinstance(answer, ModelAnswer)
    assert (call.thought, answer.thinking) == (["hm"], (block,))


def test_once_thinking_was_shown_nothing_is_tried_again() -> None:
    call = _Call(_Driver([ThinkingDelta("hm"), _busy()], _words("never")))
    failure = call.run()
    assert isinstance(failure, ModelFailure)
    assert failure.is_shown
    assert call.driver.calls == 1


def test_thinking_that_nobody_saw_is_no_hindrance_to_another_try() -> None:
    call = _Call(_Driver([ThinkingDelta("hm"), _busy()], _words("ok")))
    call.streams_thinking = False
    answer = call.run()
    assert isinstance(answer, ModelAnswer)
    assert (answer.text, answer.retries, answer.late_thinking) == ("ok", 1, "")


# --- refusals --------------------------------------------------------------------


def test_a_refusal_without_words_is_said_in_ours() -> None:
    call = _Call(_Driver([Reply(Usage(), "refusal", "m")]))
    answer = call.run()
    assert isinstance(answer, ModelAnswer)
    assert (answer.text, call.shown) == (REFUSED, [REFUSED])


def test_a_refusal_in_the_model_s_own_words_is_left_alone() -> None:
    call = _Call(_Driver([TextDelta("I will not."), Reply(Usage(), "refusal", "m")]))
    answer = call.run()
    assert isinstance(answer, ModelAnswer)
    assert answer.text == "I will not."
