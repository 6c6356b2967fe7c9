r"""What travels on a session's live channel.  Pure.

A frame is either persisted events, already in their wire form so that they are
serialised once, a chunk of the text being streamed, or what a running tool call reports:

    E<sequence> <type> <opener or 0> <bytes>\n<json>\n ...      one record an event
    D<opener> <start offset in UTF-8 bytes>\n<text>
    R<type>\n<json>                                          an event without its id
    X                                                        the session is gone
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from common.domain.events import COMPLETING_TYPES
from common.event_codec import LoggedEvent


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """A persisted event as it is relayed.

    Attributes:
        finishes: the opener of the text stream that this event completes, 0 for none.
        body: the whole event, compact JSON.
    """

    sequence: int
    type: str
    finishes: int
    body: bytes


@dataclass(frozen=True, slots=True)
class LiveText:
    """A chunk of a text stream; `start` counts UTF-8 bytes, chunks end at code points."""

    opener: int
    start: int
    text: bytes


@dataclass(frozen=True, slots=True)
class LiveReport:
    """An event that is not persisted; `body` is it as compact JSON, but for its id."""

    type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class SessionGone:
    """The session was deleted."""


Frame = tuple[LiveEvent, ...] | LiveText | LiveReport | SessionGone

GONE: bytes = b"X"


class MalformedFrame(Exception):
    """Not a frame of ours: another version's, or somebody else's publish."""


def live_event(event: LoggedEvent) -> LiveEvent:
    """The relayed form of a stored event."""
    finishes = 0
    if event.type in COMPLETING_TYPES:
        finishes = int(event.context.get("stream_sequence", 0))
    return LiveEvent(event.sequence, event.type, finishes, event.to_bytes())


def encode_events(events: Iterable[LoggedEvent]) -> bytes:
    """One frame for events that were committed together."""
    records = [
        b"%d %s %d %d\n%s\n" % (e.sequence, e.type.encode(), e.finishes, len(e.body), e.body)
        for e in map(live_event, events)
    ]
    return b"E" + b"".join(records)


def encode_text(opener: int, start: int, text: bytes) -> bytes:
    """One frame for a chunk of text."""
    return b"D%d %d\n%s" % (opener, start, text)


def encode_report(kind: str, body: bytes) -> bytes:
    """One frame for a report."""
    return b"R%s\n%s" % (kind.encode(), body)


def decode(frame: bytes) -> Frame:
    """Read a frame back.

    Raises:
        MalformedFrame: it is none.
    """
    try:
        if frame.startswith(b"D"):
            head, text = frame[1:].split(b"\n", 1)
            opener, start = head.split(b" ")
            return LiveText(int(opener), int(start), text)
        if frame.startswith(b"E"):
            return tuple(_records(frame))
        if frame.startswith(b"R"):
            kind, body = frame[1:].split(b"\n", 1)
            return LiveReport(kind.decode(), body)
    except ValueError as wrong:
        raise MalformedFrame from wrong
    if frame == GONE:
        return SessionGone()
    raise MalformedFrame


def _records(frame: bytes) -> Iterable[LiveEvent]:
    position = 1
    while position < len(frame):
        line_end = frame.index(b"\n", position)
        sequence, kind, finishes, size = frame[position:line_end].split(b" ")
        body_end = line_end + 1 + int(size)
        if body_end <= line_end or frame[body_end : body_end + 1] != b"\n":
            raise MalformedFrame
        yield LiveEvent(int(sequence), kind.decode(), int(finishes), frame[line_end + 1 : body_end])
        position = body_end + 1


def session_of(channel: bytes) -> UUID:
    """The session of a channel name such as `everturn:{<hex>}:live`."""
    start = channel.index(b"{") + 1
    return UUID(hex=channel[start : channel.index(b"}")].decode())
