"""Whom an application speaks for when it calls an agent: the `End-User` header."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

from common.domain.errors import BadRequest, FieldProblem

HEADER: Final = "End-User"
_MAX_CHARACTERS: Final = 256
_NAMESPACE: Final = UUID("8f4a86a0-3f0c-5b1e-9c55-2d2f6a0e7b11")


def end_user_principal(organization_id: UUID, principal_id: UUID, named: str | None) -> UUID:
    """Who owns what is made on behalf of an end user: the caller itself when none is named.

    The same for the same organization, caller and name, and no two of them share one.

    Raises:
        BadRequest: the name is blank, too long or not printable.
    """
    if named is None:
        return principal_id
    if not named.strip() or len(named) > _MAX_CHARACTERS or not named.isprintable():
        message = f"Must be 1 to {_MAX_CHARACTERS} printable characters"
        raise BadRequest(f"{HEADER}: {message}", problems=(FieldProblem(HEADER, message),))
    return uuid5(_NAMESPACE, f"{organization_id}/{principal_id}/{named}")
