from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from worker.llm.driver import LLMRequest, ModelMessage, Streamed, TextDelta
from worker.llm.llmsim.driver import SimulatedModel


def _request(settings: Mapping[str, Any]) -> LLMRequest:
    asked = ModelMessage("user", "What is the sum?")
    return LLMRequest(model="m", system_prompt="", messages=(asked,), settings=settings)


@dataclass
class _Clock:
    """Both the monotonic clock and the stop flag: waiting is what makes time pass."""

    now: float = 1000.0
    stop_at: float | None = None
    late_by: float = 0.0
    waits: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def is_set(self) -> bool:
        return self.stop_at is not None and self.now >= self.stop_at

    def wait(self, timeout: float | None = None, /) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        self.now += timeout + self.late_by
        return self.is_set()


def _timed(clock: _Clock, settings: Mapping[str, Any]) -> list[tuple[float, Streamed]]:
    driver = SimulatedModel(monotonic=clock.monotonic)
    began = clock.now
    parts = driver.stream(_request(settings), stop=clock)
    return [(round(clock.now - began, 6), part) for part in parts]


def test_everything_comes_at_once_by_default() -> None:
    clock = _Clock()
    _timed(clock, {})
    assert clock.waits == []


def test_words_come_on_time_and_the_reply_when_the_speed_is_kept() -> None:
    clock = _Clock()
    settings = {
        "response": {"type": "fixed", "text": "aaaa bbbbbbb cccc"},
        "first_token_delay_ms": 500,
        "tokens_per_second": 2,
    }
    timed = _timed(clock, settings)
    # 4, 12 and 17 characters are 1, 3 and 4.25 tokens, at half a second each.
    assert [at for at, _ in timed] == [0.5, 1.0, 2.0, 2.625]


@given(
    text=st.text(max_size=300),
    speed=st.floats(min_value=0.5, max_value=1000),
    late_by=st.floats(min_value=0, max_value=0.01),
)
def test_late_waits_do_not_add_up(text: str, speed: float, late_by: float) -> None:
    clock = _Clock(late_by=late_by)
    settings = {"response": {"type": "fixed", "text": text}, "tokens_per_second": speed}
    timed = _timed(clock, settings)
    due = len(text) / 4 / speed
    assert due - 1e-6 <= timed[-1][0] <= due + late_by + 1e-6


@given(st.floats(min_value=0, max_value=30))
def test_a_stop_ends_the_stream_without_a_reply(seconds: float) -> None:
    clock = _Clock()
    clock.stop_at = clock.now + seconds
    settings = {"response": {"type": "lorem", "target_tokens": 100}, "tokens_per_second": 2}
    timed = _timed(clock, settings)
    assert all(isinstance(part, TextDelta) and at < seconds + 1e-6 for at, part in timed)


def test_a_stop_beats_a_failure() -> None:
    clock = _Clock(stop_at=0)
    assert _timed(clock, {"response": {"type": "error"}}) == []
