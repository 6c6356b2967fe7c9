"""The servers that tests stand on do what the other tests take for granted."""

import psycopg2
import pytest
import redis

from dev.postgres import Postgres
from dev.valkey import Valkey
from tests import servers as test_servers
from tests.conditions import wait_until
from tests.servers import Servers


def test_each_test_has_a_database_of_its_own(servers: Servers) -> None:
    first, second = servers.create_database(), servers.create_database()
    test_servers.execute(first, "CREATE TABLE only_here (n int)")
    tables = test_servers.execute(second, "SELECT to_regclass('only_here')")
    servers.drop_database(first)
    servers.drop_database(second)
    assert tables == [(None,)]


def test_a_database_knows_letters_beyond_ascii(database_url: str) -> None:
    assert test_servers.execute(database_url, "SELECT lower('ÄÉЖ')") == [("äéж",)]


def test_a_redis_database_starts_empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.keys() == [test_servers._OWNER_KEY.encode()]


def test_a_killed_redis_comes_back_with_its_data(own_redis: Valkey) -> None:
    with redis.Redis.from_url(own_redis.url) as client:
        client.set("kept", "yes")
        wait_until(
            lambda: client.info("persistence")["aof_pending_bio_fsync"] == 0,
            description="the append-only file is written",
        )
    test_servers.kill(own_redis)
    test_servers.start_again(own_redis)
    with redis.Redis.from_url(own_redis.url) as client:
        assert client.get("kept") == b"yes"


def test_a_frozen_redis_keeps_its_connections_and_says_nothing(own_redis: Valkey) -> None:
    with redis.Redis.from_url(own_redis.url, socket_timeout=0.3, retry=None) as client:
        client.ping()
        test_servers.freeze(own_redis)
        with pytest.raises(redis.TimeoutError):
            client.ping()
        test_servers.resume(own_redis)
        assert client.ping()


def test_a_killed_postgres_recovers_despite_its_stale_pid_file(own_postgres: Postgres) -> None:
    test_servers.execute(own_postgres.url, "CREATE TABLE kept AS SELECT 1 AS n")
    test_servers.kill(own_postgres)
    assert (own_postgres.data / "postmaster.pid").exists()
    test_servers.start_again(own_postgres)
    assert test_servers.execute(own_postgres.url, "SELECT n FROM kept") == [(1,)]


def test_postgres_lets_nobody_in_without_its_password(own_postgres: Postgres) -> None:
    password = own_postgres.url.split(":")[2].split("@")[0]
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(own_postgres.url.replace(password, "wrong"))
