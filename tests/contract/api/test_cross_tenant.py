"""Tenants are walls (I9): every route there is, with another organization's things.

What each is asked with is in `tenant_requests`.  A stranger's request is held against the
owner's, which has to find what it names: so it is the wall that refuses, and not a mistake in
the request.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import wraps
from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask
from flask import g

from api.app import create_app
from api.blueprints.unbuilt import UNBUILT
from api.deps import Deps, confine
from common.clock import new_id
from common.domain.ids import Kind, show_id
from common.storage.engine import Database
from tests.contract.api.client import Api, Document
from tests.contract.api.conftest import Holder, gate_of, guarded_deps, make_organization
from tests.contract.api.tenant_names import FREE, asking, kind_named, naming, unknown_like
from tests.contract.api.tenant_requests import ask, body_of, flat
from tests.contract.api.tenants import Things

MARK = "walled-7f3a"
# Shown to everybody alike, of the caller itself, or the whole installation's.
SHARED = {
    ("GET", "/v1/agents/config"),
    ("GET", "/v1/auth/config"),
    ("GET", "/v1/auth/me"),
    ("GET", "/v1/capabilities/guardrails/examples"),
    ("GET", "/v1/durable/config"),
    ("GET", "/v1/durable/health"),
    ("GET", "/v1/durable/sse"),
    ("GET", "/v1/durable/workers"),
    ("GET", "/v1/harness-examples"),
    ("GET", "/v1/harnesses/config"),
    ("GET", "/v1/mcp-servers/config"),
    ("GET", "/v1/models/config"),
    ("GET", "/v1/providers/config"),
    # Of nobody yet, or of a person, whom no key stands for: see test_logins, test_organizations.
    ("POST", "/v1/auth/invitations/accept"),
    ("POST", "/v1/auth/login"),
    ("GET", "/v1/auth/logins"),
    ("DELETE", "/v1/auth/logins/<login_id>"),
    ("POST", "/v1/auth/logout"),
    ("POST", "/v1/auth/password"),
    ("POST", "/v1/auth/refresh"),
    ("POST", "/v1/auth/register"),
    ("POST", "/v1/orgs"),
    ("POST", "/v1/orgs/<org>/leave"),
    ("DELETE", "/v1/users/me"),
    ("PATCH", "/v1/users/me"),
    ("GET", "/v1/users/me/export"),
    ("POST", "/v1/users/me/switch-org"),
    # Refused to all but the operator, whatever they name: see test_durable.
    ("POST", "/v1/durable/workers/<worker_id>/drain"),
    ("POST", "/v1/durable/workers/<worker_id>/resume"),
    # Makes nothing without a master key, which the api of these tests has not: see test_webhooks.
    ("POST", "/v1/task-webhooks"),
}
# What they show is the caller's own alone.  By what they are asked: the owner sees its own.
PRIVATE: dict[str, str] = {
    "/v1/agents": "include_archived=true",
    "/v1/agents/check-name": "name={agent}",
    "/v1/audit-log": "",
    "/v1/auth/api-keys": "",
    "/v1/capabilities": "limit=100",
    "/v1/durable/circuit-breakers": "",
    "/v1/durable/dlq": "",
    "/v1/durable/tasks": "",
    "/v1/durable/workflows": "",
    "/v1/harnesses": "include_archived=true",
    "/v1/harnesses/check-name": "name={harness}",
    "/v1/images": "",
    "/v1/mcp-servers": "include_archived=true",
    "/v1/models": "include_stale=true",
    "/v1/orgs": "",
    "/v1/providers": "",
    "/v1/sessions": "",
    "/v1/sessions/stats": "",
    "/v1/task-webhooks": "",
    "/v1/users": "",
    "/v1/workspaces": "include_archived=true",
}
# With a body that names nobody's things they make something of the caller's own, or nothing.
CREATIONS = {
    "/v1/agents",
    "/v1/agents/analyze",
    "/v1/agents/import",
    "/v1/agents/preview",
    "/v1/auth/api-keys",
    "/v1/harnesses",
    "/v1/harnesses/import",
    "/v1/harnesses/preview",
    "/v1/images",
    "/v1/mcp-servers",
    "/v1/providers",
    "/v1/sessions",
    "/v1/sessions/chat",
    "/v1/workspaces",
}
# Statuses of a request that came to what it names: done, or not possible just now.
FOUND = {200, 201, 202, 204, 409, 501, 503}
# A new agent's id may be chosen, and a cursor of a list is only a place: these are no look-ups.
CHOSEN = {".id": 404, "?page_token": 200}
UNDONE = {"DELETE"}
Route = tuple[str, str]
# To be let in where it does not belong, for a test of the walk itself.
LOST: list[Route] = [
    ("GET", "/v1/agents/<agent>"),
    ("GET", "/v1/sessions/<session_id>/events"),
    ("PATCH", "/v1/workspaces/<workspace_id>"),
    ("POST", "/v1/sessions/<session_id>/messages"),
    ("DELETE", "/v1/providers/<provider_id>"),
]
ENDS = ("/delete", "/_/move")


def routes(app: APIFlask) -> list[Route]:
    """Every route and method that is served, however it is spelled; what ends things last."""
    return sorted(
        (
            (method, rule.rule)
            for rule in app.url_map.iter_rules()
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
            if rule.rule.startswith("/v1/") and not rule.endpoint.startswith("unbuilt.")
        ),
        key=lambda each: (each[0] in UNDONE or each[1].endswith(ENDS), each),
    )


def closed(app: APIFlask) -> list[Route]:
    """The routes below something that is somebody's; the stream process has its own walk."""
    return [
        (method, rule)
        for method, rule in routes(app)
        if "<" in rule and (method, flat(rule)) not in SHARED and not rule.endswith("/sse")
    ]


