"""What comes from the broker, which others may write to: our wake-ups, or it is dropped.

Kombu takes every item of a queue for a message of Celery's; one that is none ends the process,
with all its turns, and so does the next after a restart.  And it unpacks what says that it is
compressed, to whatever size.
"""

from __future__ import annotations

import json
from typing import Any

import structlog
from kombu.transport import redis as broker
from kombu.transport import virtual

_log = structlog.get_logger()


class NotOurs(ValueError):
    """An item of a queue is no message that any process of ours sends."""


class Deliveries(virtual.QoS):
    """Which messages were delivered and are not acknowledged yet: known here and nowhere else.

    Kombu's own account is in Redis as well, and writing it there twice a message costs a worker
    as much as running the turn.  What a worker takes with it when it dies is a wake-up, and the
    rows know who needs one; one that ends in order gives back what it has not begun.
    """

    @property
    def _is_lost(self) -> bool:
        # What came on a connection that is gone can be given back nowhere; kombu tries, and
        # that ends the process with all its turns.
        connection = self.channel.connection
        return connection is None or connection.client is None

    def restore_unacked(self) -> Any:
        if not self._is_lost:
            return super().restore_unacked()
        if self._delivered is not None:
            self._delivered.clear()
        return []

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - as kombu's
        super().reject(delivery_tag, requeue and not self._is_lost)


class Message(virtual.Message):
    """A message, if it has the form of one, in plain JSON."""

    def __init__(self, payload: Any, channel: Any = None, **more: Any) -> None:
        if not _has_our_form(payload):
            raise NotOurs
        super().__init__(payload, channel=channel, **more)


class Channel(broker.Channel):
    """Goes on with the next item after one that is no message.

    And keeps the client that Kombu makes anew for each acknowledgement and each event, which
    is much of what a task costs: a client is its pool and a table of how answers are read.
    """

    Message = Message
    _kept: Any = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.QoS = Deliveries  # type: ignore[assignment]  # the one that goes without Redis

    def _create_client(self, asynchronous: bool = False) -> Any:  # noqa: FBT001, FBT002 - as kombu's
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]  # as above
        pool: Any = self._pool  # type: ignore[attr-defined]  # not in its stubs
        if self._kept is None or self._kept.connection_pool is not pool:
            self._kept = super()._create_client()  # type: ignore[misc]  # as above
        return self._kept

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]  # not in its stubs
        except (NotOurs, json.JSONDecodeError, UnicodeDecodeError, RecursionError) as wrong:
            _log.warning("message_refused", error=type(wrong).__name__)
            return True

    def _receive(self) -> Any:
        try:
            return super()._receive()  # type: ignore[misc]  # not in its stubs
        except (NotOurs, json.JSONDecodeError, UnicodeDecodeError, RecursionError) as wrong:
            _log.warning("command_refused", error=type(wrong).__name__)
            return True


def take_over() -> None:
    """Have kombu use these; it finds its classes by name alone."""
    broker.Transport.Channel = Channel


def _has_our_form(payload: Any) -> bool:
    match payload:
        case {
            "body": str(),
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "headers": dict(headers),
            "properties": {
                "delivery_tag": str(),
                "delivery_info": {"exchange": str(), "routing_key": str()},
                "body_encoding": "base64",
            },
        }:
            return "compression" not in headers
        case _:
            return False
