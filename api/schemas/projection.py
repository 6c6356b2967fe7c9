"""The log's message events as the messages that callers see (contract 3.1).  Pure.

A tool's result is stored as text; here it becomes every spelling that clients read:
`content` for the seed, `result` and `error` for the SDK.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from api.auth import Dialect
from common.domain.events import EventType
from common.domain.ids import Kind, show_id
from common.domain.message import calls_of
from common.event_codec import LoggedEvent, show_time

Json = dict[str, Any]


def show_message(event: LoggedEvent, dialect: Dialect) -> Json:
    """The message of a message event."""
    place = {
        "session_id": show_id(Kind.SESSION, event.session_id),
        "sequence": event.sequence,
    }
    if event.type == EventType.TOOL_COMPLETED:
        return {
            "id": str(event.uuid),
            **place,
            "role": "tool_result" if dialect == "sdk" else "tool",
            "content": [_tool_result(event.data)],
            "created_at": show_time(event.ts),
        }
    message: Json = event.data["message"]
    return {"id": message["id"], **place, **{k: v for k, v in message.items() if k != "id"}}


def show_line(event: LoggedEvent, dialect: Dialect) -> bytes:
    """A line of the JSONL export."""
    message = show_message(event, dialect)
    names = ("id", "session_id", "sequence", "role", "content", "created_at")
    return orjson.dumps({name: message[name] for name in names}, option=orjson.OPT_APPEND_NEWLINE)


def in_call_order(events: Iterable[LoggedEvent]) -> Iterator[LoggedEvent]:
    """The same events, the results of one act in the order their calls were asked for.

    Results swap places among themselves only, so everything else stays where it is.
    What is held back meanwhile is at most one act.
    """
    order: dict[str, int] = {}
    held: list[LoggedEvent] = []
    for event in events:
        if event.type == EventType.OUTPUT_COMPLETED:
            yield from _settled(held, order)
            held, order = [], _order_of(event)
            yield event
        elif order or held:
            held.append(event)
            if event.type == EventType.TOOL_COMPLETED and _results(held) >= len(order):
                yield from _settled(held, order)
                held, order = [], {}
        else:
            yield event
    yield from _settled(held, order)


def _order_of(event: LoggedEvent) -> dict[str, int]:
    calls = calls_of(event.data["message"])
    return {call.id: position for position, call in enumerate(calls)} if len(calls) > 1 else {}


def _results(events: list[LoggedEvent]) -> int:
    return sum(event.type == EventType.TOOL_COMPLETED for event in events)


def _settled(held: list[LoggedEvent], order: dict[str, int]) -> Iterator[LoggedEvent]:
    results = [event for event in held if event.type == EventType.TOOL_COMPLETED]
    last = len(order)
    results.sort(key=lambda event: order.get(event.data["tool_call_id"], last))
    following = iter(results)
    for event in held:
        yield next(following) if event.type == EventType.TOOL_COMPLETED else event


def _tool_result(data: Json) -> Json:
    error = data.get("error")
    if data.get("result") is None:
        text, result = error or "", None
    else:
        text = "".join(part.get("text", "") for part in data["result"])
        result = _parsed(text)
    return {
        "type": "tool_result",
        "tool_call_id": data["tool_call_id"],
        "content": text,
        "text": text,  # a client that prints any message reads the text of its first part
        "result": result,
        "error": error,
    }


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
