"""What capabilities are built with, once a process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.encryption import SecretBox
from common.event_codec import LoggedEvent
from common.settings import Settings
from common.storage.engine import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that reaches outside; `now` returns an aware time.

    Attributes:
        publish: tells a session's subscribers of committed events; never raises.
    """

    now: Callable[[], datetime]
    settings: Settings
    database: Database
    secrets: SecretBox
    publish: Callable[[UUID, Sequence[LoggedEvent]], None] = lambda _session, _events: None
