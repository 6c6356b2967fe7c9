"""What a session keeps by name beside its log, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

SESSION_VALUES: Final = 1000
SESSION_SECRETS: Final = 200
KEY_CHARACTERS: Final = 256
VALUE_BYTES: Final = 64 * 1024
NAME_FORM: Final = "[A-Za-z_][A-Za-z0-9_]{0,127}"


@dataclass(frozen=True, slots=True)
class StoredValue:
    """A value under its key."""

    key: str
    value: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SecretName:
    """That there is a secret; what it is stays in the storage."""

    name: str
    created_at: datetime
    updated_at: datetime
