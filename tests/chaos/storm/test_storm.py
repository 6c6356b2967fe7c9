"""Half a minute of everything at once: nothing is lost, nothing is repeated, nobody waits."""

from pathlib import Path

import pytest

from tests.chaos.storm.plan import each_once
from tests.chaos.storm.report import table
from tests.chaos.storm.storm import Storm, run
from tests.system import FAST_RECOVERY

_SECONDS = 24.0
_LEASE = float(FAST_RECOVERY["LEASE_SECONDS"])


@pytest.mark.slow
@pytest.mark.timeout(300)  # on a busy machine a process takes seconds to start
def test_a_storm_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    storm = Storm(
        seed=1,
        seconds=_SECONDS,
        talkers=8,
        plan=each_once(1, first=1.0, gap=0.9, lease=_LEASE),
        settings={
            **FAST_RECOVERY,
            "CLIENT_TOOL_DEADLINE_SECONDS": "2",
            "APPROVAL_DEADLINE_SECONDS": "2",
            "SSE_HEARTBEAT_INTERVAL_SECS": "1",
            "SSE_REALTIME_CYCLE_SECS": "10",
            "SHUTDOWN_GRACE_SECONDS": "2",
        },
        quiet_seconds=40.0,
        counts={"api": 2, "stream": 2, "worker": 2, "sweeper": 2},
    )
    figures, done = run(storm, tmp_path, print)

    print(table(figures, done))  # noqa: T201 - what is to be seen when it fails
    assert figures.is_clean, "\n".join(figures.examples)
    assert figures.counts["turns"] > 20
