"""Services for capabilities that are looked at and not run: nothing here connects."""

from collections.abc import Callable
from datetime import UTC, datetime

from common.encryption import MasterKey, SecretBox
from common.settings import Settings
from common.storage.engine import Database
from worker.capabilities.services import Services

_URLS = {"DATABASE_URL": "postgresql://127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}


def unconnected_services(
    now: Callable[[], datetime] = lambda: datetime(2026, 3, 1, tzinfo=UTC),
) -> Services:
    """Services whose database is never reached."""
    settings = Settings.from_env(_URLS)
    return Services(
        now=now,
        settings=settings,
        database=Database(settings.database_url, pool_size=1, application="everturn-tests"),
        secrets=SecretBox(MasterKey("test", bytes(32))),
    )
