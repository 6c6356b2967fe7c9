"""`everturn tail`: the events of a session as they happen, a line each."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Final, TextIO

from common.domain.events import EventType, TypeFilter
from common.terminal.events import Events, SessionGone
from common.terminal.screen import clean, shown
from common.terminal.server import Json, Server

_DELTAS: Final = ("output.message.delta", "reason.thinking.delta", "tool.output.delta")
_INTERRUPTED: Final = 130
# What a line tells of each type beside its name, best first.
_TELLING: Final = (
    "tool_call",
    "tool_name",
    "error_code",
    "error",
    "delta",
    "model",
    "reason",
    "status",
    "duration_ms",
)


def run(server: Server, given: argparse.Namespace) -> int:
    """What `everturn tail` does once its arguments are read; ends with the session."""

    def tell(words: str) -> None:
        sys.stderr.write(f"{words}; connecting again\n")

    wanted = TypeFilter(tuple(given.type), tuple(given.exclude))
    asked = _with_the_end(wanted) if given.until_idle else wanted
    events = Events(
        server,
        given.session,
        since=given.since,
        start="live",
        types=asked.types,
        exclude=[*asked.exclude, *([] if given.deltas else _DELTAS)],
        on_loss=tell,
    )
    try:
        for event in events:
            if wanted.admits(event["type"]):
                write(event, sys.stdout, as_json=given.json)
            if given.until_idle and event["type"] == EventType.SESSION_IDLED:
                return 0
    except SessionGone:
        sys.stderr.write("the session was deleted\n")
        return 1
    except KeyboardInterrupt:
        if events.since is not None:
            sys.stderr.write(f"\ngo on with --since {events.since}\n")
        return _INTERRUPTED
    raise AssertionError("events have no end")


def _with_the_end(wanted: TypeFilter) -> TypeFilter:
    """What the server is to send, so that the session's idling is among it."""
    end = EventType.SESSION_IDLED
    types = (*wanted.types, end) if wanted.types else ()
    return TypeFilter(types, tuple(each for each in wanted.exclude if not _hides(each, end)))


def _hides(pattern: str, event_type: str) -> bool:
    return not TypeFilter(exclude=(pattern,)).admits(event_type)


def write(event: Json, out: TextIO, *, as_json: bool) -> None:
    """One event on one line."""
    if as_json:
        out.write(json.dumps(event, ensure_ascii=False) + "\n")
    else:
        number = event.get("sequence", "")
        out.write(f"{number:>6}  {event['ts']}  {event['type']:<26} {_summary(event)}".rstrip())
        out.write("\n")
    out.flush()


def _summary(event: Json) -> str:
    """What a person wants to know of it, on what is left of the line."""
    data = event["data"]
    if isinstance(data.get("message"), dict):
        parts = [part.get("text") or part.get("name") for part in data["message"]["content"]]
        return clean(shown(" ".join(part for part in parts if part)))
    told = {name: data[name] for name in _TELLING if data.get(name) is not None}
    return clean(" ".join(f"{name}={shown(value)}" for name, value in told.items()))
