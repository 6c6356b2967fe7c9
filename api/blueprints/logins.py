"""Logging in and out, and making an account (contract 2.4).

Tokens are in the answer, and for browsers in cookies that no script of a page can read.
"""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, request

from api.admission import current_gate, refuse_other_sites
from api.audit import note_tried, note_user
from api.auth import Caller, Presented
from api.browsers import ACCESS_COOKIE, REFRESH_COOKIE
from api.client_address import client_address, counted_address
from api.deps import Deps, current_deps
from api.endpoint import Answer, Call, Contract, endpoint, json_response
from api.schemas.identity import (
    Credentials,
    LoginSchema,
    OpenLoginListSchema,
    PasswordChange,
    PasswordChangeSchema,
    RefreshSchema,
    RegistrationSchema,
    TokensSchema,
    WantedAccount,
    show_login,
)
from api.schemas.organizations import (
    AcceptanceSchema,
    OrganizationSchema,
    show_organization,
)
from api.use_cases import change_account
from api.use_cases import log_in as use
from api.use_cases.log_in import Client, Tokens
from common.domain.access import Admission
from common.domain.errors import DomainError, LoginRefused
from common.storage import logins

blueprint = APIBlueprint("logins", __name__, url_prefix="/v1/auth")


@blueprint.post("/login")
@endpoint(
    Contract(
        summary="Log in",
        scope=Admission.PUBLIC,
        takes=LoginSchema(),
        needs_body=True,
        returns=TokensSchema(),
        fails=(401, 403, 429, 503),
    )
)
def log_in(call: Call[Credentials, None]) -> Answer:
    """Get tokens for an email and a password; for browsers they are cookies too."""
    refuse_other_sites()
    try:
        tokens = use.log_in(call.deps, current_gate(), call.body, client())
    except LoginRefused as refused:
        note_tried(refused.tried)
        raise
    return _answered(call.deps, tokens)


@blueprint.post("/register")
@endpoint(
    Contract(
        summary="Make an account",
        scope=Admission.PUBLIC,
        description="By an invitation; without one where sign-up is open, with an organization"
        " of one's own.",
        status=201,
        takes=RegistrationSchema(),
        needs_body=True,
        returns=TokensSchema(),
        fails=(403, 409, 422, 429, 503),
    )
)
def register(call: Call[WantedAccount, None]) -> Answer:
    """Make an account and log in."""
    refuse_other_sites()
    made = use.register(call.deps, current_gate(), call.body, client())
    return _answered(call.deps, made, status=201)


@blueprint.post("/refresh")
@endpoint(
    Contract(
        summary="Get new tokens",
        scope=Admission.PUBLIC,
        description="The refresh token comes in the body or in a cookie, and is good no more."
        " One that is shown again later ends its login.",
        takes=RefreshSchema(),
        returns=TokensSchema(),
        fails=(401, 403, 429, 503),
    )
)
def refresh(call: Call[str | None, None]) -> Answer:
    """Get new tokens for a refresh token."""
    refuse_other_sites()
    token = call.body or request.cookies.get(REFRESH_COOKIE)
    return _answered(call.deps, use.refresh(call.deps, current_gate(), token, client()))


@blueprint.post("/logout")
@endpoint(
    Contract(
        summary="Log out",
        scope=Admission.PUBLIC,
        description="Ends the login of the refresh token, or else of the access token; all its"
        " tokens, and streams opened with them, end with it.",
        status=204,
        takes=RefreshSchema(),
        fails=(403, 503),
    )
)
def log_out(call: Call[str | None, None]) -> Answer:
    """End a login, if there is one, and let the browser forget its cookies."""
    refuse_other_sites()
    token, caller = call.body or request.cookies.get(REFRESH_COOKIE), _known_caller()
    login = None if caller is None else caller.login
    if caller is not None and login is not None:
        note_user(caller.principal_id)
    if token or (caller is not None and login is not None):
        use.log_out(
            call.deps,
            current_gate(),
            token,
            None if login is None else login.login_id,
            call.caller.principal_id if caller is None else caller.principal_id,
        )
    response = Response(status=204)
    response.delete_cookie(ACCESS_COOKIE, path="/")
    response.delete_cookie(REFRESH_COOKIE, path=_auth_path())
    return response