@pytest.fixture
def owner(holder: Holder, database: Database) -> Things:
    return Things(holder(principal_id=new_id()), database, MARK)


@pytest.fixture
def stranger(holder: Holder, database: Database) -> Things:
    caller = holder(organization_id=make_organization(database), principal_id=new_id())
    return Things(caller, database, "a-strangers")


def test_the_walk_goes_to_every_route_of_the_document(app: APIFlask, document: Document) -> None:
    walked = {
        (method, re.sub("<(?:path:)?", "{", rule).replace(">", "}")) for method, rule in routes(app)
    }
    told = {
        (method.upper(), path)
        for path, operations in document.document["paths"].items()
        for method in operations
        if path.startswith("/v1/")
    }
    assert told <= walked
    assert len(walked) > 190


def test_every_route_that_is_below_nothing_is_in_a_table(app: APIFlask) -> None:
    """A new one fails here, until somebody has said what of it is whose."""
    known = SHARED | {("GET", rule) for rule in PRIVATE} | {("POST", rule) for rule in CREATIONS}
    found = {(method, flat(rule)) for method, rule in routes(app)}
    assert {each for each in found if "<" not in each[1]} - known == set()
    assert known - found == set()


def test_anothers_things_are_not_found_on_any_route(
    app: APIFlask, owner: Things, stranger: Things, organization: UUID
) -> None:
    owner.make_all()
    before = shown(app, owner)
    wrong = let_through(closed(app), owner, stranger, organization)
    assert wrong == [], wrong
    assert shown(app, owner) == before


def let_through(
    walked: list[Route], owner: Things, stranger: Things, organization: UUID
) -> list[tuple[Route, list[int]]]:
    """The routes that do not say 404 to a stranger, also one who claims to be of there."""
    claiming = {"X-Org-Id": show_id(Kind.ORGANIZATION, organization)}
    wrong = []
    for method, rule in walked:
        body = body_of(method, rule, owner)
        seen = [
            ask(stranger, method, rule, owner, body=body, headers=headers).status
            for headers in ({}, claiming)
        ]
        if set(seen) != {404}:
            wrong.append(((method, rule), seen))
    return wrong


def test_the_walk_finds_each_route_that_loses_its_organization(
    deps: Deps, document: Document, owner: Things, stranger: Things, organization: UUID
) -> None:
    """Shown for five."""
    app = create_app(guarded_deps(deps))
    walked = closed(app)
    assert set(LOST) <= set(walked)
    for route in LOST:
        lose_organization(app, route, organization)
    theirs, strange = (
        Things(Api(app, each.api.headers, document), deps.database, each.mark)
        for each in (owner, stranger)
    )
    kept = [each for each in walked if each not in LOST][::40]

    wrong = let_through(kept + LOST, theirs, strange, organization)

    assert [route for route, _ in wrong] == LOST, wrong
    gate_of(app).close()


def lose_organization(app: APIFlask, route: Route, organization: UUID) -> None:
    """Let a view look in that organization, whoever calls."""
    method, rule = route
    endpoint = next(
        each.endpoint
        for each in app.url_map.iter_rules()
        if each.rule == rule and method in (each.methods or ())
    )
    view = app.view_functions[endpoint]

    @wraps(view)
    def elsewhere(**arguments: Any) -> Any:
        g.caller = replace(g.caller, organization_id=organization)
        confine(organization)
        return view(**arguments)

    app.view_functions[endpoint] = elsewhere


