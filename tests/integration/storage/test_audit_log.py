"""The audit log only grows; what is old goes when the sweeper says how old that is."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from common.clock import new_id, now
from common.domain.audit import OPERATOR, Entry, Outcome
from common.storage import audit_log
from tests.integration.storage.conftest import Rows


@pytest.fixture(autouse=True)
def _emptied(rows: Rows) -> None:
    rows.run("ALTER TABLE audit_log DISABLE TRIGGER USER")
    rows.run("DELETE FROM audit_log")
    rows.run("ALTER TABLE audit_log ENABLE TRIGGER USER")


def add(rows: Rows, *, age_days: float = 0.0) -> UUID:
    entry = Entry(
        id=new_id(),
        at=now() - timedelta(days=age_days),
        organization_id=None,
        actor=OPERATOR,
        action="repair",
        outcome=Outcome.DONE,
    )
    with rows.database.transaction() as tx:
        for _ in range(2):  # as after a commit that was lost sight of
            audit_log.append(tx, [entry])
    return entry.id


def kept(rows: Rows) -> set[UUID]:
    return {row["id"] for row in rows.all("SELECT id FROM audit_log")}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_log SET action = 'nothing'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "INSERT INTO audit_log TABLE audit_log ON CONFLICT (id) DO UPDATE SET action = 'nothing'",
    ],
)
def test_an_entry_is_never_changed_or_removed(rows: Rows, change: str) -> None:
    entry = add(rows, age_days=400)
    with pytest.raises(DBAPIError, match="only grows"):
        rows.run(change)
    assert kept(rows) == {entry}
    assert rows.all("SELECT action FROM audit_log") == [{"action": "repair"}]


@pytest.mark.parametrize("said", ["0", "-1", "", "31"])
def test_whoever_says_how_old_removes_nothing_younger(rows: Rows, said: str) -> None:
    entry = add(rows, age_days=30)
    with pytest.raises(DBAPIError, match="only grows"):
        rows.run(
            "SELECT set_config('everturn.audit_kept_days', :said, true); DELETE FROM audit_log",
            said=said,
        )
    assert kept(rows) == {entry}


def test_what_is_old_goes_slice_by_slice(rows: Rows) -> None:
    old = [add(rows, age_days=days) for days in (40, 39, 38, 37, 36)]
    young = [add(rows, age_days=days) for days in (29, 0)]
    removed = []
    for _ in range(3):
        with rows.database.transaction() as tx:
            removed.append(audit_log.forget_old(tx, days=30, limit=3))
    assert removed == [3, 2, 0]
    assert kept(rows) == set(young)
    assert not set(old) & kept(rows)


def test_the_leave_to_remove_ends_with_its_transaction(rows: Rows) -> None:
    with rows.database.transaction() as tx:
        audit_log.forget_old(tx, days=1, limit=1)
    add(rows, age_days=400)
    with pytest.raises(DBAPIError, match="only grows"):
        rows.run("DELETE FROM audit_log")
