"""Bring a database to the schema of this release (forward only)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine

from common.storage.engine import driver_url


def upgrade(database_url: str, *, revision: str = "head") -> None:
    """Run the migrations that are missing; safe to call from several processes at once."""
    config = Config()
    config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["database_url"] = database_url
    command.upgrade(config, revision)


def revisions(database_url: str) -> tuple[str | None, str | None]:
    """The revision that a database is at, and the one that this release wants.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    config = Config()
    config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    engine = create_engine(driver_url(database_url), poolclass=NullPool)
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory.from_config(config).get_current_head()


def _migrations() -> Path:
    return Path(__file__).resolve().parent.parent / "migrations"
