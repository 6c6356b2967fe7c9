"""The connection under a stream: parts of the body written past the server."""

from types import SimpleNamespace
from typing import Any

import pytest

from api.streaming.line import Line


def line(**state: Any) -> tuple[Line, Any, list[bytes]]:
    written: list[bytes] = []
    scope = {"method": "GET", "headers": [(b"a", b"b")]}
    cycle = SimpleNamespace(
        flow=SimpleNamespace(write_paused=state.get("write_paused", False)),
        disconnected=state.get("disconnected", False),
        chunked_encoding=state.get("chunked_encoding", True),
        transport=SimpleNamespace(write=written.append),
        scope=scope,
    )
    protocol: Any = SimpleNamespace(scope=scope, headers=scope["headers"], url=b"/")
    return Line(protocol, cycle), protocol, written  # type: ignore[arg-type]  # as far as is used


def test_a_part_is_written_as_a_chunk() -> None:
    under, _, written = line()

    assert under.write(b"x" * 17)
    assert written == [b"11\r\n" + b"x" * 17 + b"\r\n"]


@pytest.mark.parametrize(
    "state", [{"write_paused": True}, {"disconnected": True}, {"chunked_encoding": None}]
)
def test_what_would_have_to_wait_is_left_to_the_server(state: dict[str, Any]) -> None:
    under, _, written = line(**state)

    assert not under.write(b"x")
    assert written == []


@pytest.mark.parametrize("is_gone", [True, False])
def test_who_asks_is_told_that_the_client_is_gone(is_gone: bool) -> None:  # noqa: FBT001
    under, _, _ = line(disconnected=is_gone)
    told: list[int] = []
    under.when_lost(lambda: told.append(1))
    assert told == [1] * is_gone

    under.lost()
    assert told == [1] * (1 + is_gone)


def test_of_the_request_only_what_the_server_asks_for_is_kept() -> None:
    under, protocol, _ = line()
    under.forget_request()

    assert (protocol.scope, protocol.headers, protocol.url) == ({"method": "GET"}, [], b"")
