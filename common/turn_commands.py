"""`everturn turns`: what is under way in the whole installation, read from the database."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any, Final, TextIO

from common import stuck_turns
from common.domain.ids import Kind, show_id
from common.domain.situation import TurnView
from common.event_codec import show_optional_time, show_time
from common.examination import Examiner
from common.provider_breakers import BreakerBoard
from common.redis_client import Breaker, make_client
from common.settings import Settings
from common.storage import situations
from common.storage.engine import Database, DatabaseError, sqlstate
from common.stuck_turns import StuckTurn
from common.turn_queue import Backlog

_REDIS_SECONDS: Final = 2.0


def run(settings: Settings, given: argparse.Namespace) -> int:
    """List turns; with `--stuck` 1 when there are some, 2 when it cannot look."""
    database = Database(settings.database_url, pool_size=1, application="everturn turns")
    try:
        if given.stuck:
            stuck = stuck_turns.find(database, _examiner(settings), limit=given.limit)
            (_write_json if given.json else _write_stuck)(stuck, sys.stdout)
            return 1 if stuck else 0
        with database.reading() as tx:
            turns = situations.find_open(tx, limit=given.limit)
    except DatabaseError as failure:
        kind, code = type(failure).__name__, sqlstate(failure)
        sys.stderr.write(f"everturn turns: the database failed ({kind}, SQLSTATE {code})\n")
        return 2
    finally:
        database.close()
    (_write_open_json if given.json else _write_open)(turns, sys.stdout)
    return 0


def _examiner(settings: Settings) -> Examiner:
    breaker = Breaker()
    redis = make_client(settings.live_text_url, timeout_seconds=_REDIS_SECONDS)
    return Examiner(settings, BreakerBoard(redis, breaker), Backlog(settings, breaker).count)


def _write_json(turns: tuple[StuckTurn, ...], out: TextIO) -> None:
    out.write(json.dumps([asdict(turn) for turn in turns]) + "\n")


def _write_stuck(turns: tuple[StuckTurn, ...], out: TextIO) -> None:
    for turn in turns:
        out.write(f"{turn.session_id}: {turn.message}\n")
        out.writelines(f"  {suggestion}\n" for suggestion in turn.suggestions)


def _write_open_json(turns: list[TurnView], out: TextIO) -> None:
    out.write(json.dumps([_shown(turn) for turn in turns]) + "\n")


def _write_open(turns: list[TurnView], out: TextIO) -> None:
    for turn in turns:
        session = show_id(Kind.SESSION, turn.session_id)
        holder = f"  on {turn.lease_owner}" if turn.lease_owner else ""
        since = show_time(turn.created_at)
        out.write(f"{turn.status:<8}  {since}  {show_id(Kind.TURN, turn.id)}  {session}{holder}\n")


def _shown(turn: TurnView) -> dict[str, Any]:
    return {
        "turn_id": show_id(Kind.TURN, turn.id),
        "session_id": show_id(Kind.SESSION, turn.session_id),
        "organization_id": show_id(Kind.ORGANIZATION, turn.organization_id),
        "status": str(turn.status),
        "created_at": show_time(turn.created_at),
        "started_at": show_optional_time(turn.started_at),
        "waiting_until": show_optional_time(turn.waiting_until),
        "worker": turn.lease_owner,
        "attempts": turn.attempt,
    }
