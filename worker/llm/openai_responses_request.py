"""Puts a request into OpenAI's Responses format.  Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from common.domain.turn import ToolCall
from worker.llm.driver import LLMRequest, ModelMessage, ThinkingBlock, ToolDeclaration
from worker.llm.generation import asked_effort, image_url, wished_temperature
from worker.llm.tool_names import legal_name

PROVIDER_TYPE: Final = "openai"

# Without it the model would forget, from one call to the next, what it has thought.
_ENCRYPTED_THINKING: Final = "reasoning.encrypted_content"


def responses_request(request: LLMRequest) -> dict[str, Any]:
    """The arguments of `responses.create`."""
    payload: dict[str, Any] = {
        "model": request.model,
        "input": [item for message in request.messages for item in _items(message)],
        "stream": True,
        # The session's log is the only memory: nothing is to stay with the provider.
        "store": False,
    }
    if request.system_prompt:
        payload["instructions"] = request.system_prompt
    if request.tools:
        payload["tools"] = [_tool(tool) for tool in request.tools]
        payload["parallel_tool_calls"] = request.parallel_tool_calls
    if request.max_tokens is not None:
        payload["max_output_tokens"] = request.max_tokens
    if request.cache_key:
        payload["prompt_cache_key"] = request.cache_key
    temperature = wished_temperature(request)
    if temperature is not None and not request.profile.reasons:
        payload["temperature"] = temperature
    return payload | _reasoning(request)


def _reasoning(request: LLMRequest) -> dict[str, Any]:
    effort = asked_effort(request)
    if effort == "none":
        return {"reasoning": {"effort": "none"}}
    if effort is not None:
        reasoning = {"effort": effort, "summary": "auto"}
        return {"reasoning": reasoning, "include": [_ENCRYPTED_THINKING]}
    if not request.profile.reasons:
        return {}
    # It thinks as much as it likes, and is to go on from there.
    return {"include": [_ENCRYPTED_THINKING]}


def _items(message: ModelMessage) -> Iterable[dict[str, Any]]:
    match message.role:
        case "user":
            yield {"type": "message", "role": "user", "content": _parts(message)}
        case "tool":
            yield {
                "type": "function_call_output",
                "call_id": message.tool_call_id or "",
                "output": message.text,
            }
        case "assistant":
            yield from _answer(message)


def _parts(message: ModelMessage) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [
        {"type": "input_image", "image_url": image_url(image), "detail": "auto"}
        for image in message.images
    ]
    if message.text or not parts:
        parts.append({"type": "input_text", "text": message.text})
    return parts


def _answer(message: ModelMessage) -> Iterable[dict[str, Any]]:
    yield from (item for block in message.thinking for item in _thought(block))
    if message.text:
        text = {"type": "output_text", "text": message.text}
        yield {"type": "message", "role": "assistant", "content": [text]}
    yield from map(_call, message.tool_calls)


def _thought(block: ThinkingBlock) -> Iterable[dict[str, Any]]:
    replay = block.replay
    if block.provider_type != PROVIDER_TYPE or not replay.get("encrypted_content"):
        return
    yield {
        "type": "reasoning",
        "id": replay.get("id", ""),
        "summary": [{"type": "summary_text", "text": text} for text in replay.get("summary", ())],
        "encrypted_content": replay["encrypted_content"],
    }


def _call(call: ToolCall) -> dict[str, Any]:
    return {
        "type": "function_call",
        "call_id": call.id,
        "name": legal_name(call.name),
        "arguments": json.dumps(call.arguments, ensure_ascii=False),
    }


def _tool(tool: ToolDeclaration) -> dict[str, Any]:
    return {
        "type": "function",
        "name": legal_name(tool.name),
        "description": tool.description,
        "parameters": dict(tool.parameters),
        # Strict mode refuses schemas with optional properties.
        "strict": False,
    }
