"""Decides what the simulated model answers: the same for the same request, always.

Pure.  Scripts and sequences are indexed by the request's step, which comes from the
log: a call repeated after a crash, on any worker, gives the same text and the same
tool calls with the same ids (I4).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import cycle
from typing import Final, assert_never

from common.domain.events import Usage
from common.domain.turn import ToolCall
from worker.llm.driver import FailureReason, LLMFailure, LLMRequest, Reply
from worker.llm.llmsim.settings import (
    CallSequence,
    ConditionalCalls,
    Echo,
    Empty,
    ErrorKind,
    Failing,
    Fixed,
    FixedCalls,
    Lorem,
    ModelNotAvailable,
    OnExhausted,
    Scripted,
    ScriptedTurn,
    SimulatedCall,
    Simulation,
    TextSequence,
)

CHARACTERS_PER_TOKEN: Final = 4

_LOREM: Final = (
    *("lorem", "ipsum", "dolor", "sit", "amet", "consectetur", "adipiscing", "elit", "sed"),
    *("do", "eiusmod", "tempor", "incididunt", "ut", "labore", "et", "dolore", "magna"),
)


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: FailureReason
    status: int
    may_retry: bool


_FAILURES: Final = {
    ErrorKind.RATE_LIMIT: _Failure(FailureReason.RATE_LIMITED, 429, may_retry=True),
    ErrorKind.TIMEOUT: _Failure(FailureReason.UNAVAILABLE, 504, may_retry=True),
    ErrorKind.INVALID_RESPONSE: _Failure(FailureReason.PROCESSING_ERROR, 400, may_retry=False),
    ErrorKind.OTHER: _Failure(FailureReason.UNAVAILABLE, 500, may_retry=True),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: `text` is streamed, then `end` is yielded or, if it failed, raised."""

    text: str
    end: Reply | LLMFailure


def answer_to(request: LLMRequest, simulation: Simulation) -> Answer:
    """What the simulated model does with the request."""
    said = _said(request, simulation)
    text, is_cut = _within(said.text, max_tokens=request.max_tokens)
    if said.failure is not None:
        return Answer(text, said.failure)
    # A model that ran out of tokens in its text never came to its calls.
    calls = () if is_cut else _with_ids(said.tool_calls, request)
    reply = Reply(
        usage=Usage(input_tokens=_input_tokens(request), output_tokens=_output_tokens(text, calls)),
        finish_reason="length" if is_cut else "tool_calls" if calls else "stop",
        model=request.model,
        tool_calls=calls,
        response_id=f"llmsim_{len(request.messages)}",
    )
    return Answer(text, reply)


