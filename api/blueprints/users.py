"""The caller's own account, and the users beside them (contract 2.4)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint

from api.admission import current_gate
from api.endpoint import Answer, Call, Contract, endpoint
from api.schemas.identity import (
    MemberListSchema,
    UserPatchSchema,
    UserSchema,
    show_login,
    show_member,
    show_user,
)
from api.schemas.organizations import (
    OrganizationSchema,
    SwitchSchema,
    UserExportSchema,
    show_organization,
)
from api.use_cases import change_account
from common.domain.access import Admission, Scope
from common.domain.ids import Kind, show_id
from common.storage import members

blueprint = APIBlueprint("users", __name__, url_prefix="/v1/users")


@blueprint.get("")
@endpoint(
    Contract(
        summary="List users",
        scope=Scope.MEMBERS_READ,
        returns=MemberListSchema(),
        fails=(404, 503),
    )
)
def list_users(call: Call[None, None]) -> Answer:
    """List the members of the organization, who was first first."""
    with call.deps.database.reading() as tx:
        found = members.of_organization(tx, call.caller.organization_id)
    return {"data": [show_member(each) for each in found], "total": len(found)}


@blueprint.patch("/me")
@endpoint(
    Contract(
        summary="Change one's account",
        scope=Admission.LOGGED_IN,
        takes=UserPatchSchema(),
        returns=UserSchema(),
        fails=(404, 503),
    )
)
def update_me(call: Call[dict[str, Any], None]) -> Answer:
    """Change the caller's name."""
    return show_user(change_account.rename(call.deps, call.caller, call.body.get("name")))


@blueprint.delete("/me")
@endpoint(
    Contract(
        summary="Delete one's account",
        scope=Admission.LOGGED_IN,
        description="One's logins end and one's keys are revoked; what one has made stays, as the"
        " organization's. Who is an organization's last owner makes another first.",
        status=204,
        fails=(404, 409, 503),
    )
)
def delete_me(call: Call[None, None]) -> Answer:
    """Delete the caller's account."""
    change_account.delete_account(call.deps, current_gate(), call.caller)
    return None


@blueprint.get("/me/export")
@endpoint(
    Contract(
        summary="Export one's account",
        scope=Admission.LOGGED_IN,
        returns=UserExportSchema(),
        fails=(404, 503),
    )
)
def export_me(call: Call[None, None]) -> Answer:
    """All that is kept of the caller as a person."""
    kept = change_account.export(call.deps, call.caller)
    current = call.caller.login.login_id if call.caller.login else None
    return {
        "user": show_user(kept.user),
        "memberships": [
            {"organization_id": show_id(Kind.ORGANIZATION, each), "role": role.value}
            for each, role in kept.roles.items()
        ],
        "logins": [show_login(each, is_current=each.id == current) for each in kept.logins],
    }


@blueprint.post("/me/switch-org")
@endpoint(
    Contract(
        summary="Switch to another organization",
        scope=Admission.LOGGED_IN,
        description="Requests of this login that name no organization are made in it from then on.",
        takes=SwitchSchema(),
        needs_body=True,
        returns=OrganizationSchema(),
        fails=(404, 503),
    )
)
def switch_organization(call: Call[UUID, None]) -> Answer:
    """Say where requests are meant for that name no organization."""
    found = change_account.switch_organization(call.deps, current_gate(), call.caller, call.body)
    return show_organization(found)
