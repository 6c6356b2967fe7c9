import dataclasses

import pytest

from common.domain.turn import ToolCall
from worker.turn.act_state import Acting
from worker.turn.machine import IllegalFact, apply, decide
from worker.turn.state import (
    ActEnded,
    ActStarted,
    Answered,
    ApprovalRequested,
    ApprovalResolved,
    CallEnded,
    CallModel,
    CallsRequested,
    CallStarted,
    CompleteTurn,
    Ended,
    Exhausted,
    Fact,
    FailTurn,
    FinishAct,
    Limits,
    MessageArrived,
    NoticeShown,
    Opening,
    Ready,
    ReasonEnded,
    Reasoning,
    ReasonRecovered,
    ReasonStarted,
    RecordInterrupted,
    RecoverReason,
    Replied,
    ReplyOpened,
    RunCalls,
    SealTurn,
    StartAct,
    StartCalls,
    StartReason,
    Step,
    TurnEnded,
    TurnStarted,
    TurnState,
    Unanswered,
    WorkerLost,
)

_A, _B, _C = (ToolCall(name, "tool", {}) for name in ("a", "b", "c"))

# --- what may follow on what -----------------------------------------------------

_USER_FACTS: list[Fact] = [MessageArrived(), WorkerLost(), Exhausted(), TurnEnded()]
_ALL_FACTS: list[Fact] = [
    *_USER_FACTS,
    TurnStarted(),
    ReasonStarted(),
    ReplyOpened(),
    ReasonRecovered(),
    Replied(),
    Replied((_A,)),
    ReasonEnded(),
    ReasonEnded("provider_unavailable"),
    ActStarted(),
    CallStarted("a", may_repeat=False),
    CallStarted("b", may_repeat=True),
    CallEnded("a"),
    CallEnded("b"),
    CallEnded("z"),
    CallsRequested(frozenset("a")),
    CallsRequested(frozenset()),
    ApprovalRequested(frozenset("b")),
    ApprovalResolved("b", is_allowed=True),
    ApprovalResolved("b", is_allowed=False),
    ActEnded(),
    NoticeShown(),
]
_ANSWER: list[Fact] = [Replied(), Replied((_A,)), ReasonEnded("provider_unavailable")]


def _acting(*, running: str = "", lost: str = "", ended: str = "") -> Acting:
    return Acting(
        (_A, _B), running=frozenset(running), lost=frozenset(lost), ended=frozenset(ended)
    )


def _outside(**progress: frozenset[str]) -> Acting:
    """The client makes a; a person must allow b."""
    return Acting((_A, _B), client=frozenset("a"), guarded=frozenset("b"), **progress)


@pytest.mark.parametrize(
    ("step", "follows"),
    [
        (Opening(), [*_USER_FACTS, TurnStarted()]),
        (Ready(), [*_USER_FACTS, ReasonStarted()]),
        (
            Reasoning(),
            [
                *_USER_FACTS,
                ReplyOpened(),
                ReasonRecovered(),
                ReasonEnded("provider_unavailable"),
            ],
        ),
        (Reasoning(interrupted=True), [*_USER_FACTS, ReasonRecovered()]),
        (Reasoning(is_open=True), [*_USER_FACTS, ReasonRecovered(), *_ANSWER]),
        (Reasoning(is_open=True, interrupted=True), [*_USER_FACTS, ReasonRecovered()]),
        (Answered(()), [*_USER_FACTS, ReasonEnded()]),
        (Answered((), closed=True), _USER_FACTS),
        (Answered((_A,)), [*_USER_FACTS, ReasonEnded()]),
        (Answered((_A,), closed=True), [*_USER_FACTS, ActStarted()]),
        (Unanswered("provider_unavailable"), _USER_FACTS),
        (
            _acting(),
            [
                *_USER_FACTS[:3],
                CallStarted("a", may_repeat=False),
                CallStarted("b", may_repeat=True),
                CallEnded("a"),
                CallEnded("b"),
            ],
        ),
        (
            _acting(running="a"),
            [*_USER_FACTS[:3], CallStarted("b", may_repeat=True), CallEnded("a"), CallEnded("b")],
        ),
        (_acting(lost="a", ended="b"), [*_USER_FACTS[:3], CallEnded("a")]),
        (_acting(ended="ab"), [*_USER_FACTS, ActEnded()]),
        (
            _outside(),
            [
                *_USER_FACTS[:3],
                CallsRequested(frozenset("a")),
                ApprovalRequested(frozenset("b")),
                CallEnded("a"),
                CallEnded("b"),
            ],
        ),
        (
            _outside(requested=frozenset("a"), asked=frozenset("b")),
            [
                *_USER_FACTS[:3],
                ApprovalResolved("b", is_allowed=True),
                ApprovalResolved("b", is_allowed=False),
                CallEnded("a"),
                CallEnded("b"),
            ],
        ),
        (
            _outside(requested=frozenset("a"), asked=frozenset("b"), allowed=frozenset("b")),
            [
                *_USER_FACTS[:3],
                CallStarted("b", may_repeat=True),
                CallEnded("a"),
                CallEnded("b"),
            ],
        ),
        (
            _outside(requested=frozenset("a"), asked=frozenset("b"), refused=frozenset("b")),
            [*_USER_FACTS[:3], CallEnded("a"), CallEnded("b")],
        ),
        (Ended(), [MessageArrived(), WorkerLost(), NoticeShown()]),
    ],
    ids=[
        "opening",
        "ready",
        "reasoning",
        "interrupted before the answer",
        "streaming",
        "interrupted",
        "answered",
        "answered and closed",
        "answered with calls",
        "answered with calls and closed",
        "unanswered",
        "acting",
        "a runs",
        "a lost",
        "all ended",
        "the client and a person are needed",
        "the client and a person were asked",
        "a person has allowed it",
        "a person has rejected it",
        "ended",
    ],
)
def test_exactly_these_facts_may_follow(step: Step, follows: list[Fact]) -> None:
    state = TurnState(step=step)
    before = dataclasses.asdict(state)
    accepted = []
    for fact in _ALL_FACTS:
        try:
            apply(state, fact)
        except IllegalFact:
            continue
        finally:
            assert dataclasses.asdict(state) == before
        accepted.append(fact)
    assert sorted(map(repr, accepted)) == sorted(map(repr, follows))


