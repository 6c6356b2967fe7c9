"""How many turns may be open: what is taken on, what is refused, and what that costs."""

from collections.abc import Callable, Iterator
from concurrent.futures import wait
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from api.app import create_app
from api.deps import Deps
from api.pressure import Pressure, TurnLimits
from api.thread_wait import MeasuringPool
from common.domain.turn import TurnStatus
from common.storage import turns
from common.storage.engine import Database
from tests.contract.api import worker
from tests.contract.api.client import Api, Document, Json, Reply, saying
from tests.contract.api.test_hot_path import counting

UNLIMITED = TurnLimits(open_turns=0, queued=0, wait_seconds=0)


class LooksWhenTold(Pressure):
    """Has no thread that looks: a turn that opens meanwhile would be counted twice for a while."""

    def _watch(self) -> None:
        pass


@dataclass
class Door:
    """A caller, and what the process it calls knows of the queue."""

    api: Api
    pressure: Pressure

    def session(self) -> str:
        identifier: str = self.api.session()["id"]
        return identifier

    def say(self, session_id: str | None = None, **options: Any) -> Reply:
        path = f"/v1/sessions/{session_id or self.session()}/messages"
        return self.api.post(path, saying("Hello"), **options)


Opened = Callable[..., Door]


@pytest.fixture
def open_door(
    deps: Deps, api: Api, shared_database_url: str, document: Document
) -> Iterator[Opened]:
    made: list[Pressure] = []

    def opened(caller: Api = api, **limits: int) -> Door:
        pressure = LooksWhenTold(
            Database(shared_database_url, pool_size=1, application="pressure"),
            replace(UNLIMITED, **limits),
        )
        pressure.look()
        made.append(pressure)
        app = create_app(replace(deps, pressure=pressure))
        return Door(Api(app, caller.headers, document), pressure)

    yield opened
    for pressure in made:
        pressure.close()


@pytest.fixture
def only_ours(database: Database) -> None:
    """No turn of another test is open: some limits are of all organizations together."""
    with database.transaction() as tx:
        tx.execute(text("TRUNCATE sessions CASCADE"))


def end_turn(database: Database, session_id: str) -> None:
    turn_id = worker.open_turn_of(database, session_id)
    with database.transaction() as tx:
        turns.end(tx, turn_id, TurnStatus.CANCELLED)


def test_an_organization_has_so_many_open_turns_and_no_more(
    open_door: Opened, stranger: Api, database: Database
) -> None:
    door = open_door(open_turns=2)
    first, second, third = (door.session() for _ in range(3))
    assert [door.say(each).status for each in (first, second)] == [201, 201]

    refused = door.say(third)

    assert (refused.status, refused.body["code"]) == (429, "too_many_active_turns")
    assert "2 turns open" in refused.body["error"]
    assert refused.headers["Retry-After"] == "5"
    assert door.api.get(f"/v1/sessions/{third}/messages").body["total"] == 0
    # What joins a turn that is open opens none.
    assert door.say(first).status == 201
    # Nor is anybody else kept out, or told what is not theirs.
    outside = replace(door, api=replace_caller(door.api, stranger))
    assert outside.say().status == 201
    assert outside.say(third).status == 404

    end_turn(database, first)
    door.pressure.look()
    assert door.say(third).status == 201


def replace_caller(api: Api, other: Api) -> Api:
    return api.with_headers(X_Org_Id=other.headers["X-Org-Id"])


def test_what_was_accepted_is_answered_again_and_what_was_refused_may_be_sent_again(
    open_door: Opened, database: Database
) -> None:
    door = open_door(open_turns=1)
    first, second = door.session(), door.session()
    accepted = door.say(first, headers={"Idempotency-Key": "a"})
    refused = door.say(second, headers={"Idempotency-Key": "b"})
    again = door.say(first, headers={"Idempotency-Key": "a"})

    assert (accepted.status, refused.status, again.status) == (201, 429, 201)
    assert again.body["id"] == accepted.body["id"]

    end_turn(database, first)
    door.pressure.look()
    assert door.say(second, headers={"Idempotency-Key": "b"}).status == 201
    assert door.api.get(f"/v1/sessions/{second}/messages").body["total"] == 1


