"""Fair share on a real worker, in turns: a flood delays nobody else by more than a few."""

from pathlib import Path

from tests.chaos.flood import flooded

_THREADS = 4
_FLOOD = 500


def test_a_flood_of_one_organization_delays_another_by_a_turn(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    with flooded(
        database_url, redis_url, tmp_path, threads=_THREADS, turn_milliseconds=20
    ) as flood:
        noisy, quiet = flood.organization(), flood.organization()
        flood.post(noisy, _FLOOD)
        asked = []
        for _ in range(5):
            asked += flood.post(quiet)
            flood.wait_for_start(quiet, len(asked))

        delays = [flood.delay_of(turn_id) for turn_id in asked]
        assert flood.started(noisy) < _FLOOD, "the flood was over before it could be in the way"
        # Those whose wake-ups were being read when it came, one a thread.
        assert max(delay.overtaken_by for delay in delays) <= 2 * _THREADS, delays

        flood.wait_for_all()
        assert flood.not_completed() == 0