def test_a_loop_needs_an_unread_message_and_an_iteration_that_is_left() -> None:
    answered = TurnState(step=Answered((), closed=True), iterations=1, limits=Limits(2))
    with pytest.raises(IllegalFact):
        apply(answered, ReasonStarted())
    steered = apply(answered, MessageArrived())
    again = apply(steered, ReasonStarted())
    assert (again.step, again.unread, again.iterations) == (Reasoning(), False, 2)
    with pytest.raises(IllegalFact):
        apply(dataclasses.replace(steered, iterations=2), ReasonStarted())


# --- what is decided ---------------------------------------------------------------


def _after(*facts: Fact, limits: Limits | None = None) -> TurnState:
    state = TurnState(limits=limits or Limits())
    for fact in (MessageArrived(), TurnStarted(), ReasonStarted(), ReplyOpened(), *facts):
        state = apply(state, fact)
    return state


_CALLS = (Replied((_A, _B, _C)), ReasonEnded(), ActStarted())


def test_an_answer_without_calls_ends_the_turn() -> None:
    assert decide(_after(Replied(), ReasonEnded())) == CompleteTurn(queue_next=False)


def test_a_message_that_came_meanwhile_is_read_before_the_end() -> None:
    state = _after(MessageArrived(), Replied(), ReasonEnded())
    assert decide(state) == StartReason()


def test_a_message_that_came_at_the_last_iteration_gets_a_turn_of_its_own() -> None:
    state = _after(MessageArrived(), Replied(), ReasonEnded(), limits=Limits(1))
    assert decide(state) == CompleteTurn(queue_next=True)


def test_tool_results_at_the_last_iteration_fail_the_turn() -> None:
    state = _after(
        Replied((_A,)),
        ReasonEnded(),
        ActStarted(),
        CallStarted("a", may_repeat=True),
        CallEnded("a"),
        ActEnded(),
        limits=Limits(1),
    )
    assert decide(state) == FailTurn("max_iterations")


def test_a_model_failure_fails_the_turn_with_its_reason() -> None:
    assert decide(_after(ReasonEnded("model_unavailable"))) == FailTurn(
        "llm_error", "model_unavailable"
    )


def test_a_lost_model_call_is_given_up_and_made_anew() -> None:
    lost = _after(WorkerLost())
    assert decide(lost) == RecoverReason()
    recovered = apply(apply(lost, ReasonRecovered()), ReplyOpened())
    assert decide(recovered) == CallModel()
    assert recovered.iterations == 1


def test_calls_are_started_in_the_answer_s_order_as_room_allows() -> None:
    state = _after(*_CALLS, limits=Limits(parallel_calls=2))
    assert decide(state) == StartCalls((_A, _B))
    for call_id in "ab":
        state = apply(state, CallStarted(call_id, may_repeat=False))
    assert decide(state) == RunCalls((_A, _B))
    state = apply(state, CallEnded("b"))
    assert decide(state) == StartCalls((_C,))


def test_a_lost_call_runs_again_only_if_it_may() -> None:
    state = _after(*_CALLS, CallStarted("a", may_repeat=False), CallStarted("b", may_repeat=True))
    lost = apply(state, WorkerLost())
    assert isinstance(lost.step, Acting)
    assert (lost.step.running, lost.step.lost) == (frozenset("b"), frozenset("a"))
    assert decide(lost) == RecordInterrupted((_A,))
    settled = apply(lost, CallEnded("a"))
    assert decide(settled) == StartCalls((_C,))
    assert decide(apply(settled, CallStarted("c", may_repeat=True))) == RunCalls(
        (_B, _C), repeated=frozenset("b")
    )


def test_an_exhausted_turn_gives_every_open_call_a_result_and_is_sealed() -> None:
    state = _after(*_CALLS, CallStarted("a", may_repeat=True), CallEnded("a"))
    state = apply(apply(state, WorkerLost()), Exhausted())
    assert decide(state) == RecordInterrupted((_B, _C))
    for call_id in "bc":
        state = apply(state, CallEnded(call_id))
    assert decide(state) == SealTurn()
    assert decide(apply(state, TurnEnded())) is None


def test_an_exhausted_turn_that_has_answered_with_calls_still_gives_them_results() -> None:
    state = apply(_after(Replied((_A,)), ReasonEnded()), Exhausted())
    assert decide(state) == StartAct((_A,))
    assert decide(apply(state, ActStarted())) == RecordInterrupted((_A,))


def test_a_batch_is_finished_in_the_answer_s_order() -> None:
    state = _after(*_CALLS)
    for call_id in "cab":
        state = apply(apply(state, CallStarted(call_id, may_repeat=False)), CallEnded(call_id))
    assert decide(state) == FinishAct((_A, _B, _C))
