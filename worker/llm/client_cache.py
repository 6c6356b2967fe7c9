"""Keeps one client for each endpoint: a new connection, its TLS handshake above all, costs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

import orjson

from worker.llm.driver import Endpoint

_MOST_CLIENTS: Final = 64


class _Closeable(Protocol):
    def close(self) -> None: ...


_C = TypeVar("_C", bound=_Closeable)


@dataclass(slots=True)
class _Kept(Generic[_C]):
    client: _C
    borrowers: int = 0
    is_dropped: bool = False


class ClientCache(Generic[_C]):
    """At most so many clients, the least recently used dropped first; thread-safe.

    A dropped client is closed when the last call that uses it is over.
    """

    def __init__(self, make: Callable[[Endpoint], _C], *, most: int = _MOST_CLIENTS) -> None:
        self._make = make
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], _Kept[_C]] = OrderedDict()

    @contextmanager
    def lent(self, endpoint: Endpoint) -> Iterator[_C]:
        """The endpoint's client for one call.

        Raises:
            LLMFailure: the endpoint is not one that a client can be made for.
        """
        kept = self._take(endpoint)
        try:
            yield kept.client
        finally:
            self._give_back(kept)

    def close(self) -> None:
        """Drop all clients."""
        with self._lock:
            self._drop_beyond(0)

    def _take(self, endpoint: Endpoint) -> _Kept[_C]:
        key = _key(endpoint)
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                # Under the lock: threads that come meanwhile want the same client.
                kept = self._kept[key] = _Kept(self._make(endpoint))
            self._kept.move_to_end(key)
            kept.borrowers += 1
            self._drop_beyond(self._most)
            return kept

    def _drop_beyond(self, most: int) -> None:
        while len(self._kept) > most:
            _, oldest = self._kept.popitem(last=False)
            oldest.is_dropped = True
            if not oldest.borrowers:
                oldest.client.close()

    def _give_back(self, kept: _Kept[_C]) -> None:
        with self._lock:
            kept.borrowers -= 1
            if kept.is_dropped and not kept.borrowers:
                kept.client.close()


def _key(endpoint: Endpoint) -> tuple[object, ...]:
    settings = orjson.dumps(dict(endpoint.settings), option=orjson.OPT_SORT_KEYS, default=repr)
    return endpoint.provider_type, endpoint.base_url, endpoint.api_key, settings
