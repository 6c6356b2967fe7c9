"""Users, their logins, and the organizations they belong to.  Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from common.domain.access import LEAST_CHARACTERS, Role

EMAIL_CHARACTERS: Final = 254
USER_NAME_CHARACTERS: Final = 200
ORGANIZATION_NAME_CHARACTERS: Final = 200
LEAST_PASSWORD_CHARACTERS: Final = 12
MOST_PASSWORD_BYTES: Final = 1024

# Of one user, as its owner.
MOST_ORGANIZATIONS: Final = 5
MOST_MEMBERS: Final = 1000
MOST_INVITATIONS: Final = 1000
INVITATION_LASTS: Final = timedelta(days=7)
# Of one user at once; the one not used for longest ends when another begins.
MOST_LOGINS: Final = 100
# Two windows of a browser may show one refresh token at the same moment: the second is refused,
# but it is no theft yet.
REUSE_GRACE_SECONDS: Final = 5.0

REFRESH_PREFIX: Final = "evr_rt_"
INVITATION_PREFIX: Final = "evr_inv_"

_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class User:
    """A person who logs in.

    Attributes:
        is_operator: whether they may change what all organizations share.
        disabled_at: since when nobody gets in as them; None: they do.
    """

    id: UUID
    email: str
    name: str
    is_operator: bool
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A user with the hash of their password; None: they have none."""

    user: User
    password_hash: str | None


@dataclass(frozen=True, slots=True)
class Organization:
    """What owns agents, sessions and all else."""

    id: UUID
    name: str
    default_model_id: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A user in an organization."""

    user: User
    role: Role
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Login:
    """That a user has logged in, as a process knows it: what its access tokens stand for.

    Attributes:
        organization_id: where they act when a request names none; None: it has to.
        roles: in every organization they belong to.
    """

    id: UUID
    user_id: UUID
    email: str
    is_operator: bool
    organization_id: UUID | None
    roles: Mapping[UUID, Role]

    @property
    def home(self) -> UUID | None:
        """Where a request that names no organization is meant for."""
        if self.organization_id in self.roles:
            return self.organization_id
        return next(iter(self.roles)) if len(self.roles) == 1 else None


@dataclass(frozen=True, slots=True)
class OpenLogin:
    """A login as its user sees it.

    Attributes:
        user_agent: what the client called itself.
        refreshed_at: when it last got an access token.
    """

    id: UUID
    user_agent: str | None
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """That whoever shows its token may join an organization, once."""

    id: UUID
    organization_id: UUID
    email: str
    role: Role
    created_at: datetime
    expires_at: datetime


def email_of(text: str) -> str:
    """The address in the one spelling that is kept.

    Raises:
        ValueError: it is none.
    """
    spelled = unicodedata.normalize("NFC", text.strip()).lower()
    if len(spelled) > EMAIL_CHARACTERS or not _EMAIL.fullmatch(spelled):
        raise ValueError("Must be an email address")
    return spelled


def password_fault(text: str) -> str | None:
    """Why a password cannot be chosen; None when it can."""
    if len(text) < LEAST_PASSWORD_CHARACTERS:
        return f"Must have at least {LEAST_PASSWORD_CHARACTERS} characters"
    if not any(character.isdecimal() for character in text):
        return "Must have a digit"
    return None


def read_email(configured: str) -> str:
    """An address that may be left out.

    Raises:
        ValueError: it is none.
    """
    return email_of(configured) if configured else ""


def read_password(configured: str) -> str:
    """A password that may be left out.

    Raises:
        ValueError: it cannot be chosen.
    """
    fault = password_fault(configured) if configured else None
    if fault is not None:
        # The first letter is a sentence's.
        raise ValueError(fault[0].lower() + fault[1:])
    return configured


def read_token_secret(configured: str) -> str:
    """What access tokens are signed with, which may be left out.

    Raises:
        ValueError: it is easy to guess.
    """
    if configured and len(configured) < LEAST_CHARACTERS:
        raise ValueError(f"must have at least {LEAST_CHARACTERS} characters")
    return configured


def may_change(acting: Role | None, member: Role | None, wanted: Role | None) -> bool:
    """Whether someone may make a member of one role one of another; None: no member.

    `acting` is None for whoever acts for the operator.  Owners alone make and unmake owners.
    """
    return acting in (None, Role.OWNER) or Role.OWNER not in (member, wanted)
