"""Bring a database to the schema of this release (forward only)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config


def upgrade(database_url: str, *, revision: str = "head") -> None:
    """Run the migrations that are missing; safe to call from several processes at once."""
    config = Config()
    config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["database_url"] = database_url
    command.upgrade(config, revision)


def _migrations() -> Path:
    return Path(__file__).resolve().parent.parent / "migrations"
