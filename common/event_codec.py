"""The wire form of an event, and of times: the only place that knows it.

Stored JSON is spliced in as it is, so an event costs no parse on its way from
the log to a subscriber.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from common.domain.cursor import event_id, event_uuid
from common.domain.ids import Kind, show_id

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def milliseconds(ts: datetime) -> int:
    """Whole milliseconds since the epoch."""
    return (ts - _EPOCH) // _MILLISECOND


def show_time(ts: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and `Z` (contract 1.3)."""
    return ts.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def show_optional_time(ts: datetime | None) -> str | None:
    """As `show_time`; None stays None."""
    return None if ts is None else show_time(ts)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """A stored event whose context and data are still the stored JSON text.

    Attributes:
        private_json: what is kept beside it and is no part of its wire form; None unless
            it was asked for, as only a turn does.
    """

    session_id: UUID
    sequence: int
    type: str
    ts: datetime
    context_json: str
    data_json: str
    private_json: str | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        return event_id(self.session_id, self.sequence, milliseconds(self.ts))

    @property
    def uuid(self) -> UUID:
        return event_uuid(self.session_id, self.sequence, milliseconds(self.ts))

    @property
    def data(self) -> dict[str, Any]:
        parsed: dict[str, Any] = orjson.loads(self.data_json)
        return parsed

    @property
    def context(self) -> dict[str, Any]:
        parsed: dict[str, Any] = orjson.loads(self.context_json)
        return parsed

    @property
    def private(self) -> dict[str, Any]:
        parsed: dict[str, Any] = (
            {} if self.private_json is None else orjson.loads(self.private_json)
        )
        return parsed

    def wire(self) -> dict[str, Any]:
        """The envelope of contract 4.1, for orjson: stored parts are fragments."""
        return {
            "id": self.id,
            "type": self.type,
            "ts": show_time(self.ts),
            "session_id": show_id(Kind.SESSION, self.session_id),
            "sequence": self.sequence,
            "context": orjson.Fragment(self.context_json),
            "data": orjson.Fragment(self.data_json),
            "metadata": None,
            "tags": [],
        }

    def to_bytes(self) -> bytes:
        """The envelope as compact JSON, one line."""
        return orjson.dumps(self.wire())


def report_body(
    session_id: UUID,
    kind: str,
    ts: datetime,
    *,
    context: Mapping[str, Any],
    data: Mapping[str, Any],
) -> bytes:
    """The envelope of an event that is never stored; its id is the relay's to give."""
    return orjson.dumps(
        {
            "type": kind,
            "ts": show_time(ts),
            "session_id": show_id(Kind.SESSION, session_id),
            "context": context,
            "data": data,
            "metadata": None,
            "tags": [],
        }
    )
