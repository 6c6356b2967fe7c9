"""Organizations, their members and invitations to them (contract 2.4).

A request to a path that names an organization is made in it: see `api.admission`.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint

from api.admission import current_gate
from api.endpoint import Answer, Call, Contract, endpoint
from api.schemas.identity import MemberListSchema, show_member
from api.schemas.organizations import (
    InvitationListSchema,
    MadeInvitationSchema,
    NewInvitationSchema,
    NewOrganizationSchema,
    OrganizationListSchema,
    OrganizationPatchSchema,
    OrganizationSchema,
    RoleSchema,
    WantedInvitation,
    show_invitation,
    show_organization,
)
from api.use_cases import change_organization as use
from common.domain.access import Admission, Role, Scope
from common.storage import invitations, members

blueprint = APIBlueprint("organizations", __name__, url_prefix="/v1/orgs")


@blueprint.get("")
@endpoint(
    Contract(
        summary="List organizations",
        scope=Scope.ORGANIZATIONS_READ,
        returns=OrganizationListSchema(),
        fails=(404, 503),
    )
)
def list_organizations(call: Call[None, None]) -> Answer:
    """List those that the caller may act in, oldest first."""
    # They are those beside the one that the request is made in.
    with call.deps.database.across_organizations().reading() as tx:
        found = use.reachable_organizations(tx, call.caller)
    return {"data": [show_organization(each) for each in found], "total": len(found)}


@blueprint.post("")
@endpoint(
    Contract(
        summary="Create an organization",
        scope=Admission.ANYONE,
        description="For who has logged in, who will be its owner, and for the operator.",
        status=201,
        takes=NewOrganizationSchema(),
        needs_body=True,
        returns=OrganizationSchema(),
        fails=(404, 409, 422, 503),
    )
)
def create_organization(call: Call[str, None]) -> Answer:
    """Create an organization; the user who makes it is its owner."""
    return show_organization(
        use.create_organization(call.deps, current_gate(), call.caller, call.body, call.key)
    )


@blueprint.get("/<org>")
@endpoint(
    Contract(
        summary="Get an organization",
        scope=Scope.ORGANIZATIONS_READ,
        returns=OrganizationSchema(),
        fails=(404, 503),
    )
)
def get_organization(call: Call[None, None], org: UUID) -> Answer:
    """Get an organization of the caller's."""
    with call.deps.database.reading() as tx:
        return show_organization(use.find_organization(tx, org))


@blueprint.patch("/<org>")
@endpoint(
    Contract(
        summary="Change an organization",
        scope=Scope.ORGANIZATIONS_WRITE,
        takes=OrganizationPatchSchema(),
        returns=OrganizationSchema(),
        fails=(404, 503),
    )
)
def update_organization(call: Call[dict[str, Any], None], **_: UUID) -> Answer:
    """Change its name, or the model of turns for which nothing else names one."""
    return show_organization(use.update_organization(call.deps, call.caller, call.body))


@blueprint.get("/<org>/members")
@endpoint(
    Contract(
        summary="List members",
        scope=Scope.MEMBERS_READ,
        returns=MemberListSchema(),
        fails=(404, 503),
    )
)
def list_members(call: Call[None, None], org: UUID) -> Answer:
    """List the members, who was first first."""
    with call.deps.database.reading() as tx:
        found = members.of_organization(tx, org)
    return {"data": [show_member(each) for each in found], "total": len(found)}


@blueprint.patch("/<org>/members/<user_id>")
@endpoint(
    Contract(
        summary="Change a member's role",
        scope=Scope.MEMBERS_WRITE,
        description="`owner`, `admin`, `member` or `viewer`. Owners alone make and unmake owners;"
        " the last one stays. It is so everywhere within seconds.",
        status=204,
        takes=RoleSchema(),
        needs_body=True,
        fails=(404, 409, 503),
    )
)
def change_role(call: Call[Role, None], user_id: UUID, **_: UUID) -> Answer:
    """Make a member another."""
    use.change_role(call.deps, current_gate(), call.caller, user_id, call.body)
    return None


@blueprint.delete("/<org>/members/<user_id>")
@endpoint(
    Contract(
        summary="Remove a member",
        scope=Scope.MEMBERS_WRITE,
        description="Their keys for the organization are revoked and their streams there end.",
        status=204,
        fails=(404, 409, 503),
    )
)
def remove_member(call: Call[None, None], user_id: UUID, **_: UUID) -> Answer:
    """Let a user be no member any more."""
    use.remove_member(call.deps, current_gate(), call.caller, user_id)
    return None


@blueprint.post("/<org>/leave")
@endpoint(
    Contract(
        summary="Leave an organization",
        scope=Admission.LOGGED_IN,
        status=204,
        fails=(404, 409, 503),
    )
)
def leave_organization(call: Call[None, None], **_: UUID) -> Answer:
    """Let the caller be no member any more; the last owner stays."""
    use.leave(call.deps, current_gate(), call.caller)
    return None


@blueprint.post("/<org>/invitations")
@endpoint(
    Contract(
        summary="Invite somebody",
        scope=Scope.MEMBERS_WRITE,
        description="The token is in this answer and nowhere else: give it to whom it is for. It"
        " is good once, for a week, for an account of that address.",
        status=201,
        takes=NewInvitationSchema(),
        needs_body=True,
        returns=MadeInvitationSchema(),
        fails=(404, 409, 422, 503),
    )
)
def invite(call: Call[WantedInvitation, None], **_: UUID) -> Answer:
    """Make a token by which whoever has the address may join."""
    made = use.invite(call.deps, call.caller, call.body, call.key)
    return {**show_invitation(made.invitation), "token": made.token}


@blueprint.get("/<org>/invitations")
@endpoint(
    Contract(
        summary="List invitations",
        scope=Scope.MEMBERS_READ,
        returns=InvitationListSchema(),
        fails=(404, 503),
    )
)
def list_invitations(call: Call[None, None], org: UUID) -> Answer:
    """List those that can still be accepted, oldest first."""
    with call.deps.database.reading() as tx:
        found = invitations.of_organization(tx, org)
    return {"data": [show_invitation(each) for each in found], "total": len(found)}


@blueprint.delete("/<org>/invitations/<invitation_id>")
@endpoint(
    Contract(
        summary="Withdraw an invitation",
        scope=Scope.MEMBERS_WRITE,
        status=204,
        fails=(404, 503),
    )
)
def withdraw_invitation(call: Call[None, None], invitation_id: UUID, **_: UUID) -> Answer:
    """Let an invitation be good for nothing."""
    use.withdraw(call.deps, call.caller, invitation_id)
    return None
