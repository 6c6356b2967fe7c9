from uuid import UUID

from sqlalchemy import text

from common.domain.ids import ANONYMOUS_PRINCIPAL
from common.storage.purge import purge_deleted_session
from tests.integration.storage.conftest import Rows, some_events

_SLICE = 10


def _deleted(rows: Rows, *, events: int, age_seconds: int = 1) -> UUID:
    session_id = rows.session()
    rows.append(session_id, some_events(events))
    rows.post(session_id)
    rows.run(
        "UPDATE sessions SET deleted_at = now() - make_interval(secs => :age) WHERE id = :id",
        age=age_seconds,
        id=session_id,
    )
    return session_id


def _purge(rows: Rows) -> bool:
    with rows.database.transaction() as tx:
        return purge_deleted_session(tx, limit=_SLICE)


def _event_count(rows: Rows, session_id: UUID) -> int:
    return len(rows.events(session_id))


def test_a_deleted_session_goes_slice_by_slice_and_its_rows_go_last(rows: Rows) -> None:
    session_id = _deleted(rows, events=24)
    rows.run(
        "INSERT INTO session_pins (session_id, principal_id) VALUES (:id, :principal)",
        id=session_id,
        principal=ANONYMOUS_PRINCIPAL,
    )
    left = []
    while rows.all("SELECT 1 FROM sessions"):
        assert _purge(rows)
        left.append(_event_count(rows, session_id))
    assert left == [15, 5, 0]
    for table in ("session_heads", "turns", "session_pins", "events"):
        assert rows.all(f"SELECT 1 FROM {table}") == []  # noqa: S608 - a constant
    assert not _purge(rows)


def test_the_oldest_deletion_goes_first_and_the_living_stay(rows: Rows) -> None:
    living = rows.session()
    rows.append(living, some_events(3))
    younger = _deleted(rows, events=1, age_seconds=5)
    older = _deleted(rows, events=1, age_seconds=50)
    assert _purge(rows)
    assert (_event_count(rows, older), _event_count(rows, younger)) == (0, 2)
    assert _purge(rows)
    assert not _purge(rows)
    assert [row["id"] for row in rows.all("SELECT id FROM sessions")] == [living]
    assert _event_count(rows, living) == 3


def test_two_sweepers_purge_different_sessions(rows: Rows) -> None:
    first, second = (_deleted(rows, events=1, age_seconds=age) for age in (50, 5))
    with rows.database.transaction() as tx:
        assert purge_deleted_session(tx, limit=_SLICE)
        (other,) = rows.at_once(lambda: _purge(rows))
        assert other.result(timeout=5)
        assert tx.execute(text("SELECT count(*) FROM sessions")).scalar_one() == 0
    assert (_event_count(rows, first), _event_count(rows, second)) == (0, 0)
