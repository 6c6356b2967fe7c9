"""Says at the start when row security binds nobody: there is one wall between tenants, not two."""

from __future__ import annotations

import threading

import structlog

from common.settings import Settings
from common.storage import row_security
from common.storage.engine import Database, DatabaseError

_log = structlog.get_logger()


def look(settings: Settings, database: Database) -> threading.Thread | None:
    """Look once, beside the start: a database that is away holds nothing up.

    With AUTH_MODE=none everybody is in every organization anyway.
    """
    if settings.auth_mode == "none":
        return None
    thread = threading.Thread(target=_look, args=(database,), name="second wall", daemon=True)
    thread.start()
    return thread


def _look(database: Database) -> None:
    try:
        with database.reading() as tx:
            is_bound = row_security.binds(tx)
    except DatabaseError:
        return  # `everturn doctor` says it too
    if not is_bound:
        _log.warning("row_security_off", why="the database's role is a superuser or bypasses it")
