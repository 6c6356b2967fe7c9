"""How a turn lost its workers is kept, for whoever looks at the dead letter."""

from redis import Redis
from sqlalchemy import text

from common.redis_client import Breaker
from common.turn_queue import TURNS_QUEUE, Backlog
from tests.conditions import wait_until
from tests.integration.worker.conftest import World, in_background

SLOW = {"tokens_per_second": 20, "response": {"type": "fixed", "text": "one two three four five"}}


def lose_a_worker(world: World) -> str:
    """Let a worker begin the turn and fall silent; returns its name."""
    worker = world.worker()
    opened = world.types().count("output.message.started")
    turn_id = world.row("SELECT id FROM turns").id
    thread = in_background(worker, turn_id)
    wait_until(
        lambda: world.types().count("output.message.started") > opened,
        description="the turn is under way",
    )
    world.expire_leases()
    thread.join(10)
    return f"worker_{worker.id.hex}"


def test_each_worker_that_was_lost_is_named(world: World) -> None:
    world.say("Hello", **SLOW)
    names = [lose_a_worker(world) for _ in range(2)]
    losses = world.row("SELECT losses FROM turns").losses
    assert [(loss["worker"], loss["error"]) for loss in losses] == [
        (name, "worker_lost") for name in names
    ]
    assert [loss["epoch"] for loss in losses] == [1, 3]


def test_a_crash_is_told_by_class_and_place_and_once(world: World) -> None:
    world.say("Hello", **SLOW)
    lose_a_worker(world)
    with world.database.transaction() as tx:
        tx.execute(text("DELETE FROM turn_configs"))
    turn_id = world.row("SELECT id FROM turns").id
    world.worker().run(turn_id)
    world.expire_leases()
    lost, crash = world.row("SELECT losses FROM turns").losses
    assert lost["error"] == "worker_lost"
    assert crash["error"] == "NoResultFound"
    assert ":" in crash["place"]


def test_only_the_last_ten_are_kept(world: World) -> None:
    world.post("Hello")
    with world.database.transaction() as tx:
        tx.execute(
            text(
                "UPDATE turns SET status = 'running', epoch = 40, lease_owner = 'last', losses ="
                " (SELECT jsonb_agg(jsonb_build_object('epoch', n)) FROM generate_series(1, 10) n)"
            )
        )
    world.expire_leases()
    losses = world.row("SELECT losses FROM turns").losses
    assert [loss["epoch"] for loss in losses] == [*range(2, 11), 40]


def test_a_turn_that_kills_whoever_reads_its_log_is_sealed_unread(world: World) -> None:
    """Three lost, and the fourth too, which was to seal it in good order."""
    world.say("Hello", **SLOW)
    lose_a_worker(world)
    with world.database.transaction() as tx:
        tx.execute(text("UPDATE turns SET reclaims = 3"))
        # What it would need to read is gone: that it is not missed shows that nothing was read.
        tx.execute(text("DELETE FROM turn_configs"))
    turn_id = world.row("SELECT id FROM turns").id
    worker = world.worker()
    worker.run(turn_id)
    assert world.types()[-3:] == ["turn.sealed", "output.message.completed", "session.idled"]
    assert world.row("SELECT status, reclaims FROM turns") == ("sealed", 4)
    assert worker.tally.counts.failed == 0


def test_a_wake_up_that_a_leaving_worker_got_is_passed_on(world: World) -> None:
    leaving, turn_id = world.worker(), world.post("Hello")
    leaving.shutdown.begin()
    leaving.run(turn_id)
    assert world.row("SELECT status FROM turns").status == "queued"
    assert Redis.from_url(world.settings.broker_url).llen(TURNS_QUEUE) == 1
    assert Backlog(world.settings, Breaker()).count() == 1
