"""One request and its redirects, each hop guarded anew, within time and size."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final

import httpx2

from common.domain.outbound import OutboundRefused, Target, read_target
from worker.capabilities.outbound.guard import Guard
from worker.capabilities.outbound.resolver import CannotResolve
from worker.capabilities.outbound.transports import GuardedTransport
from worker.capabilities.web_fetch.decoding import CannotDecode, decoded

FIRST_BYTE_SECONDS: Final = 5.0
BODY_SECONDS: Final = 30.0
READ_BYTES: Final = 1024 * 1024
REDIRECTS: Final = 5

_HEADERS: Final = {
    "User-Agent": "everturn",
    "Accept": "text/html,application/xhtml+xml,application/json,text/*;q=0.9,*/*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
}
_TO_GET: Final = (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER)
_REPEATED: Final = (HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT)


class FetchFailed(Exception):
    """There is no answer to show; the message is a sentence for the model."""


class Stopped(Exception):
    """The turn was cancelled meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What is asked."""

    target: Target
    method: str
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came, its body still to be read: `read` gives it and why it is cut, or None."""

    url: str
    status: int
    headers: httpx2.Headers
    read: Callable[[], tuple[bytes, str | None]]


class Pace:
    """How long what is under way may still take; looked at by every wait."""

    def __init__(
        self, is_stopped: Callable[[], bool], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._is_stopped = is_stopped
        self._monotonic = monotonic
        self._end = monotonic() + BODY_SECONDS
        self._until = self._end

    def expect_first_byte(self) -> None:
        """Begin a hop: look-up, connection and headers."""
        self._until = min(self._monotonic() + FIRST_BYTE_SECONDS, self._end)

    def expect_body(self) -> None:
        """The headers are in."""
        self._until = self._end

    def left(self) -> float:
        """Seconds, 0 or less when they are over.

        Raises:
            Stopped: the turn was.
        """
        if self._is_stopped():
            raise Stopped
        return self._until - self._monotonic()


@contextmanager
def answered(asked: Outgoing, guard: Guard, pace: Pace) -> Iterator[Answer]:
    """The answer behind all redirects.

    Raises:
        FetchFailed: nothing came, or it may not be fetched.
        Stopped: the turn was.
    """
    transport = GuardedTransport(guard, time_left=pace.left)
    with httpx2.Client(transport=transport, trust_env=False, timeout=None) as client:
        response = _follow(client, asked, pace)
        try:
            yield Answer(
                str(response.url), response.status_code, response.headers, _reader(response, pace)
            )
        finally:
            response.close()


def _follow(client: httpx2.Client, asked: Outgoing, pace: Pace) -> httpx2.Response:
    for _ in range(REDIRECTS + 1):
        response = _send(client, asked, pace)
        location = response.headers.get("Location")
        if response.status_code not in (*_TO_GET, *_REPEATED) or not location:
            return response
        response.close()
        asked = _redirected(asked, response.status_code, location)
    raise FetchFailed(f"The address redirects more than {REDIRECTS} times.")


def _send(client: httpx2.Client, asked: Outgoing, pace: Pace) -> httpx2.Response:
    pace.expect_first_byte()
    request = client.build_request(
        asked.method,
        asked.target.url,
        content=asked.content,
        headers={**_HEADERS, **asked.headers},
    )
    host = asked.target.host
    if request.url.raw_host.decode("ascii").strip("[]") != host:
        raise FetchFailed("The address cannot be fetched: its host is ambiguous.")
    try:
        response = client.send(request, stream=True, follow_redirects=False)
    except OutboundRefused as refused:
        raise FetchFailed(f"{host} cannot be fetched: {refused.reason}.") from None
    except CannotResolve as unknown:
        raise FetchFailed(f"{host} cannot be fetched: {unknown}.") from None
    except httpx2.TimeoutException:
        raise FetchFailed(
            f"{host} did not begin to answer within {FIRST_BYTE_SECONDS:g} s."
        ) from None
    except httpx2.ConnectError:
        raise FetchFailed(f"{host} cannot be connected to.") from None
    # The library reads where a redirect leads, wanted or not, and some places are none.
    except (httpx2.HTTPError, ValueError):
        raise FetchFailed(f"{host} did not answer in HTTP.") from None
    pace.expect_body()
    return response


def _redirected(asked: Outgoing, status: int, location: str) -> Outgoing:
    try:
        target = read_target(str(httpx2.URL(asked.target.url).join(location)))
    except OutboundRefused as refused:
        raise FetchFailed(f"The address redirects: {refused.reason}.") from None
    except httpx2.InvalidURL:
        raise FetchFailed("The address redirects to no valid URL.") from None
    if asked.content is None and not asked.headers:
        return replace(asked, target=target)
    if status in _TO_GET:
        return Outgoing(target=target, method="GET")
    if target.origin != asked.target.origin:
        raise FetchFailed("The address redirects to another host, which is not sent the body.")
    return replace(asked, target=target)


def _reader(response: httpx2.Response, pace: Pace) -> Callable[[], tuple[bytes, str | None]]:
    def read() -> tuple[bytes, str | None]:
        pieces: list[bytes] = []
        size = 0
        encoding = response.headers.get("Content-Encoding", "")
        try:
            for piece in decoded(response.iter_raw(), encoding):
                pieces.append(piece)
                size += len(piece)
                if size >= READ_BYTES:
                    return b"".join(pieces)[:READ_BYTES], f"only the first {READ_BYTES} bytes"
                if pace.left() <= 0:
                    raise httpx2.ReadTimeout("slow")
        except httpx2.TimeoutException:
            return b"".join(pieces), f"what came within {BODY_SECONDS:g} s"
        except (httpx2.HTTPError, httpx2.StreamError):
            return b"".join(pieces), "what came before the connection broke"
        except CannotDecode as broken:
            if not pieces:
                raise FetchFailed(f"The content cannot be read: {broken}.") from None
            return b"".join(pieces), "what could be read"
        return b"".join(pieces), None

    return read
