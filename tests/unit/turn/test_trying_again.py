"""When a model is tried again, what a circuit hears of it, and what cannot be read."""

from collections.abc import Generator

from tests.unit.turn.test_reasoning import _busy, _Call, _Driver, _words
from worker.llm.driver import FailureReason, LLMFailure, Stop, Streamed, TextDelta
from worker.turn.outcome import ModelAnswer, ModelFailure

# --- circuits --------------------------------------------------------------------


class _Circuit:
    """Open or not; notes what it was told."""

    def __init__(self, *, is_open: bool = False) -> None:
        self._is_open = is_open
        self.told: list[FailureReason | None] = []

    def allows_call(self) -> bool:
        return not self._is_open

    def note(self, reason: FailureReason | None) -> None:
        self.told.append(reason)


def test_against_an_open_circuit_no_call_is_made() -> None:
    call = _Call(_Driver(_words("never")))
    call.circuit = circuit = _Circuit(is_open=True)
    failure = call.run()
    assert isinstance(failure, ModelFailure)
    assert failure.reason == "provider_unavailable"
    assert "circuit breaker" in failure.detail
    assert call.driver.calls == 0
    assert circuit.told == [], "a call that was not made says nothing of the provider"


def test_a_circuit_hears_of_a_call_once_however_often_it_was_tried() -> None:
    call = _Call(_Driver([_busy()], [_busy()], [_busy()]))
    call.circuit = circuit = _Circuit()
    assert isinstance(call.run(), ModelFailure)
    assert circuit.told == [FailureReason.RATE_LIMITED]
    assert call.driver.calls == 3


def test_a_circuit_hears_of_success_and_not_of_the_failures_before_it() -> None:
    call = _Call(_Driver([_busy()], _words("ok")))
    call.circuit = circuit = _Circuit()
    assert isinstance(call.run(), ModelAnswer)
    assert circuit.told == [None]


def test_a_circuit_hears_of_an_answer_that_broke_off() -> None:
    call = _Call(_Driver([TextDelta("Hel"), _busy(may_retry=False)]))
    call.circuit = circuit = _Circuit()
    call.run()
    assert circuit.told == [FailureReason.RATE_LIMITED]


# --- patience --------------------------------------------------------------------


def test_who_has_another_model_to_ask_does_not_sit_out_a_long_wish() -> None:
    call = _Call(_Driver([_busy(2.5)], _words("never")))
    call.most_patience_seconds = 2.0
    failure = call.run()
    assert isinstance(failure, ModelFailure)
    assert (failure.reason, failure.retries) == ("provider_rate_limited", 0)
    assert call.stop.waits == []


def test_short_pauses_are_waited_for_all_the_same() -> None:
    call = _Call(_Driver([_busy(2)], [_busy()], _words("ok")))
    call.most_patience_seconds = 2.0
    answer = call.run(jitter=1.0)
    assert isinstance(answer, ModelAnswer)
    assert call.stop.waits == [2, 2.5], "its own pauses are no wish of the provider's"


# --- answers that cannot be read ---------------------------------------------------


def test_what_is_no_text_is_no_answer_and_tried_again() -> None:
    wrong = TextDelta(5)  # type: ignore[arg-type]  # as a provider sent it
    answer = _Call(_Driver([wrong], _words("ok"))).run()
    assert isinstance(answer, ModelAnswer)
    assert (answer.text, answer.retries) == ("ok", 1)


def test_an_exception_of_a_driver_s_is_a_failure_of_the_call() -> None:
    class _Broken(_Driver):
        def _play(self, stop: Stop) -> Generator[Streamed, None, None]:
            yield TextDelta("Hel")
            raise RuntimeError(stop)

    failure = _Call(_Broken()).run()
    assert isinstance(failure, ModelFailure)
    assert failure.reason == "provider_unavailable"
    assert failure.detail == "the answer could not be read: RuntimeError"
    assert failure.is_shown


def test_an_answer_that_is_whole_stays_so_however_its_stream_is_closed() -> None:
    class _BadEnd(_Driver):
        def _play(self, stop: Stop) -> Generator[Streamed, None, None]:
            try:
                yield from _Driver._play(self, stop)
            finally:
                raise LLMFailure(FailureReason.UNAVAILABLE, "could not be closed")

    answer = _Call(_BadEnd(_words("ok"))).run()
    assert isinstance(answer, ModelAnswer)
