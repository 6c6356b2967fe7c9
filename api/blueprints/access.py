"""Getting in: how, who one is then, and the keys for it (contract 2.4)."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask import Response

from api.admission import current_gate
from api.auth import Caller
from api.deps import current_deps
from api.endpoint import Answer, Call, Contract, endpoint, json_response, uncalled
from api.schemas.api_keys import (
    ApiKeyListSchema,
    AuthConfigSchema,
    MadeApiKeySchema,
    MeSchema,
    NewApiKeySchema,
    WantedKey,
    show_key,
)
from api.use_cases import change_keys
from common.domain.access import Admission, Scope
from common.domain.ids import ANONYMOUS_PRINCIPAL, NO_ORGANIZATION, Kind, show_id
from common.storage import api_keys, users

blueprint = APIBlueprint("access", __name__, url_prefix="/v1/auth")


@blueprint.get("/config")
@uncalled(Contract(summary="How to get in", scope=Admission.PUBLIC, returns=AuthConfigSchema()))
def show_auth_config() -> Response:
    """Tell whether there are keys only, or passwords too."""
    settings = current_deps().settings
    return json_response(
        {
            "mode": settings.auth_mode,
            "password_auth_enabled": settings.has_passwords,
            "oauth_providers": [],
            "signup_enabled": settings.auth_mode == "full" and not settings.auth_disable_signup,
        }
    )


@blueprint.get("/me")
@endpoint(
    Contract(summary="Who am I?", scope=Admission.ANYONE, returns=MeSchema(), fails=(404, 503))
)
def show_me(call: Call[None, None]) -> Answer:
    """Tell on whose behalf the caller acts, where, and what it is granted."""
    caller = call.caller
    user = None
    if caller.login is not None or caller.role is not None:
        with call.deps.database.reading() as tx:
            user = users.find(tx, caller.principal_id)
    is_anonymous = caller.principal_id == ANONYMOUS_PRINCIPAL
    email = "anonymous@local" if is_anonymous else None
    is_nowhere = caller.organization_id == NO_ORGANIZATION
    return {
        "id": str(caller.principal_id),
        "email": email if user is None else user.email,
        "name": _name_of(caller) if user is None else user.name,
        "roles": _roles_of(caller),
        "avatar_url": None,
        "organization_id": None
        if is_nowhere
        else show_id(Kind.ORGANIZATION, caller.organization_id),
        "scopes": caller.grants.shown,
    }


def _name_of(caller: Caller) -> str:
    if caller.principal_id == ANONYMOUS_PRINCIPAL:
        return "Anonymous"
    return "Agent" if caller.agent_id else "Operator"


def _roles_of(caller: Caller) -> list[str]:
    """As a user in the organization; of a key that is no user's, as what it acts."""
    if caller.login is None and caller.role is None:
        if caller.is_operator:
            return ["admin"]
        return ["agent" if caller.agent_id else "member"]
    role = [] if caller.role is None else [caller.role.value]
    return [*role, "operator"] if caller.is_operator else role


@blueprint.post("/api-keys")
@endpoint(
    Contract(
        summary="Make an API key",
        scope=Scope.KEYS_WRITE,
        description="Its text is in this answer and nowhere else. It grants what its maker is"
        " granted, or less.",
        status=201,
        takes=NewApiKeySchema(),
        needs_body=True,
        returns=MadeApiKeySchema(),
        fails=(404, 409, 422, 503),
    )
)
def create_api_key(call: Call[WantedKey, None]) -> Answer:
    """Make a key of the caller's own, or with `agent_id` one that is for an agent alone."""
    made = change_keys.create_key(call.deps, call.caller, call.body, call.key)
    return {**show_key(made.key), "key": made.text}


@blueprint.get("/api-keys")
@endpoint(
    Contract(
        summary="List API keys",
        scope=Scope.KEYS_READ,
        returns=ApiKeyListSchema(),
        fails=(404, 503),
    )
)
def list_api_keys(call: Call[None, None]) -> Answer:
    """List the caller's keys and those of the organization's agents, but no revoked ones."""
    caller = call.caller
    with call.deps.database.reading() as tx:
        found = api_keys.within_reach(tx, caller.organization_id, caller.principal_id)
    return {"data": [show_key(key) for key in found], "total": len(found)}


@blueprint.delete("/api-keys/<key_id>")
@endpoint(
    Contract(
        summary="Revoke an API key",
        scope=Scope.KEYS_WRITE,
        description="Nobody gets in with it from then on, and streams opened with it end.",
        status=204,
        fails=(404, 503),
    )
)
def revoke_api_key(call: Call[None, None], key_id: UUID) -> Answer:
    """Revoke one of the caller's keys or an agent's; what was made with it stays."""
    change_keys.revoke_key(call.deps, current_gate(), call.caller, key_id)
    return None
