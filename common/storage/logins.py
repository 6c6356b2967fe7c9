"""Logins and their refresh tokens: opened, refreshed, revoked.

Of a login one refresh token is good; using it makes the next.  One that is shown again later
has been stolen, by whoever shows it now or showed it then, so it ends the login.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from common.domain.access import Role
from common.domain.identity import MOST_LOGINS, REUSE_GRACE_SECONDS, Login, OpenLogin
from common.storage.engine import Tx

_KEPT_DAYS: Final = 30
_IS_GOOD: Final = "l.revoked_at IS NULL AND l.expires_at > clock_timestamp()"
_LOGIN: Final = """
    l.id, l.user_id, l.acts_in, u.email, u.is_operator, coalesce(
        (SELECT jsonb_object_agg(m.organization_id, m.role)
            FROM organization_members m WHERE m.user_id = u.id), '{}') AS roles
"""
# The user's row is held until the login is kept: a password that changes meanwhile, or an account
# that is closed, either sees the login and ends it or lets none begin.
_OPEN: Final = text("""
    INSERT INTO logins (id, user_id, user_agent, expires_at)
    SELECT :id, held.id, :user_agent, clock_timestamp() + make_interval(secs => :lasts)
    FROM (SELECT id FROM users WHERE id = :user_id AND disabled_at IS NULL
        AND password_hash IS NOT DISTINCT FROM :password_hash FOR SHARE) held
    RETURNING id
""")
_END_MOST: Final = text(f"""
    UPDATE logins SET revoked_at = clock_timestamp()
    WHERE id IN (SELECT l.id FROM logins l WHERE l.user_id = :user_id AND {_IS_GOOD}
        ORDER BY l.refreshed_at DESC, l.id DESC OFFSET :most)
    RETURNING id
""")
_FORGET_OLD: Final = text("""
    DELETE FROM logins WHERE user_id = :user_id
        AND least(revoked_at, expires_at) < clock_timestamp() - make_interval(days => :days)
""")
_ADD_TOKEN: Final = text("""
    INSERT INTO refresh_tokens (digest, login_id, expires_at)
    VALUES (:digest, :login_id, clock_timestamp() + make_interval(secs => :lasts))
""")
_SPEND: Final = text(f"""
    UPDATE refresh_tokens t SET used_at = clock_timestamp()
    FROM logins l JOIN users u ON u.id = l.user_id
    WHERE t.digest = :digest AND t.used_at IS NULL AND t.expires_at > clock_timestamp()
        AND l.id = t.login_id AND {_IS_GOOD} AND u.disabled_at IS NULL
    RETURNING {_LOGIN}
""")
_PROLONG: Final = text("""
    UPDATE logins SET refreshed_at = clock_timestamp(),
        expires_at = clock_timestamp() + make_interval(secs => :lasts)
    WHERE id = :id
""")
_FORGET_TOKENS: Final = text("""
    DELETE FROM refresh_tokens WHERE login_id = :id AND expires_at < clock_timestamp()
""")
_REVOKE_IF_STOLEN: Final = text("""
    UPDATE logins l SET revoked_at = clock_timestamp() FROM refresh_tokens t
    WHERE t.digest = :digest AND l.id = t.login_id AND l.revoked_at IS NULL
        AND t.used_at < clock_timestamp() - make_interval(secs => :grace)
    RETURNING l.id
""")
_REVOKE_BY_TOKEN: Final = text("""
    UPDATE logins l SET revoked_at = clock_timestamp() FROM refresh_tokens t
    WHERE t.digest = :digest AND l.id = t.login_id AND l.revoked_at IS NULL
    RETURNING l.id
""")
_REVOKE: Final = text("""
    UPDATE logins SET revoked_at = clock_timestamp()
    WHERE id = :id AND user_id = :user_id AND revoked_at IS NULL
    RETURNING id
""")
_REVOKE_ALL: Final = text("""
    UPDATE logins SET revoked_at = clock_timestamp()
    WHERE user_id = :user_id AND revoked_at IS NULL AND id IS DISTINCT FROM :but
    RETURNING id
""")
_STILL_GOOD: Final = text(f"""
    SELECT {_LOGIN} FROM logins l JOIN users u ON u.id = l.user_id
    WHERE l.id = ANY(CAST(:ids AS uuid[])) AND {_IS_GOOD} AND u.disabled_at IS NULL
