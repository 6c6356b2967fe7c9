"""Every client of ours reaches its server over TLS and believes only the right certificate."""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError as DatabaseUnreachable

from api.streaming.redis_link import RedisLink
from common.migrate import revisions, upgrade
from common.redis_client import Breaker, make_client
from common.settings import Settings
from common.storage.engine import Database
from common.turn_queue import celery_config
from tests.fakes.tls import Authority
from tests.integration.tls.conftest import Guarded, known

_SECONDS = 5.0


def _ping_by_client(url: str) -> None:
    with make_client(url, timeout_seconds=_SECONDS) as client:
        assert client.ping()


def _ping_by_link(url: str) -> None:
    async def ping() -> None:
        link = RedisLink(url, Breaker(), timeout_seconds=_SECONDS)
        try:
            assert await link.client.ping()
        finally:
            await link.close()

    asyncio.run(ping())


def _ping_by_celery(url: str) -> None:
    settings = Settings.from_env({"DATABASE_URL": "postgresql://db/x", "REDIS_URL": url})
    app = Celery("test", set_as_current=False)
    app.conf.update(celery_config(settings, socket_timeout_seconds=_SECONDS))
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)
        connection.default_channel.client.ping()  # type: ignore[attr-defined]  # of its Redis transport


_CLIENTS = pytest.mark.parametrize("ping", [_ping_by_client, _ping_by_link, _ping_by_celery])


@_CLIENTS
def test_redis_is_reached_over_tls(ping: Callable[[str], None], guarded_redis: Guarded) -> None:
    before = guarded_redis.front.served

    ping(guarded_redis.url)

    assert guarded_redis.front.served > before


@_CLIENTS
def test_redis_of_another_authority_is_not_believed(
    ping: Callable[[str], None], guarded_redis: Guarded, stranger: Authority
) -> None:
    """Also without a word of certificates in the address: then the machine's authorities count."""
    for known_by in ("", f"?ssl_ca_certs={stranger.certificate}"):
        with pytest.raises((RedisConnectionError, OperationalError)) as refused:
            ping(f"{guarded_redis.address}{known_by}")
        assert "CERTIFICATE_VERIFY_FAILED" in str(refused.value)
        assert "planted" not in str(refused.value)


@_CLIENTS
def test_redis_under_another_name_is_not_believed(
    ping: Callable[[str], None], guarded_redis: Guarded
) -> None:
    elsewhere = guarded_redis.url.replace("@localhost:", "@127.0.0.1:")

    with pytest.raises((RedisConnectionError, OperationalError)):
        ping(elsewhere)


def test_postgresql_is_reached_over_tls_alone(guarded_postgres: Guarded) -> None:
    database = Database(guarded_postgres.url, pool_size=1, application="test")
    with database.reading() as tx:
        assert tx.execute(text("SELECT 1")).scalar_one() == 1
    database.close()
    upgrade(guarded_postgres.url)
    current, wanted = revisions(guarded_postgres.url)

    assert current == wanted
    assert guarded_postgres.front.served >= 3


def test_postgresql_that_cannot_be_believed_is_not_talked_to(
    guarded_postgres: Guarded, stranger: Authority
) -> None:
    addresses = (
        f"{guarded_postgres.address}{known(stranger.certificate)}",
        f"{guarded_postgres.address}?sslmode=disable",
        guarded_postgres.url.replace("@localhost:", "@127.0.0.1:"),
    )
    served = guarded_postgres.front.served
    for address in addresses:
        database = Database(address, pool_size=1, application="test")
        with pytest.raises(DatabaseUnreachable) as refused:
            database.ping()
        database.close()
        assert str(urlsplit(guarded_postgres.url).password) not in str(refused.value)
    # The handshake was refused by us, before a password was sent.
    assert guarded_postgres.front.served <= served + 1
