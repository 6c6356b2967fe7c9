"""Time and time-based ids: the only places outside PostgreSQL that make them.

Order within a session never comes from here; it comes from the log (I2).
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

# Clock skew between hosts, for tests (design 8); read once, as a real skew would be.
_OFFSET_SECONDS: Final = float(os.environ.get("CLOCK_OFFSET_SECONDS", "0"))


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return uuid7()


def now() -> datetime:
    """This host's idea of the time, aware UTC."""
    return datetime.fromtimestamp(time.time() + _OFFSET_SECONDS, tz=UTC)


def now_milliseconds() -> int:
    """This host's idea of the time, in whole milliseconds since the epoch."""
    return int((time.time() + _OFFSET_SECONDS) * 1000)
