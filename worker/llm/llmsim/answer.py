"""Decides what the simulated model answers: the same for the same request, always.

Pure.  Scripts and sequences are indexed by the request's step, which comes from the
log: a call repeated after a crash, on any worker, gives the same text and the same
tool calls with the same ids (I4).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from itertools import cycle
from typing import Final, assert_never

from common.domain.events import Usage
from common.domain.turn import ToolCall
from worker.llm.driver import FailureReason, LLMFailure, LLMRequest, Reply, ThinkingBlock
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
    SimulatedFailure,
    Simulation,
    TextSequence,
)

CHARACTERS_PER_TOKEN: Final = 4

_LOREM: Final = (
    *("lorem", "ipsum", "dolor", "sit", "amet", "consectetur", "adipiscing", "elit", "sed"),
    *("do", "eiusmod", "tempor", "incididunt", "ut", "labore", "et", "dolore", "magna"),
)


# With the status that a provider would have answered with.
_REASONS: Final = {
    ErrorKind.RATE_LIMIT: (FailureReason.RATE_LIMITED, 429),
    ErrorKind.TIMEOUT: (FailureReason.UNAVAILABLE, 504),
    ErrorKind.INVALID_RESPONSE: (FailureReason.PROCESSING_ERROR, 400),
    ErrorKind.OTHER: (FailureReason.UNAVAILABLE, 500),
}
_WORTH_A_RETRY: Final = frozenset({FailureReason.RATE_LIMITED, FailureReason.UNAVAILABLE})

PROVIDER_TYPE: Final = "llmsim"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: `thinking` and `text` are streamed, then what `end` makes is yielded.

    So nothing is counted before there is something to be seen.  A failure is raised instead.
    """

    text: str
    end: Callable[[], Reply] | LLMFailure
    thinking: str = ""


def answer_to(request: LLMRequest, simulation: Simulation) -> Answer:
    """What the simulated model does with the request."""
    said = _said(request, simulation)
    text, is_cut = _within(said.text, max_tokens=request.max_tokens)
    if said.failure is not None:
        return Answer(text, said.failure, said.thinking)
    return Answer(text, partial(_reply, request, said, text, is_cut=is_cut), said.thinking)


def _reply(request: LLMRequest, said: _Said, text: str, *, is_cut: bool) -> Reply:
    # A model that ran out of tokens in its text never came to its calls.
    calls = () if is_cut else _with_ids(said.tool_calls, request)
    finish_reason = "length" if is_cut else "tool_calls" if calls else "stop"
    written = said.thinking + text
    return Reply(
        usage=Usage(_input_tokens(request), output_tokens=_output_tokens(written, calls)),
        finish_reason=said.finish_reason or finish_reason,
        model=request.model,
        tool_calls=calls,
        response_id=f"llmsim_{len(request.messages)}",
        thinking=_thought(said.thinking),
    )


def _thought(text: str) -> tuple[ThinkingBlock, ...]:
    if not text:
        return ()
    # A signature as providers have one: made of the text, and of use to nobody else.
    signature = blake2b(text.encode(errors="replace"), digest_size=8).hexdigest()
    return (ThinkingBlock(text, PROVIDER_TYPE, {"signature": signature}),)


def token_count(characters: int) -> int:
    """The tokens that so many characters count as: a quarter of them, at least one."""
    return max(1, -(-characters // CHARACTERS_PER_TOKEN))


@dataclass(frozen=True, slots=True)
class _Said:
    text: str = ""
    tool_calls: tuple[SimulatedCall, ...] = ()
    failure: LLMFailure | None = None
    thinking: str = ""
    finish_reason: str | None = None


def _said(request: LLMRequest, simulation: Simulation) -> _Said:
    said = _as_told(request, simulation)
    if said.failure is not None and not said.text:
        return said  # failed before the first piece, thinking included
    return replace(
        said,
        thinking=said.thinking or simulation.thinking,
        finish_reason=said.finish_reason or simulation.finish_reason,
    )


def _as_told(request: LLMRequest, simulation: Simulation) -> _Said:
    response = simulation.response
    match response:
        case Scripted():
            return _scripted(response, request)
        case Failing():
            if _is_over(response.failure, request):
                return _Said(response.text, _planned_calls(request, simulation))
            return _Said(failure=_failure(response.failure))
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


def _scripted(script: Scripted, request: LLMRequest) -> _Said:
    step = request.step()
    turn = _turn_of(script, step=step)
    if turn is None:
        detail = f"the script has no turn for step {step}"
        return _Said(failure=LLMFailure(FailureReason.PROCESSING_ERROR, detail))
    thinking = turn.thinking or ""
    if turn.error is None or _is_over(turn.error, request):
        return _Said(turn.text, turn.tool_calls, None, thinking, turn.finish_reason)
    if turn.error.fail_times is not None:
        return _Said(failure=_failure(turn.error))
    return _Said(turn.text, failure=_failure(turn.error), thinking=thinking)


def _is_over(failure: SimulatedFailure, request: LLMRequest) -> bool:
    return failure.fail_times is not None and request.attempt >= failure.fail_times


def _failure(wished: SimulatedFailure) -> LLMFailure:
    if isinstance(wished.kind, ErrorKind):
        reason, status = _REASONS[wished.kind]
        message = f"simulated {wished.kind} ({status})"
    else:
        reason, message = wished.kind, f"simulated {wished.kind}"
    return LLMFailure(
        reason,
        message if wished.message is None else wished.message,
        may_retry=reason in _WORTH_A_RETRY,
        retry_after_seconds=wished.retry_after_seconds,
    )


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
        ToolCall(call.id or f"call_{step}_{at}", call.name, call.arguments, call.malformed)
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
