"""A turn's part of its session's log, as the stream of a workflow shows it.

The stream is the session's, read from the turn's first message on; what is not the turn's
is left out, and the turn's last event ends it.  Pure but for `find`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import orjson

from api.streaming.entry import LogEntry
from api.streaming.sse import event_frame
from common.domain.events import TERMINAL_TYPES, TypeFilter
from common.domain.ids import Kind, show_id
from common.storage import event_queries, turn_lists
from common.storage.engine import Tx
from common.storage.event_queries import EventFilter

OVER: Final = "workflow_over"
# A browser's EventSource comes back by itself, however often it is told the same.
OVER_RETRY_MS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Workflow:
    """The turn that is watched.

    Attributes:
        before: no event up to this sequence is the turn's.
        ended_at: sequence of the event that ended it; None while it is open.
    """

    id: str
    session_id: UUID
    before: int
    ended_at: int | None


def find(tx: Tx, organization_id: UUID, turn_id: UUID) -> Workflow | None:
    """The turn as it is now; None when it does not exist for the organization."""
    listed = turn_lists.find(tx, organization_id, turn_id)
    if listed is None:
        return None
    turn, shown, before = listed.turn, show_id(Kind.TURN, turn_id), listed.input_sequence - 1
    ended_at = None
    if turn.ended_at is not None:
        ends = TypeFilter(tuple(sorted(TERMINAL_TYPES)))
        wanted = EventFilter(types=ends, turn_id=shown, after_sequence=before)
        places = event_queries.find_first(tx, turn.session_id, wanted, limit=1)
        ended_at = places[0].sequence if places else None
    return Workflow(shown, turn.session_id, before, ended_at)


class Excerpt:
    """What one subscriber is shown of a workflow, who has the log up to `position`."""

    def __init__(self, workflow: Workflow, position: int) -> None:
        self._id = workflow.id
        self._has_ended = workflow.ended_at is not None and workflow.ended_at <= position
        self._is_past = False

    def frame(self, entry: LogEntry) -> bytes:
        """The entry as it is sent; empty for one that is not the turn's."""
        event = orjson.loads(entry.event.body)
        if event["context"].get("turn_id") != self._id:
            self._is_past = self._has_ended
            return b""
        self._has_ended = self._has_ended or entry.type in TERMINAL_TYPES
        shown = {
            "id": event["id"],
            "workflow_id": self._id,
            "sequence_num": entry.sequence,
            "event_type": entry.type,
            "event_data": event["data"],
            "created_at": event["ts"],
        }
        return event_frame(replace(entry.event, body=orjson.dumps(shown)))

    def is_over(self, *, is_behind: bool) -> bool:
        """Whether all of it was shown.

        What follows the event that ended the turn, such as `session.idled`, was committed
        with it: it comes next, or there is none.
        """
        return self._is_past or (self._has_ended and not is_behind)
