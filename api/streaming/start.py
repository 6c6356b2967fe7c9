"""Where a stream starts (design 7, "Start without a cursor", and what cursors mean).

Both orders of the seed have to work, again and again on one session: post, then open a
stream, gets the answer however fast it was; open a stream, then post, does not get the
answer to the message before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from api.streaming.entry import LogEntry
from api.streaming.relay import OpenText
from common.domain.cursor import Cursor, LogCursor, TextCursor
from common.storage.relay import SessionView

# A turn that ended longer ago was either followed or is of no interest to a new reader.
RECENT_SECONDS: Final = 30.0


class StartMode(StrEnum):
    """Where a stream without a cursor starts.

    AUTO, which no client names, is TURN unless the caller has read the turn already.
    """

    AUTO = "auto"
    TURN = "turn"
    LIVE = "live"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Start:
    """The subscriber has the log up to `position`, and of the open text what it says."""

    position: int
    text: OpenText | None = None


# Whether the caller had the answer with this sequence on a stream that has closed since.
HasLeft = Callable[[int], Awaitable[bool]]
# The opener of the text open after a sequence, looked for beyond another sequence.
FindOpener = Callable[[int, int], Awaitable[LogEntry | None]]


async def without_cursor(view: SessionView, mode: StartMode, has_left: HasLeft) -> int:
    """The position of a stream that names none; waits only for a caller's last stream.

    Stable for a client that reconnects without ever having had an event: it started
    live, and what is newer than that is a turn it has not seen.
    """
    turn = view.newest_turn
    if mode is StartMode.ALL:
        return 0
    if mode is StartMode.LIVE:
        return view.last_sequence
    if turn is None:
        # Of a fork, what it was made with is not news.
        return view.inherited_sequence
    if turn.ended_seconds_ago is None or mode is StartMode.TURN:
        return turn.newest_input_sequence - 1
    if turn.ended_seconds_ago > RECENT_SECONDS:
        return view.last_sequence
    if turn.answer is not None and await has_left(turn.answer):
        return view.last_sequence
    return turn.newest_input_sequence - 1


async def at_cursor(view: SessionView, cursor: Cursor, find_opener: FindOpener) -> Start:
    """The state of a subscriber that has everything up to the cursor.

    At most one look-up, and none for a cursor in the log of a session without open
    turn: no text is open there, and a stream that has ended since is told by its event.
    """
    if cursor.sequence > view.last_sequence:
        # Accepted events that a failover lost; what is there now is new to the client.
        cursor = LogCursor(view.last_sequence)
    if isinstance(cursor, TextCursor):
        opener = await find_opener(cursor.opener, cursor.opener - 1)
        if opener is not None:
            return Start(cursor.sequence, OpenText(opener, cursor.offset))
    turn = view.newest_turn
    if not view.has_open_turn or turn is None or cursor.sequence < turn.input_sequence:
        return Start(cursor.sequence)
    opener = await find_opener(cursor.sequence, turn.input_sequence)
    return Start(cursor.sequence, None if opener is None else OpenText(opener, 0))
