"""Every request is let in here or nowhere, before its view sees it: who calls, and may they.

What a route needs stands in its contract; a route that says nothing is closed.
"""

from __future__ import annotations

from http import HTTPMethod
from typing import Final, cast

from flask import Flask, Response, current_app, g, request

from api.auth import Presented, check
from api.deps import confine
from api.endpoint import need_of
from api.gate import Gate
from api.throttle import Origin, Throttle, rate_headers
from common.domain.access import Admission
from common.domain.errors import DomainError

_EXTENSION: Final = "everturn_gate"
_THROTTLE: Final = "everturn_throttle"
# Asked by machines that watch the process, which must not be told of anything else.
_UNCOUNTED: Final = "/health"


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
    need = need_of(current_app.view_functions[request.endpoint])
    throttle: Throttle = current_app.extensions[_THROTTLE]
    try:
        if need is Admission.PUBLIC:
            if not request.path.startswith(_UNCOUNTED):
                g.standings = throttle.visit(_origin())
            return
        admitted = throttle.admit(
            current_gate(),
            Presented(
                authorization=request.headers.get("Authorization"),
                organization=request.headers.get("X-Org-Id"),
                dialect=request.args.get("dialect"),
            ),
            _origin(),
        )
        g.caller, g.standings = admitted.caller, admitted.standings
        check(g.caller, need)
        confine(g.caller.organization_id)
    except DomainError:
        # What comes of a body is read behind the answer, see `api.errors`.
        g.is_body_unread = bool(request.content_length) or "Transfer-Encoding" in request.headers
        raise


def _origin() -> Origin:
    return Origin(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""))


def _tell_rates(response: Response) -> Response:
    response.headers.update(rate_headers(g.get("standings", ())))
    return response
