"""A dead letter that is tried again is answered as if the message had just come."""

from sqlalchemy import text

from api.use_cases.retry_dead_letter import retry_dead_letter
from common.domain.events import TERMINAL_TYPES
from common.domain.ids import DEFAULT_ORGANIZATION
from common.storage import dead_letters, relay
from tests.integration.worker.conftest import World
from tests.integration.worker.outside import CALLER, Outside


def seal(world: World) -> None:
    """Post a message whose turn cannot begin."""
    with world.database.transaction() as tx:
        tx.execute(text("UPDATE sessions SET capabilities = CAST('[{}]' AS jsonb)"))
    world.worker().run(world.post("Hello"))
    world.grant()


def test_what_was_sealed_is_answered_after_all(world: World) -> None:
    seal(world)
    outside = Outside(world)
    sealed = world.row("SELECT id FROM turns").id
    with world.database.reading() as tx:
        entry = dead_letters.find(tx, DEFAULT_ORGANIZATION, sealed)
    assert entry is not None
    assert [loss.error for loss in entry.turn.losses] == ["KeyError"]

    turn_id = retry_dead_letter(outside.deps, CALLER, sealed, None)
    with world.database.reading() as tx:
        view = relay.find_session(tx, DEFAULT_ORGANIZATION, world.session_id, recent_seconds=60)
    assert view is not None
    assert view.newest_turn is not None
    assert view.newest_turn.ended_seconds_ago is None, "a stream sees the turn that is open"
    assert outside.queue.sent == [turn_id]
    world.worker().run(turn_id)

    events = world.events()
    ended = [event.type for event in events if event.type in TERMINAL_TYPES]
    assert ended == ["turn.sealed", "turn.completed"]
    assert events[-1].type == "session.idled"
    assert world.answers()[-1] == "Echo: Hello"
    assert world.row("SELECT status, open_turn_id FROM session_heads") == ("idle", None)
