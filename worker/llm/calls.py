"""One streamed call, whatever the wire format: opened, read, stopped, its failure told.

A driver brings how to open the stream and how to read it.  What all have in common is
here: a stop or a closed generator ends the HTTP call, and nothing but `LLMFailure`
gets out.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any, Protocol, TypeVar

from worker.llm.client_cache import ClientCache
from worker.llm.driver import Endpoint, LLMFailure, Stop, Streamed
from worker.llm.failures import failure_from

_C = TypeVar("_C", bound="_Client")


class _Client(Protocol):
    def close(self) -> None: ...


class EventStream(Protocol):
    """What an SDK gives for a streamed answer; closing it ends the HTTP call."""

    def __iter__(self) -> Iterator[Any]: ...

    def close(self) -> None: ...


def stream_call(
    *,
    endpoint: Endpoint,
    clients: ClientCache[_C],
    open_stream: Callable[[_C], EventStream],
    read: Callable[[Iterator[Any]], Iterator[Streamed]],
    stop: Stop,
) -> Generator[Streamed, None, None]:
    """Yield what `read` makes of the provider's events; just end when stopped.

    Raises:
        LLMFailure: no answer, or none to the end.
    """
    failure: LLMFailure
    has_begun = False
    try:
        with clients.lent(endpoint) as client:
            from worker.llm.stoppable import watching

            with watching(stop):
                events = open_stream(client)
            has_begun = True
            with closing(events):
                for item in read(_watched(iter(events), stop)):
                    if stop.is_set():
                        return
                    yield item
            return
    except Exception as error:  # noqa: BLE001 - whatever the SDKs let through of what is below
        if stop.is_set():
            return
        failure = failure_from(error, endpoint, has_begun=has_begun)
    # Outside of the handler: the SDK's exception holds the response, so it is not chained.
    failure.__context__ = None
    raise failure


def _watched(events: Iterator[Any], stop: Stop) -> Iterator[Any]:
    from worker.llm.stoppable import watching

    while not stop.is_set():
        with watching(stop):
            try:
                event = next(events)
            except StopIteration:
                return
        yield event
