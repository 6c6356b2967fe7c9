"""A server as a client sees it: requests that are refused, and requests that reach nobody.

A POST is repeated under its `Idempotency-Key` while the server is away, so that a message is
sent once however often it takes.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import httpx

Json = dict[str, Any]

# The server says something every 15 s, on a stream too.
IDLE_SECONDS: Final = 45.0
NOT_OURS: Final = "what answers there is not everturn"
_CONNECT_SECONDS: Final = 10.0
_TRIES: Final = 4
_FIRST_PAUSE_SECONDS: Final = 0.5
_PASSING: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class Refused(Exception):
    """The server answered that it will not; the text is its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def is_passing(self) -> bool:
        """Whether the same may be accepted a little later."""
        return self.status in _PASSING


class Unreachable(Exception):
    """Nobody answered, or somebody who is no everturn."""


class Server:
    """Calls below `/v1` of one server, in the name of one key."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str = "",
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self.pause = pause
        self.http = httpx.Client(
            base_url=f"{url.rstrip('/')}/v1",
            headers={"User-Agent": "everturn-cli", **headers},
            timeout=httpx.Timeout(IDLE_SECONDS, connect=_CONNECT_SECONDS),
            transport=transport,
        )

    def get(self, path: str, **query: str | int) -> Json:
        """Read something.

        Raises:
            Refused: it is not there, or not ours.
            Unreachable: nobody answered.
        """
        return self._call("GET", path, params=query)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """Change something, once.

        Raises:
            Refused: the server will not.
            Unreachable: nobody answered.
        """
        key = {"Idempotency-Key": secrets.token_hex(16)}
        return self._call("POST", path, json=dict(body or {}), headers=key)

    def close(self) -> None:
        """Close its connections."""
        self.http.close()

    def _call(self, method: str, path: str, **parts: Any) -> Json:
        for attempt in range(_TRIES):
            try:
                return checked(self.http.request(method, path, **parts))
            except Refused as refused:
                if not refused.is_passing or attempt == _TRIES - 1:
                    raise
            except httpx.TransportError as failure:
                if attempt == _TRIES - 1:
                    raise unreachable(failure) from failure
            self.pause(jittered(_FIRST_PAUSE_SECONDS * 2**attempt))
        raise AssertionError("unreachable: the last try returns or raises")


def checked(reply: httpx.Response) -> Json:
    """What a good answer holds.

    Raises:
        Refused: it is not a good one.
        Unreachable: it is no answer of ours.
    """
    if not reply.is_success:
        raise Refused(reply.status_code, words_of(reply))
    if not reply.content:
        return {}
    try:
        found = reply.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unreachable(NOT_OURS)
    return found


def unreachable(failure: httpx.TransportError) -> Unreachable:
    """The same, in words that name no address: it may hold a password."""
    return Unreachable(f"the server does not answer ({type(failure).__name__})")


def jittered(seconds: float) -> float:
    """Half of it to all of it, so that many clients do not come at once."""
    return seconds * (0.5 + random.random() / 2)  # noqa: S311 - no secret


def words_of(reply: httpx.Response) -> str:
    """Why it was refused, as the server says it."""
    try:
        body = reply.json()
        words = body["message"]
    except (ValueError, KeyError, TypeError):
        return f"{reply.status_code} {reply.reason_phrase}"
    return f"{words} ({reply.status_code})"
