"""Answers in the three wire formats, as events for the playback server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.contract.llm.playback import Event

# Id, name and the pieces of the arguments.
Call = tuple[Any, Any, Sequence[Any]]

_USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
_MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []}
_RESPONSE = {"id": "resp_1", "object": "response", "model": "m", "output": []}
# What each format calls a way for an answer to end.
ENDINGS: Mapping[str, Mapping[str, str]] = {
    "openai_completions": {"length": "length", "filter": "content_filter"},
    "openai": {"length": "max_output_tokens", "filter": "content_filter"},
    "anthropic": {"length": "max_tokens", "refusal": "refusal"},
}


def chat_chunk(delta: Any, finish: Any = None, **more: Any) -> Event:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **more}


def chat(
    *deltas: Any, calls: Sequence[Call] = (), end: str = "stop", usage: Any = None
) -> list[Any]:
    events = [chat_chunk(delta) for delta in deltas]
    for index, (call_id, name, pieces) in enumerate(calls):
        for at, piece in enumerate(pieces or [""]):
            function = {"name": name, "arguments": piece} if at == 0 else {"arguments": piece}
            call = {"index": index, "id": call_id, "type": "function", "function": function}
            events.append(chat_chunk({"tool_calls": [call]}))
    last: Event = {
        "id": "c",
        "model": "m",
        "choices": [],
        "usage": _USAGE if usage is None else usage,
    }
    return [*events, chat_chunk({}, end), last]


def messages(
    *deltas: Any, calls: Sequence[Call] = (), end: str = "end_turn", usage: Any = None
) -> list[Any]:
    counted = {"input_tokens": 5, "output_tokens": 1} if usage is None else usage
    events: list[Any] = [{"type": "message_start", "message": {**_MESSAGE, "usage": counted}}]
    blocks: list[tuple[Event, list[Event]]] = []
    if deltas:
        texts: list[Event] = [{"type": "text_delta", "text": delta} for delta in deltas]
        blocks.append(({"type": "text", "text": ""}, texts))
    for call_id, name, pieces in calls:
        parts: list[Event] = [{"type": "input_json_delta", "partial_json": p} for p in pieces]
        blocks.append(({"type": "tool_use", "id": call_id, "name": name, "input": {}}, parts))
    for index, (start, parts) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        events += [{"type": "content_block_delta", "index": index, "delta": p} for p in parts]
        events.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": end, "stop_sequence": None}
    return [
        *events,
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]


def responses(
    *deltas: Any, calls: Sequence[Call] = (), end: str = "stop", usage: Any = None
) -> list[Any]:
    events: list[Any] = [{"type": "response.created", "response": _RESPONSE}]
    events += [
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": each}
        for each in deltas
    ]
    for index, (call_id, name, pieces) in enumerate(calls, start=1):
        item = {"type": "function_call", "id": "fc", "call_id": call_id, "name": name}
        added = {**item, "arguments": "", "status": "in_progress"}
        events.append({"type": "response.output_item.added", "output_index": index, "item": added})
        events += [
            {"type": "response.function_call_arguments.delta", "output_index": index, "delta": p}
            for p in pieces
        ]
        if end == "stop":
            done = {**item, "arguments": "".join(map(str, pieces)), "status": "completed"}
            events.append(
                {"type": "response.output_item.done", "output_index": index, "item": done}
            )
    return [*events, response_end(end=end, usage=usage)]


def response_end(*output: Event, end: str = "stop", usage: Any = None) -> Event:
    counted = {"input_tokens": 5, "output_tokens": 3, "total_tokens": 8}
    is_cut = end != "stop"
    response = {
        **_RESPONSE,
        "output": list(output),
        "incomplete_details": {"reason": end} if is_cut else None,
        "usage": counted if usage is None else usage,
    }
    kind = "response.incomplete" if is_cut else "response.completed"
    return {"type": kind, "response": response}


ANSWERS = {"openai_completions": chat, "anthropic": messages, "openai": responses}
