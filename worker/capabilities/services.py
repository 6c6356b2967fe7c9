"""What capabilities are built with, once a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from common.encryption import SecretBox
from common.settings import Settings
from common.storage.engine import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that reaches outside; `now` returns an aware time."""

    now: Callable[[], datetime]
    settings: Settings
    database: Database
    secrets: SecretBox
