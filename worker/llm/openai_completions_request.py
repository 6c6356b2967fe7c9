"""Puts a request into the Chat Completions format.  Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from common.domain.turn import ToolCall
from worker.llm.driver import Endpoint, LLMRequest, ModelMessage, ToolDeclaration
from worker.llm.generation import asked_effort, image_url, wished_temperature
from worker.llm.tool_names import legal_name


def completions_request(request: LLMRequest, endpoint: Endpoint) -> dict[str, Any]:
    """The arguments of `chat.completions.create`.

    What only OpenAI itself understands is left out for others: some refuse what they
    do not know.
    """
    is_openai = _is_openai(endpoint)
    payload: dict[str, Any] = {
        "model": request.model,
        "messages": list(_messages(request)),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.tools:
        payload["tools"] = [_tool(tool) for tool in request.tools]
        if not request.parallel_tool_calls:
            payload["parallel_tool_calls"] = False
    if request.max_tokens is not None:
        is_new = is_openai or request.profile.reasons
        payload["max_completion_tokens" if is_new else "max_tokens"] = request.max_tokens
    if request.cache_key and is_openai:
        payload["prompt_cache_key"] = request.cache_key
    temperature = wished_temperature(request)
    if temperature is not None and not request.profile.reasons:
        payload["temperature"] = temperature
    effort = asked_effort(request)
    if effort is not None:
        payload["reasoning_effort"] = effort
    return payload


def _is_openai(endpoint: Endpoint) -> bool:
    if endpoint.provider_type != "openai_completions":
        return endpoint.provider_type == "azure_openai"
    if endpoint.base_url is None:
        return True
    host = urlsplit(endpoint.base_url).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


def _messages(request: LLMRequest) -> Iterable[dict[str, Any]]:
    if request.system_prompt:
        yield {"role": "system", "content": request.system_prompt}
    for message in request.messages:
        match message.role:
            case "user":
                yield {"role": "user", "content": _content(message)}
            case "tool":
                call_id = message.tool_call_id or ""
                yield {"role": "tool", "tool_call_id": call_id, "content": message.text}
            case "assistant":
                yield from _answer(message)


def _content(message: ModelMessage) -> str | list[dict[str, Any]]:
    # A plain string where it will do: not every server takes parts.
    if not message.images:
        return message.text
    parts: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": image_url(image)}} for image in message.images
    ]
    if message.text:
        parts.append({"type": "text", "text": message.text})
    return parts


def _answer(message: ModelMessage) -> Iterable[dict[str, Any]]:
    # Thinking is not sent back: there is no signature here, and some servers refuse it.
    if message.tool_calls:
        calls = [_call(call) for call in message.tool_calls]
        yield {"role": "assistant", "content": message.text or None, "tool_calls": calls}
    elif message.text:
        yield {"role": "assistant", "content": message.text}


def _call(call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": legal_name(call.name), "arguments": arguments},
    }


def _tool(tool: ToolDeclaration) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": legal_name(tool.name),
            "description": tool.description,
            "parameters": dict(tool.parameters),
        },
    }
