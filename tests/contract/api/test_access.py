"""Keys let callers in, within their organization and their scopes, as long as they are good."""

import re
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from api.app import create_app
from api.deps import Deps
from common.clock import new_id
from common.domain.access import Scope, digest_of
from common.domain.ids import Kind, parse_id, show_id
from common.storage import api_keys
from common.storage.engine import Database
from tests.conditions import wait_until
from tests.contract.api.client import Api, Document, Json, Reply, saying
from tests.contract.api.conftest import Holder, gate_of, guarded_deps, make_organization
from tests.contract.api.test_hot_path import counting
from tests.fakes.live import RecordingLive

OTHER_PRINCIPAL = UUID(int=77)


def refused(reply: Reply) -> tuple[int, str, str | None]:
    return reply.status, reply.body["code"], reply.headers.get("WWW-Authenticate")


# --- who gets in -----------------------------------------------------------------------


def test_without_a_good_key_nobody_gets_in(nobody: Api) -> None:
    missing = (401, "unauthorized", 'Bearer realm="everturn"')
    wrong = (401, "unauthorized", 'Bearer realm="everturn", error="invalid_token"')

    assert refused(nobody.get("/v1/agents")) == missing
    assert refused(nobody.get("/api/v1/agents", headers={"Authorization": "Bearer"})) == missing
    for shown in ("Bearer evr_pat_no", "evr_pat_no", "Basic dTpw", "x" * 5000, "Bearer \xe9"):
        reply = nobody.post("/v1/agents", {"name": "x"}, headers={"Authorization": shown})
        assert refused(reply) == wrong
        assert reply.body["error"] == "The credential is not valid"


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "ApiKey {}", "{}"])
def test_a_key_is_taken_in_every_form(holder: Holder, nobody: Api, form: str) -> None:
    key = holder().headers["Authorization"].removeprefix("Bearer ")

    assert nobody.get("/v1/agents", headers={"Authorization": form.format(key)}).status == 200


def test_any_registered_text_is_a_key(holder: Holder) -> None:
    assert holder(text="evr_" + "0" * 64).get("/v1/agents").status == 200


def test_what_everybody_may_see_needs_no_key(nobody: Api) -> None:
    for path in ("/health", "/health/live", "/openapi.json", "/docs", "/v1/auth/config"):
        assert nobody.get(path).status == 200
        assert nobody.get(path, headers={"Authorization": "nonsense"}).status == 200
    assert nobody.get("/v1/auth/config").body == {
        "mode": "admin",
        "password_auth_enabled": False,
        "oauth_providers": [],
        "signup_enabled": False,
    }


def test_a_large_body_is_read_before_it_is_refused(nobody: Api) -> None:
    assert nobody.post("/v1/images", b"x" * 300_000).status == 401


def test_the_configured_key_is_the_operators_in_every_organization(
    operator: Api, database: Database
) -> None:
    other = show_id(Kind.ORGANIZATION, make_organization(database))

    assert operator.get("/v1/auth/me").body["scopes"] == ["*"]
    assert operator.get("/v1/durable/config").body["policies"]["drain_workers"] is True
    within = operator.with_headers(X_Org_Id=other)
    assert within.get("/v1/auth/me").body["organization_id"] == other
    assert within.get("/v1/durable/config").body["policies"]["drain_workers"] is False
    unknown = show_id(Kind.ORGANIZATION, new_id())
    assert operator.get("/v1/agents", headers={"X-Org-Id": unknown}).status == 404


def test_a_key_is_good_in_its_organization_alone(
    holder: Holder, database: Database, organization: UUID
) -> None:
    caller = holder()
    own = show_id(Kind.ORGANIZATION, organization)
    other = show_id(Kind.ORGANIZATION, make_organization(database))

    assert caller.get("/v1/agents", headers={"X-Org-Id": own}).status == 200
    for named in (other, show_id(Kind.ORGANIZATION, new_id()), "nonsense"):
        reply = caller.get("/v1/agents", headers={"X-Org-Id": named})
        assert (reply.status, reply.body["error"]) == (404, "Organization not found")
    made = caller.session()
    assert made["organization_id"] == own


def test_a_keys_holder_is_the_operator_only_in_the_operators_organization(
    holder: Holder,
) -> None:
    policies = holder().get("/v1/durable/config").body["policies"]

    assert policies["drain_workers"] is False


def test_without_authentication_a_key_is_ignored(api: Api) -> None:
    caller = api.with_headers(Authorization="Bearer evr_pat_nonsense")

    assert caller.get("/v1/agents").status == 200
    me = caller.get("/v1/auth/me").body
    assert (me["email"], me["roles"]) == ("anonymous@local", ["admin"])
    assert caller.get("/v1/auth/config").body["mode"] == "none"
    made = caller.post("/v1/auth/api-keys", {"name": "for later"})
    assert (made.status, made.body["code"]) == (409, "conflict")


