"""Reading a request: which cursor counts, how filters are spelled, who the caller is."""

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.streaming.request import StreamRequest, parse_request
from api.streaming.start import StartMode
from common.domain.cursor import LogCursor, event_id
from common.domain.errors import DomainError
from common.domain.ids import DEFAULT_ORGANIZATION
from tests.unit.streaming.simulated import SESSION

OWN = event_id(SESSION, 7, 1_700_000_000_000)


def parse(
    headers: dict[str, str] | None = None, peer: str = "10.0.0.1", **query: Any
) -> StreamRequest:
    scope = {
        "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
        "query_string": urlencode(query, doseq=True).encode(),
        "client": (peer, 1234),
    }
    return _parsed(scope)


def _parsed(scope: dict[str, Any]) -> StreamRequest:
    return parse_request(
        scope, SESSION.hex, organization_id=DEFAULT_ORGANIZATION, default_start=StartMode.TURN
    )


def test_without_anything_the_defaults_hold() -> None:
    request = parse()
    assert request.session_id == SESSION
    assert request.organization_id == DEFAULT_ORGANIZATION
    assert request.cursor is None
    assert request.start is StartMode.AUTO
    assert request.with_accumulated
    assert request.types.admits("anything.at.all")


def test_which_cursor_counts() -> None:
    assert parse(since_id=OWN).cursor == LogCursor(7)
    assert parse(after_sequence="0").cursor == LogCursor(0)
    assert parse({"Last-Event-ID": OWN}).cursor == LogCursor(7)
    assert parse({"Last-Event-ID": OWN}, after_sequence="3").cursor == LogCursor(3)
    assert parse({"Last-Event-ID": "x"}).cursor is None
    assert parse(since_id="", after_sequence="").cursor is None


def test_filters_are_repeated_or_listed_or_families() -> None:
    types = parse(types=["turn.*, session.idled", "input.message"], exclude="turn.failed").types
    admitted = ["turn.started", "session.idled", "input.message"]
    assert [kind for kind in admitted if types.admits(kind)] == admitted
    assert not types.admits("turn.failed")
    assert not types.admits("reason.started")


def test_twenty_five_filters_are_allowed() -> None:
    parse(types=["turn.started"] * 25)
    with pytest.raises(DomainError):
        parse(types=["turn.started"] * 26)


@pytest.mark.parametrize(
    "other",
    [
        parse({"Authorization": "Bearer b"}),
        parse({"User-Agent": "curl"}),
        parse({"X-Forwarded-For": "1.2.3.4"}),
        parse(peer="10.0.0.2"),
    ],
)
def test_callers_differ_by_credential_address_and_agent(other: StreamRequest) -> None:
    assert other.caller != parse().caller


def test_a_caller_behind_a_proxy_is_known_by_the_address_forwarded_first() -> None:
    one = parse({"X-Forwarded-For": "1.2.3.4, 10.0.0.9"}, peer="10.0.0.1")
    other = parse({"X-Forwarded-For": "1.2.3.4"}, peer="10.0.0.2")
    assert one.caller == other.caller


@given(
    st.dictionaries(
        st.sampled_from(
            ["since_id", "after_sequence", "types", "exclude", "start", "accumulated", "other"]
        ),
        st.text(max_size=40),
    ),
    st.binary(max_size=60),
)
def test_whatever_comes_is_read_or_refused(query: dict[str, str], raw: bytes) -> None:
    encoded = urlencode({k: v.encode(errors="replace") for k, v in query.items()}).encode()
    headers = [(b"x-org-id", raw), (b"last-event-id", raw), (b"authorization", raw)]
    for query_string in (encoded, raw):
        scope = {"headers": headers, "query_string": query_string, "client": None}
        with suppress(DomainError):
            _parsed(scope)
