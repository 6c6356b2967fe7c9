"""The service's health as a stream."""

import asyncio

import pytest

from api.streaming.drain import Drain
from api.streaming.monitor import Monitor, MonitorStream, Unanswered
from api.streaming.responses import Message, Refused
from common.domain.service_health import ServiceHealth, TurnCounts
from common.domain.worker import Fleet
from tests.integration.streaming.author import Author
from tests.integration.streaming.conftest import World
from tests.integration.streaming.reader import Reader

HEALTH = ServiceHealth(
    Fleet(total=3, live=2, draining=1, accepting=1, capacity=4, load=2),
    TurnCounts(
        queued=1,
        running=2,
        waiting=0,
        begun=9,
        completed=8,
        failed=1,
        dead_letters=0,
        oldest_queued_seconds=0.5,
    ),
)


def watch(world: World, path: str = "/v1/durable/sse", **headers: str) -> Reader:
    reader = Reader(world.servers[0].port, path, headers)
    world.readers.append(reader)
    return reader


def test_a_snapshot_comes_at_once(world: World, author: Author) -> None:
    author.post("Hi")
    for path in ("/v1/durable/sse", "/api/v1/durable/sse/"):
        reader = watch(world, path).wait(lambda it: len(it.frames) > 1, "a snapshot comes")
        connected, snapshot = reader.frames[:2]
        assert (connected.event, snapshot.event) == ("connected", "snapshot")
        assert snapshot.body["health"]["status"] == "unhealthy"
        assert snapshot.body["health"]["pending_tasks"] >= 1
        assert snapshot.body["workers"]["active"] == 0


def test_a_cycle_ends_with_a_word(world: World) -> None:
    world.serve(SSE_MONITORING_CYCLE_SECS="0.2")
    last = watch(world).wait_end().frames[-1]
    assert last.event == "disconnecting"
    assert last.body == {"reason": "connection_cycle", "retry_ms": 100}


def test_a_server_that_leaves_says_so(world: World) -> None:
    server = world.serve()
    reader = watch(world).wait_open()
    server.deps.drain.begin()
    last = reader.wait_end().frames[-1]
    assert last.body["reason"] == "server_maintenance"


def test_only_get_and_only_for_an_organization(world: World) -> None:
    world.serve()
    assert watch(world, **{"X-Org-Id": "x"}).status == 404


class Watching:
    """A client without a connection."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.gone = asyncio.Event()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message.get("body", b""))
        if len(self.sent) == 5:
            self.gone.set()


def test_snapshots_go_on_and_the_database_may_be_away_meanwhile() -> None:
    answers = [HEALTH, None, HEALTH, HEALTH]

    async def look() -> ServiceHealth:
        answer = answers.pop(0)
        if answer is None:
            raise Unanswered
        return answer

    async def run() -> list[bytes]:
        monitor = Monitor(look, cycle_seconds=60, interval_seconds=0.01)
        client = Watching()
        await MonitorStream(monitor, Drain()).serve(client.receive, client.send, headers=[])
        assert monitor.watching == 0
        return client.sent

    _, connected, first, silence, second, last = asyncio.run(run())
    assert connected.startswith(b"event: connected")
    assert first == second
    assert first.startswith(b"event: snapshot\ndata: {")
    assert b'"workers":{"active":1,"draining":1,"stopped":1' in first
    assert silence == b": heartbeat\n\n"
    assert last == b""


def test_many_watchers_cost_one_question() -> None:
    asked = []

    async def look() -> ServiceHealth:
        asked.append(True)
        return HEALTH

    async def run() -> None:
        monitor = Monitor(look, cycle_seconds=60)
        frames = await asyncio.gather(*(monitor.frame() for _ in range(10)))
        assert len(set(frames)) == 1

    asyncio.run(run())
    assert len(asked) == 1


@pytest.mark.parametrize(("watching", "status"), [(50, 429), (0, 503)])
def test_a_stream_that_cannot_be_opened_is_refused(watching: int, status: int) -> None:
    async def look() -> ServiceHealth:
        raise Unanswered

    async def run() -> None:
        monitor = Monitor(look, cycle_seconds=60)
        monitor.watching = watching
        client = Watching()
        with pytest.raises(Refused) as refused:
            await MonitorStream(monitor, Drain()).serve(client.receive, client.send, headers=[])
        assert refused.value.status == status
        assert (client.sent, monitor.watching) == ([], watching)

    asyncio.run(run())
