"""Access tokens: JWTs that say which login a request belongs to, for a quarter of an hour.

Whether the login is still good is not for the token to say: see `api.login_desk`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from common import clock
from common.settings import Settings

_ALGORITHM: Final = "HS256"
_ISSUER: Final = "everturn"
_AUDIENCE: Final = "everturn api"
_REQUIRED: Final = ("iss", "aud", "sub", "sid", "iat", "exp")
_KEY_BYTES: Final = 32
_PURPOSE: Final = b"everturn access tokens, HS256"
# Between the clocks of hosts.
_LEEWAY: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a token that is good says."""

    user_id: UUID
    login_id: UUID
    expires_at: datetime


class AccessTokens:
    """Issues tokens under the first key and reads those under any."""

    def __init__(self, keys: Sequence[bytes], *, lifetime_seconds: int) -> None:
        self._keys = tuple(keys)
        self.lifetime_seconds = lifetime_seconds

    @classmethod
    def of(cls, settings: Settings) -> AccessTokens:
        """Those of an installation: all its processes derive the same keys."""
        return cls(_keys(settings), lifetime_seconds=settings.auth_jwt_access_token_lifetime)

    def issue(self, user_id: UUID, login_id: UUID) -> str:
        """A token for a login, good from now on."""
        now = clock.now()
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": str(user_id),
            "sid": login_id.hex,
            "iat": now,
            "exp": now + timedelta(seconds=self.lifetime_seconds),
        }
        return jwt.encode(claims, self._keys[0], algorithm=_ALGORITHM)

    def read(self, text: str) -> AccessToken | None:
        """What a token says; None when it is not one of ours, or no longer good."""
        for key in self._keys:
            try:
                claims = jwt.decode(
                    text,
                    key,
                    algorithms=[_ALGORITHM],
                    issuer=_ISSUER,
                    audience=_AUDIENCE,
                    leeway=_LEEWAY,
                    options={"require": list(_REQUIRED), "strict_aud": True},
                )
                return _token(claims)
            except (jwt.InvalidTokenError, ValueError):
                continue
        return None


def looks_like_token(credential: str) -> bool:
    """Whether it has the three parts of a JWT (contract 2.1)."""
    return credential.count(".") == 2  # noqa: PLR2004 - as it says


def _token(claims: dict[str, Any]) -> AccessToken:
    return AccessToken(
        user_id=UUID(claims["sub"]),
        login_id=UUID(hex=str(claims["sid"])),
        expires_at=datetime.fromtimestamp(claims["exp"], tz=UTC),
    )


def _keys(settings: Settings) -> list[bytes]:
    if settings.auth_jwt_secret:
        return [_derive(settings.auth_jwt_secret.encode())]
    masters = (settings.secrets_encryption_key, settings.secrets_encryption_key_previous)
    return [_derive(master.key) for master in masters if master is not None]


def _derive(secret: bytes) -> bytes:
    """A key for this purpose alone: knowing it tells nothing of the secret."""
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_PURPOSE).derive(secret)
