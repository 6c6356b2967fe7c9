"""Ending: every stream is told, also one that opens too late."""

from api.streaming.drain import Drain


class Stream:
    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def end(self, reason: str, *, retry_ms: int) -> None:
        self.told.append((reason, retry_ms))


def test_open_streams_are_told_to_come_back_at_different_times() -> None:
    drain = Drain()
    streams = [Stream() for _ in range(50)]
    for stream in streams:
        drain.add(stream)
    assert drain.open_count == 50
    drain.begin()
    assert drain.has_begun
    assert {stream.told[0][0] for stream in streams} == {"server_maintenance"}
    assert len({stream.told[0][1] for stream in streams}) > 10
    assert all(100 <= stream.told[0][1] <= 3000 for stream in streams)


def test_a_stream_that_opens_too_late_is_ended_and_one_that_closed_is_not() -> None:
    drain = Drain()
    closed, late = Stream(), Stream()
    drain.add(closed)
    drain.discard(closed)
    drain.begin()
    drain.add(late)
    assert (len(closed.told), len(late.told)) == (0, 1)