# --- what it costs, and how long it lasts ------------------------------------------------


def test_a_known_key_costs_no_statement(holder: Holder, database: Database) -> None:
    caller = holder()
    session = caller.session()
    caller.message(session["id"])
    noted(database, caller)

    with counting(database) as counted:
        path = f"/v1/sessions/{session['id']}/messages"
        assert caller.post(path, saying("Hello")).status == 201

    assert not [each for each in counted.statements if "api_keys" in each and ":digest" in each]
    assert len([each for each in counted.statements if "api_keys" not in each]) == 1


def noted(database: Database, caller: Api) -> None:
    """Wait until the use of its key was written."""
    wait_until(lambda: used_at(database, caller), description="the use is noted")


def used_at(database: Database, caller: Api) -> object:
    with database.reading() as tx:
        found = tx.execute(
            text("SELECT last_used_at FROM api_keys WHERE digest = :digest"),
            {"digest": digest_of(caller.headers["Authorization"].removeprefix("Bearer "))},
        )
        return found.scalar_one()


def test_use_is_noted_at_most_once_a_minute(holder: Holder, database: Database) -> None:
    caller = holder()
    assert used_at(database, caller) is None
    caller.get("/v1/agents")
    noted(database, caller)
    first = used_at(database, caller)
    with database.transaction() as tx:
        key_id = tx.execute(
            text("SELECT id FROM api_keys WHERE last_used_at = :at"), {"at": first}
        ).scalar_one()
        api_keys.note_use(tx, [key_id], at_least=60.0)
    assert used_at(database, caller) == first
    with database.transaction() as tx:
        api_keys.note_use(tx, [key_id], at_least=0.0)
    assert used_at(database, caller) != first


def test_a_key_that_has_expired_lets_nobody_in(holder: Holder) -> None:
    # Long enough for the first request of a busy machine.
    brief = holder(lasts=timedelta(seconds=1.5))
    began = time.monotonic()
    assert brief.get("/v1/agents").status == 200
    # Known already, and not asked about: its end is counted here.
    wait_until(lambda: brief.get("/v1/agents").status == 401, description="it expires")
    assert time.monotonic() - began > 0.9
    assert holder(lasts=timedelta(seconds=-1)).get("/v1/agents").status == 401


# --- making and revoking them ------------------------------------------------------------


def make_key(caller: Api, **fields: Any) -> Json:
    made = caller.post("/v1/auth/api-keys", {"name": "mine", **fields})
    assert made.status == 201, made.text
    body: Json = made.body
    return body


def test_a_key_is_shown_once(holder: Holder, nobody: Api, database: Database) -> None:
    caller = holder(principal_id=OTHER_PRINCIPAL)
    made = make_key(caller, expires_in_days=7, scopes=["sessions:*", "agents:read"])

    assert re.fullmatch(r"evr_pat_[0-9a-f]{64}", made["key"])
    listed = caller.get("/v1/auth/api-keys").body
    assert listed["total"] == 2
    shown = listed["data"][1]
    assert shown == {name: value for name, value in made.items() if name != "key"}
    assert made["key"].startswith(shown["key_prefix"].removesuffix("..."))
    assert len(shown["key_prefix"]) < 20
    assert shown["scopes"] == ["sessions:*", "agents:read"]
    assert (shown["last_used_at"], shown["expires_at"] > shown["created_at"]) == (None, True)
    with database.reading() as tx:
        rows = tx.execute(text("SELECT CAST(k AS text) FROM api_keys k")).scalars().all()
    assert made["key"] not in "".join(rows)
    assert made["key"].removeprefix("evr_pat_") not in "".join(rows)
    assert nobody.get("/v1/agents", headers={"Authorization": made["key"]}).status == 200


def test_both_names_of_the_routes_lead_to_the_same_keys(holder: Holder) -> None:
    caller = holder(principal_id=OTHER_PRINCIPAL)
    made = caller.post("/v1/auth/personal-access-tokens", {"name": "mine"})

    assert made.status == 201
    listed = caller.get("/v1/auth/personal-access-tokens").body
    assert listed == caller.get("/v1/auth/api-keys").body
    path = f"/v1/auth/personal-access-tokens/{made.body['id']}"
    assert (caller.delete(path).status, caller.delete(path).status) == (204, 404)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": " "}, 400),
        ({"name": "x" * 101}, 400),
        ({"name": "x", "scopes": "*"}, 400),
        ({"name": "x", "scopes": []}, 400),
        ({"name": "x", "scopes": ["pets:read"]}, 422),
        ({"name": "x", "expires_in_days": 0}, 400),
        ({"name": "x", "expires_in_days": "7"}, 400),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(holder: Holder, body: Json, status: int) -> None:
    assert holder().post("/v1/auth/api-keys", body).status == status