@blueprint.post("/password")
@endpoint(
    Contract(
        summary="Change one's password",
        scope=Admission.LOGGED_IN,
        description="One's other logins end; one's keys stay.",
        status=204,
        takes=PasswordChangeSchema(),
        needs_body=True,
        fails=(404, 409, 422, 429, 503),
    )
)
def change_password(call: Call[PasswordChange, None]) -> Answer:
    """Change the caller's password."""
    change_account.change_password(call.deps, current_gate(), call.caller, call.body, client())
    return None


@blueprint.get("/logins")
@endpoint(
    Contract(
        summary="List one's logins",
        scope=Admission.LOGGED_IN,
        returns=OpenLoginListSchema(),
        fails=(404, 503),
    )
)
def list_logins(call: Call[None, None]) -> Answer:
    """List the caller's logins that are good, the one used last first."""
    with call.deps.database.reading() as tx:
        found = logins.of_user(tx, call.caller.principal_id)
    current = call.caller.login.login_id if call.caller.login else None
    shown = [show_login(each, is_current=each.id == current) for each in found]
    return {"data": shown, "total": len(shown)}


@blueprint.delete("/logins/<login_id>")
@endpoint(
    Contract(
        summary="End one of one's logins",
        scope=Admission.LOGGED_IN,
        description="Its tokens are good no more, and streams opened with them end.",
        status=204,
        fails=(404, 503),
    )
)
def end_login(call: Call[None, None], login_id: UUID) -> Answer:
    """End one of the caller's logins, perhaps this one."""
    change_account.end_login(call.deps, current_gate(), call.caller, login_id)
    return None


@blueprint.post("/invitations/accept")
@endpoint(
    Contract(
        summary="Accept an invitation",
        scope=Admission.LOGGED_IN,
        takes=AcceptanceSchema(),
        needs_body=True,
        returns=OrganizationSchema(),
        fails=(404, 409, 429, 503),
    )
)
def accept_invitation(call: Call[str, None]) -> Answer:
    """Join the organization that the token invites the caller's address to."""
    joined = change_account.accept_invitation(
        call.deps, current_gate(), call.caller, call.body, client()
    )
    return show_organization(joined)


def client() -> Client:
    """From where this request comes."""
    peer = request.remote_addr or ""
    address = client_address(
        peer,
        request.headers.get("X-Forwarded-For", ""),
        hops=current_deps().settings.trusted_proxy_hops,
    )
    # Passwords are not guessed from this machine either.
    counted = counted_address(address, peer=peer) or address
    return Client(counted, request.headers.get("User-Agent"))


def _answered(deps: Deps, tokens: Tokens, *, status: int = 200) -> Response:
    """Tokens as JSON and as cookies."""
    note_user(tokens.user_id)
    response = json_response(
        {
            "access_token": tokens.access,
            "token_type": "Bearer",
            "expires_in": tokens.access_lasts,
            "refresh_token": tokens.refresh,
        },
        status,
    )
    for name, value, path, lasts in (
        (ACCESS_COOKIE, tokens.access, "/", tokens.access_lasts),
        (REFRESH_COOKIE, tokens.refresh, _auth_path(), tokens.refresh_lasts),
    ):
        response.set_cookie(
            name,
            value,
            max_age=lasts,
            path=path,
            httponly=True,
            samesite="Lax",
            secure=not deps.settings.is_development,
        )
    return response


def _auth_path() -> str:
    """Where alone a browser shows its refresh token."""
    return f"{request.script_root}/v1/auth"


def _known_caller() -> Caller | None:
    """Whoever logs out, if their access token is still good."""
    authorization = request.headers.get("Authorization")
    cookie = None if authorization else request.cookies.get(ACCESS_COOKIE)
    if not (authorization or cookie):
        return None
    try:
        return current_gate().admit(Presented(authorization, cookie=cookie))
    except DomainError:
        return None
