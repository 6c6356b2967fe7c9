"""PostgreSQL or Redis away in the middle of a turn: it waits, and ends once."""

import signal
from collections.abc import Callable, Generator
from pathlib import Path
from threading import Thread

import pytest
import redis
from sqlalchemy.engine import Dialect
from sqlalchemy.pool import PoolProxiedConnection as Raw

from common.domain.events import TERMINAL_TYPES, EventDraft, EventType
from common.migrate import upgrade
from common.storage import log, turns
from dev.postgres import Postgres
from dev.valkey import Valkey
from tests.conditions import wait_until
from tests.integration.worker.conftest import World, in_background, make_world
from tests.servers import start_again
from worker.bootstrap import Worker
from worker.lease import Lease
from worker.llm.driver import LLMRequest, Stop, Streamed
from worker.llm.llmsim.driver import SimulatedModel
from worker.turn.session_log import SessionLog

Answering = Generator[Streamed, None, None]
# Events of a turn that is about to store its answer.
ANSWER_IS_NEXT = 5
SLOW = {
    "tokens_per_second": 20,
    "response": {"type": "fixed", "text": "one two three four five six"},
}


def assert_answered_once(world: World) -> None:
    events = world.events()
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert [event.type for event in events if event.type in TERMINAL_TYPES] == ["turn.completed"]
    assert world.answers() == ["one two three four five six"]


def test_postgres_restarts_while_the_answer_streams(
    own_postgres: Postgres, redis_url: str, tmp_path: Path
) -> None:
    upgrade(own_postgres.url)
    with make_world(own_postgres.url, redis_url, tmp_path) as world:
        thread = in_background(world.worker(), world.say("Hello", **SLOW))
        wait_until(lambda: "output.message.started" in world.types(), description="stream opens")

        own_postgres.process.send_signal(signal.SIGQUIT)  # type: ignore[union-attr]  # it runs
        own_postgres.process.wait(20)  # type: ignore[union-attr]
        thread.join(2)
        assert thread.is_alive(), "the turn waits for the database"
        start_again(own_postgres)
        thread.join(20)

        assert_answered_once(world)


def break_commit_of_answer(
    world: World, monkeypatch: pytest.MonkeyPatch, fate: Callable[[Dialect, Raw], None]
) -> tuple[Worker, list[bool]]:
    """A worker whose connection breaks in one commit, of which `fate` says what became."""
    worker = world.worker()
    broken: list[bool] = []
    dialect = worker.database.engine.dialect
    commit = dialect.do_commit

    def do_commit(connection: Raw) -> None:
        if len(world.types()) == ANSWER_IS_NEXT and not broken:
            broken.append(True)
            fate(dialect, connection)
            raise dialect.loaded_dbapi.OperationalError("server closed the connection")
        commit(connection)

    monkeypatch.setattr(dialect, "do_commit", do_commit)
    return worker, broken


def test_a_connection_that_breaks_in_the_commit_is_settled_by_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The append is committed, but the worker is never told."""

    def committed(_dialect: Dialect, connection: Raw) -> None:
        connection.commit()

    worker, broken = break_commit_of_answer(world, monkeypatch, committed)
    worker.run(world.say("Hello", **SLOW))

    assert broken
    assert_answered_once(world)


def test_a_commit_that_did_not_happen_is_made_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, broken = break_commit_of_answer(
        world, monkeypatch, lambda dialect, connection: dialect.do_rollback(connection)
    )
    worker.run(world.say("Hello", **SLOW))

    assert broken
    assert_answered_once(world)


def test_a_commit_that_is_still_under_way_is_waited_for(world: World) -> None:
    """A broken connection says nothing of what its server is still doing."""
    turn_id = world.post("Hello")
    with world.database.transaction() as tx:
        claim = turns.claim(tx, turn_id, owner="test", lease_seconds=60)
    assert claim is not None
    session_log = SessionLog(world.database, Lease(claim, valid_until=float("inf")))
    draft = EventDraft(EventType.TURN_STARTED, {"turn_id": "turn_x"})
    found: list[list[str]] = []
    reader = Thread(
        target=lambda: found.append([event.type for event in session_log.turn_events(after=1)])
    )
    with world.database.transaction() as tx:
        log.append(tx, world.session_id, [draft], fence=log.Fence(claim.epoch))
        reader.start()
        reader.join(0.3)
        assert reader.is_alive(), "what is read now would be read too early"
    reader.join(5)
    assert found == [["turn.started"]]


def test_an_event_of_somebody_else_is_not_taken_for_the_lost_append(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The append is rolled back; before the log is read, the session gets another title."""

    def lost_before_a_title(dialect: Dialect, connection: Raw) -> None:
        dialect.do_rollback(connection)
        title = EventDraft(EventType.SESSION_TITLE_UPDATED, {"title": "New"})
        with world.database.transaction() as tx:
            head = log.look(tx, world.session_id)
            assert head is not None
            log.append(tx, world.session_id, [title], fence=log.Fence(head.epoch))

    asked: list[LLMRequest] = []
    stream = SimulatedModel.stream

    def counted(model: SimulatedModel, request: LLMRequest, *, stop: Stop) -> Answering:
        asked.append(request)
        return stream(model, request, stop=stop)

    monkeypatch.setattr(SimulatedModel, "stream", counted)
    worker, broken = break_commit_of_answer(world, monkeypatch, lost_before_a_title)
    worker.run(world.say("Hello", **SLOW))

    assert broken
    assert len(asked) == 1, "the answer that was lost on the way is stored, not asked for again"
    assert_answered_once(world)
    generation = next(event for event in world.events() if event.type == "llm.generation")
    assert world.types().count("llm.generation") == 1
    assert generation.data["metadata"]["duration_ms"] > 100, "the answer is the streamed one"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_redis_away_costs_no_turn(
    database_url: str, own_redis: Valkey, how: signal.Signals, tmp_path: Path
) -> None:
    with make_world(database_url, own_redis.url, tmp_path) as world:
        worker = world.worker()
        own_redis.process.send_signal(how)  # type: ignore[union-attr]  # it runs
        thread = in_background(worker, world.say("Hello", **SLOW))
        thread.join(20)

        assert not thread.is_alive()
        assert_answered_once(world)


def test_text_is_whole_after_redis_lost_everything(
    database_url: str, own_redis: Valkey, tmp_path: Path
) -> None:
    with make_world(database_url, own_redis.url, tmp_path) as world:
        client = redis.Redis.from_url(own_redis.url)
        thread = in_background(world.worker(), world.say("Hello", **SLOW))
        wait_until(
            lambda: any(client.strlen(key) > 3 for key in client.scan_iter("*:text:*")),
            description="text is streamed",
        )

        client.flushall()
        client.script_flush()
        texts: set[bytes] = set()

        def sees_whole_prefix() -> bool:
            for key in client.scan_iter("*:text:*"):
                found = client.get(key)
                assert found is None or isinstance(found, bytes)
                texts.add(found or b"")
            return any(text.startswith(b"one") for text in texts)

        wait_until(sees_whole_prefix, description="the text is sent again from its start")
        thread.join(20)
        assert_answered_once(world)
