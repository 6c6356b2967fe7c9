"""The sweeper: what it takes back, when it does not, and what it must not depend on."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from common.clock import new_id, now
from common.domain.audit import OPERATOR, Entry, Outcome
from common.domain.ids import DEFAULT_ORGANIZATION
from common.domain.turn_task import TaskLabel
from common.redis_client import Breaker
from common.settings import Settings
from common.storage import audit_log
from common.storage.engine import Database, DatabaseError, is_passing_outage
from common.turn_queue import TurnQueue
from tests.fakes.live import RecordingLive
from tests.integration.worker.conftest import World
from worker.sweeper import Sweeper


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class SilentBroker(TurnQueue):
    def __init__(self, settings: Settings, *, is_away: bool) -> None:
        super().__init__(settings, Breaker())
        self.is_away = is_away
        self.sent: list[object] = []

    def send(
        self,
        turn_id: object,
        *,
        priority: int = 0,
        label: TaskLabel | None = None,  # noqa: ARG002 - as the real one
    ) -> bool:
        if not self.is_away:
            self.sent.append((turn_id, priority))
        return not self.is_away


def lose_worker(world: World, *, seconds_ago: float = 1.0) -> None:
    with world.database.transaction() as tx:
        tx.execute(
            text(
                "UPDATE turns SET status = 'running', sends = 0,"
                " lease_until = now() - make_interval(secs => :seconds)"
            ),
            {"seconds": seconds_ago},
        )


def status(world: World) -> str:
    return str(world.row("SELECT status FROM turns").status)


def sweeper(world: World, clock: Clock, *, is_away: bool = False) -> Sweeper:
    queue = SilentBroker(world.settings, is_away=is_away)
    return Sweeper(world.settings, world.database, queue, RecordingLive(), monotonic=clock)


def test_a_turn_is_taken_back_once_the_database_was_steady_for_a_renewal(world: World) -> None:
    clock = Clock()
    swept = sweeper(world, clock)
    world.post("hello")
    lose_worker(world)
    for _ in range(2):
        swept.sweep()
        assert status(world) == "running"
        clock.seconds += world.settings.sweep_seconds
    swept.sweep()
    assert status(world) == "queued"
    assert world.row("SELECT epoch FROM session_heads").epoch == 1


def test_after_a_freeze_workers_get_the_time_to_renew(world: World) -> None:
    """A frozen server raises nothing: what shows is that the sweep came late."""
    clock = Clock()
    swept = sweeper(world, clock)
    for _ in range(4):
        swept.sweep()
        clock.seconds += world.settings.sweep_seconds
    world.post("hello")
    lose_worker(world)
    clock.seconds += 10
    swept.sweep()
    assert status(world) == "running"


def test_nobody_waits_for_who_had_missed_a_renewal_before_the_database_was_away(
    world: World,
) -> None:
    clock = Clock()
    swept = sweeper(world, clock)
    for _ in range(4):
        swept.sweep()
        clock.seconds += world.settings.sweep_seconds
    world.post("hello")
    # Silent from 1,015 to 1,030.  Who was at work then held a lease until 1,025 at least.
    clock.seconds += 10
    lose_worker(world, seconds_ago=4)
    swept.sweep()
    assert status(world) == "running"
    lose_worker(world, seconds_ago=7)
    swept.sweep()
    assert status(world) == "queued"


class Outage(Database):
    """The database, which cannot be reached at some times, or answers and takes no writes."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        between: tuple[float, float],
        is_readable: bool = False,
    ) -> None:
        self.__dict__.update(database.__dict__)
        self.clock = clock
        self.between = between
        self.is_readable = is_readable

    def ping(self) -> None:
        if not self.is_readable:
            self._check()
        super().ping()

    def transaction(self) -> Any:
        self._check()
        return super().transaction()

    def _check(self) -> None:
        if self.between[0] <= self.clock.seconds < self.between[1]:
            raise OperationalError("SELECT 1", {}, Exception("away"))


