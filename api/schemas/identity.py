"""Users and their logins on the wire (contract 2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate

from api.schemas.fields import Text, unacceptable
from api.schemas.shared import Body
from common.domain.access import Role
from common.domain.identity import (
    EMAIL_CHARACTERS,
    MOST_PASSWORD_BYTES,
    USER_NAME_CHARACTERS,
    Member,
    OpenLogin,
    User,
    email_of,
    password_fault,
)
from common.domain.ids import Kind, show_id
from common.event_codec import show_time

_TOKEN_BYTES: Final = 4096
_ROLES: Final = tuple(role.value for role in Role)


@dataclass(frozen=True, slots=True)
class Credentials:
    """An address in its one spelling, and a password."""

    email: str
    password: str


@dataclass(frozen=True, slots=True)
class WantedAccount:
    """An account to make; `invitation` is the token of one, None for none."""

    email: str
    password: str
    name: str
    invitation: str | None


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """The password that is, and the one to be."""

    current: str
    wanted: str


class Email(Text):
    """An email address; loads in its one spelling."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_bytes=4 * EMAIL_CHARACTERS, **kwargs)

    def _deserialize(self, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(*args, **kwargs)
        try:
            return email_of(text)
        except ValueError as wrong:
            raise ValidationError(str(wrong)) from wrong


class Password(Text):
    """A password that is; what it has to be like was asked when it was chosen."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_bytes=MOST_PASSWORD_BYTES, **kwargs)


def _check_password(text: str) -> None:
    fault = password_fault(text)
    if fault is not None:
        raise unacceptable(fault)


def check_not_blank(text: str) -> None:
    """Refuse a name without a character that shows."""
    if not text.strip():
        raise ValidationError("Must not be blank")


_PERSONS_NAME: Final = [validate.Length(max=USER_NAME_CHARACTERS), check_not_blank]


class LoginSchema(Body):
    """Body of POST /auth/login."""

    email = Email(required=True)
    password = Password(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> Credentials:
        """Build the command."""
        return Credentials(**data)


class RegistrationSchema(Body):
    """Body of POST /auth/register."""

    email = Email(required=True)
    password = Password(
        required=True,
        validate=_check_password,
        metadata={"description": "At least 12 characters, of which one is a digit"},
    )
    name = Text(required=True, validate=_PERSONS_NAME)
    invitation_token = Text(load_default=None, allow_none=True, max_bytes=_TOKEN_BYTES)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> WantedAccount:
        """Build the command."""
        return WantedAccount(
            data["email"], data["password"], data["name"], data["invitation_token"]
        )


class RefreshSchema(Body):
    """Body of POST /auth/refresh and /auth/logout; a browser has the token in a cookie."""

    refresh_token = Text(load_default=None, allow_none=True, max_bytes=_TOKEN_BYTES)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> str | None:
        """Build the command."""
        token: str | None = data["refresh_token"]
        return token


class PasswordChangeSchema(Body):
    """Body of POST /auth/password."""

    current_password = Password(required=True)
    new_password = Password(required=True, validate=_check_password)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> PasswordChange:
        """Build the command."""
        return PasswordChange(data["current_password"], data["new_password"])


class UserPatchSchema(Body):
    """Body of PATCH /users/me: what is absent stays."""

    name = Text(validate=_PERSONS_NAME)


class TokensSchema(Schema):
    """What a login is used with."""

    access_token = fields.String(required=True)
    token_type = fields.String(required=True, validate=validate.OneOf(("Bearer",)))
    expires_in = fields.Integer(required=True)
    refresh_token = fields.String(required=True)


class OpenLoginSchema(Schema):
    """A login of one's own."""

    id = fields.String(required=True)
    is_current = fields.Boolean(required=True)
    user_agent = fields.String(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    refreshed_at = fields.DateTime(required=True)
    expires_at = fields.DateTime(required=True)


class OpenLoginListSchema(Schema):
    """One's logins, the one used last first."""

    data = fields.List(fields.Nested(OpenLoginSchema()), required=True)
    total = fields.Integer(required=True)


class UserSchema(Schema):
    """A user, as themselves and others see them."""

    id = fields.String(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True)
    created_at = fields.DateTime(required=True)


class MemberSchema(UserSchema):
    """A user in an organization."""

    role = fields.String(required=True, validate=validate.OneOf(_ROLES))
    joined_at = fields.DateTime(required=True)


class MemberListSchema(Schema):
    """The members of an organization, who was first first."""

    data = fields.List(fields.Nested(MemberSchema()), required=True)
    total = fields.Integer(required=True)


def show_user(user: User) -> dict[str, Any]:
    """The user as responses carry them."""
    return {
        "id": show_id(Kind.USER, user.id),
        "email": user.email,
        "name": user.name,
        "created_at": show_time(user.created_at),
    }


def show_member(member: Member) -> dict[str, Any]:
    """The member as responses carry them."""
    return {
        **show_user(member.user),
        "role": member.role.value,
        "joined_at": show_time(member.joined_at),
    }


def show_login(login: OpenLogin, *, is_current: bool) -> dict[str, Any]:
    """The login as responses carry it."""
    return {
        "id": show_id(Kind.LOGIN, login.id),
        "is_current": is_current,
        "user_agent": login.user_agent,
        "created_at": show_time(login.created_at),
        "refreshed_at": show_time(login.refreshed_at),
        "expires_at": show_time(login.expires_at),
    }
