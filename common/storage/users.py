"""Users: who they are, and what their password is known by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from common.domain.identity import Account, User
from common.storage.engine import Tx

_COLUMNS: Final = "id, email, name, is_operator, created_at, disabled_at"
_FIND: Final = text(f"SELECT {_COLUMNS} FROM users WHERE id = :id")
_FIND_ACCOUNT: Final = text(f"SELECT {_COLUMNS}, password_hash FROM users WHERE email = :email")
_GET_ACCOUNT: Final = text(f"SELECT {_COLUMNS}, password_hash FROM users WHERE id = :id")
_ALL: Final = text(f"SELECT {_COLUMNS} FROM users ORDER BY created_at, id")
_INSERT: Final = text(f"""
    INSERT INTO users (id, email, name, password_hash, is_operator)
    VALUES (:id, :email, :name, :password_hash, :is_operator)
    ON CONFLICT (email) DO NOTHING
    RETURNING {_COLUMNS}
""")
_RENAME: Final = text(f"""
    UPDATE users SET name = :name, updated_at = clock_timestamp() WHERE id = :id
    RETURNING {_COLUMNS}
""")
_SET_PASSWORD: Final = text("""
    UPDATE users SET password_hash = :wanted, updated_at = clock_timestamp()
    WHERE id = :id AND password_hash IS NOT DISTINCT FROM :before
    RETURNING id
""")
_SET_DISABLED: Final = text("""
    UPDATE users SET updated_at = clock_timestamp(),
        disabled_at = CASE WHEN :is_disabled THEN coalesce(disabled_at, clock_timestamp()) END
    WHERE id = :id
""")
_LOCK: Final = text("SELECT 1 FROM users WHERE id = :id FOR NO KEY UPDATE")
_DELETE: Final = text("DELETE FROM users WHERE id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """A user to keep; the address is in its one spelling."""

    id: UUID
    email: str
    name: str
    password_hash: str | None
    is_operator: bool = False


def find(tx: Tx, user_id: UUID) -> User | None:
    """The user; None when there is none of that id."""
    row = tx.execute(_FIND, {"id": user_id}).one_or_none()
    return None if row is None else user_of(row)


def find_account(tx: Tx, email: str) -> Account | None:
    """The account of an address in its one spelling; None when nobody has it."""
    return _account(tx.execute(_FIND_ACCOUNT, {"email": email}).one_or_none())


def get_account(tx: Tx, user_id: UUID) -> Account | None:
    """The account of a user."""
    return _account(tx.execute(_GET_ACCOUNT, {"id": user_id}).one_or_none())


def find_all(tx: Tx) -> list[User]:
    """Every user, oldest first."""
    return [user_of(row) for row in tx.execute(_ALL)]


def insert(tx: Tx, new: NewUser) -> User | None:
    """Keep a user; None when the address is another's."""
    row = tx.execute(
        _INSERT,
        {
            "id": new.id,
            "email": new.email,
            "name": new.name,
            "password_hash": new.password_hash,
            "is_operator": new.is_operator,
        },
    ).one_or_none()
    return None if row is None else user_of(row)


def rename(tx: Tx, user_id: UUID, name: str) -> User | None:
    """Call a user by another name; None when there is none."""
    row = tx.execute(_RENAME, {"id": user_id, "name": name}).one_or_none()
    return None if row is None else user_of(row)


def set_password(tx: Tx, user_id: UUID, wanted: str, *, before: str | None) -> bool:
    """Keep another hash, unless it is no longer the one that was looked at."""
    values = {"id": user_id, "wanted": wanted, "before": before}
    return tx.execute(_SET_PASSWORD, values).one_or_none() is not None


def set_disabled(tx: Tx, user_id: UUID, *, is_disabled: bool) -> None:
    """Let nobody in as this user, or let them again."""
    tx.execute(_SET_DISABLED, {"id": user_id, "is_disabled": is_disabled})


def lock(tx: Tx, user_id: UUID) -> None:
    """Let no other transaction that also locks them go on before this one has ended."""
    tx.execute(_LOCK, {"id": user_id})


def delete(tx: Tx, user_id: UUID) -> None:
    """Forget a user, who belongs to nothing any more, and their logins."""
    tx.execute(_DELETE, {"id": user_id})


def user_of(row: Row[Any]) -> User:
    """The user that a row of these columns is about."""
    return User(
        id=row.id,
        email=row.email,
        name=row.name,
        is_operator=row.is_operator,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )


def _account(row: Row[Any] | None) -> Account | None:
    return None if row is None else Account(user_of(row), row.password_hash)
