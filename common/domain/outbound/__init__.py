"""Where requests on behalf of a tenant may go: addresses, host names, URLs.  Pure.

What is decided here is enforced when a connection is made, not when a URL is read: see
`worker.capabilities.outbound`.
"""

from __future__ import annotations

from common.domain.outbound.address import is_metadata, refusal_of_address
from common.domain.outbound.policy import (
    HostRules,
    OutboundPolicy,
    OutboundRefused,
    PrivateTargets,
)
from common.domain.outbound.target import Target, read_target

__all__ = [
    "HostRules",
    "OutboundPolicy",
    "OutboundRefused",
    "PrivateTargets",
    "Target",
    "is_metadata",
    "read_target",
    "refusal_of_address",
]
