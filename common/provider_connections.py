"""Keeps requests to providers away from where a machine's own credentials are served.

A provider may be anywhere, in private networks too, but at no link-local or metadata address.  An
address that says so is refused when it is stored; where a name leads is known only once it is
connected to, and by then it may lead elsewhere than before.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final

from common.domain.outbound import is_metadata

_CONNECTED: Final = "connection.connect_tcp.complete"


class MetadataRefused(Exception):
    """The provider's name leads to a link-local or metadata address; nothing was sent there."""


def look(step: str, facts: Mapping[str, Any]) -> None:
    """What HTTPX is to call as a request's `trace`: looks at whom it was connected to.

    Raises:
        MetadataRefused: it may not be reached; the connection is closed.
    """
    if step != _CONNECTED:
        return
    connection = facts["return_value"]
    host: str = connection.get_extra_info("server_addr")[0]
    if is_metadata(ip_address(host.partition("%")[0])):
        connection.close()
        raise MetadataRefused
