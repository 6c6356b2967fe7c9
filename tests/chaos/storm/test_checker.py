"""From when a recovery counts."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.chaos.storm.checker import Recovery, recoveries
from tests.chaos.storm.installation import Held
from tests.chaos.storm.plan import Act
from tests.chaos.storm.rest import Json

_SESSION = UUID(int=7)


def test_a_recovery_counts_from_the_last_hit_before_the_turn_moved_on() -> None:
    log = [
        _event(1, 0, "turn.started"),
        _event(2, 3, "input.message"),
        _event(3, 40, "turn.sealed"),
    ]
    hits = [_held(20, 2, Act.FREEZE), _held(2, 1, Act.KILL)]

    (recovery,) = recoveries(hits, log)

    assert recovery == Recovery(_SESSION, 20.0, 38.0, (Act.KILL, Act.FREEZE))


def test_a_turn_that_moved_on_in_between_recovered_twice() -> None:
    log = [_event(1, 0, "turn.started"), _event(2, 10, "reason.started"), _event(3, 40, "turn.x")]

    both = list(recoveries([_held(2, 1, Act.KILL), _held(20, 2, Act.KILL)], log))

    assert [each.seconds for each in both] == pytest.approx([8.0, 20.0])
    assert [each.from_first for each in both] == pytest.approx([8.0, 20.0])


def _event(sequence: int, at: float, kind: str) -> Json:
    return {"sequence": sequence, "ts": datetime.fromtimestamp(at, UTC).isoformat(), "type": kind}


def _held(at: float, sequence: int, act: Act) -> Held:
    return Held(_SESSION, at, sequence, act)
