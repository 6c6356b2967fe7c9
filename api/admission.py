"""Every request is let in here or nowhere, before its view sees it: who calls, and may they.

What a route needs stands in its contract; a route that says nothing is closed.
"""

from __future__ import annotations

from http import HTTPMethod
from typing import Final, cast

from flask import Flask, Response, current_app, g, request

from api.auth import NOBODY, Caller, Presented, check, organization_of, unknown_organization
from api.browsers import ACCESS_COOKIE, is_ours
from api.deps import confine, current_deps
from api.endpoint import need_of
from api.gate import Gate
from api.thread_wait import waited_seconds
from api.throttle import Origin, Throttle, rate_headers
from common.domain.access import Admission
from common.domain.errors import DomainError, Forbidden, Overloaded

_EXTENSION: Final = "everturn_gate"
_THROTTLE: Final = "everturn_throttle"
# Asked by machines that watch the process, which must not be told of anything else.
_UNCOUNTED: Final = "/health"
_SHORT_BODY_BYTES: Final = 64 * 1024
# The argument of a path that names an organization: then the request is made in it.
_ORGANIZATION: Final = "org"
_READING: Final = (HTTPMethod.GET, HTTPMethod.HEAD)


def guard(app: Flask, gate: Gate, throttle: Throttle) -> None:
    """Register the hooks; register them after those that every answer needs."""
    app.extensions[_EXTENSION] = gate
    app.extensions[_THROTTLE] = throttle
    app.before_request(_admit)
    app.after_request(_tell_rates)


def current_gate() -> Gate:
    """The gate of the application that handles this request."""
    return cast(Gate, current_app.extensions[_EXTENSION])


def _admit() -> None:
    if request.endpoint is None or request.method == HTTPMethod.OPTIONS:
        return  # no such route or method, or only which methods there are
    _refuse_if_kept_waiting()
    need = need_of(current_app.view_functions[request.endpoint])
    throttle: Throttle = current_app.extensions[_THROTTLE]
    try:
        if need is Admission.PUBLIC:
            g.caller = NOBODY
            if not request.path.startswith(_UNCOUNTED):
                g.standings = throttle.visit(_origin())
            return
        admitted = throttle.admit(current_gate(), _presented(), _origin())
        g.caller, g.standings = admitted.caller, admitted.standings
        if _ORGANIZATION in (request.view_args or {}):
            _check_header(g.caller)
        check(g.caller, need)
        if need is not Admission.LOGGED_IN:  # a person is in several organizations
            confine(g.caller.organization_id)
    except DomainError:
        _leave_body()
        raise


def _leave_body() -> None:
    """What comes of a body is read behind the answer, see `api.errors`."""
    g.is_body_unread = bool(request.content_length) or "Transfer-Encoding" in request.headers


def _refuse_if_kept_waiting() -> None:
    """Whoever waited long for a thread is not to wait for the database too."""
    longest = current_deps().settings.api_max_wait_seconds
    if waited_seconds() > longest and not request.path.startswith(_UNCOUNTED):
        # The server reads a short body itself; a new connection would cost more than that.
        if request.content_length is None or request.content_length > _SHORT_BODY_BYTES:
            _leave_body()
        raise Overloaded("More requests come than can be answered; try again")


def _origin() -> Origin:
    return Origin(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""))


def _tell_rates(response: Response) -> Response:
    response.headers.update(rate_headers(g.get("standings", ())))
    return response


def _presented() -> Presented:
    """What the request shows.

    Raises:
        Forbidden: another site makes a browser change something.
    """
    authorization = request.headers.get("Authorization")
    cookie = None if authorization else request.cookies.get(ACCESS_COOKIE)
    # Without authentication, that it comes from this machine is what lets a request in: a page
    # of any site, open in a browser here, could do the same.
    is_let_in_anyway = current_deps().settings.auth_mode == "none"
    if (cookie or is_let_in_anyway) and request.method not in _READING:
        refuse_other_sites()
    named = (request.view_args or {}).get(_ORGANIZATION)
    return Presented(
        authorization=authorization,
        organization=request.headers.get("X-Org-Id") if named is None else str(named),
        dialect=request.args.get("dialect"),
        cookie=cookie,
    )


def _check_header(caller: Caller) -> None:
    """Let the header name no organization other than the path does.

    Raises:
        NotFound: it does.
    """
    header = Presented(organization=request.headers.get("X-Org-Id"))
    if organization_of(header) not in (None, caller.organization_id):
        raise unknown_organization()


def refuse_other_sites() -> None:
    """Let no page of another site use a browser's cookies, or its place.

    Raises:
        Forbidden: the request is sent by one.
    """
    if not is_ours(request.headers.get, current_deps().settings.cors_allowed_origins):
        raise Forbidden("A page of another site may not do this")