class Until(threading.Event):
    """Stops a run at a time; waiting takes none but the clock's."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__()
        self.clock = clock
        self.seconds = seconds

    def is_set(self) -> bool:
        return self.clock.seconds >= self.seconds

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.clock.seconds += timeout
        return self.is_set()


@pytest.mark.parametrize("is_readable", [False, True])
def test_after_a_long_outage_workers_get_the_time_to_renew(
    world: World, *, is_readable: bool
) -> None:
    """However often the sweeper tried meanwhile, nobody could have renewed."""
    clock = Clock()
    queue, live = SilentBroker(world.settings, is_away=False), RecordingLive()
    away = Outage(world.database, clock, between=(1020.0, 1060.0), is_readable=is_readable)
    swept = Sweeper(world.settings, away, queue, live, monotonic=clock)
    swept.run(Until(clock, 1019.0))
    world.post("hello")
    # Renewed in the moment before the outage.
    lose_worker(world, seconds_ago=25)
    swept.run(Until(clock, 1065.0))
    assert status(world) == "running"
    swept.run(Until(clock, 1075.0))
    assert status(world) == "queued"


def test_a_purge_that_fails_keeps_no_turn_from_being_recovered(world: World) -> None:
    clock = Clock()
    swept = sweeper(world, clock)
    world.post("hello")
    lose_worker(world)
    with world.database.transaction() as tx:
        tx.execute(text("ALTER TABLE idempotency_keys RENAME TO idempotency_keys_gone"))
    for _ in range(4):
        swept.sweep()
        clock.seconds += world.settings.sweep_seconds
    assert status(world) == "queued"


def test_a_broker_that_is_away_does_not_postpone_a_turn_for_long(world: World) -> None:
    swept = sweeper(world, Clock(), is_away=True)
    world.post("hello")
    for _ in range(6):
        with world.database.transaction() as tx:
            tx.execute(text("UPDATE turns SET available_at = now() - interval '1 s'"))
        swept.sweep()
    row = world.row("SELECT sends, available_at - now() < interval '6 s' AS is_soon FROM turns")
    assert row == (1, True)


@pytest.mark.parametrize("sessions", [3])
def test_deleted_sessions_are_purged_many_a_sweep(world: World, sessions: int) -> None:
    with world.database.transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO sessions (id, organization_id, harness_id, workspace_id,"
                " owner_principal_id, deleted_at) SELECT gen_random_uuid(), :o, harness_id,"
                " workspace_id, owner_principal_id, now() FROM sessions,"
                " generate_series(1, :sessions)"
            ),
            {"o": DEFAULT_ORGANIZATION, "sessions": sessions},
        )
    sweeper(world, Clock()).sweep()
    assert world.row("SELECT count(*) AS left FROM sessions").left == 1


def test_a_statement_that_takes_too_long_is_an_outage_that_passes(world: World) -> None:
    with world.database.transaction() as tx:
        tx.execute(text("SET LOCAL statement_timeout = 10"))
        with pytest.raises(DatabaseError) as caught:
            tx.execute(text("SELECT pg_sleep(5)"))
        assert is_passing_outage(caught.value)
        tx.rollback()


@pytest.mark.parametrize(("days", "left"), [(30, ["young"]), (0, ["old", "young"])])
def test_old_entries_of_the_audit_log_go_unless_they_are_kept_for_ever(
    world: World, days: int, left: list[str]
) -> None:
    with world.database.transaction() as tx:
        for action, age in (("old", 31), ("young", 29)):
            entry = Entry(
                id=new_id(),
                at=now() - timedelta(days=age),
                organization_id=None,
                actor=OPERATOR,
                action=action,
                outcome=Outcome.DONE,
            )
            audit_log.append(tx, [entry])
    settings = replace(world.settings, audit_retention_days=days)
    queue = SilentBroker(settings, is_away=False)
    Sweeper(settings, world.database, queue, RecordingLive(), monotonic=Clock()).sweep()
    with world.database.reading() as tx:
        kept = tx.execute(text("SELECT action FROM audit_log ORDER BY at")).scalars().all()
    assert kept == left
