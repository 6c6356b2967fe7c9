"""`Retry-After` (RFC 9110, 10.2.3), and the finer form that model providers have of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from common import clock

_MILLISECONDS: Final = 1000


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from now that a server wants us to wait, None when it does not say."""
    milliseconds = _seconds(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / _MILLISECONDS
    wish = headers.get("retry-after")
    seconds = _seconds(wish)
    if seconds is not None or wish is None:
        return seconds
    try:
        then = parsedate_to_datetime(wish)
        return max(0.0, then.timestamp() - clock.now().timestamp())
    except (ValueError, OverflowError):
        return None


def _seconds(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