@pytest.mark.usefixtures("only_ours")
def test_a_queue_that_is_full_takes_no_more_of_anybody(open_door: Opened, stranger: Api) -> None:
    door = open_door(queued=2)
    assert [door.say().status for _ in range(2)] == [201, 201]

    for caller in (door.api, replace_caller(door.api, stranger)):
        refused = replace(door, api=caller).say()
        assert (refused.status, refused.body["code"]) == (503, "overloaded")
        assert "wait for a worker" in refused.body["error"]
        assert refused.headers["Retry-After"] == "2"


def test_an_organization_whose_turns_wait_too_long_adds_none(
    open_door: Opened, stranger: Api, organization: UUID, database: Database
) -> None:
    door = open_door(wait_seconds=60)
    session_id = door.session()
    assert door.say(session_id).status == 201
    with database.transaction() as tx:
        tx.execute(
            text(
                "UPDATE turns SET created_at = created_at - interval '61 s'"
                " WHERE organization_id = :id"
            ),
            {"id": organization},
        )
    door.pressure.look()

    refused = door.say()
    assert (refused.status, refused.body["code"]) == (503, "overloaded")
    assert "too long" in refused.body["error"]
    assert replace(door, api=replace_caller(door.api, stranger)).say().status == 201

    worker.start_turn(database, session_id)
    door.pressure.look()
    assert door.say().status == 201


def test_knowing_costs_a_message_nothing_and_a_refusal_one_statement(
    open_door: Opened, database: Database
) -> None:
    free, door = open_door(), open_door(open_turns=1)
    warm, anywhere, first, second = (door.session() for _ in range(4))
    free.say(warm)  # a connection prepares its statements once

    with counting(database) as unlimited:
        assert free.say(anywhere).status == 201
    for each in (warm, anywhere):
        end_turn(database, each)
    door.pressure.look()
    with counting(database) as accepted:
        assert door.say(first).status == 201
    with counting(database) as refused:
        assert door.say(second).status == 429

    assert len(accepted.statements) == len(unlimited.statements), accepted.statements
    assert len(refused.statements) == 1, refused.statements
    assert refused.commits == 0


def test_what_cannot_be_known_refuses_nobody(deps: Deps, api: Api, document: Document) -> None:
    away = Database("postgresql://127.0.0.1:1/nowhere", pool_size=1, application="pressure")
    pressure = Pressure(away, replace(UNLIMITED, open_turns=1))
    caller = Api(create_app(replace(deps, pressure=pressure)), api.headers, document)
    assert [Door(caller, pressure).say().status for _ in range(2)] == [201, 201]
    pressure.close()


# --- threads


@pytest.fixture
def impatient(deps: Deps, api: Api, document: Document) -> Api:
    """On an api where any wait for a thread is too long."""
    settings = replace(deps.settings, api_max_wait_seconds=1e-9)
    return Api(create_app(replace(deps, settings=settings)), api.headers, document)


def answers_of_a_pool(*asking: Callable[[], Reply]) -> list[Reply]:
    with MeasuringPool(1) as pool:
        futures = [pool.submit(ask) for ask in asking]
        wait(futures)
        return [future.result() for future in futures]


def test_a_request_that_waited_too_long_for_a_thread_is_refused(impatient: Api) -> None:
    body: Json = {"name": "x", "system_prompt": "y"}
    refused, posted, large, health = answers_of_a_pool(
        lambda: impatient.get("/v1/agents"),
        lambda: impatient.post("/v1/agents", body),
        lambda: impatient.post("/v1/agents", body | {"description": "x" * 100_000}),
        lambda: impatient.get("/health"),
    )
    assert (refused.status, refused.body["code"]) == (503, "overloaded")
    assert refused.headers["Retry-After"] == "2"
    assert (posted.status, large.status) == (503, 503)
    # A long body is not waited for.
    assert "Connection" not in posted.headers
    assert large.headers["Connection"] == "close"
    assert health.status == 200


def test_a_request_that_did_not_is_served(api: Api) -> None:
    (answer,) = answers_of_a_pool(lambda: api.get("/v1/agents"))
    assert answer.status == 200
