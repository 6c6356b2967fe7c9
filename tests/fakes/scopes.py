"""Scopes for capabilities that are composed and not run."""

from uuid import UUID

from worker.capabilities.capability import Scope


def scope_for(capability_id: str) -> Scope:
    """The scope of a capability in a session that is nowhere."""
    return Scope(
        organization_id=UUID(int=1),
        session_id=UUID(int=2),
        workspace_id=UUID(int=2),
        capability_id=capability_id,
    )
