"""I12: reading the tail of a long session costs what it costs in a short one."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from common.domain.events import MESSAGE_TYPES
from common.domain.ids import DEFAULT_ORGANIZATION, GENERIC_HARNESS
from common.storage import (
    audit_log,
    fair_share,
    idempotency,
    log,
    messages,
    turns,
    webhook_deliveries,
)
from common.storage.engine import Tx
from tests.integration.storage.conftest import Rows
from tests.statements import heard

_SHORT, _LONG = 100, 20_000
_TAIL = 20

_FENCE = log.Fence(0)


def _fill(rows: Rows, session_id: UUID, count: int) -> None:
    """As a session of text turns would look: two of ten events are messages."""
    rows.run(
        "INSERT INTO events (session_id, sequence, type, ts, context, data)"
        " SELECT :id, n, CASE n % 10 WHEN 1 THEN 'input.message'"
        "   WHEN 6 THEN 'output.message.completed' ELSE 'reason.started' END,"
        "   now(), '{}', jsonb_build_object('message', jsonb_build_object('text',"
        "   repeat(md5(n::text), 10)))"
        " FROM generate_series(1, :count) n",
        id=session_id,
        count=count,
    )
    rows.run(
        "UPDATE session_heads SET last_sequence = :count, message_count = :count / 5"
        " WHERE session_id = :id",
        id=session_id,
        count=count,
    )


@pytest.fixture
def sessions(rows: Rows) -> dict[int, UUID]:
    """Two sessions by their length, among others, as the planner would know them."""
    made = {count: rows.session() for count in (_SHORT, _LONG)}
    for count, session_id in made.items():
        _fill(rows, session_id, count)
    for _ in range(20):
        _fill(rows, rows.session(), 200)
    rows.run("ANALYZE events")
    return made


def _plan_of(rows: Rows, read: Callable[[Tx], object], *, beginning: str = "") -> dict[str, Any]:
    """What PostgreSQL does for the one statement that `read` sends, or the one that begins so."""
    sent: list[tuple[str, Any]] = []

    def note(statement: str, values: Any) -> None:
        is_meant = statement.lstrip().startswith(beginning)
        if is_meant and not statement.startswith("PREPARE"):  # as a connection does once
            sent.append((statement, values))

    with rows.database.reading() as tx:
        with heard(rows.database.engine, note):
            read(tx)
        ((statement, values),) = sent
        explained = tx.exec_driver_sql(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values
        ).scalar_one()
    plan: dict[str, Any] = (explained if isinstance(explained, list) else json.loads(explained))[0]
    return plan["Plan"]  # type: ignore[no-any-return] # JSON


def _buffers(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


def _scans(plan: dict[str, Any]) -> list[str]:
    """The indexes that are used; the names of tables that are read through."""
    own = [plan.get("Index Name") or plan["Relation Name"]] if "Relation Name" in plan else []
    own += [plan["Index Name"]] if plan["Node Type"] == "Bitmap Index Scan" else []
    return own + [scan for part in plan.get("Plans", ()) for scan in _scans(part)]


def _tail_of_log(tx: Tx, session_id: UUID, last: int) -> object:
    return log.read_after(tx, session_id, last - _TAIL)


def _tail_of_types(tx: Tx, session_id: UUID, last: int) -> object:
    return log.read_after(tx, session_id, last - _TAIL, types=["turn.completed"])


def _new_messages(tx: Tx, session_id: UUID, last: int) -> object:
    return log.read_after(tx, session_id, last - _TAIL, below=last, types=MESSAGE_TYPES)


@pytest.mark.parametrize("read", [_tail_of_log, _tail_of_types, _new_messages])
def test_the_tail_costs_the_same_however_long_the_session_is(
    rows: Rows, sessions: dict[int, UUID], read: Callable[..., object]
) -> None:
    cost = {
        count: _buffers(_plan_of(rows, partial(read, session_id=session_id, last=count)))
        for count, session_id in sessions.items()
    }
    # One level more of the index, a page more where the tail begins in mid-page.
    assert cost[_LONG] <= cost[_SHORT] + 4
    assert cost[_LONG] < 40


def test_messages_are_found_by_their_own_index(rows: Rows, sessions: dict[int, UUID]) -> None:
    session_id = sessions[_LONG]
    plan = _plan_of(
        rows, lambda tx: log.read_after(tx, session_id, 0, types=MESSAGE_TYPES, limit=200)
    )
    assert _scans(plan) == ["events_messages"]
    # 200 messages stand among 1,000 events; none of the others is looked at.
    assert int(plan["Actual Rows"]) == 200
    everything = _plan_of(rows, lambda tx: log.read_after(tx, session_id, 0, limit=1000))
    assert _buffers(plan) < _buffers(everything) + 10


def test_a_conversation_is_counted_without_being_read(
    rows: Rows, sessions: dict[int, UUID]
) -> None:
    organization_id = rows.all("SELECT id FROM organizations LIMIT 1")[0]["id"]
    session_id = sessions[_LONG]
    plan = _plan_of(rows, lambda tx: messages.count(tx, organization_id, session_id))
    assert _buffers(plan) < 20


def test_an_append_costs_the_same_however_long_the_session_is(
    rows: Rows, sessions: dict[int, UUID]
) -> None:
    cost = {
        count: _buffers(
            _plan_of(rows, partial(log.append, session_id=session_id, drafts=[], fence=_FENCE))
        )
        for count, session_id in sessions.items()
    }
    assert cost[_LONG] <= cost[_SHORT] + 4
    assert cost[_LONG] < 30


@pytest.mark.parametrize("sweep", [turns.take_due, turns.requeue_expired])
def test_what_the_sweeper_asks_does_not_grow_with_the_turns_that_are_over(
    rows: Rows, sweep: Callable[..., object]
) -> None:
    session_id = rows.session()
    rows.run(
        "INSERT INTO turns (id, session_id, organization_id, input_sequence, status)"
        " SELECT gen_random_uuid(), :session_id, o.id, n, 'completed'"
        " FROM organizations o, generate_series(1, 5000) n LIMIT 5000",
        session_id=session_id,
    )
    for _ in range(5):
        rows.claimed(rows.session())
        rows.post(rows.session())
    rows.run("ANALYZE turns")
    plan = _plan_of(rows, partial(sweep, limit=100))
    assert _buffers(plan) < 60


@pytest.mark.parametrize(
    ("table", "fill", "forget"),
    [
        (
            "audit_log",
            (
                "INSERT INTO audit_log (id, actor_type, action, outcome)"
                " SELECT gen_random_uuid(), 'cli', 'x', 'done' FROM generate_series(1, 20000)"
            ),
            partial(audit_log.forget_old, days=30, limit=100),
        ),
        (
            "idempotency_keys",
            (
                "INSERT INTO idempotency_keys (organization_id, method, route, scope, key,"
                " body_hash) SELECT o.id, 'POST', '/', '', n::text, ''"
                " FROM generate_series(1, 20000) n, (SELECT id FROM organizations LIMIT 1) o"
            ),
            partial(idempotency.forget_old, hours=24, limit=100),
        ),
        (
            "webhook_deliveries",
            (
                "INSERT INTO webhook_deliveries (id, webhook_id, event, turn_id, session_id,"
                " sequence, status, ended_at) SELECT gen_random_uuid(), gen_random_uuid(),"
                " 'turn.completed', gen_random_uuid(), gen_random_uuid(), 1, 'delivered', now()"
                " FROM generate_series(1, 20000)"
            ),
            partial(webhook_deliveries.forget_old, limit=100),
        ),
    ],
)
def test_forgetting_what_is_old_does_not_read_what_is_young(
    rows: Rows, table: str, fill: str, forget: Callable[[Tx], object]
) -> None:
    rows.run(fill)
    rows.run(f"ANALYZE {table}")
    assert _buffers(_plan_of(rows, forget, beginning="DELETE")) < 20


def test_what_webhooks_are_told_next_costs_by_webhooks_not_by_what_waits(rows: Rows) -> None:
    """Most of it is not due before hours, the rest is due to one that does not answer."""
    rows.run(
        "INSERT INTO webhook_deliveries (id, webhook_id, event, turn_id, session_id, sequence,"
        " available_at) SELECT gen_random_uuid(), md5((n % 5)::text)::uuid, 'turn.completed',"
        " gen_random_uuid(), gen_random_uuid(), 1, now() + CASE n % 5 WHEN 0 THEN"
        " interval '-1 h' ELSE interval '1 h' END FROM generate_series(1, 20000) n"
    )
    rows.run("ANALYZE webhook_deliveries")
    take = partial(
        webhook_deliveries.take_due,
        limit=32,
        each=4,
        each_organization=8,
        under_way=(),
        hold_seconds=60,
    )
    assert _buffers(_plan_of(rows, take, beginning="WITH")) < 150
    assert _buffers(_plan_of(rows, webhook_deliveries.late_seconds)) < 80


@pytest.fixture
def flood(rows: Rows) -> UUID:
    """Two organizations with a thousand queued turns each, below a history; returns one."""
    owners = [rows.organization() for _ in range(2)]
    for owner in owners:
        rows.run(
            "INSERT INTO sessions (id, organization_id, harness_id, workspace_id,"
            " owner_principal_id) SELECT gen_random_uuid(), :owner, :harness,"
            " gen_random_uuid(), :owner FROM generate_series(1, 3000)",
            owner=owner,
            harness=GENERIC_HARNESS,
        )
    rows.run(
        "INSERT INTO turns (id, session_id, organization_id, input_sequence, status, available_at,"
        " created_at) SELECT gen_random_uuid(), s.id, s.organization_id, 1,"
        " CASE WHEN row_number() OVER (PARTITION BY organization_id) <= 1000 THEN 'queued'"
        " ELSE 'completed' END, now(), now() + random() * interval '1 h' FROM sessions s"
    )
    rows.run(
        "INSERT INTO session_heads (session_id, open_turn_id) SELECT session_id, id FROM turns"
    )
    return owners[0]


@pytest.mark.parametrize("is_over", [False, True])
def test_whose_turn_it_is_costs_by_organizations_not_by_turns(
    rows: Rows, flood: UUID, *, is_over: bool
) -> None:
    """Also when the planner still believes in a flood that is over."""
    for table in ("turns", "session_heads", "sessions"):
        rows.run(f"ANALYZE {table}")
    if is_over:
        rows.run("UPDATE turns SET status = 'completed' WHERE organization_id <> :o", o=flood)
    ranked = _plan_of(rows, lambda tx: fair_share.who_waits(tx, after=flood))
    assert {*_scans(ranked)} <= {"turns_fair", "turns_running"}
    assert is_over or _buffers(ranked) < 40

    oldest = _plan_of(rows, lambda tx: fair_share.lock_oldest_of(tx, flood))
    assert {*_scans(oldest)} <= {"turns_fair", "turns_pkey", "session_heads_pkey", "oldest"}
    assert _buffers(oldest) < 60


def _open_many(rows: Rows, count: int, *, status: str) -> None:
    """So many turns, each of a session of its own."""
    rows.run(
        "WITH made AS (INSERT INTO sessions (id, organization_id, harness_id, workspace_id,"
        "   owner_principal_id) SELECT id, :organization, :harness, id, id"
        "   FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, :count)) n RETURNING id),"
        " heads AS (INSERT INTO session_heads (session_id) SELECT id FROM made)"
        " INSERT INTO turns (id, session_id, organization_id, input_sequence, status)"
        " SELECT gen_random_uuid(), id, :organization, 1, :status FROM made",
        organization=DEFAULT_ORGANIZATION,
        harness=GENERIC_HARNESS,
        count=count,
        status=status,
    )


def test_turns_are_taken_and_ended_as_cheaply_in_a_flood_that_no_plan_foresaw(rows: Rows) -> None:
    _open_many(rows, 5_000, status="completed")
    rows.run("ANALYZE turns, session_heads, sessions")
    with rows.database.reading() as tx:
        tx.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
        named: list[dict[str, Any]] = [{"turn_id": rows.post(rows.session())} for _ in range(2)]
        before, after = named
        taking = {"owner": "w", "lease": 15, "prompt": -1}  # as if it had come at once
        ending = {"ended_as": "completed"}
        fair_share._TAKE_IF_FIRST.on(tx, before | taking)
        turns._END.on(tx, before | ending)
        _open_many(rows, 5_000, status="queued")
        touched = []
        for statement, values in ((fair_share._TAKE_IF_FIRST, taking), (turns._END, ending)):
            explained = tx.exec_driver_sql(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement._execute}", after | values
            ).scalar_one()
            touched.append(_buffers(explained[0]["Plan"]))
        tx.exec_driver_sql("RESET plan_cache_mode")
    turn = rows.turn(after["turn_id"])
    assert (turn["status"], turn["attempt"]) == ("completed", 1)
    assert max(touched) < 80, touched
