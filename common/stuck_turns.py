"""Turns of all organizations that should have gone on by now, and why they did not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from common.diagnosis import Diagnosis
from common.domain.errors import NotFound
from common.domain.ids import Kind, show_id
from common.domain.situation import TurnView
from common.examination import Examiner
from common.storage import situations
from common.storage.engine import Database

_MOST_TURNS: Final = 100
# Long enough for a wake-up that was lost and sent again.
_LATE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class StuckTurn:
    """A turn that should have gone on by now, and why it did not."""

    turn_id: str
    session_id: str
    organization_id: str
    code: str
    message: str
    suggestions: tuple[str, ...]


def find(
    database: Database, examiner: Examiner, *, limit: int = _MOST_TURNS
) -> tuple[StuckTurn, ...]:
    """The oldest of them, at most so many.

    Raises:
        common.storage.engine.DatabaseError: the database cannot be reached.
    """
    with database.reading() as tx:
        late = situations.find_stuck(tx, after_seconds=_LATE_SECONDS, limit=limit)
        found = []
        for turn in late:
            try:
                why = examiner.examine(tx, turn.organization_id, turn.session_id)
            except NotFound:  # deleted meanwhile
                continue
            if why.evidence.get("turn_id") == show_id(Kind.TURN, turn.id):
                found.append(_stuck(turn, why))
    return tuple(found)


def _stuck(turn: TurnView, why: Diagnosis) -> StuckTurn:
    return StuckTurn(
        turn_id=show_id(Kind.TURN, turn.id),
        session_id=show_id(Kind.SESSION, turn.session_id),
        organization_id=show_id(Kind.ORGANIZATION, turn.organization_id),
        code=why.code,
        message=why.message,
        suggestions=why.suggestions,
    )