def test_what_the_owner_finds_is_not_found_by_another_who_says_the_same(
    app: APIFlask, owner: Things, stranger: Things
) -> None:
    """The owner's answer is kept under the key by then."""
    wrong = []
    for method, rule in closed(app):
        theirs = owner.fresh() if method in UNDONE or rule.endswith(ENDS) else owner
        body = body_of(method, rule, theirs)
        headers = {"Idempotency-Key": f"{method}_{rule}"}
        seen = [
            ask(caller, method, rule, theirs, body=body, headers=headers).status
            for caller in (theirs, stranger)
        ]
        if seen[0] not in FOUND or seen[1] != 404:
            wrong.append((method, rule, seen))
    assert wrong == [], wrong


def shown(app: APIFlask, owner: Things) -> dict[str, bytes]:
    return {
        rule: ask(owner, "GET", rule, owner).raw
        for method, rule in closed(app)
        if method == "GET" and not rule.endswith("/diagnosis")  # which says how late it is
    }


def test_what_is_listed_is_the_callers_own(app: APIFlask, owner: Things, stranger: Things) -> None:
    """Whatever another has made, the answers stay the same."""
    listed = [rule for method, rule in routes(app) if method == "GET" and is_private(rule)]
    before = {rule: listing(stranger, rule, agent="free", harness="free") for rule in listed}
    owner.make_all()
    names = {
        "agent": owner.api.get(f"/v1/agents/{owner['agent']}").body["name"],
        "harness": owner.api.get(f"/v1/harnesses/{owner['harness']}").body["name"],
    }
    for rule in listed:
        assert listing(stranger, rule, **names) == before[rule], rule
        assert listing(owner, rule, **names) != before[rule], rule


def is_private(rule: str) -> bool:
    return "<" not in rule and flat(rule) in PRIVATE


def listing(caller: Things, rule: str, **names: str) -> str:
    reply = ask(caller, "GET", rule, caller, query=PRIVATE[flat(rule)].format(**names))
    assert reply.status == 200, (rule, reply.text)
    return re.sub(r'"last_used_at":("[^"]*"|null)', "", reply.text)


def test_what_is_made_is_the_callers_own(app: APIFlask, owner: Things, stranger: Things) -> None:
    """Also by the same request, with the same Idempotency-Key."""
    for method, rule in routes(app):
        if method != "POST" or flat(rule) not in CREATIONS:
            continue
        body, headers = body_of(method, rule, owner), {"Idempotency-Key": "mine"}
        mine = ask(owner, method, rule, owner, body=body, headers=headers)
        theirs = ask(stranger, method, rule, stranger, body=body, headers=headers)
        assert theirs.status == mine.status < 300, (rule, mine.text, theirs.text)
        assert "id" not in mine.body or mine.body["id"] != theirs.body["id"], rule


# --- things that a query or a body names ------------------------------------------------


def test_every_field_that_may_name_something_is_in_a_table(document: Document) -> None:
    """A new one fails here, until somebody has said what of others it might name."""
    assert {each for each in naming(document) if kind_named(*each) is None} == set()


def test_anothers_thing_in_a_request_is_as_one_that_is_not(
    document: Document, owner: Things, stranger: Things
) -> None:
    wrong = []
    for method, rule, field in naming(document):
        kind = kind_named(method, rule, field)
        if kind is None or kind == FREE:
            continue
        # A name is taken by the first who is let: so each is another's.
        value = (owner.fresh() if kind.endswith(".name") else owner).named(kind)
        theirs = asking(stranger, method, rule, field, value)
        unknown = asking(stranger, method, rule, field, unknown_like(value))
        mine = asking(owner, method, rule, field, value)
        if field in CHOSEN:
            unknown = (CHOSEN[field], theirs[1])
        # A name of one's own is taken, and no harness is its own parent: found as well.
        is_found = mine[0] < 400 or mine != unknown
        if theirs != unknown or not is_found or owner.mark in theirs[1]:
            wrong.append((method, rule, field, theirs, unknown, mine))
    assert wrong == [], wrong


def test_what_is_not_built_tells_nothing(owner: Things, stranger: Things) -> None:
    """Of anybody's things, whether they are there or not."""
    for methods, path in (route for routes in UNBUILT.values() for route in routes):
        address = re.sub(r"<(?:path:)?([a-z_]+)>", lambda found: named_or_x(owner, found[1]), path)
        for method in methods.split():
            assert stranger.api.send(method, f"/v1{address}").status in (501, 404), (method, path)


def named_or_x(owner: Things, name: str) -> str:
    try:
        return owner[name]
    except KeyError:
        return "x"
