"""Every route says what it needs, and is closed to who does not have it."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, cast
from uuid import UUID

import pytest
from apiflask import APIFlask

from api.app import create_app
from api.deps import Deps
from api.endpoint import Contract, contract_of, need_of
from api.streaming.app import ROUTES, route_of
from common.domain.access import Admission, Grants, Need, Scope
from common.domain.ids import Kind, show_id
from tests.contract.api.client import Api, Document
from tests.contract.api.conftest import Holder, gate_of, guarded_deps

PUBLIC = {
    "/api-doc/openapi.json",
    "/docs",
    "/docs/<file>",
    "/health",
    "/health/live",
    "/health/ready",
    "/openapi.json",
    "/v1/auth/config",
    "/v1/auth/login",
    "/v1/auth/logout",
    "/v1/auth/refresh",
    "/v1/auth/register",
}
ANYONE = {"/v1/auth/me", "/v1/orgs"}
# Of a person and their account: no key opens them.
LOGGED_IN = {
    "/v1/auth/invitations/accept",
    "/v1/auth/logins",
    "/v1/auth/logins/<login_id>",
    "/v1/auth/password",
    "/v1/orgs/<org>/leave",
    "/v1/users/me",
    "/v1/users/me/export",
    "/v1/users/me/switch-org",
}

LOSING = [
    ("GET", "/v1/agents/<agent>"),
    ("DELETE", "/v1/sessions/<session_id>"),
    ("POST", "/v1/auth/api-keys"),
    ("GET", "/v1/durable/workers"),
    ("PUT", "/v1/sessions/<session_id>/storage/secrets"),
]


def needs_of(app: APIFlask) -> list[tuple[str, str, Need | None]]:
    return sorted(
        (
            (method, rule.rule, need_of(app.view_functions[rule.endpoint]))
            for rule in app.url_map.iter_rules()
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        ),
        key=str,
    )


def address(rule: str, organization: UUID | None = None) -> str:
    """A path of the rule, with the caller's organization where it names one."""
    named = "x" if organization is None else show_id(Kind.ORGANIZATION, organization)
    return re.sub(r"<[^>]+>", "x", rule.replace("<org>", named))


def undeclared(app: APIFlask) -> list[tuple[str, str]]:
    return [(method, rule) for method, rule, need in needs_of(app) if need is None]


def test_every_route_declares_what_it_needs(app: APIFlask) -> None:
    assert undeclared(app) == []


UNSCOPED = {
    Admission.PUBLIC: PUBLIC,
    Admission.ANYONE: ANYONE,
    Admission.LOGGED_IN: LOGGED_IN,
}


def unscoped(app: APIFlask) -> dict[Admission, set[str]]:
    found: dict[Admission, set[str]] = {each: set() for each in Admission}
    for rule in app.url_map.iter_rules():
        need = need_of(app.view_functions[rule.endpoint])
        if isinstance(need, Admission) and not rule.endpoint.startswith("unbuilt."):
            found[need].add(rule.rule)
    return found


def test_only_these_routes_need_no_scope(app: APIFlask) -> None:
    assert unscoped(app) == UNSCOPED


@pytest.mark.parametrize("lost", [None, *Admission], ids=str)
def test_a_route_that_loses_its_scope_is_found_out(
    deps: Deps, document: Document, lost: Admission | None
) -> None:
    """The tests above fail for each of these, and for no other route."""
    app = create_app(deps)
    for method, rule in LOSING:
        endpoint = next(
            each.endpoint
            for each in app.url_map.iter_rules()
            if each.rule == rule and method in (each.methods or ())
        )
        view = app.view_functions[endpoint]
        contract = contract_of(view)
        assert contract is not None
        app.view_functions[endpoint] = endpoint_without(
            view, replace(contract, scope=cast(Need, lost))
        )

    if lost is None:
        assert undeclared(app) == sorted(LOSING)
        assert unscoped(app) == UNSCOPED
    else:
        assert undeclared(app) == []
        assert unscoped(app)[lost] - UNSCOPED[lost] == {rule for _, rule in LOSING}
    with pytest.raises(AssertionError):
        test_the_document_says_what_each_route_needs(app, document)


def endpoint_without(view: Callable[..., Any], contract: Contract) -> Callable[..., Any]:
    @wraps(view)
    def unguarded(**arguments: Any) -> Any:
        return view(**arguments)

    vars(unguarded)["contract"] = contract
    return unguarded


def test_reading_never_needs_more_than_to_read(app: APIFlask) -> None:
    for method, rule, need in needs_of(app):
        if isinstance(need, Scope) and need is not Scope.CHANNELS_USE:
            deed = need.value.partition(":")[2]
            is_read = method == "GET" or rule.endswith(
                ("/preview", "/analyze", "/fs/_/stat", "/fs/_/grep")
            )
            assert (deed == "read") is is_read, (method, rule, need)