def test_a_key_passes_on_no_more_than_it_has(holder: Holder) -> None:
    caller = holder("keys:*", "sessions:read", lasts=timedelta(hours=1))

    for scopes in (["*"], ["sessions:write"], ["sessions:*"], ["*:read"]):
        reply = caller.post("/v1/auth/api-keys", {"name": "more", "scopes": scopes})
        assert reply.status == 403
    assert caller.post("/v1/auth/api-keys", {"name": "default"}).status == 403
    same = make_key(caller, scopes=["sessions:read"])
    longer = make_key(caller, scopes=["sessions:read"], expires_in_days=30)
    own = caller.get("/v1/auth/api-keys").body["data"][0]
    assert same["expires_at"] == longer["expires_at"] == own["expires_at"]


def test_a_repeat_makes_no_second_key(holder: Holder) -> None:
    caller = holder(principal_id=OTHER_PRINCIPAL).with_headers(Idempotency_Key="k")
    make_key(caller)

    again = caller.post("/v1/auth/api-keys", {"name": "mine"})

    assert (again.status, again.body["code"]) == (409, "conflict")
    assert caller.get("/v1/auth/api-keys").body["total"] == 2


def test_nobody_has_more_than_a_few_keys(holder: Holder) -> None:
    caller = holder(principal_id=OTHER_PRINCIPAL)
    for _ in range(24):
        make_key(caller)

    assert caller.post("/v1/auth/api-keys", {"name": "one more"}).status == 409


def test_anothers_keys_are_not_there(holder: Holder) -> None:
    one, other = holder(), holder(principal_id=OTHER_PRINCIPAL)
    made = make_key(one)

    assert other.delete(f"/v1/auth/api-keys/{made['id']}").status == 404
    assert other.delete(f"/v1/auth/api-keys/{show_id(Kind.API_KEY, new_id())}").status == 404
    assert made["id"] not in [each["id"] for each in other.get("/v1/auth/api-keys").body["data"]]
    assert one.get("/v1/agents", headers={"Authorization": made["key"]}).status == 200


def test_a_revoked_key_is_refused_at_once_and_the_rest_is_told(
    holder: Holder, nobody: Api, live: RecordingLive
) -> None:
    caller = holder()
    made = make_key(caller)
    mine = nobody.with_headers(Authorization=made["key"])
    assert mine.get("/v1/agents").status == 200

    assert caller.delete(f"/v1/auth/api-keys/{made['id']}").status == 204

    assert mine.get("/v1/agents").status == 401
    assert live.revoked == [parse_id(Kind.API_KEY, made["id"])]


def test_a_key_revoked_elsewhere_is_refused_within_seconds(
    holder: Holder, deps: Deps, document: Document
) -> None:
    """Without Redis: another process only has PostgreSQL to know it from."""
    caller = holder()
    made = make_key(caller)
    elsewhere = create_app(guarded_deps(deps))
    mine = Api(elsewhere, {"Authorization": made["key"]}, document)
    assert mine.get("/v1/agents").status == 200

    assert caller.delete(f"/v1/auth/api-keys/{made['id']}").status == 204

    wait_until(
        lambda: mine.get("/v1/agents").status == 401,
        description="the other process knows",
        timeout_seconds=5,
    )
    gate_of(elsewhere).close()


def test_a_revoked_key_makes_no_other_in_a_process_that_does_not_know_yet(
    holder: Holder, database: Database
) -> None:
    caller = holder()
    made = make_key(caller)
    mine = caller.with_headers(Authorization=made["key"])
    assert mine.get("/v1/agents").status == 200
    with database.transaction() as tx:
        assert api_keys.revoke(tx, parse_id(Kind.API_KEY, made["id"]))

    assert mine.post("/v1/auth/api-keys", {"name": "to stay"}).status == 401


# --- scopes -----------------------------------------------------------------------------


def test_a_key_does_what_it_is_granted_and_nothing_else(holder: Holder) -> None:
    caller = holder("sessions:read")

    assert caller.get("/v1/sessions").status == 200
    reply = caller.post("/v1/sessions", {})
    expected = 'Bearer realm="everturn", error="insufficient_scope", scope="sessions:write"'
    assert refused(reply) == (403, "insufficient_scope", expected)
    assert Scope.SESSIONS_WRITE in reply.body["error"]
    assert caller.get("/v1/auth/me").body["scopes"] == ["sessions:read"]
