"""Puts a request into Anthropic's Messages format.  Pure."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Any, Final

from worker.llm.driver import (
    Effort,
    InlineImage,
    LinkedImage,
    LLMRequest,
    ModelMessage,
    ThinkingBlock,
    ToolDeclaration,
)
from worker.llm.generation import wished_effort, wished_temperature
from worker.llm.tool_names import legal_name

PROVIDER_TYPE: Final = "anthropic"
DEFAULT_MAX_TOKENS: Final = 16384

# Thinking counts as output; what was asked for is meant for the answer alone.
_BUDGETS: Final[dict[Effort, int]] = {
    "minimal": 1024,
    "low": 4096,
    "medium": 10240,
    "high": 24576,
    "xhigh": 49152,
}
_SMALLEST_BUDGET: Final = 1024  # the provider's own bound
_HIGHEST_TEMPERATURE: Final = 1.0  # other providers go to 2

_EPHEMERAL: Final = {"type": "ephemeral"}
_NOT_IN_AN_ID: Final = re.compile(r"[^A-Za-z0-9_-]")
_LEFT_OUT: Final = "(What was said before this is left out.)"

_Block = dict[str, Any]


def messages_request(request: LLMRequest) -> dict[str, Any]:
    """The arguments of `messages.create`.

    The prompt, the tools and the conversation so far are marked to be cached: the next
    step of the turn begins with the same.
    """
    payload: dict[str, Any] = {
        "model": request.model,
        "messages": _cached_to_the_end(_messages(request.messages)),
        "stream": True,
    }
    if request.system_prompt.strip():
        text = {"type": "text", "text": request.system_prompt, "cache_control": _EPHEMERAL}
        payload["system"] = [text]
    if request.tools:
        tools = [_tool(tool) for tool in request.tools]
        tools[-1]["cache_control"] = _EPHEMERAL
        payload["tools"] = tools
        if not request.parallel_tool_calls:
            payload["tool_choice"] = {"type": "auto", "disable_parallel_tool_use": True}
    return payload | _generation(request)


def _generation(request: LLMRequest) -> dict[str, Any]:
    most = request.profile.output_tokens
    wanted = request.max_tokens or most or DEFAULT_MAX_TOKENS
    effort = wished_effort(request)
    if effort is None or not _may_think(request.messages):
        payload: dict[str, Any] = {"max_tokens": wanted}
        temperature = wished_temperature(request)
        if temperature is not None:
            # The library has no argument for it, as the newest models take none.
            payload["extra_body"] = {"temperature": min(temperature, _HIGHEST_TEMPERATURE)}
        return payload
    if not _is_adaptive(request):
        return _with_budget(_BUDGETS[effort], wanted=wanted, most=most)
    whole = wanted + _BUDGETS[effort]
    return {
        "max_tokens": whole if most is None else min(whole, most),
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "low" if effort == "minimal" else effort},
    }


def _is_adaptive(request: LLMRequest) -> bool:
    """Whether the model decides itself how long to think; its row's settings know best."""
    mode = request.settings.get("thinking")
    if mode in ("adaptive", "budget"):
        return bool(mode == "adaptive")
    return request.profile.thinks_adaptively


def _with_budget(budget: int, *, wanted: int, most: int | None) -> dict[str, Any]:
    max_tokens = wanted + budget
    if most is not None and max_tokens > most:
        max_tokens = most
        budget = min(budget, max(_SMALLEST_BUDGET, most - wanted, most // 2))
    if budget >= max_tokens:
        return {"max_tokens": max_tokens}
    return {
        "max_tokens": max_tokens,
        "thinking": {"type": "enabled", "budget_tokens": budget},
    }


def _may_think(messages: Sequence[ModelMessage]) -> bool:
    """Whether thinking may be on: within a chain of tool calls, only if it was from its start."""
    for message in reversed(messages):
        if message.role == "user":
            return True
        if message.role == "assistant":
            return not message.tool_calls or any(map(_is_replayable, message.thinking))
    return True


def _messages(messages: Iterable[ModelMessage]) -> list[dict[str, Any]]:
    merged: list[dict[str, Any]] = []
    for message in messages:
        role = "assistant" if message.role == "assistant" else "user"
        blocks = list(_blocks(message))
        if not blocks:
            continue
        if merged and merged[-1]["role"] == role:
            merged[-1]["content"] += blocks
        else:
            merged.append({"role": role, "content": blocks})
    for each in merged:
        # Results come first, or the provider does not find them; sorting keeps the rest in order.
        each["content"].sort(key=lambda block: block["type"] != "tool_result")
    if not merged or merged[0]["role"] == "assistant":
        merged.insert(0, {"role": "user", "content": [{"type": "text", "text": _LEFT_OUT}]})
    return merged


def _blocks(message: ModelMessage) -> Iterable[_Block]:
    match message.role:
        case "tool":
            yield _result(message)
        case "user":
            yield from map(_image, message.images)
            yield from _text(message.text)
        case "assistant":
            yield from (_thought(each) for each in message.thinking if _is_replayable(each))
            yield from _text(message.text)
            for call in message.tool_calls:
                yield {
                    "type": "tool_use",
                    "id": _id(call.id),
                    "name": legal_name(call.name),
                    "input": call.arguments,
                }


def _text(text: str) -> Iterable[_Block]:
    # An empty block is refused, and so is one of nothing but white space.
    if text.strip():
        yield {"type": "text", "text": text}


def _result(message: ModelMessage) -> _Block:
    block: _Block = {"type": "tool_result", "tool_use_id": _id(message.tool_call_id or "")}
    if message.text.strip():
        block["content"] = [{"type": "text", "text": message.text}]
    if message.is_error:
        block["is_error"] = True
    return block


def _image(image: InlineImage | LinkedImage) -> _Block:
    if isinstance(image, LinkedImage):
        return {"type": "image", "source": {"type": "url", "url": image.url}}
    data = b64encode(image.data).decode()
    source = {"type": "base64", "media_type": image.media_type, "data": data}
    return {"type": "image", "source": source}


def _is_replayable(block: ThinkingBlock) -> bool:
    if block.provider_type != PROVIDER_TYPE:
        return False
    return bool(block.replay.get("signature") or block.replay.get("redacted"))


def _thought(block: ThinkingBlock) -> _Block:
    if block.replay.get("redacted"):
        return {"type": "redacted_thinking", "data": block.replay["redacted"]}
    return {"type": "thinking", "thinking": block.text, "signature": block.replay["signature"]}


def _id(call_id: str) -> str:
    """The id in the characters the provider takes; another provider may have made it."""
    return _NOT_IN_AN_ID.sub("_", call_id)


def _tool(tool: ToolDeclaration) -> dict[str, Any]:
    return {
        "name": legal_name(tool.name),
        "description": tool.description,
        "input_schema": dict(tool.parameters),
    }


def _cached_to_the_end(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    last = messages[-1]["content"][-1]
    if last["type"] not in ("thinking", "redacted_thinking"):
        messages[-1]["content"][-1] = {**last, "cache_control": _EPHEMERAL}
    return messages
