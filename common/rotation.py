"""Encrypt stored secrets anew under the current master key; `everturn rotate-secrets` runs it.

May be stopped and run again at any time, also beside a running system: each secret is replaced
by itself, and only if it is still the one that was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from common.encryption import CannotDecrypt, EncryptionUnavailable, SecretBox
from common.storage import audit_log, secrets_at_rest
from common.storage.engine import Database
from common.storage.secrets_at_rest import SECRET_COLUMNS, SecretColumn, StoredSecret

_SLICE: Final = 200


@dataclass(slots=True)
class Rotation:
    """What became of the secrets of one column.

    Attributes:
        rotated: encrypted anew.
        current: were under the current key already, and open.
        unreadable: keys of the rows whose secret does not open; it stays as it is.
    """

    place: str
    rotated: int = 0
    current: int = 0
    unreadable: list[str] = field(default_factory=list)


def rotate(database: Database, secrets: SecretBox) -> list[Rotation]:
    """Encrypt anew what is not under the current key, and see that all the rest opens.

    Raises:
        EncryptionUnavailable: no master key is configured.
    """
    if not secrets.is_available:
        raise EncryptionUnavailable
    with database.transaction() as tx:
        audit_log.append_of_cli(tx, "rotate_secrets")
    return [_rotate_column(database, secrets, place) for place in SECRET_COLUMNS]


def _rotate_column(database: Database, secrets: SecretBox, place: SecretColumn) -> Rotation:
    result = Rotation(f"{place.table}.{place.column}")
    after: Mapping[str, str] | None = None
    while True:
        with database.reading() as tx:
            found = secrets_at_rest.read_slice(tx, place, after, limit=_SLICE)
        for secret in found:
            _rotate_one(database, secrets, place, secret, result)
        if len(found) < _SLICE:
            return result
        after = found[-1].key


def _rotate_one(
    database: Database,
    secrets: SecretBox,
    place: SecretColumn,
    secret: StoredSecret,
    result: Rotation,
) -> None:
    purpose = place.purpose_of(secret.key)
    try:
        opened = secrets.decrypt(secret.envelope, purpose=purpose)
    except CannotDecrypt:
        result.unreadable.append("/".join(secret.key.values()))
        return
    if not secrets.is_stale(secret.envelope):
        result.current += 1
        return
    envelope = secrets.encrypt(opened, purpose=purpose)
    with database.transaction() as tx:
        is_replaced = secrets_at_rest.replace(tx, place, secret, envelope)
    # Replaced or removed by somebody meanwhile, who wrote it under the current key.
    result.rotated += is_replaced
    result.current += not is_replaced
