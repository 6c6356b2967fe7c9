"""Decide what a turn does next.

Pure, so that a turn taken over by another worker goes on where the log ends.  Never
reads a clock, never calls a driver: the runner does that and reports back as a fact.

All rules of a turn are here.  A fact that cannot follow is an error, never ignored;
`decide` looks at the state alone.  What holds for any legal sequence of facts: at most
one ending, no more iterations than allowed, exactly one result for every tool call.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, assert_never

from worker.turn.state import (
    ActEnded,
    Acting,
    ActStarted,
    Answered,
    CallEnded,
    CallModel,
    CallStarted,
    Command,
    CompleteTurn,
    Ended,
    Exhausted,
    Fact,
    FailTurn,
    FinishAct,
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
    StartTurn,
    Step,
    TurnEnded,
    TurnStarted,
    TurnState,
    Unanswered,
    WorkerLost,
)

LLM_ERROR: Final = "llm_error"
MAX_ITERATIONS: Final = "max_iterations"


class IllegalFact(Exception):
    """The fact cannot follow on the state: the log or the runner is wrong."""

    def __init__(self, step: Step, fact: Fact) -> None:
        super().__init__(f"{type(fact).__name__} in {type(step).__name__}")


def apply(state: TurnState, fact: Fact) -> TurnState:
    """The state after the fact.

    Raises:
        IllegalFact: the fact cannot follow; the state is unchanged.
    """
    match state.step, fact:
        case _, MessageArrived():
            return replace(state, unread=True)
        case (step, WorkerLost()):
            return replace(state, step=_after_loss(step))
        case (Ended(), NoticeShown()):
            return state
        case (Ended(), _):
            raise IllegalFact(state.step, fact)
        case _, Exhausted():
            return replace(state, exhausted=True)
        case _, TurnEnded():
            if isinstance(state.step, Acting) and not _is_settled(state.step):
                raise IllegalFact(state.step, fact)
            return replace(state, step=Ended())
        case ((Ready() | Answered(calls=(), closed=True)), ReasonStarted()):
            is_loop = isinstance(state.step, Answered)
            if state.iterations >= state.limits.max_iterations or (is_loop and not state.unread):
                raise IllegalFact(state.step, fact)
            return replace(state, step=Reasoning(), unread=False, iterations=state.iterations + 1)
        case Reasoning(is_open=True, interrupted=False), Replied(calls, usage):
            return replace(
                state,
                step=Answered(calls),
                usage=state.usage + usage,
                llm_calls=state.llm_calls + 1,
            )
        case Reasoning(is_open=True, interrupted=False), ReasonEnded(failure) if (
            failure is not None
        ):
            return replace(state, step=Unanswered(failure), llm_calls=state.llm_calls + 1)
        case Acting() as acting, CallEnded(call_id):
            ended = _end_call(acting, call_id, fact)
            return replace(state, step=ended, tool_calls=state.tool_calls + 1)
        case step, _:
            return replace(state, step=_next_step(step, fact))


def _next_step(step: Step, fact: Fact) -> Step:
    match step, fact:
        case Opening(), TurnStarted():
            return Ready()
        case Reasoning(is_open=False), ReplyOpened():
            return Reasoning(is_open=True)
        case Reasoning(), ReasonRecovered():
            return Reasoning()
        case Answered(calls, closed=False), ReasonEnded(None):
            return Answered(calls, closed=True)
        case Answered(calls, closed=True), ActStarted() if calls:
            return Acting(calls)
        case Acting() as acting, CallStarted(call_id, may_repeat):
            return _start_call(acting, call_id, fact, may_repeat=may_repeat)
        case Acting() as acting, ActEnded() if _is_settled(acting):
            return Ready()
        case _:
            raise IllegalFact(step, fact)


def decide(state: TurnState) -> Command | None:
    """What follows from a state; None when the turn is over."""
    if state.exhausted and not isinstance(state.step, Ended):
        return _give_up(state)
    match state.step:
        case Opening():
            return StartTurn()
        case Ready():
            return _reason_or_stop(state)
        case Reasoning(is_open=True, interrupted=False):
            return CallModel()
        case Reasoning():
            return RecoverReason()
        case Answered(calls=()):
            if state.unread and state.iterations < state.limits.max_iterations:
                return StartReason()
            return CompleteTurn(queue_next=state.unread)
        case Answered(calls):
            return StartAct(calls)
        case Unanswered(failure):
            return FailTurn(LLM_ERROR, failure, queue_next=state.unread)
        case Acting() as acting:
            return _act(acting, state.limits.parallel_calls)
        case Ended():
            return None
        case never:
            assert_never(never)


def _reason_or_stop(state: TurnState) -> Command:
    if state.iterations < state.limits.max_iterations:
        return StartReason()
    return FailTurn(MAX_ITERATIONS, queue_next=state.unread)


def _act(acting: Acting, parallel_calls: int) -> Command:
    if acting.lost:
        return RecordInterrupted(acting.chosen(acting.lost))
    room = parallel_calls - len(acting.running)
    if acting.waiting and room > 0:
        return StartCalls(acting.waiting[:room])
    if acting.running:
        return RunCalls(acting.chosen(acting.running))
    return FinishAct(acting.calls)


def _give_up(state: TurnState) -> Command:
    if isinstance(state.step, Answered) and state.step.calls:
        # Each call gets its result, if only that nothing is known of it.
        return StartAct(state.step.calls)
    if isinstance(state.step, Acting) and not _is_settled(state.step):
        open_ids = frozenset(call.id for call in state.step.calls) - state.step.ended
        return RecordInterrupted(state.step.chosen(open_ids))
    return SealTurn(queue_next=state.unread)


def _after_loss(step: Step) -> Step:
    match step:
        case Reasoning():
            return replace(step, interrupted=True)
        case Acting():
            return replace(
                step,
                running=step.running & step.repeatable,
                lost=step.lost | (step.running - step.repeatable),
            )
        case _:
            return step


def _start_call(acting: Acting, call_id: str, fact: Fact, *, may_repeat: bool) -> Acting:
    if call_id not in {call.id for call in acting.waiting}:
        raise IllegalFact(acting, fact)
    return replace(
        acting,
        running=acting.running | {call_id},
        repeatable=acting.repeatable | {call_id} if may_repeat else acting.repeatable,
    )


def _end_call(acting: Acting, call_id: str, fact: Fact) -> Acting:
    if call_id in acting.ended or call_id not in {call.id for call in acting.calls}:
        raise IllegalFact(acting, fact)
    return replace(
        acting,
        running=acting.running - {call_id},
        lost=acting.lost - {call_id},
        ended=acting.ended | {call_id},
    )


def _is_settled(acting: Acting) -> bool:
    return len(acting.ended) == len(acting.calls)
