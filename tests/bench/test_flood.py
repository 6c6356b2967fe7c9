"""How long a turn waits while another organization has a thousand queued, in turn lengths."""

import statistics
import time
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from common.domain.ids import GENERIC_HARNESS
from common.storage import fair_share, queue_load
from common.storage.engine import Database
from tests.chaos.flood import flooded

_THREADS, _TURN_MILLISECONDS, _FLOOD, _ASKED = 50, 1000, 1000, 10


@pytest.mark.timeout(300)
def test_a_turn_beside_a_flood_of_a_thousand(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    with flooded(
        database_url,
        redis_url,
        tmp_path,
        threads=_THREADS,
        turn_milliseconds=_TURN_MILLISECONDS,
    ) as flood:
        noisy, quiet = flood.organization(), flood.organization()
        flooding, asked = flood.post(noisy, _FLOOD), []
        for _ in range(_ASKED):
            asked += flood.post(quiet)
            flood.wait_for_start(quiet, len(asked))
        is_in_the_way = flood.started(noisy) < _FLOOD
        flood.wait_for_all()

        delays = [flood.delay_of(turn_id) for turn_id in asked]
        last = flood.delay_of(flooding[-1])
        turn = _TURN_MILLISECONDS / 1000
        print(
            f"\n{_FLOOD} turns of {turn:g} s by one, {_THREADS} threads; its last waited", end=" "
        )
        print(f"{last.seconds / turn:.1f} turn lengths")
        waited = sorted(delay.seconds / turn for delay in delays)
        print(f"{_ASKED} turns of another waited {waited[0]:.2f} to {waited[-1]:.2f} turn lengths;")
        print(f"most overtaken by: {max(delay.overtaken_by for delay in delays)}")
        assert is_in_the_way, "the flood was over too early"
        assert flood.not_completed() == 0
        assert waited[-1] < 3


def test_what_a_late_wake_up_costs_beside_a_hundred_thousand_turns(database_url: str) -> None:
    database = Database(database_url, pool_size=1, application="flood")
    with database.transaction() as tx:
        for statement in _A_HUNDRED_THOUSAND:
            tx.execute(text(statement), {"harness": GENERIC_HARNESS})
    with database.reading() as tx:
        for table in ("turns", "session_heads"):
            tx.execute(text(f"VACUUM ANALYZE {table}"))

    last = UUID(int=0)
    claims, looks = [], []
    for _ in range(200):
        began = time.perf_counter()
        with database.transaction() as tx:
            last = fair_share.who_waits(tx, after=last)[0]
            assert fair_share.lock_oldest_of(tx, last) is not None
        claims.append((time.perf_counter() - began) * 1000)
    for _ in range(20):
        with database.reading() as tx:
            began = time.perf_counter()
            assert queue_load.look(tx).queued == 100_000
            looks.append((time.perf_counter() - began) * 1000)
    database.close()

    median = statistics.median(claims)
    print(f"\n100,000 queued turns of 50 organizations: whose turn it is takes {median:.1f} ms;")
    print(f"a look at how much waits {statistics.median(looks):.0f} ms")
    assert median < 10


_A_HUNDRED_THOUSAND = (
    (
        "INSERT INTO organizations (id, name) SELECT gen_random_uuid(), 'A test'"
        " FROM generate_series(1, 49)"
    ),
    (
        "INSERT INTO sessions (id, organization_id, harness_id, workspace_id, owner_principal_id)"
        " SELECT gen_random_uuid(), o.id, :harness, gen_random_uuid(), o.id"
        " FROM organizations o, generate_series(1, 2000)"
    ),
    (
        "INSERT INTO turns (id, session_id, organization_id, input_sequence, available_at,"
        " created_at)"
        " SELECT gen_random_uuid(), id, organization_id, 1, now(),"
        " now() - random() * interval '1 h' FROM sessions"
    ),
    "INSERT INTO session_heads (session_id, open_turn_id) SELECT session_id, id FROM turns",
)
