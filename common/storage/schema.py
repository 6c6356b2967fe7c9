"""Every table there is: what migrations are compared with."""

from __future__ import annotations

from common.storage import tables
from common.storage.columns import metadata

__all__ = ["metadata", "tables"]
