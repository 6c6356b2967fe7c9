"""PostgreSQL and Redis behind TLS and passwords, and the addresses to reach them by."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import redis

from dev.services import remove, start_and_wait, throw_away_directory, throw_away_valkey
from dev.valkey import Valkey
from tests.fakes.tls import Authority, TlsFront, make_authority, tls_front

# With signs that an address has to encode.
REDIS_PASSWORD = "planted:redis/4711"  # noqa: S105 - made up


@dataclass(frozen=True)
class Guarded:
    """A server behind TLS: how it is reached by who knows its authority."""

    front: TlsFront
    address: str
    known_by: str

    @property
    def url(self) -> str:
        return f"{self.address}{self.known_by}"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that signed nothing of ours."""
    return make_authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def locked_valkey() -> Iterator[Valkey]:
    directory = throw_away_directory(None)
    server = throw_away_valkey(directory)
    start_and_wait(server, log=directory / "log")
    with redis.Redis.from_url(server.url) as client:
        client.config_set("requirepass", REDIS_PASSWORD)
    yield server
    server.stop()
    remove(directory)


@pytest.fixture(scope="module")
def guarded_redis(authority: Authority, locked_valkey: Valkey) -> Iterator[Guarded]:
    with tls_front(authority, locked_valkey.port) as front:
        password = quote(REDIS_PASSWORD, safe="")
        address = f"rediss://:{password}@localhost:{front.port}/0"
        yield Guarded(front, address, f"?ssl_ca_certs={authority.certificate}")


@pytest.fixture
def guarded_postgres(authority: Authority, database_url: str) -> Iterator[Guarded]:
    parts = urlsplit(database_url)
    assert parts.port is not None
    with tls_front(authority, parts.port, is_postgres=True) as front:
        address = (
            f"postgresql://{parts.username}:{parts.password}@localhost:{front.port}{parts.path}"
        )
        yield Guarded(front, address, known(authority.certificate))


def known(certificate: Path) -> str:
    """The query by which libpq demands a certificate of this authority."""
    return f"?sslmode=verify-full&sslrootcert={certificate}"
