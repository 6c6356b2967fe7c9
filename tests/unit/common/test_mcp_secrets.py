import logging
from uuid import UUID

from common import logs
from common.domain.mcp_server import headers_purpose, key_purpose
from common.storage.secrets_at_rest import SECRET_COLUMNS

_ID = UUID(int=7)


def test_rotation_knows_the_secrets_of_mcp_servers() -> None:
    purposes = {
        place.column: place.purpose_of({"id": str(_ID)})
        for place in SECRET_COLUMNS
        if place.table == "mcp_servers"
    }
    assert purposes == {"headers": headers_purpose(_ID), "api_key": key_purpose(_ID)}


def test_libraries_that_log_addresses_are_silent() -> None:
    """`httpx2` logs each URL and `mcp` what a server sent, which are content (I10)."""
    names = ("httpx2", "mcp", "mcp.client.streamable_http")
    before = {name: logging.getLogger(name).level for name in names}
    try:
        logs.silence_libraries()
        for name in names:
            assert not logging.getLogger(name).isEnabledFor(logging.CRITICAL), name
    finally:
        for name, was in before.items():
            logging.getLogger(name).setLevel(was)