def token_count(characters: int) -> int:
    """The tokens that so many characters count as: a quarter of them, at least one."""
    return max(1, -(-characters // CHARACTERS_PER_TOKEN))


@dataclass(frozen=True, slots=True)
class _Said:
    text: str = ""
    tool_calls: tuple[SimulatedCall, ...] = ()
    failure: LLMFailure | None = None


def _said(request: LLMRequest, simulation: Simulation) -> _Said:
    response = simulation.response
    match response:
        case Scripted():
            return _scripted(response, step=request.step())
        case Failing():
            failure = LLMFailure(FailureReason.PROCESSING_ERROR, response.message)
            return _Said(failure=failure)
        case ModelNotAvailable():
            detail = f"the simulated provider has no model {request.model}"
            return _Said(failure=LLMFailure(FailureReason.MODEL_UNAVAILABLE, detail))
        case Echo() | Fixed() | Lorem() | TextSequence() | Empty():
            return _Said(_text(response, request), _planned_calls(request, simulation))
        case _:
            assert_never(response)


def _text(response: Echo | Fixed | Lorem | TextSequence | Empty, request: LLMRequest) -> str:
    match response:
        case Echo():
            return f"Echo: {_last_user_text(request)}"
        case Fixed():
            return response.text
        case Lorem():
            return _lorem(response.target_tokens)
        case TextSequence():
            return response.texts[request.step() % len(response.texts)]
        case Empty():
            return ""
        case _:
            assert_never(response)


def _scripted(script: Scripted, *, step: int) -> _Said:
    turn = _turn_of(script, step=step)
    if turn is None:
        detail = f"the script has no turn for step {step}"
        return _Said(failure=LLMFailure(FailureReason.PROCESSING_ERROR, detail))
    if turn.error is None:
        return _Said(turn.text, turn.tool_calls)
    failure = _FAILURES[turn.error]
    detail = f"simulated {turn.error} ({failure.status})"
    return _Said(turn.text, failure=LLMFailure(failure.reason, detail, may_retry=failure.may_retry))


def _turn_of(script: Scripted, *, step: int) -> ScriptedTurn | None:
    if step < len(script.turns):
        return script.turns[step]
    match script.on_exhausted:
        case OnExhausted.REPEAT_LAST:
            return script.turns[-1]
        case OnExhausted.LOOP:
            return script.turns[step % len(script.turns)]
        case OnExhausted.ERROR:
            return None
        case _:
            assert_never(script.on_exhausted)


def _planned_calls(request: LLMRequest, simulation: Simulation) -> tuple[SimulatedCall, ...]:
    plan = simulation.tool_calls
    match plan:
        case None:
            return ()
        case CallSequence():
            return plan.steps[request.step() % len(plan.steps)]
        case FixedCalls():
            return () if _is_after_a_tool(request) else plan.calls
        case ConditionalCalls():
            return () if _is_after_a_tool(request) else _matching_calls(plan, request)
        case _:
            assert_never(plan)


def _is_after_a_tool(request: LLMRequest) -> bool:
    """Whether to answer now: calling again on each result would never end the turn."""
    return bool(request.messages) and request.messages[-1].role == "tool"


def _matching_calls(plan: ConditionalCalls, request: LLMRequest) -> tuple[SimulatedCall, ...]:
    asked = _last_user_text(request).casefold()
    matching = (rule.calls for rule in plan.rules if rule.contains.casefold() in asked)
    return next(matching, ())


def _last_user_text(request: LLMRequest) -> str:
    users = (each.text for each in reversed(request.messages) if each.role == "user")
    return next(users, "")


def _with_ids(calls: tuple[SimulatedCall, ...], request: LLMRequest) -> tuple[ToolCall, ...]:
    if not calls:
        return ()
    # No step occurs twice in a session, so neither does an id.
    step = request.step()
    return tuple(
        ToolCall(id=call.id or f"call_{step}_{at}", name=call.name, arguments=call.arguments)
        for at, call in enumerate(calls)
    )


def _within(text: str, *, max_tokens: int | None) -> tuple[str, bool]:
    if max_tokens is None or len(text) <= max_tokens * CHARACTERS_PER_TOKEN:
        return text, False
    return text[: max_tokens * CHARACTERS_PER_TOKEN], True


def _lorem(target_tokens: int) -> str:
    room = target_tokens * CHARACTERS_PER_TOKEN - 1
    words: list[str] = []
    length = 0
    for word in cycle(_LOREM):
        words.append(word)
        length += len(word) + 1
        if length > room:
            break
    return " ".join(words)[:room].rstrip().capitalize() + "."


def _input_tokens(request: LLMRequest) -> int:
    characters = len(request.system_prompt)
    for message in request.messages:
        characters += len(message.text) + _call_characters(message.tool_calls)
    for tool in request.tools:
        characters += len(tool.name) + len(tool.description)
        characters += len(json.dumps(dict(tool.parameters)))
    return token_count(characters)


def _output_tokens(text: str, calls: tuple[ToolCall, ...]) -> int:
    return token_count(len(text) + _call_characters(calls))


def _call_characters(calls: tuple[ToolCall, ...]) -> int:
    return sum(len(call.name) + len(json.dumps(call.arguments)) for call in calls)
