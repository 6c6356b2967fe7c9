"""A long session: what of it is read and sent, and what a compaction leaves behind (I12)."""

from secrets import token_hex
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import text

from common.clock import new_id
from common.domain.events import EventDraft, EventType
from common.domain.ids import DEFAULT_ORGANIZATION
from common.domain.session import ForkChanges
from common.domain.turn import Claim
from common.event_codec import LoggedEvent
from common.storage import forks, log, transcript
from tests.integration.worker.conftest import World
from tests.integration.worker.test_sequences import TEXT_TURN
from tests.statements import heard
from worker.lease import Lease
from worker.turn.session_log import SessionLog, Window

_COMPACTED_TURN = [*TEXT_TURN[:5], "context.compacting", "context.compacted", *TEXT_TURN[5:]]
_SIMULATED = UUID("01933b5a-0000-7000-8000-000000000400")
_WORDS = "word " * 300


def _set_window(world: World, context_tokens: int = 2_000) -> None:
    profile = {"limits": {"context": context_tokens, "output": 200}}
    with world.database.transaction() as tx:
        tx.execute(
            text("UPDATE models SET profile = CAST(:profile AS jsonb) WHERE id = :id"),
            {"profile": orjson.dumps(profile).decode(), "id": _SIMULATED},
        )


def _compactions(world: World) -> list[LoggedEvent]:
    return [event for event in world.events() if event.type == EventType.CONTEXT_COMPACTED]


def _ask(world: World, words: str, **llmsim: Any) -> None:
    world.worker().run(world.say(words, **llmsim))


def test_a_session_that_outgrows_the_model_is_summed_up_and_goes_on(world: World) -> None:
    _set_window(world)
    fixed = {"response": {"type": "fixed", "text": "Yes. " + _WORDS}}
    for number in range(3):
        _ask(world, f"{number} {_WORDS}", **fixed)
    before = world.events()[-1].sequence
    _ask(world, "And now?", **fixed)

    kinds = world.types()
    assert kinds.count("turn.completed") == 4
    assert world.types(after=before)[-1] == "session.idled"
    through = _compactions(world)[0].data["through_sequence"]
    boundary = next(event for event in world.events() if event.sequence == through + 1)
    assert boundary.type in (EventType.INPUT_MESSAGE, EventType.OUTPUT_COMPLETED)
    compacted = world.row(
        "SELECT compacted_sequence AS number, input_tokens FROM session_heads WHERE session_id = :s"
    )
    assert compacted.number == _compactions(world)[-1].sequence
    # What the summary cost is part of what the session has used.
    answers = [e.data for e in world.events() if e.type == EventType.OUTPUT_COMPLETED]
    counted = sum(each["usage"]["input_tokens"] for each in answers)
    counted += sum(each.data["usage"]["input_tokens"] for each in _compactions(world))
    assert compacted.input_tokens == counted


def test_the_order_of_a_turn_that_compacts(world: World) -> None:
    _set_window(world)
    _ask(world, _WORDS * 2, response={"type": "fixed", "text": _WORDS * 2})
    before = world.events()[-1].sequence
    _ask(world, "And now? " + _WORDS)
    assert world.types(after=before) == _COMPACTED_TURN


def test_what_the_granted_capability_says_is_done(world: World) -> None:
    _set_window(world)
    told = {"ref": "compaction", "config": {"threshold": 0.3, "strategy": "trim"}}
    with world.database.transaction() as tx:
        tx.execute(
            text("UPDATE sessions SET capabilities = CAST(:granted AS jsonb) WHERE id = :id"),
            {"granted": orjson.dumps([told]).decode(), "id": world.session_id},
        )
    for number in range(2):
        _ask(world, f"{number} {_WORDS}", response={"type": "fixed", "text": _WORDS})
    (compacted,) = _compactions(world)
    assert (compacted.data["strategy_used"], compacted.data["summary"]) == ("trim", None)


def test_after_a_compaction_nothing_older_is_read(world: World) -> None:
    _set_window(world)
    _ask(world, _WORDS * 2, response={"type": "fixed", "text": _WORDS * 2})
    _ask(world, "Second " + _WORDS)
    (compacted,) = _compactions(world)

    window = _window(world)
    assert window.compaction is not None
    assert window.compaction.sequence == compacted.sequence
    assert min(event.sequence for event in window.events) > compacted.data["through_sequence"]
    assert not window.is_whole


