"""Something for the pictures to show: turns of all kinds, for a while."""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import suppress
from typing import Any, Final

import httpx

from tests.chaos.client import Client

_EVERY_SECONDS: Final = 0.4
_WATCH_SECONDS: Final = 25.0
_WEATHER: Final = {"name": "get_weather", "arguments": {"location": "Tokyo"}}
_KINDS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"response": {"type": "lorem", "target_tokens": 60}, "tokens_per_second": 30},
    {"tool_calls": {"type": "fixed", "tool_calls": [_WEATHER]}},
    {"first_token_delay_ms": 700},
    {"response": {"type": "lorem", "target_tokens": 400}, "tokens_per_second": 25},
    {"response": {"type": "error", "kind": "rate_limit", "fail_times": 1, "text": "At last."}},
    {"response": {"type": "error", "kind": "processing_error"}},
    {},
)


def talk(base_url: str, *, seconds: float) -> None:
    """Post a message every moment; each of some sessions is watched."""
    ends = time.monotonic() + seconds
    kinds = itertools.cycle(enumerate(_KINDS))
    with Client(base_url) as client:
        while time.monotonic() < ends:
            number, kind = next(kinds)
            with suppress(httpx.HTTPError):
                session = client.session(capabilities=["test_weather"])
                if number % 2:
                    threading.Thread(target=_watch, args=(base_url, session), daemon=True).start()
                client.post(session, "What is new?", **kind)
            time.sleep(_EVERY_SECONDS)


def _watch(base_url: str, session: str) -> None:
    ends = time.monotonic() + _WATCH_SECONDS
    with Client(base_url) as client, suppress(httpx.HTTPError), client.stream(session) as frames:
        for frame in frames:
            if frame.event == "session.idled" or time.monotonic() > ends:
                return
