"""Whose turn a wake-up takes: the named one at once, the fair next where others wait."""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

import pytest

from common.clock import new_id
from common.domain.turn import Claim, TurnStatus
from common.storage import fair_share, log, turns
from common.storage.fair_share import LATE_SECONDS
from tests.integration.storage.conftest import Rows
from tests.statements import heard

_NOBODY = UUID(int=0)


@dataclass
class Share:
    """One worker's view; all that waits has waited, unless a test says otherwise."""

    rows: Rows
    last: UUID = _NOBODY

    def organization(self) -> UUID:
        return self.rows.organization()

    def queue(self, organization_id: UUID, count: int = 1, *, is_late: bool = True) -> list[UUID]:
        """So many turns, each in a session of its own, oldest first."""
        queued = [
            self.rows.post(self.rows.session(organization_id), organization_id=organization_id)
            for _ in range(count)
        ]
        if is_late:
            self.wait(queued)
        return queued

    def wait(self, queued: list[UUID]) -> None:
        self.rows.run(
            "UPDATE turns SET available_at = available_at - make_interval(secs => :late)"
            " WHERE id = ANY(CAST(:ids AS uuid[]))",
            late=LATE_SECONDS,
            ids=[str(turn_id) for turn_id in queued],
        )

    def claim(self, turn_id: UUID) -> Claim | None:
        with self.rows.database.transaction() as tx:
            claim = fair_share.claim(tx, turn_id, after=self.last, owner="w", lease_seconds=15)
        if claim is not None:
            self.last = claim.organization_id
        return claim

    def take(self, turn_id: UUID) -> UUID:
        claim = self.claim(turn_id)
        assert claim is not None
        return claim.turn_id

    def end(self, turn_id: UUID) -> None:
        with self.rows.database.transaction() as tx:
            turns.end(tx, turn_id, TurnStatus.COMPLETED)


@pytest.fixture
def share(rows: Rows) -> Share:
    return Share(rows)


def test_a_wake_up_that_comes_at_once_takes_its_turn_in_one_statement(share: Share) -> None:
    share.queue(share.organization(), 3)
    (named,) = share.queue(share.organization(), is_late=False)
    statements: list[str] = []
    engine = share.rows.database.engine

    with heard(engine, lambda statement, _: statements.append(statement)):
        assert share.take(named) == named
    asked = [each for each in statements if not each.startswith("PREPARE")]  # once a connection
    assert len(asked) == 1, asked


def test_a_late_wake_up_takes_its_turn_when_nothing_else_waits(share: Share) -> None:
    (named,) = share.queue(share.organization())
    assert share.take(named) == named


def test_a_flood_gives_way_to_who_has_nothing_running(share: Share) -> None:
    flood, quiet = share.organization(), share.organization()
    flooding = share.queue(flood, 20)
    running = share.take(flooding[0])
    (waiting,) = share.queue(quiet)

    assert running == flooding[0]
    assert share.take(flooding[1]) == waiting
    # With the wake-up of the one that overtook it.
    assert share.take(waiting) == flooding[1]


def test_one_worker_serves_who_waits_in_a_ring(share: Share) -> None:
    organizations = sorted(share.organization() for _ in range(3))
    queued = {each: share.queue(each, 4) for each in organizations}
    wake_ups = [turn_id for each in organizations for turn_id in queued[each]]

    served = []
    for turn_id in wake_ups:
        taken = share.take(turn_id)
        share.end(taken)
        served.append(taken)

    assert served == [queued[each][place] for place in range(4) for each in organizations]


def test_the_oldest_of_an_organization_goes_first(share: Share) -> None:
    queued = share.queue(share.organization(), 4)
    assert [share.take(turn_id) for turn_id in reversed(queued)] == queued


def test_as_many_run_of_each_as_of_any_other(share: Share) -> None:
    flood, quiet = share.organization(), share.organization()
    wake_ups = share.queue(flood, 10) + share.queue(quiet, 10)

    claims = [share.claim(turn_id) for turn_id in wake_ups[:8]]

    owners = [claim.organization_id for claim in claims if claim is not None]
    assert (owners.count(flood), owners.count(quiet)) == (4, 4)


def test_a_doubled_wake_up_takes_nothing_when_nothing_waits(share: Share) -> None:
    (named,) = share.queue(share.organization())
    share.take(named)
    assert share.claim(named) is None
    assert share.claim(new_id()) is None


def test_wake_ups_that_cross_take_a_turn_each(share: Share) -> None:
    queued = share.queue(share.organization(), 12) + share.queue(share.organization(), 12)

    claims = share.rows.at_once(*(partial(share.take, turn_id) for turn_id in queued))

    assert {claim.result(10) for claim in claims} == set(queued)


def test_who_loses_a_race_takes_no_other_turn_with_the_lost_ones_session_locked(
    share: Share,
) -> None:
    (other,) = share.queue(share.organization())
    (named,) = share.queue(share.organization(), is_late=False)

    with share.rows.database.transaction() as tx:
        assert turns.claim(tx, named, owner="first", lease_seconds=15) is not None
        (late,) = share.rows.at_once(lambda: share.claim(named))
        share.rows.wait_for_blocked()

    assert late.result(10) is None
    assert share.rows.turn(other)["status"] == "queued"


def test_a_turn_whose_session_is_written_to_just_now_is_waited_for(share: Share) -> None:
    """Nothing else could be taken, and its wake-up would be lost."""
    named, other = share.queue(share.organization(), 2)
    sessions = [share.rows.turn(turn_id)["session_id"] for turn_id in (named, other)]

    with share.rows.database.transaction() as tx:
        for session_id in sessions:
            log.hold(tx, session_id)
        (late,) = share.rows.at_once(lambda: share.take(named))
        share.rows.wait_for_blocked()

    assert late.result(10) == named
