"""What the relays that are compared are fed with."""

from fakeredis import FakeRedis

from common.clock import new_id
from common.domain.ids import Kind, parse_id, show_id
from common.live import live_channel
from tests.bench.sources import RawFrames


def test_the_raw_relay_is_fed_on_channels_that_ours_does_not_listen_to() -> None:
    sessions = [show_id(Kind.SESSION, new_id()) for _ in range(3)]
    raw = {path.removeprefix("/") for path in RawFrames(FakeRedis(), sessions).paths}
    assert len(raw) == len(sessions)
    assert raw.isdisjoint(live_channel(parse_id(Kind.SESSION, each)) for each in sessions)
