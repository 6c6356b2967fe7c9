"""Workers are seen, obey what they are told, and say goodbye."""

from collections.abc import Callable
from typing import Any

from redis import Redis

from common.domain.worker import WorkerStatus
from common.live import Live
from common.redis_client import Breaker
from common.storage import workers
from common.version import installed_version
from tests.conditions import wait_until
from tests.integration.worker.conftest import World, in_background
from worker.bootstrap import Worker
from worker.presence import Condition, Presence
from worker.watchdog import Watchdog


class Consumer:
    """What Celery's consumer would be consuming from."""

    def __init__(self) -> None:
        self.queues: set[str] = {"turns", "turns.priority", "maintenance"}

    def call_soon(self, action: Callable[..., Any], /, *arguments: Any) -> None:
        action(*arguments)

    def add_task_queue(self, queue: str) -> None:
        self.queues.add(queue)

    def cancel_task_queue(self, queue: str) -> None:
        self.queues.discard(queue)


def seen(world: World) -> Any:
    return world.row("SELECT * FROM workers")


def tell(world: World, worker: Worker, wanted: WorkerStatus) -> None:
    with world.database.transaction() as tx:
        assert workers.want(tx, worker.id, wanted) is not None


def test_a_worker_is_seen_from_its_start_to_its_end(world: World) -> None:
    worker = world.worker()
    wait_until(
        lambda: world.row("SELECT count(*) AS number FROM workers").number == 1,
        description="the worker has written its row",
    )
    row = seen(world)
    assert (row.id, row.status, row.wanted, row.load) == (worker.id, "active", "active", 0)
    assert row.capacity == world.settings.worker_threads
    assert row.version == installed_version()
    world.workers.remove(worker)
    worker.stop()
    assert seen(world).status == "stopped"


def test_its_row_tells_what_it_does(world: World) -> None:
    worker = world.worker()
    worker.run(world.post("hello"))
    running = in_background(worker, world.say("slow", first_token_delay_ms=60_000))
    wait_until(worker.leases.all, description="the turn is held")
    worker.presence.beat()
    row = seen(world)
    assert (row.load, row.tasks_completed, row.tasks_failed) == (1, 1, 0)
    owner = world.row("SELECT lease_owner FROM turns WHERE status = 'running'").lease_owner
    assert owner == f"worker_{worker.id.hex}"
    worker.shutdown.begin()
    for lease in worker.leases.all():
        lease.stop.set()
    running.join(20)
    worker.presence.beat()
    assert seen(world).status == "draining"


def test_a_drained_worker_takes_nothing_until_it_is_resumed(world: World) -> None:
    worker, consumer = world.worker(), Consumer()
    worker.consumption.attach(consumer)
    worker.presence.beat()
    tell(world, worker, WorkerStatus.DRAINING)
    worker.presence.beat()
    # The worker's own thread may be the one that does it.
    wait_until(lambda: consumer.queues == set(), description="it takes nothing")
    wait_until(lambda: seen(world).status == "draining", description="others see it")
    tell(world, worker, WorkerStatus.ACTIVE)
    worker.presence.beat()
    wait_until(
        lambda: consumer.queues == {"turns", "turns.priority", "maintenance"},
        description="it takes turns again",
    )
    wait_until(lambda: seen(world).status == "active", description="others see it")


def test_the_control_channel_hurries_it(world: World) -> None:
    worker, consumer = world.worker(), Consumer()
    worker.consumption.attach(consumer)
    wait_until(
        lambda: world.row("SELECT count(*) AS number FROM workers").number == 1,
        description="the worker has written its row",
    )
    tell(world, worker, WorkerStatus.DRAINING)
    live = Live(Redis.from_url(world.settings.pubsub_url), Breaker(), text_ttl_seconds=60)

    def is_drained() -> bool:
        # Again until it is heard: the worker may still be about to subscribe.
        live.look(worker.id)
        return not consumer.queues

    wait_until(is_drained, description="it drains before its next heartbeat", timeout_seconds=4)


def test_a_worker_silent_for_long_is_forgotten(world: World) -> None:
    worker = world.worker()
    worker.presence.beat()
    worker.presence.stop()
    with world.database.transaction() as tx:
        assert workers.forget_silent(tx, kept_seconds=60) == 0
        assert workers.forget_silent(tx, kept_seconds=0) == 1


def test_a_thread_that_is_stuck_for_good_is_no_reason_to_take_nothing(world: World) -> None:
    worker = world.worker()
    left: list[bool] = []
    watchdog = Watchdog(lambda: 1, lambda: left.append(True), deaf_seconds=0.0)
    presence = Presence(
        world.database,
        Condition(
            tally=worker.tally,
            leases=worker.leases,
            shutdown=worker.shutdown,
            consumption=worker.consumption,
        ),
        watchdog,
        worker_id=worker.id,
        version="1",
        capacity=1,
        beat_seconds=60,
    )
    running = in_background(worker, world.say("slow", first_token_delay_ms=60_000))
    (lease,) = wait_until(worker.leases.all, description="the turn is held")
    for _ in range(3):
        presence.watch()
    assert left == [], "it is full"
    lease.step_deadline = 0.0
    for _ in range(2):
        presence.watch()
    assert left == [True]
    lease.lose()
    running.join(20)
