"""Event ids that are cursors (design 4).

Every event id is a UUIDv7 (RFC 9562).  Of its 74 free bits the first tells the
kind, the rest a position that is read back without a look-up:

    persisted: 0 | sequence 26 | hash of the session id 47
    delta:     1 | sequence 26 | back to the opener 11 | end offset 24 | check 12

A persisted id follows from session, sequence and time alone, so it is not
stored; ids sort as the log does.  A delta id says how far the log had been
delivered and where in the open text its last byte stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Final
from uuid import UUID

from common.domain.errors import InvalidCursor, InvalidId
from common.domain.ids import Kind, parse_id, show_id

MAX_SEQUENCE: Final = (1 << 26) - 1
MAX_OPENER_DISTANCE: Final = (1 << 11) - 1
MAX_OFFSET: Final = (1 << 24) - 1

_HASH_BITS: Final = 47
_CHECK_BITS: Final = 12
# Ids are derived anew on every read: this constant may never change.
_HASH_KEY: Final = b"everturn event id"


@dataclass(frozen=True, slots=True)
class LogCursor:
    """After the persisted event with this sequence."""

    sequence: int


@dataclass(frozen=True, slots=True)
class TextCursor:
    """After `sequence` in the log and after `offset` UTF-8 bytes of the opener's text."""

    sequence: int
    opener: int
    offset: int


Cursor = LogCursor | TextCursor


@lru_cache(maxsize=4096)
def _session_hash(session_id: UUID) -> int:
    digest = blake2b(session_id.bytes, digest_size=6, key=_HASH_KEY).digest()
    return int.from_bytes(digest, "big") >> (48 - _HASH_BITS)


def _uuid7(milliseconds: int, free: int) -> UUID:
    high, low = free >> 62, free & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low)


def event_uuid(session_id: UUID, sequence: int, milliseconds: int) -> UUID:
    """The UUID of a persisted event; `milliseconds` since the epoch are its ts."""
    return _uuid7(milliseconds, sequence << _HASH_BITS | _session_hash(session_id))


def event_id(session_id: UUID, sequence: int, milliseconds: int) -> str:
    """The id that a persisted event is shown with."""
    return show_id(Kind.EVENT, event_uuid(session_id, sequence, milliseconds))


def delta_id(session_id: UUID, cursor: TextCursor, milliseconds: int) -> str:
    """The id of a delta; beyond what fits, it resumes the text from its start."""
    distance, offset = cursor.sequence - cursor.opener, cursor.offset
    if not (0 <= distance <= MAX_OPENER_DISTANCE and offset <= MAX_OFFSET):
        distance, offset = min(max(distance, 0), MAX_OPENER_DISTANCE), 0
    check = _session_hash(session_id) & ((1 << _CHECK_BITS) - 1)
    free = 1 << 73 | cursor.sequence << 47 | distance << 36 | offset << 12 | check
    return show_id(Kind.EVENT, _uuid7(milliseconds, free))


def decode_cursor(session_id: UUID, text: str) -> Cursor:
    """Read a cursor back.

    Raises:
        InvalidCursor: not an event id, or one of another session.
    """
    try:
        value = parse_id(Kind.EVENT, text).int
    except InvalidId as malformed:
        raise InvalidCursor("Not a valid event id") from malformed
    free = (value >> 64 & 0xFFF) << 62 | value & ((1 << 62) - 1)
    own = _session_hash(session_id)
    if value >> 76 & 0xF != 7 or value >> 62 & 3 != 2:  # noqa: PLR2004 - version and variant bits
        raise InvalidCursor("Unknown event id")
    if free >> 73 == 0:
        if free & ((1 << _HASH_BITS) - 1) != own:
            raise InvalidCursor("Unknown event id: it is not of this session")
        return LogCursor(free >> _HASH_BITS & MAX_SEQUENCE)
    if free & ((1 << _CHECK_BITS) - 1) != own & ((1 << _CHECK_BITS) - 1):
        raise InvalidCursor("Unknown event id: it is not of this session")
    sequence = free >> 47 & MAX_SEQUENCE
    opener = sequence - (free >> 36 & MAX_OPENER_DISTANCE)
    if opener < 1:
        raise InvalidCursor("Unknown event id")
    return TextCursor(sequence=sequence, opener=opener, offset=free >> 12 & MAX_OFFSET)
