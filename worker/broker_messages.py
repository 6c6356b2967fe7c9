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


class Deliveries(broker.QoS):
    """Kombu's account of messages that were delivered and are not acknowledged yet.

    Kombu wants to acknowledge them, or to give them back, over the connection that they came
    on; when that is lost it fails in a way that ends the process with all its turns.  Nothing
    is lost by letting them be: a message is a wake-up, and the rows know who needs one.
    """

    @property
    def _is_lost(self) -> bool:
        connection = self.channel.connection
        return connection is None or connection.client is None

    def restore_unacked(self, client: Any = None) -> None:
        if not self._is_lost:
            super().restore_unacked(client)
        elif self._delivered is not None:
            self._delivered.clear()

    def ack(self, delivery_tag: str) -> None:
        if not self._is_lost:
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - as kombu's
        if not self._is_lost:
            super().reject(delivery_tag, requeue)


class Message(virtual.Message):
    """A message, if it has the form of one, in plain JSON."""

    def __init__(self, payload: Any, channel: Any = None, **more: Any) -> None:
        if not _has_our_form(payload):
            raise NotOurs
        super().__init__(payload, channel=channel, **more)


class Channel(broker.Channel):
    """Goes on with the next item after one that is no message."""

    QoS = Deliveries
    Message = Message

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
