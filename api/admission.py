"""Every request is let in here or nowhere, before its view sees it: who calls, and may they.

What a route needs stands in its contract; a route that says nothing is closed.
"""

from __future__ import annotations

from http import HTTPMethod
from typing import Final, cast

from flask import Flask, current_app, g, request

from api.auth import Presented, check
from api.deps import confine
from api.endpoint import need_of
from api.gate import Gate
from common.domain.access import Admission
from common.domain.errors import DomainError

_EXTENSION: Final = "everturn_gate"


def guard(app: Flask, gate: Gate) -> None:
    """Register the hook; register it after those that every answer needs."""
    app.extensions[_EXTENSION] = gate
    app.before_request(_admit)


def current_gate() -> Gate:
    """The gate of the application that handles this request."""
    return cast(Gate, current_app.extensions[_EXTENSION])


def _admit() -> None:
    if request.endpoint is None or request.method == HTTPMethod.OPTIONS:
        return  # no such route or method, or only which methods there are
    need = need_of(current_app.view_functions[request.endpoint])
    if need is Admission.PUBLIC:
        return
    try:
        g.caller = current_gate().admit(
            Presented(
                authorization=request.headers.get("Authorization"),
                organization=request.headers.get("X-Org-Id"),
                dialect=request.args.get("dialect"),
            )
        )
        check(g.caller, need)
        confine(g.caller.organization_id)
    except DomainError:
        # What comes of a body is read behind the answer, see `api.errors`.
        g.is_body_unread = bool(request.content_length) or "Transfer-Encoding" in request.headers
        raise
