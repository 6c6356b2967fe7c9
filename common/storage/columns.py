"""The columns that tables are made of, and the one register of all tables."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, DateTime, ForeignKey, MetaData, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

metadata = MetaData()

_NOW = text("now()")


def id_column() -> Column[Any]:
    """The primary key; ids are made before the transaction."""
    return Column("id", UUID(as_uuid=True), primary_key=True)


def uuid_column(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, UUID(as_uuid=True), nullable=nullable)


def ref_column(name: str, target: str, *, nullable: bool = False) -> Column[Any]:
    """A foreign key to `target`, written `table.column`."""
    return Column(name, UUID(as_uuid=True), ForeignKey(target), nullable=nullable)


def text_column(name: str, default: str | None = None, *, nullable: bool = False) -> Column[Any]:
    """A text with a server default, or none."""
    shown = None if default is None else text(f"'{default}'")
    return Column(name, Text, nullable=nullable, server_default=shown)


def json_column(name: str, default: str) -> Column[Any]:
    """JSONB that is never null; `default` is JSON text."""
    return Column(name, JSONB, nullable=False, server_default=text(f"'{default}'::jsonb"))


def time_column(name: str, *, nullable: bool = True) -> Column[Any]:
    """A time; one that is not nullable is now unless given."""
    default = None if nullable else _NOW
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=default)