""")
_OF_USER: Final = text(f"""
    SELECT l.id, l.user_agent, l.created_at, l.refreshed_at, l.expires_at FROM logins l
    WHERE l.user_id = :user_id AND {_IS_GOOD}
    ORDER BY l.refreshed_at DESC, l.id DESC
""")
_ACT_IN: Final = text("UPDATE logins SET acts_in = :organization_id WHERE id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLogin:
    """A login to open.

    Attributes:
        password_hash: of the password that was right; by now it may be another.
        digest: of its first refresh token.
        lasts: seconds until that token expires.
    """

    id: UUID
    user_id: UUID
    password_hash: str | None
    digest: str
    lasts: int
    user_agent: str | None


def open_login(tx: Tx, new: NewLogin) -> list[UUID] | None:
    """Log a user in; returns the logins that had to end for it.

    None when the password is no longer that one, or nobody gets in as this user.
    """
    opened = tx.execute(
        _OPEN,
        {
            "id": new.id,
            "user_id": new.user_id,
            "user_agent": new.user_agent,
            "lasts": new.lasts,
            "password_hash": new.password_hash,
        },
    ).one_or_none()
    if opened is None:
        return None
    _add_token(tx, new.id, new.digest, new.lasts)
    tx.execute(_FORGET_OLD, {"user_id": new.user_id, "days": _KEPT_DAYS})
    ended = tx.execute(_END_MOST, {"user_id": new.user_id, "most": MOST_LOGINS})
    return [row.id for row in ended]


def refresh(tx: Tx, digest: str, *, successor: str, lasts: int) -> Login | None:
    """Use a refresh token and make the next; of uses at once one succeeds.

    None when it was used, has expired or is unknown, or its login is not good.
    """
    row = tx.execute(_SPEND, {"digest": digest}).one_or_none()
    if row is None:
        return None
    tx.execute(_PROLONG, {"id": row.id, "lasts": lasts})
    tx.execute(_FORGET_TOKENS, {"id": row.id})
    _add_token(tx, row.id, successor, lasts)
    return _login(row)


def revoke_if_stolen(tx: Tx, digest: str) -> UUID | None:
    """End the login of a refresh token that was used a while ago; None: there is none to end."""
    values = {"digest": digest, "grace": REUSE_GRACE_SECONDS}
    return tx.execute(_REVOKE_IF_STOLEN, values).scalar_one_or_none()


def revoke_by_token(tx: Tx, digest: str) -> UUID | None:
    """End the login that a refresh token belongs to, used or not; None: there is none to end."""
    return tx.execute(_REVOKE_BY_TOKEN, {"digest": digest}).scalar_one_or_none()


def revoke(tx: Tx, user_id: UUID, login_id: UUID) -> bool:
    """End one of a user's logins; False when there is none that is not revoked."""
    return tx.execute(_REVOKE, {"id": login_id, "user_id": user_id}).one_or_none() is not None


def revoke_all(tx: Tx, user_id: UUID, *, but: UUID | None = None) -> list[UUID]:
    """End a user's logins, perhaps all but one; returns which."""
    return [row.id for row in tx.execute(_REVOKE_ALL, {"user_id": user_id, "but": but})]


def still_good(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Login]:
    """Those of the logins that are good just now."""
    rows = tx.execute(_STILL_GOOD, {"ids": [str(each) for each in ids]})
    return {row.id: _login(row) for row in rows}


def of_user(tx: Tx, user_id: UUID) -> list[OpenLogin]:
    """A user's logins that are good, the one used last first."""
    rows = tx.execute(_OF_USER, {"user_id": user_id})
    return [OpenLogin(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name


def act_in(tx: Tx, login_id: UUID, organization_id: UUID) -> None:
    """Where requests of this login are meant for that name no organization."""
    tx.execute(_ACT_IN, {"id": login_id, "organization_id": organization_id})


def _add_token(tx: Tx, login_id: UUID, digest: str, lasts: int) -> None:
    tx.execute(_ADD_TOKEN, {"digest": digest, "login_id": login_id, "lasts": lasts})


def _login(row: Row[Any]) -> Login:
    return Login(
        id=row.id,
        user_id=row.user_id,
        email=row.email,
        is_operator=row.is_operator,
        organization_id=row.acts_in,
        roles={UUID(shown): Role(role) for shown, role in row.roles.items()},
    )
