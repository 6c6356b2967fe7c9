"""Webhooks: who is told of turns, in what words, how they know that it was us, how often we try.

The words and the signature are those of Standard Webhooks.  Pure.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

Json = dict[str, Any]

MOST_WEBHOOKS: Final = 20
DESCRIPTION_BYTES: Final = 1024
SECRET_BYTES: Final = 32
_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what secrets begin with

# Between one try and the next: half a day in all, so that a night's outage is outlived.
_DELAYS_SECONDS: Final = (5, 30, 120, 600, 1800, 7200, 14_400, 21_600)
MOST_ATTEMPTS: Final = len(_DELAYS_SECONDS) + 1
LONGEST_WISH_SECONDS: Final = 3600.0

# What an event's data tells a stranger: how it ended, never what was said.
_TOLD: Final = (
    "iterations",
    "duration_ms",
    "usage",
    "final_message_id",
    "llm_call_count",
    "tool_call_count",
    "error_code",
    "error_fields",
    "reason",
    "deadline",
)


class WebhookEvent(StrEnum):
    """What can be told of a turn: each way to end, and that it waits for somebody outside."""

    COMPLETED = "turn.completed"
    FAILED = "turn.failed"
    CANCELLED = "turn.cancelled"
    SEALED = "turn.sealed"
    WAITING = "turn.waiting"


class DeliveryStatus(StrEnum):
    """Where a delivery is: on its way, accepted, or given up."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Somebody's address that is told of an organization's turns.

    Attributes:
        secret: what signs, encrypted.
        gone_at: when its server said that it is not there any more; it is off since.
    """

    id: UUID
    organization_id: UUID
    url: str
    description: str | None
    events: tuple[WebhookEvent, ...]
    enabled: bool
    secret: Json
    created_at: datetime
    updated_at: datetime
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One thing told to one webhook.

    Attributes:
        attempts: how often it was sent since it was made, or sent again by hand.
        available_at: when it is sent next, while it is pending.
        last_status: what the server answered last; None when it did not.
        last_error: why that is no success, in a few words of ours.
    """

    id: UUID
    webhook_id: UUID
    event: WebhookEvent
    turn_id: UUID
    session_id: UUID
    status: DeliveryStatus
    attempts: int
    created_at: datetime
    available_at: datetime
    ended_at: datetime | None = None
    last_status: int | None = None
    last_error: str | None = None


def secret_purpose(webhook_id: UUID) -> str:
    """What the secret is encrypted as."""
    return f"webhook:{webhook_id}:secret"


def secret_text(raw: bytes) -> str:
    """A secret as its owner sees it, once."""
    return _SECRET_PREFIX + base64.b64encode(raw).decode()


def signature(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX))
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    digest = hmac.new(key, signed, sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def told_of(data: Mapping[str, Any]) -> Json:
    """What an event's data says that goes out: no text, no arguments, no results."""
    told = {name: data[name] for name in _TOLD if data.get(name) is not None}
    if "tool_calls" in data:
        told["tool_calls"] = [{"id": c["id"], "name": c["name"]} for c in data["tool_calls"]]
    return told


def delay_after(attempts: int) -> float | None:
    """Seconds to the next try after so many that failed; None when that was the last."""
    return None if attempts >= MOST_ATTEMPTS else float(_DELAYS_SECONDS[attempts - 1])
