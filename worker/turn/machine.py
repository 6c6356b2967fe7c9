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

from common.domain.turn import ToolCall
from worker.turn.act_state import Acting
from worker.turn.state import (
    ActEnded,
    ActStarted,
    Answered,
    ApprovalRequested,
    ApprovalResolved,
    AskApproval,
    CallEnded,
    CallModel,
    CallsRequested,
    CallStarted,
    CancelCalls,
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
    RejectCalls,
    Replied,
    ReplyOpened,
    RequestCalls,
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
    Wait,
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
        case Reasoning(interrupted=False), ReasonEnded(failure) if failure is not None:
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
        case Reasoning(is_open=False, interrupted=False), ReplyOpened():
            return Reasoning(is_open=True)
        case Reasoning(), ReasonRecovered():
            return Reasoning()
        case Answered(calls, closed=False), ReasonEnded(None):
            return Answered(calls, closed=True)
        case Answered(calls, closed=True), ActStarted() if calls:
            return _start_act(calls, step, fact)
        case Acting() as acting, CallStarted(call_id, may_repeat):
            return _start_call(acting, call_id, fact, may_repeat=may_repeat)
        case Acting() as acting, CallsRequested(ids) if ids and ids <= acting.to_request:
            return replace(acting, requested=acting.requested | ids)
        case Acting() as acting, ApprovalRequested(ids) if ids and ids <= acting.to_ask:
            return replace(acting, asked=acting.asked | ids)
        case Acting() as acting, ApprovalResolved(call_id, is_allowed) if (
            call_id in acting.undecided
        ):
            if is_allowed:
                return replace(acting, allowed=acting.allowed | {call_id})
            return replace(acting, refused=acting.refused | {call_id})
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
        case Reasoning(interrupted=False):
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
            return _act(acting, state)
        case Ended():
            return None
        case never:
            assert_never(never)


def _reason_or_stop(state: TurnState) -> Command:
    if state.iterations < state.limits.max_iterations:
        return StartReason()
    return FailTurn(MAX_ITERATIONS, queue_next=state.unread)


def _act(acting: Acting, state: TurnState) -> Command:
    if acting.undecided or acting.requested & acting.open:
        # Also for what was allowed already: a batch goes on when all of it is answered.
        return Wait()
    if acting.lost:
        return RecordInterrupted(acting.chosen(acting.lost))
    room = state.limits.parallel_calls - len(acting.running)
    if acting.waiting and room > 0:
        return StartCalls(acting.waiting[:room])
    if acting.running:
        return RunCalls(acting.chosen(acting.running), acting.repeated)
    if acting.refused & acting.open:
        return RejectCalls(acting.chosen(acting.refused & acting.open))
    return _ask_outside(acting, is_overtaken=state.unread)


def _ask_outside(acting: Acting, *, is_overtaken: bool) -> Command:
    """What is left is for people and clients; a person first, then the client."""
    wanted = acting.to_ask or acting.to_request
    if not wanted:
        return FinishAct(acting.calls)
    if is_overtaken:
        # Nobody is asked for what a newer message may have made pointless: it is read first.
        return CancelCalls(acting.chosen(acting.to_ask | acting.to_request))
    if acting.to_ask:
        return AskApproval(acting.chosen(wanted))
    return RequestCalls(acting.chosen(wanted))


def _give_up(state: TurnState) -> Command:
    if isinstance(state.step, Answered) and state.step.calls:
        # Each call gets its result, if only that nothing is known of it.
        return StartAct(state.step.calls)
    if isinstance(state.step, Acting) and not _is_settled(state.step):
        return RecordInterrupted(state.step.chosen(state.step.open))
    return SealTurn(queue_next=state.unread)


def _after_loss(step: Step) -> Step:
    match step:
        case Reasoning():
            return replace(step, interrupted=True)
        case Acting():
            return replace(
                step,
                running=step.running & step.repeatable,
                repeated=step.running & step.repeatable,
                lost=step.lost | (step.running - step.repeatable),
            )
        case _:
            return step


def _start_act(calls: tuple[ToolCall, ...], step: Step, fact: ActStarted) -> Acting:
    if not fact.client | fact.guarded | fact.refused <= {call.id for call in calls}:
        raise IllegalFact(step, fact)
    return Acting(calls, client=fact.client, guarded=fact.guarded, refused=fact.refused)


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
        repeated=acting.repeated - {call_id},
        lost=acting.lost - {call_id},
        ended=acting.ended | {call_id},
    )


def _is_settled(acting: Acting) -> bool:
    return len(acting.ended) == len(acting.calls)
