"""Half a minute of everything at once: nothing is lost, nothing is repeated, nobody waits."""

from itertools import product
from pathlib import Path

import pytest

from tests.chaos.storm.plan import KINDS, Act, Fault, each_once
from tests.chaos.storm.report import table
from tests.chaos.storm.storm import Storm, run
from tests.system import FAST_RECOVERY

_SECONDS = 24.0
_LEASE = float(FAST_RECOVERY["LEASE_SECONDS"])
_TWO_OF_EACH = {"api": 2, "stream": 2, "worker": 2, "sweeper": 2}
_DEADLINES = {
    "CLIENT_TOOL_DEADLINE_SECONDS": "2",
    "APPROVAL_DEADLINE_SECONDS": "2",
    "SSE_HEARTBEAT_INTERVAL_SECS": "1",
    "SSE_REALTIME_CYCLE_SECS": "10",
    "SHUTDOWN_GRACE_SECONDS": "2",
}


@pytest.mark.slow
@pytest.mark.timeout(300)  # on a busy machine a process takes seconds to start
def test_a_storm_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    storm = Storm(
        seed=1,
        seconds=_SECONDS,
        talkers=8,
        plan=each_once(1, first=1.0, gap=0.9, lease=_LEASE),
        settings={**FAST_RECOVERY, **_DEADLINES},
        quiet_seconds=40.0,
        counts=_TWO_OF_EACH,
    )
    figures, done = run(storm, tmp_path, print)

    print(table(figures, done))  # noqa: T201 - what is to be seen when it fails
    assert figures.is_clean, "\n".join(figures.examples)
    assert figures.counts["turns"] > 20


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_restarting_one_process_after_the_other_costs_nothing_but_moments(tmp_path: Path) -> None:
    """As a release does.  With the lease as it is by default, no turn waits for one to run out."""
    lease_seconds = 15.0
    each = product(KINDS, (0.0, 0.6))  # the first and the second of two
    plan = [
        Fault(1.0 + 2.5 * number, Act.TERMINATE, kind, choice, 0.0)
        for number, (kind, choice) in enumerate(each)
    ]
    storm = Storm(
        seed=2,
        seconds=plan[-1].at + 1.5,
        talkers=8,
        plan=plan,
        settings={**_DEADLINES, "LEASE_SECONDS": f"{lease_seconds:g}"},
        quiet_seconds=60.0,
        counts=_TWO_OF_EACH,
    )
    figures, done = run(storm, tmp_path, print)

    print(table(figures, done))  # noqa: T201 - what is to be seen when it fails
    assert figures.is_clean, "\n".join(figures.examples)
    assert sorted(done, key=lambda fault: fault.at) == plan
    assert figures.recoveries, "workers had turns"
    assert max(each.from_first for each in figures.recoveries) < lease_seconds
    assert figures.counts["turns sealed"] == 0
