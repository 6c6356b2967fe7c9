"""Run migrations: one at a time across all starters, and never waiting long on a lock."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool, text

from common.settings import Settings
from common.storage.engine import driver_url
from common.storage.schema import metadata

_ADVISORY_LOCK = 0x65766572
_LOCK_TIMEOUT_MS = 4_000
_STATEMENT_TIMEOUT_MS = 120_000


def _database_url() -> str:
    given = context.config.attributes.get("database_url")
    return given if isinstance(given, str) else Settings.from_env().database_url


def run() -> None:
    """Bring the database to head, in one transaction a migration."""
    engine = create_engine(driver_url(_database_url()), poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_lock({_ADVISORY_LOCK})"))
        connection.execute(text(f"SET lock_timeout = {_LOCK_TIMEOUT_MS}"))
        connection.execute(text(f"SET statement_timeout = {_STATEMENT_TIMEOUT_MS}"))
        connection.commit()
        try:
            context.configure(
                connection=connection, target_metadata=metadata, transaction_per_migration=True
            )
            with context.begin_transaction():
                context.run_migrations()
        finally:
            connection.rollback()
            connection.execute(text(f"SELECT pg_advisory_unlock({_ADVISORY_LOCK})"))
            connection.commit()
    engine.dispose()


run()
