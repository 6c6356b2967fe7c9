"""Alembic migrations: forward only, safe while the previous release is running."""
