"""Organizations and invitations to them on the wire (contract 2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from marshmallow import Schema, fields, post_load, validate

from api.schemas.fields import Id, Text
from api.schemas.identity import Email, UserSchema, check_not_blank
from api.schemas.shared import Body
from common.domain.access import Role
from common.domain.identity import ORGANIZATION_NAME_CHARACTERS, Invitation, Organization
from common.domain.ids import Kind, show_id
from common.event_codec import show_time

_TOKEN_BYTES: Final = 256
_REFERENCE_BYTES: Final = 256
_NAME: Final = [validate.Length(max=ORGANIZATION_NAME_CHARACTERS), check_not_blank]
_ROLES: Final = tuple(role.value for role in Role)


@dataclass(frozen=True, slots=True)
class WantedInvitation:
    """An invitation to make."""

    email: str
    role: Role


class NewOrganizationSchema(Body):
    """Body of POST /orgs."""

    name = Text(required=True, validate=_NAME)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> str:
        """Build the command."""
        name: str = data["name"]
        return name


class OrganizationPatchSchema(Body):
    """Body of PATCH /orgs/{org}: what is absent stays; a null model is none."""

    name = Text(validate=_NAME)
    default_model_id = Text(allow_none=True, max_bytes=_REFERENCE_BYTES)


class SwitchSchema(Body):
    """Body of POST /users/me/switch-org."""

    organization_id = Id(Kind.ORGANIZATION, required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> UUID:
        """Build the command."""
        organization_id: UUID = data["organization_id"]
        return organization_id


class RoleSchema(Body):
    """Body of PATCH /orgs/{org}/members/{user_id}."""

    role = Text(required=True, validate=validate.OneOf(_ROLES))

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> Role:
        """Build the command."""
        return Role(data["role"])


class NewInvitationSchema(Body):
    """Body of POST /orgs/{org}/invitations."""

    email = Email(required=True)
    role = Text(load_default=Role.MEMBER.value, validate=validate.OneOf(_ROLES))

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> WantedInvitation:
        """Build the command."""
        return WantedInvitation(data["email"], Role(data["role"]))


class AcceptanceSchema(Body):
    """Body of POST /auth/invitations/accept."""

    token = Text(required=True, max_bytes=_TOKEN_BYTES)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> str:
        """Build the command."""
        token: str = data["token"]
        return token


class OrganizationSchema(Schema):
    """An organization."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    default_harness_id = fields.String(required=True, allow_none=True)
    base_harness_id = fields.String(required=True, allow_none=True)
    default_model_id = fields.String(required=True, allow_none=True)
    default_provider_per_service = fields.Dict(required=True)
    onboarding_completed_at = fields.DateTime(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)


class OrganizationListSchema(Schema):
    """Organizations, oldest first."""

    data = fields.List(fields.Nested(OrganizationSchema()), required=True)
    total = fields.Integer(required=True)


class InvitationSchema(Schema):
    """An invitation that can still be accepted."""

    id = fields.String(required=True)
    organization_id = fields.String(required=True)
    email = fields.String(required=True)
    role = fields.String(required=True, validate=validate.OneOf(_ROLES))
    created_at = fields.DateTime(required=True)
    expires_at = fields.DateTime(required=True)


class MadeInvitationSchema(InvitationSchema):
    """An invitation with its token, which is shown this once."""

    token = fields.String(required=True)


class InvitationListSchema(Schema):
    """The invitations of an organization, oldest first."""

    data = fields.List(fields.Nested(InvitationSchema()), required=True)
    total = fields.Integer(required=True)


class UserExportSchema(Schema):
    """All that is kept of a user as a person."""

    user = fields.Nested(UserSchema(), required=True)
    memberships = fields.List(fields.Dict(), required=True)
    logins = fields.List(fields.Dict(), required=True)


def show_organization(organization: Organization) -> dict[str, Any]:
    """The organization as responses carry it."""
    return {
        "id": show_id(Kind.ORGANIZATION, organization.id),
        "name": organization.name,
        "default_harness_id": None,
        "base_harness_id": None,
        "default_model_id": organization.default_model_id,
        "default_provider_per_service": {},
        "onboarding_completed_at": None,
        "created_at": show_time(organization.created_at),
        "updated_at": show_time(organization.updated_at),
    }


def show_invitation(invitation: Invitation) -> dict[str, Any]:
    """The invitation as responses carry it."""
    return {
        "id": show_id(Kind.INVITATION, invitation.id),
        "organization_id": show_id(Kind.ORGANIZATION, invitation.organization_id),
        "email": invitation.email,
        "role": invitation.role.value,
        "created_at": show_time(invitation.created_at),
        "expires_at": show_time(invitation.expires_at),
    }
