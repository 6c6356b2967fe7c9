"""What docs/scaling.md computes is what playing the same installation turn by turn shows."""

import pytest

from tests.bench.scaling.installations import boxes, one_box
from tests.bench.scaling.model import Installation, Station, bounds
from tests.bench.scaling.simulation import play

COSTS = {"api": 4.0, "worker": 8.0, "postgres": 3.0, "redis": 0.5, "stream": 1.5}
KINDS = (
    one_box(COSTS, cores=2),
    boxes(COSTS, number=10, cores=4),
    boxes(COSTS, number=20, cores=4, databases=5, caches=8),
)


def test_the_lowest_bound_is_of_a_station_or_of_the_cores_it_shares() -> None:
    one = Station("worker", 10, 1, ("box",)), Station("api", 5, 2, ("box",))

    assert [
        (bound.by, bound.turns_a_second) for bound in bounds(Installation("x", one, {"box": 1}))
    ] == [
        ("the cores of box", pytest.approx(1000 / 15)),
        ("worker", 100),
        ("api", 400),
    ]


@pytest.mark.parametrize("installation", KINDS, ids=lambda each: each.name)
def test_queues_stay_short_below_the_bound_and_grow_above_it(installation: Installation) -> None:
    limit = bounds(installation)[0].turns_a_second

    below = play(installation, limit * 0.7, turns=2_000)
    above = play(installation, limit * 1.4, turns=2_000)

    assert below.is_stable
    assert not above.is_stable


def test_what_ends_first_by_arithmetic_is_waited_for_most_when_played() -> None:
    installation = boxes(COSTS, number=10, cores=4)

    assert bounds(installation)[0].by == play(installation, 1_500, turns=4_000).busiest


def test_the_same_seed_plays_the_same_turns() -> None:
    assert play(KINDS[0], 50, turns=200) == play(KINDS[0], 50, turns=200)
