"""Calls that need the client or a person: which are, and what the turn does about them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from common.domain.turn import ToolCall
from worker.capabilities.capability import SideEffect, Tool, ToolContext, ToolSucceeded
from worker.capabilities.composition import Composition
from worker.turn.act_events import CallKind, act_started
from worker.turn.facts import fact_of
from worker.turn.machine import IllegalFact, apply, decide
from worker.turn.outside import kinds_of, with_definitions
from worker.turn.state import (
    ActEnded,
    ActStarted,
    ApprovalRequested,
    ApprovalResolved,
    AskApproval,
    CallEnded,
    CallsRequested,
    CallStarted,
    CancelCalls,
    Command,
    Exhausted,
    Fact,
    FinishAct,
    MessageArrived,
    ReasonEnded,
    ReasonStarted,
    RecordInterrupted,
    RejectCalls,
    Replied,
    ReplyOpened,
    RequestCalls,
    RunCalls,
    SealTurn,
    StartCalls,
    TurnStarted,
    TurnState,
    Wait,
    WorkerLost,
)

_S, _C, _G, _B, _R = (ToolCall(name, name, {}) for name in "scgbr")
# s: the server's, c: the client's, g: the server's and guarded, b: both, r: refused.
_BATCH = ActStarted(client=frozenset("cb"), guarded=frozenset("gb"), refused=frozenset("r"))


def _after(*facts: Fact) -> TurnState:
    state = TurnState()
    for fact in (
        MessageArrived(),
        TurnStarted(),
        ReasonStarted(),
        ReplyOpened(),
        Replied((_S, _C, _G, _B, _R)),
        ReasonEnded(),
        _BATCH,
        *facts,
    ):
        state = apply(state, fact)
    return state


_SERVER_DONE = (CallStarted("s", may_repeat=True), CallEnded("s"))
_REJECTED = (*_SERVER_DONE, CallEnded("r"))
_ASKED = (*_REJECTED, ApprovalRequested(frozenset("gb")))
_PARTLY = (*_ASKED, ApprovalResolved("g", is_allowed=True))
_ALLOWED = (*_PARTLY, ApprovalResolved("b", is_allowed=True))
_MADE = (*_ALLOWED, CallStarted("g", may_repeat=False), CallEnded("g"))
_REQUESTED = (*_MADE, CallsRequested(frozenset("cb")))


@pytest.mark.parametrize(
    ("facts", "follows"),
    [
        ((), StartCalls((_S,))),
        (_SERVER_DONE[:1], RunCalls((_S,))),
        (_SERVER_DONE, RejectCalls((_R,))),
        (_REJECTED, AskApproval((_G, _B))),
        (_ASKED, Wait()),
        (_PARTLY, Wait()),
        (_ALLOWED, StartCalls((_G,))),
        (_MADE, RequestCalls((_C, _B))),
        (_REQUESTED, Wait()),
        ((*_REQUESTED, CallEnded("b")), Wait()),
        ((*_REQUESTED, CallEnded("b"), CallEnded("c")), FinishAct((_S, _C, _G, _B, _R))),
        ((*_PARTLY, ApprovalResolved("b", is_allowed=False), CallEnded("b")), StartCalls((_G,))),
        ((*_REJECTED, MessageArrived()), CancelCalls((_C, _G, _B))),
        ((*_MADE, MessageArrived()), CancelCalls((_C, _B))),
    ],
)
def test_the_server_comes_first_then_a_person_then_the_client(
    facts: tuple[Fact, ...], follows: Command
) -> None:
    assert decide(_after(*facts)) == follows


def test_what_waits_is_not_touched_by_the_loss_of_a_worker() -> None:
    assert decide(apply(_after(*_REQUESTED), WorkerLost())) == Wait()
    assert decide(apply(_after(*_ASKED), WorkerLost())) == Wait()


def test_an_exhausted_turn_gives_calls_that_are_waited_for_a_result_too() -> None:
    state = apply(_after(*_REQUESTED), Exhausted())
    assert decide(state) == RecordInterrupted((_C, _B))
    for call_id in "cb":
        state = apply(state, CallEnded(call_id))
    assert isinstance(decide(state), SealTurn)


@pytest.mark.parametrize(
    "fact",
    [
        CallStarted("c", may_repeat=True),
        CallStarted("g", may_repeat=True),
        CallStarted("r", may_repeat=True),
        CallsRequested(frozenset("b")),
        CallsRequested(frozenset("s")),
        CallsRequested(frozenset()),
        ApprovalRequested(frozenset("s")),
        ApprovalResolved("g", is_allowed=True),
        ActEnded(),
    ],
)
def test_nothing_is_made_or_asked_for_that_may_not_be(fact: Fact) -> None:
    with pytest.raises(IllegalFact):
        _after(fact)


def test_kinds_are_of_calls_of_the_batch() -> None:
    state = _after()
    before = apply(
        apply(
            apply(apply(apply(TurnState(), TurnStarted()), ReasonStarted()), ReplyOpened()),
            Replied((_S,)),
        ),
        ReasonEnded(),
    )
    assert state != before
    with pytest.raises(IllegalFact):
        apply(before, ActStarted(client=frozenset("z")))


def test_what_kind_a_call_is_can_be_read_from_the_log() -> None:
    kinds = {
        "c": CallKind(is_client_side=True),
        "g": CallKind(is_guarded=True),
        "b": CallKind(is_client_side=True, is_guarded=True),
        "r": CallKind(is_refused=True),
    }
    data = act_started((_S, _C, _G, _B, _R), kinds)
    assert fact_of("act.started", {}, data) == _BATCH
    assert data["tool_calls"][0] == {"id": "s", "name": "s"}


# --- which calls are whose ---------------------------------------------------------


def _run(_arguments: Mapping[str, Any], _context: ToolContext) -> ToolSucceeded:
    return ToolSucceeded(None)


def _tool(name: str, *, requires_approval: bool = False) -> Tool:
    return Tool(
        name=name,
        display_name=name,
        description=name,
        parameters={"type": "object"},
        side_effect=SideEffect.PURE,
        run=_run,
        requires_approval=requires_approval,
    )


_OWN = Composition(
    (),
    (),
    MappingProxyType({"s": _tool("s"), "g": _tool("g", requires_approval=True)}),
    MappingProxyType({"s": "test", "g": "test"}),
)


def _standing(decisions: Mapping[str, str]) -> Any:
    return lambda: decisions


def _never() -> dict[str, str]:
    raise AssertionError("nobody has to look")


def test_client_tools_come_after_the_server_s_and_never_hide_one() -> None:
    mine: list[dict[str, Any]] = [
        {"type": "client_side", "name": "c", "description": "Mine", "parameters": {"a": 1}},
        {"type": "client_side", "name": "s", "description": "Mine too"},
    ]
    composed = with_definitions(_OWN, mine)
    assert list(composed.tools) == ["s", "g", "c"]
    assert composed.tools["s"] is _OWN.tools["s"]
    assert (composed.tools["c"].description, composed.tools["c"].parameters) == ("Mine", {"a": 1})
    assert kinds_of(composed, (_S, _C), _never) == {
        "s": CallKind(),
        "c": CallKind(is_client_side=True),
    }


def test_a_policy_guards_a_tool_of_the_server() -> None:
    policies = [
        {"type": "builtin", "name": "s", "policy": "requires_approval"},
        {"type": "builtin", "name": "unknown", "policy": "requires_approval"},
    ]
    composed = with_definitions(_OWN, policies)
    assert set(composed.tools) == {"s", "g"}
    assert kinds_of(composed, (_S,), _standing({})) == {"s": CallKind(is_guarded=True)}


@pytest.mark.parametrize(
    ("decision", "kind"),
    [
        (None, CallKind(is_guarded=True)),
        ("allow_always", CallKind()),
        ("reject_always", CallKind(is_refused=True)),
    ],
)
def test_a_standing_decision_is_not_asked_for_again(decision: str | None, kind: CallKind) -> None:
    decisions = {} if decision is None else {"g": decision}
    assert kinds_of(_OWN, (_G,), _standing(decisions)) == {"g": kind}


def test_calls_that_cannot_be_made_need_nobody() -> None:
    malformed = ToolCall("m", "g", {}, malformed="{")
    unknown = ToolCall("u", "nothing", {})
    assert kinds_of(_OWN, (malformed, unknown), _never) == {}