def _window(world: World, *, enough: int = 10**9) -> Window:
    claim = Claim(new_id(), world.session_id, DEFAULT_ORGANIZATION, 1, 1, 0, 1, "m")
    session_log = SessionLog(world.database, Lease(claim, valid_until=float("inf")))
    return session_log.window(below=10**6, weigh=lambda _event: 1, enough=enough)


def _fill(world: World, number: int, *, characters: int = 0) -> None:
    """So many messages, without a worker; what is in them does not compress."""
    drafts = []
    for _ in range(number):
        content = [{"type": "text", "text": token_hex(characters // 2)}] if characters else []
        message = {"id": str(new_id()), "role": "user", "content": content}
        drafts.append(EventDraft(EventType.INPUT_MESSAGE, {"message": message}))
    with world.database.transaction() as tx:
        head = log.lock(tx, DEFAULT_ORGANIZATION, world.session_id)
        assert head is not None
        log.append(tx, world.session_id, drafts, fence=log.Fence(head.epoch))


def test_short_messages_are_read_in_few_statements(world: World) -> None:
    _fill(world, 400)
    reads: list[str] = []

    def note(statement: str, _values: Any) -> None:
        if "EXECUTE everturn_newest_messages" in statement:
            reads.append(statement)

    with heard(world.database.engine, note):
        window = _window(world)

    assert (len(window.events), len(reads)) == (400, 2)


@pytest.mark.parametrize("number", [0, 98, 99, 100, 250])
def test_a_turn_is_sent_all_that_was_said_however_much_it_read_as_it_began(
    world: World, number: int
) -> None:
    _fill(world, number)
    _ask(world, "And now?")

    (asked,) = [e for e in world.events() if e.type == EventType.LLM_GENERATION]
    assert asked.data["metadata"]["response_id"] == f"llmsim_{number + 1}"


@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 250])
def test_a_window_is_read_from_its_newest_end(world: World, number: int) -> None:
    _fill(world, number)
    whole = _window(world)
    assert [event.sequence for event in whole.events] == list(range(1, number + 1))
    assert whole.is_whole
    part = _window(world, enough=110)
    assert part.events == whole.events[-min(number, 200) :] if number else part.events == []
    assert part.is_whole == (number <= 200)


@pytest.mark.parametrize(("number", "characters", "at_once"), [(7, 200_000, 3), (2, 600_000, 1)])
def test_of_large_messages_few_are_read_at_once_and_all_in_the_end(
    world: World, number: int, characters: int, at_once: int
) -> None:
    _fill(world, number, characters=characters)

    with world.database.reading() as tx:
        newest = transcript.newest(tx, world.session_id, below=10**6, limit=100)
    assert [event.sequence for event in newest.messages] == list(range(number, 0, -1))[:at_once]
    assert newest.has_more

    window = _window(world)
    assert [event.sequence for event in window.events] == list(range(1, number + 1))
    assert window.is_whole


def test_a_turn_after_large_messages_is_sent_all_of_them(world: World) -> None:
    _set_window(world, context_tokens=1_000_000)
    _fill(world, 6, characters=90_000)
    _fill(world, 1, characters=200_000)
    _ask(world, "And now?")

    (asked,) = [e for e in world.events() if e.type == EventType.LLM_GENERATION]
    assert asked.data["metadata"]["response_id"] == "llmsim_8"


def test_a_fork_knows_where_its_source_was_compacted(world: World) -> None:
    _set_window(world)
    _ask(world, _WORDS * 2, response={"type": "fixed", "text": _WORDS * 2})
    ended = world.events()[-1].sequence
    _ask(world, "Second " + _WORDS)
    (compacted,) = _compactions(world)
    for up_to, expected in ((ended, 0), (world.events()[-1].sequence, compacted.sequence)):
        fork_id = new_id()
        with world.database.transaction() as tx:
            forks.copy_session(
                tx,
                DEFAULT_ORGANIZATION,
                world.session_id,
                fork_id,
                ForkChanges(),
                up_to=up_to,
                principal_id=new_id(),
            )
        row = world.row(
            "SELECT compacted_sequence AS n FROM session_heads WHERE session_id = :id", id=fork_id
        )
        assert row.n == expected
