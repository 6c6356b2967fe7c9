"""Store a session's secrets, encrypted; nobody is shown them again."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from common.storage import session_storage


def set_secrets(deps: Deps, caller: Caller, session_id: UUID, secrets: Mapping[str, str]) -> int:
    """Store them, replacing those of the same names; how many.

    Raises:
        NotFound: there is no such session.
        EncryptionMissing: no master key is configured.
        Conflict: the session would keep too many.
    """
    with deps.database.transaction() as tx:
        session_storage.lock(tx, caller.organization_id, session_id)
        session_storage.set_secrets(tx, deps.secrets, caller.organization_id, session_id, secrets)
    return len(secrets)