def test_every_spelling_of_a_route_needs_the_same(app: APIFlask) -> None:
    flat = {(method, rule): need for method, rule, need in needs_of(app)}
    others = {
        "/v1/agents/<agent>/sessions": "/v1/sessions",
        "/v1/llm-providers": "/v1/providers",
        "/v1/llm-models": "/v1/models",
        "/v1/auth/personal-access-tokens": "/v1/auth/api-keys",
    }
    compared = 0
    for (method, rule), need in flat.items():
        for other, prefix in others.items():
            if rule.startswith(other):
                assert need is flat[method, rule.replace(other, prefix, 1)], rule
                compared += 1
    assert compared > 30


def test_no_route_lets_in_who_shows_no_key(app: APIFlask, nobody: Api) -> None:
    for method, rule, need in needs_of(app):
        if need is not Admission.PUBLIC:
            assert nobody.send(method, address(rule)).status == 401, (method, rule)


def test_no_route_lets_in_who_lacks_its_scope(
    app: APIFlask, holder: Holder, organization: UUID
) -> None:
    """A key with every scope but the one that the route needs."""
    callers: dict[Scope, Api] = {}
    tried = 0
    for method, rule, need in needs_of(app):
        if not isinstance(need, Scope):
            continue
        if need not in callers:
            callers[need] = holder(*(str(scope) for scope in Scope if scope is not need))
        reply = callers[need].send(method, address(rule, organization))
        assert (reply.status, reply.body["code"]) == (403, "insufficient_scope"), (method, rule)
        tried += 1
    assert tried > 150


def test_its_scope_alone_opens_each_route(
    app: APIFlask, holder: Holder, organization: UUID
) -> None:
    callers: dict[Scope, Api] = {}
    for method, rule, need in needs_of(app):
        if isinstance(need, Scope):
            if need not in callers:
                callers[need] = holder(need)
            reply = callers[need].send(method, address(rule, organization))
            assert reply.status not in (401, 403), rule


def test_no_key_opens_what_is_a_persons_own(
    app: APIFlask, holder: Holder, organization: UUID
) -> None:
    for method, rule, need in needs_of(app):
        if need is Admission.LOGGED_IN:
            reply = holder().send(method, address(rule, organization))
            assert (reply.status, reply.body["code"]) == (403, "forbidden"), rule


def test_a_route_that_says_nothing_is_closed_to_everyone(
    deps: Deps, document: Document, holder: Holder
) -> None:
    app = create_app(guarded_deps(deps))
    app.add_url_rule("/v1/new", view_func=lambda: "in")

    assert Api(app, holder().headers, document).get("/v1/new").status == 403

    gate_of(app).close()


@pytest.mark.parametrize(
    "path",
    [
        "/v1/sessions/<session_id>/sse",
        "/v1/agents/<agent>/sessions/<session_id>/sse",
        "/v1/channels/<channel>/sessions/<session_id>/sse",
        "/v1/durable/workflows/<workflow_id>/sse",
        "/v1/durable/sse",
    ],
)
def test_the_stream_process_needs_what_the_document_says(app: APIFlask, path: str) -> None:
    found = route_of(address(path))
    assert found is not None
    assert ("GET", path, found[0].scope) in needs_of(app)


def test_every_route_of_the_stream_process_is_among_these(app: APIFlask) -> None:
    streamed = {rule for _, rule, _ in needs_of(app) if rule.endswith("/sse")}
    served = {found[0] for rule in streamed if (found := route_of(address(rule)))}
    assert served == set(ROUTES)
    assert all(route.scope in Scope for route in ROUTES)


def test_the_document_says_what_each_route_needs(app: APIFlask, document: Document) -> None:
    paths: dict[str, Any] = document.document["paths"]
    assert set(document.document["components"]["securitySchemes"]) == {"bearer", "key"}
    told = 0
    for method, rule, need in needs_of(app):
        path = rule.replace("<path:", "<").replace("<", "{").replace(">", "}")
        operation = paths.get(path, {}).get(method.lower())
        if operation is None:
            continue
        scopes = [need.value] if isinstance(need, Scope) else []
        is_public = need is Admission.PUBLIC
        assert operation["security"] == ([] if is_public else [{"bearer": scopes}, {"key": scopes}])
        assert is_public or {"401", "403"} <= set(operation["responses"])
        told += 1
    assert told > 100


def test_grants_are_asked_with_every_request(holder: Holder) -> None:
    """The check is the hook's, not the view's: a wrapper cannot lose it."""
    caller = holder("agents:read")
    assert caller.get("/v1/agents/x/sessions/y/events").status == 403
    assert Grants(("agents:read",)).allow(Scope.AGENTS_READ)
