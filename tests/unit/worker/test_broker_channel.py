"""What our channel keeps of Kombu's, and what of it is kept in Redis."""

from typing import Any

from redis import ConnectionPool

from worker.broker_messages import Channel


def channel() -> Any:
    """One that is connected to nothing."""
    made: Any = Channel.__new__(Channel)
    made.Client = made._get_client()
    made._pool = ConnectionPool()
    return made


def test_a_client_is_made_once_and_anew_for_another_pool() -> None:
    made = channel()
    first = made._create_client()

    assert made._create_client() is first
    made._pool = ConnectionPool()
    second = made._create_client()
    assert second is not first
    assert second.connection_pool is made._pool
