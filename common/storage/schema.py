"""Every table there is: what migrations are compared with."""

from __future__ import annotations

from common.storage import (
    access_tables,
    audit_tables,
    identity_tables,
    image_tables,
    mcp_tables,
    operation_tables,
    provider_tables,
    tables,
    version_tables,
    webhook_tables,
    workspace_tables,
)
from common.storage.columns import metadata

__all__ = [
    "access_tables",
    "audit_tables",
    "identity_tables",
    "image_tables",
    "mcp_tables",
    "metadata",
    "operation_tables",
    "provider_tables",
    "tables",
    "version_tables",
    "webhook_tables",
    "workspace_tables",
]
