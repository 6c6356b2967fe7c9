"""Server-sent events as bytes (contract 3.5).  Pure.

Every frame whose name is not of the connection itself carries a whole event as one
line of JSON; pings are comments, because clients parse each frame as an event.
"""

from __future__ import annotations

from typing import Final

import orjson

from common.domain.events import EventType
from common.live_frames import LiveEvent

RETRY_MS: Final = 100

HEARTBEAT: Final = b": heartbeat\n\n"
CONNECTED: Final = b'event: connected\nretry: %d\ndata: {"status":"connected"}\n\n' % RETRY_MS

_RETRY_LINE: Final = b"retry: %d\n" % RETRY_MS
_LINE_SEPARATORS: Final = (
    ("\u0085".encode(), b"\\u0085"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)
_ID_START: Final = b'{"id":"'


def event_frame(event: LiveEvent) -> bytes:
    """The frame of a persisted event."""
    return b"%sid: %s\nevent: %s\ndata: %s\n\n" % (
        _RETRY_LINE,
        _id_of(event.body),
        event.type.encode(),
        _on_one_line(event.body),
    )


def delta_frame(
    kind: EventType,
    *,
    event_id: str,
    ts: str,
    head: bytes,
    delta: bytes,
    accumulated: bytes | None,
) -> bytes:
    """The frame of new text.

    Args:
        kind: of an answer or of thinking.
        event_id: a cursor that holds what the subscriber has after this frame.
        ts: in wire form.
        head: what all deltas of a stream have in common, see `entry.Opening.head`.
        delta: the new text, escaped as within a JSON string.
        accumulated: the text so far, escaped; None leaves the field out.
    """
    tail = b'"' if accumulated is None else b'","accumulated":"%s"' % accumulated
    return b'%sid: %s\nevent: %s\ndata: {"id":"%s","type":"%s","ts":"%s",%s"delta":"%s%s%s\n\n' % (
        _RETRY_LINE,
        event_id.encode(),
        kind.encode(),
        event_id.encode(),
        kind.encode(),
        ts.encode(),
        head,
        delta,
        tail,
        b'},"metadata":null,"tags":[]}',
    )


def report_frame(kind: str, body: bytes, *, event_id: str) -> bytes:
    """The frame of an event that is not persisted; `body` is it without the id."""
    return b'%sid: %s\nevent: %s\ndata: {"id":"%s",%s\n\n' % (
        _RETRY_LINE,
        event_id.encode(),
        kind.encode(),
        event_id.encode(),
        _on_one_line(body[1:]),
    )


def disconnecting_frame(reason: str, *, retry_ms: int) -> bytes:
    """The last frame before the server closes the stream."""
    data = orjson.dumps({"reason": reason, "retry_ms": retry_ms})
    return b"event: disconnecting\nretry: %d\ndata: %s\n\n" % (retry_ms, data)


def escaped(text: bytes) -> bytes:
    """UTF-8 text as it stands within a JSON string, without the quotes.

    Escaping works on single characters, so escaped pieces joined are the joined
    pieces escaped.
    """
    return _on_one_line(orjson.dumps(text.decode(errors="replace"))[1:-1])


def _on_one_line(json: bytes) -> bytes:
    """The same JSON, what some readers take for the end of a line written as an escape.

    SSE ends lines at CR and LF alone (WHATWG), but clients are about that split text as
    their language does.  JSON has these characters within strings only.
    """
    for raw, escape in _LINE_SEPARATORS:
        if raw in json:
            json = json.replace(raw, escape)
    return json


def _id_of(body: bytes) -> bytes:
    """The event's id, which `event_codec` writes first."""
    if not body.startswith(_ID_START):
        return str(orjson.loads(body)["id"]).encode()
    return body[len(_ID_START) : body.index(b'"', len(_ID_START))]
