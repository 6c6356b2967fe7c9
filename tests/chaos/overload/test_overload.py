"""Five times what can be done, for a few seconds; `make overload` is the same for minutes."""

from pathlib import Path

import pytest

from common.storage.engine import Database
from tests.chaos.overload.overload import PARTS, REASONS, Overload, run
from tests.system import running

pytestmark = pytest.mark.slow


@pytest.mark.timeout(120)
def test_what_is_taken_on_is_done_and_the_rest_is_refused_with_a_reason(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    overload = Overload(
        seconds=4, threads=2, turn_seconds=0.2, organizations=2, open_turns=15, queued=20
    )
    with running(
        database_url, redis_url, tmp_path, parts=PARTS, settings=overload.settings
    ) as system:
        database = Database(database_url, pool_size=2, application="overload")
        try:
            figures = run(overload, system, database)
        finally:
            database.close()

    assert figures.faults() == []
    assert figures.answered == len(figures.outcome.accepted) > 0
    assert set(figures.outcome.refused) == REASONS
