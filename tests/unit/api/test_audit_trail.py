"""Entries on their way to the audit log: bounded, in order, and none lost unsaid."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import orjson
import pytest
from sqlalchemy.exc import DataError, OperationalError

from api.audit_trail import MOST_STRANGERS_A_MINUTE, AuditTrail
from common.clock import new_id, now
from common.domain.audit import NOBODY, UNLISTED, Entry, Outcome, spellings
from common.domain.ids import Kind, show_id
from common.storage.engine import Database
from tests.conditions import wait_until


class Log:
    """A database that keeps what is appended, while it can be reached."""

    def __init__(self) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.failure: Exception | None = None
        self.refused: set[str] = set()
        self.is_closed = False

    @contextmanager
    def reading(self) -> Iterator["Log"]:
        yield self

    def across_organizations(self) -> "Log":
        return self

    def execute(self, _statement: object, values: dict[str, Any]) -> None:
        if self.failure is not None:
            raise self.failure
        entries = orjson.loads(values["entries"])
        if self.refused & {entry["action"] for entry in entries}:
            raise UNTAKEN
        self.batches.append(orjson.loads(values["entries"]))

    def close(self) -> None:
        self.is_closed = True

    @property
    def actions(self) -> list[str]:
        return [entry["action"] for batch in self.batches for entry in batch]


AWAY = OperationalError("INSERT", {}, Exception("gone"), connection_invalidated=True)
UNTAKEN = DataError("INSERT", {}, Exception("never"))


@pytest.fixture
def log() -> Log:
    return Log()


MakeTrail = Callable[..., AuditTrail]


@pytest.fixture
def make_trail(log: Log) -> Iterator[MakeTrail]:
    """Makes trails that write when they are told to, unless said otherwise."""
    made = []

    def make(**options: Any) -> AuditTrail:
        made.append(AuditTrail(cast(Database, log), **{"pause_seconds": 3600, **options}))
        return made[-1]

    yield make
    log.failure = None
    for each in made:
        each.close()


def an_entry(action: str) -> Entry:
    return Entry(
        id=new_id(),
        at=now(),
        organization_id=None,
        actor=NOBODY,
        action=action,
        outcome=Outcome.DONE,
    )


def put(trail: AuditTrail, *actions: str) -> None:
    for action in actions:
        trail.put(an_entry(action))


def test_what_is_put_is_written_together_and_in_order(log: Log, make_trail: MakeTrail) -> None:
    trail = make_trail()
    put(trail, "a", "b", "c")
    assert log.batches == []
    trail.flush()
    assert log.actions == ["a", "b", "c"]
    assert len(log.batches) == 1


def test_a_thread_writes_without_being_told(log: Log, make_trail: MakeTrail) -> None:
    put(make_trail(pause_seconds=0.001), "a")
    wait_until(lambda: log.actions == ["a"], description="it is written")


def test_what_is_left_is_written_at_the_end(log: Log, make_trail: MakeTrail) -> None:
    trail = make_trail()
    put(trail, "a")
    trail.close()
    assert log.actions == ["a"]
    assert log.is_closed


def test_what_does_not_fit_is_counted_and_the_count_is_an_entry(
    log: Log, make_trail: MakeTrail
) -> None:
    lost: list[int] = []
    trail = make_trail(most_waiting=2, lost=lost.append)
    put(trail, "a", "b", "c", "d", "e")
    trail.flush()
    put(trail, "f")
    trail.flush()
    assert log.actions == ["a", "b", UNLISTED, "f"]
    assert log.batches[0][2]["count"] == 3
    assert sum(lost) == 3


def test_an_outage_is_waited_out_in_order(log: Log, make_trail: MakeTrail) -> None:
    trail = make_trail()
    put(trail, "a", "b")
    log.failure = AWAY
    with pytest.raises(OperationalError):
        trail.flush()
    put(trail, "c")
    log.failure = None
    trail.flush()
    assert log.actions == ["a", "b", "c"]


def test_what_is_never_taken_holds_nobody_up(log: Log, make_trail: MakeTrail) -> None:
    trail = make_trail()
    put(trail, "a", "b")
    log.failure = UNTAKEN
    trail.flush()
    log.failure = None
    put(trail, "c")
    trail.flush()
    assert log.actions == ["c", UNLISTED]
    assert log.batches[0][1]["count"] == 2


def test_one_that_is_never_taken_is_lost_alone(log: Log, make_trail: MakeTrail) -> None:
    trail = make_trail()
    put(trail, "a", "b", "never", "c")
    log.refused = {"never"}
    trail.flush()
    put(trail, "d", "e")
    trail.flush()
    assert log.actions == ["a", "b", "c", "d", "e", UNLISTED]
    assert len(log.batches[-1]) == 3, "the others go together again"
    assert log.batches[-1][-1]["count"] == 1


def test_an_outage_while_one_is_looked_for_loses_nothing(
    log: Log, make_trail: MakeTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail = make_trail()
    put(trail, "a", "b", "c")
    log.failure = UNTAKEN
    tries = 0

    def execute(statement: object, values: dict[str, Any]) -> None:
        nonlocal tries
        tries += 1
        log.failure = {1: UNTAKEN, 3: AWAY}.get(tries)
        Log.execute(log, statement, values)

    monkeypatch.setattr(log, "execute", execute)
    with pytest.raises(OperationalError):
        trail.flush()
    trail.flush()
    assert log.actions == ["a", "b", "c"]


def test_no_fault_ends_the_thread(log: Log, make_trail: MakeTrail) -> None:
    trail = make_trail(pause_seconds=0.01)
    log.failure = TypeError("a fault of ours")
    put(trail, "a")
    wait_until(lambda: not trail._waiting, description="it was tried")
    log.failure = None
    put(trail, "b")
    wait_until(lambda: "b" in log.actions, description="the next is written")


def test_what_must_be_written_at_once_is_or_says_so(log: Log, make_trail: MakeTrail) -> None:
    trail, mine = make_trail(), Log()
    trail.write(cast(Database, mine), an_entry("a"))
    assert mine.actions == ["a"]
    mine.failure = AWAY
    with pytest.raises(OperationalError):
        trail.write(cast(Database, mine), an_entry("b"))
    trail.flush()
    assert log.actions == ["b"]


def test_of_strangers_so_many_a_minute_are_kept(log: Log, make_trail: MakeTrail) -> None:
    clock = [0.0]
    trail = make_trail(monotonic=lambda: clock[0])
    for _ in range(MOST_STRANGERS_A_MINUTE + 7):
        trail.put_of_stranger(an_entry("knock"))
    trail.flush()
    assert log.actions == ["knock"] * MOST_STRANGERS_A_MINUTE + [UNLISTED]
    assert log.batches[0][-1]["count"] == 7
    clock[0] = 60.0
    trail.put_of_stranger(an_entry("knock again"))
    trail.flush()
    assert log.actions[-1] == "knock again"


def test_whoever_names_an_id_may_spell_it_otherwise() -> None:
    value = new_id()
    shown = show_id(Kind.SESSION, value)
    assert spellings(shown) == spellings(f"session_{value}") == [shown]
    assert {shown, str(value)} <= set(spellings(str(value)))
    assert spellings("clerk") == ["clerk"]
    assert spellings("api_key") == ["api_key"]
