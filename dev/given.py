"""Look at servers that the caller named, before anything is started that would need them."""

import contextlib
from urllib.parse import urlsplit

import psycopg2

from dev import valkey
from dev.services import ServiceFailed


def check_database(url: str) -> None:
    """Raise a sentence when DATABASE_URL leads nowhere."""
    scheme, separator, rest = url.partition("://")
    plain = f"{scheme.partition('+')[0]}{separator}{rest}"  # without SQLAlchemy's driver name
    try:
        with contextlib.closing(psycopg2.connect(plain, connect_timeout=5)):
            return
    except psycopg2.Error as error:
        reason = " ".join(str(error).split())
        raise ServiceFailed(f"DATABASE_URL is set, but: {reason}") from error


def check_redis(url: str) -> None:
    """Raise a sentence when REDIS_URL leads nowhere."""
    try:
        is_there = valkey.answers(url)
    except ValueError as error:
        raise ServiceFailed(f"REDIS_URL is not a Redis URL: {error}") from error
    if not is_there:
        where = urlsplit(url).hostname
        raise ServiceFailed(f"REDIS_URL is set, but nothing at {where} answers a ping")
