"""A turn as a workflow's stream: its own events, as they are listed, and then the end."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.deps import Deps
from api.lists.workflow_events import list_workflow_events
from common.clock import new_id
from common.domain.events import EventDraft, EventType
from common.domain.ids import Kind, show_id
from common.storage import turn_lists
from tests.integration.streaming.author import Author
from tests.integration.streaming.conftest import World
from tests.integration.streaming.reader import Reader

OVER = {"reason": "workflow_over", "retry_ms": 20_000}


def follow(world: World, workflow_id: str, headers: Any = None, **query: Any) -> Reader:
    path = f"/v1/durable/workflows/{workflow_id}/sse"
    reader = Reader(world.servers[0].port, path, headers, **query)
    world.readers.append(reader)
    return reader


def workflow_of(author: Author) -> str:
    assert author.turn_id is not None
    return show_id(Kind.TURN, author.turn_id)


def listed(world: World, author: Author) -> list[dict[str, Any]]:
    """What `GET /v1/durable/workflows/{id}/events` answers."""
    assert author.turn_id is not None
    with world.database.reading() as tx:
        turn = turn_lists.find(tx, author.organization_id, author.turn_id)
    assert turn is not None
    deps = cast(Deps, SimpleNamespace(database=world.database))
    body: dict[str, Any] = list_workflow_events(deps, turn, after=0, limit=1000).get_json()
    found: list[dict[str, Any]] = body["data"]
    return found


def answered(author: Author, words: str = "Hi") -> None:
    author.post(words)
    author.start()
    author.say("Hel")
    author.complete("lo")


def types(reader: Reader) -> list[str]:
    return [event["event_type"] for event in reader.events]


@pytest.mark.parametrize("is_telling", [True, False])
def test_a_turn_is_followed_to_its_end(world: World, *, is_telling: bool) -> None:
    world.serve(poll_seconds=0.05)
    author = world.author(is_telling=is_telling)
    answered(author, "an earlier turn")
    first = author.post("Hi")
    reader = follow(world, workflow_of(author)).wait_open()
    assert reader.response.headers["X-After-Sequence"] == str(first.sequence - 1)
    author.title("of no turn")
    author.start()
    reader.wait(lambda it: "output.message.started" in types(it), "the turn is seen to start")
    assert not reader.is_ended
    author.say("Hel")
    author.post("read by the same turn")
    author.complete("lo")

    reader.wait_end()

    assert reader.events == listed(world, author)
    assert types(reader)[0] == "turn.started"
    assert types(reader)[-2:] == ["turn.completed", "session.idled"]
    shown = reader.frames[1:-1]
    assert [(each.event, each.id) for each in shown] == [
        (each.body["event_type"], each.body["id"]) for each in shown
    ]
    assert (reader.frames[0].event, reader.frames[-1].event) == ("connected", "disconnecting")
    assert reader.frames[-1].body == OVER


def test_a_turn_that_is_over_is_shown_and_ends(world: World) -> None:
    world.serve()
    author = world.author()
    author.post("Hi")
    author.start()
    author.fail()
    failed, events = workflow_of(author), listed(world, author)
    answered(author, "a later turn")
    author.post("one more, still open")

    reader = follow(world, failed).wait_end()

    assert reader.events == events
    assert types(reader)[-3:] == ["turn.failed", "output.message.completed", "session.idled"]
    assert reader.frames[-1].body == OVER


def test_each_cursor_gives_the_rest(world: World) -> None:
    world.serve()
    author = world.author()
    answered(author, "an earlier turn")
    earlier = author.log()[1]
    answered(author)
    workflow_id, events = workflow_of(author), listed(world, author)
    author.title("of no turn")
    for place, event in enumerate([None, *events]):
        cursor = (event["id"], event["sequence_num"]) if event else (earlier.id, earlier.sequence)
        for reader in (
            follow(world, workflow_id, since_id=cursor[0]),
            follow(world, workflow_id, after_sequence=cursor[1]),
            follow(world, workflow_id, {"Last-Event-ID": cursor[0]}),
        ):
            assert reader.wait_end().events == events[place:]
            assert reader.frames[-1].body == OVER
    beyond = follow(world, workflow_id, after_sequence=10_000).wait_end()
    assert [frame.event for frame in beyond.frames] == ["connected", "disconnecting"]


def test_a_stream_is_resumed_while_the_turn_goes_on(world: World) -> None:
    world.serve(SSE_REALTIME_CYCLE_SECS="0.3")
    author = world.author()
    author.post("Hi")
    author.start()
    first = follow(world, workflow_of(author)).wait_end()
    assert first.frames[-1].body == {"reason": "connection_cycle", "retry_ms": 100}
    author.say("Hello")
    second = follow(world, workflow_of(author), since_id=first.events[-1]["id"]).wait_open()
    author.complete()

    assert first.events + second.wait_end().events == listed(world, author)
    assert second.frames[-1].body == OVER


def test_a_turn_whose_session_goes_on_at_once_ends_without_idling(
    world: World, author: Author
) -> None:
    author.post("Hi")
    author.start()
    reader = follow(world, workflow_of(author)).wait_open()
    author.append([EventDraft(EventType.TURN_COMPLETED, {}, author.context)])
    assert types(reader.wait_end())[-1] == "turn.completed"
    assert reader.frames[-1].body == OVER


def test_what_is_not_there_is_not_found(world: World, author: Author) -> None:
    author.post("Hi")
    for workflow_id, status, code in (
        (show_id(Kind.TURN, new_id()), 404, "not_found"),
        (author.shown_id, 400, "invalid_id"),
        ("x", 400, "invalid_id"),
    ):
        refused = follow(world, workflow_id)
        assert (refused.status, refused.error["code"]) == (status, code)
    other = world.author()
    strange = other.post("not of this session").id
    assert follow(world, workflow_of(author), since_id=strange).status == 400


def test_a_session_that_is_deleted_takes_its_workflows_along(world: World, author: Author) -> None:
    author.post("Hi")
    reader = follow(world, workflow_of(author)).wait_open()
    author.delete()
    assert reader.wait_end().frames[-1].body["reason"] == "session_deleted"
    assert follow(world, workflow_of(author)).status == 404


def test_it_beats_and_is_told_of_the_servers_end(world: World) -> None:
    server = world.serve(SSE_HEARTBEAT_INTERVAL_SECS="0.1")
    author = world.author()
    author.post("Hi")
    reader = follow(world, workflow_of(author))
    reader.wait(lambda it: any(each.comment == "heartbeat" for each in it.frames), "it beats")
    server.deps.drain.begin()
    assert reader.wait_end().frames[-1].body["reason"] == "server_maintenance"


def test_it_counts_among_the_streams_of_its_organization(world: World) -> None:
    world.serve(SSE_PER_ORG_MAX="1")
    author = world.author()
    author.post("Hi")
    follow(world, workflow_of(author)).wait_open()
    refused = follow(world, workflow_of(author))
    assert (refused.status, refused.error["code"]) == (429, "too_many_streams")


def test_who_watched_the_workflow_has_not_had_the_answer(world: World, author: Author) -> None:
    """The start of the same client's stream of the session stays as it was."""
    answered(author)
    follow(world, workflow_of(author)).wait_end()
    assert world.read(author).wait_for("session.idled").types[0] == "input.message"
