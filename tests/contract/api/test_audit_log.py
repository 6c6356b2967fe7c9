"""The audit log: who did what to which resource, for the organization's administrators to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from apiflask import APIFlask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from api.app import create_app
from api.audit import KINDS, NAMES, template
from api.audit_trail import AuditTrail
from api.deps import Deps
from api.endpoint import PATH_READERS
from common.clock import new_id
from common.domain.access import digest_of
from common.domain.audit import Entry
from common.domain.ids import Kind, show_id
from common.encryption import MasterKey, SecretBox
from common.storage import api_keys
from common.storage.engine import Database
from tests.contract.api.client import Api, Document, Json
from tests.contract.api.conftest import Holder, gate_of, guarded_deps, make_organization
from tests.contract.api.test_hot_path import counting

LOG = "/v1/audit-log"
Read = Callable[..., list[Json]]


@pytest.fixture
def read(holder: Holder, trail: AuditTrail) -> Read:
    """What the organization's administrator reads, newest first."""
    administrator = holder()

    def entries(query: str = "limit=100", reader: Api = administrator) -> list[Json]:
        trail.flush()
        reply = reader.get(f"{LOG}?{query}")
        assert reply.status == 200, reply.text
        found: list[Json] = reply.body["data"]
        return found

    return entries


def key_of(caller: Api, database: Database) -> str:
    """The id of the key that a caller of ours shows."""
    digest = digest_of(caller.headers["Authorization"].removeprefix("Bearer "))
    with database.reading() as tx:
        found = api_keys.find(tx, digest)
    assert found is not None
    return show_id(Kind.API_KEY, found.key.id)


def resources(*named: str) -> list[Json]:
    kinds = {"key": "api_key", "session": "session", "agent": "agent", "message": "message"}
    pairs = [each.split("=") for each in named]
    return [{"type": kinds[kind], "id": value} for kind, value in pairs]


# --- what is recorded --------------------------------------------------------------------


def test_an_entry_says_who_did_what_to_which_resource(
    holder: Holder, read: Read, database: Database
) -> None:
    caller = holder().with_headers(X_Request_Id="r-1")
    agent = caller.agent()["id"]

    (entry,) = read()

    assert entry == {
        "id": entry["id"],
        "at": entry["at"],
        "actor": {"type": "api_key", "id": key_of(caller, database), "on_behalf_of": None},
        "action": "create_agent",
        "method": "POST",
        "route": "/v1/agents",
        "resources": resources(f"agent={agent}"),
        "outcome": "done",
        "status": 201,
        "request_id": "r-1",
        "address": "127.0.0.1",
        "count": 1,
    }
    assert entry["id"].startswith("audit_")


def test_what_is_below_something_names_both(holder: Holder, read: Read) -> None:
    caller = holder()
    session = caller.session()["id"]
    message = caller.message(session)["id"]
    caller.post(f"/v1/sessions/{session.removeprefix('session_')}/cancel")

    cancelled, said, made = read()

    assert made["resources"] == resources(f"session={session}")
    assert said["route"] == "/v1/sessions/{session_id}/messages"
    assert said["resources"] == resources(f"session={session}", f"message={message}")
    assert cancelled["resources"] == resources(f"session={session}")


def test_what_only_looks_is_no_act(holder: Holder, read: Read) -> None:
    caller = holder()
    caller.get("/v1/agents")
    caller.post("/v1/agents/preview", {"name": "x"})
    caller.send("OPTIONS", "/v1/agents")

    assert read() == []


def test_an_act_that_failed_is_an_entry_too(holder: Holder, read: Read) -> None:
    unknown = show_id(Kind.AGENT, new_id())
    holder().send("DELETE", f"/v1/agents/{unknown}")

    (entry,) = read()

    assert (entry["outcome"], entry["status"]) == ("failed", 404)
    assert entry["resources"] == resources(f"agent={unknown}")


def test_keys_that_come_and_go_are_entered_before_the_answer(
    holder: Holder,
) -> None:
    caller = holder()
    made = caller.post("/v1/auth/api-keys", {"name": "for a friend"}).body
    caller.send("DELETE", f"/v1/auth/api-keys/{made['id']}")

    revoked, created = caller.get(LOG).body["data"]

    assert [each["action"] for each in (created, revoked)] == ["create_api_key", "revoke_api_key"]
    assert created["resources"] == revoked["resources"] == resources(f"key={made['id']}")


def test_a_scope_that_is_missing_is_entered(holder: Holder, read: Read, database: Database) -> None:
    caller = holder("agents:read")
    session = show_id(Kind.SESSION, new_id())
    assert caller.get(f"/v1/sessions/{session}").status == 403

    (entry,) = read()

    assert (entry["outcome"], entry["status"], entry["action"]) == ("refused", 403, "get_session")
    assert entry["actor"]["id"] == key_of(caller, database)
    assert entry["resources"] == resources(f"session={session}")


def test_an_agents_key_is_told_apart(holder: Holder, read: Read) -> None:
    administrator = holder()
    agent = administrator.agent()["id"]
    made = administrator.post("/v1/auth/api-keys", {"name": "app", "agent_id": agent}).body
    caller = administrator.with_headers(Authorization=f"Bearer {made['key']}")
    session = caller.post(f"/v1/channels/{agent}/sessions").body["id"]

    entry = read()[0]

    assert entry["actor"] == {"type": "agent_key", "id": made["id"], "on_behalf_of": agent}
    assert entry["resources"] == resources(f"agent={agent}", f"session={session}")


def test_a_stranger_is_entered_without_what_they_showed(
    nobody: Api, operator: Api, read: Read
) -> None:
    secret = "evr_pat_" + "5ecret" * 10
    path = "/v1/agents/planted-in-the-path"
    mark = new_id().hex
    stranger = nobody.with_headers(Authorization=f"Bearer {secret}", X_Request_Id=mark)
    assert stranger.get(path).status == 401

    found = read("installation=true&outcome=refused&limit=100", operator)

    (entry,) = [each for each in found if each["request_id"] == mark]
    assert (entry["status"], entry["actor"]["type"]) == (401, "unknown")
    assert entry["route"] == "/v1/agents/{agent}"
    assert entry["resources"] == []
    assert "planted" not in str(found)
    assert secret not in str(found)


def test_without_authentication_everybody_is_anonymous(api: Api) -> None:
    api.agent()
    (entry,) = api.get(LOG).body["data"]
    assert entry["actor"] == {"type": "anonymous", "id": None, "on_behalf_of": None}


def test_the_configured_key_has_no_id(operator: Api, organization: UUID) -> None:
    acting = operator.with_headers(X_Org_Id=show_id(Kind.ORGANIZATION, organization))
    acting.agent()
    (entry,) = acting.get(LOG).body["data"]
    assert entry["actor"] == {"type": "configured_key", "id": None, "on_behalf_of": None}


def test_operators_acts_are_entered(operator: Api) -> None:
    worker = show_id(Kind.WORKER, new_id())
    operator.post(f"/v1/durable/workers/{worker}/drain")
    provider = operator.post("/v1/providers", {"name": new_id().hex, "provider_type": "openai"})
    operator.send("DELETE", f"/v1/providers/{provider.body['id']}")

    found = operator.get(f"{LOG}?resource_id={provider.body['id']}").body["data"]

    assert [each["action"] for each in found] == ["delete_provider", "create_provider"]


# --- who reads it ------------------------------------------------------------------------


def test_another_tenant_sees_nothing_of_it(holder: Holder, read: Read, stranger: Api) -> None:
    holder().agent()
    assert len(read()) == 1
    assert stranger.get(LOG).body == {"data": [], "next_page_token": None}


@pytest.mark.parametrize("scope", ["*:read", "keys:read", "operations:*"])
def test_it_is_closed_to_whom_it_was_not_granted_by_name(holder: Holder, scope: str) -> None:
    reply = holder(scope).get(LOG)
    assert (reply.status, reply.body["code"]) == (403, "insufficient_scope")
    assert holder("audit:read").get(LOG).status == 200
    assert holder("audit:*").get(LOG).status == 200


def test_what_is_no_organizations_is_the_operators(
    holder: Holder, operator: Api, organization: UUID
) -> None:
    elsewhere = operator.with_headers(X_Org_Id=show_id(Kind.ORGANIZATION, organization))
    for caller in (holder(), elsewhere):
        assert caller.get(f"{LOG}?installation=true").status == 403
    assert operator.get(f"{LOG}?installation=true").status == 200


# --- pages and filters -------------------------------------------------------------------


def test_pages_follow_one_another_without_a_gap(holder: Holder) -> None:
    caller = holder()
    made = [caller.agent(name=f"clerk-{number}")["id"] for number in range(5)]
    seen: list[str] = []
    token = ""
    while True:
        page = caller.get(f"{LOG}?limit=2&action=create_agent&page_token={token}").body
        seen += [each["resources"][0]["id"] for each in page["data"]]
        token = page["next_page_token"]
        if token is None:
            break
    assert seen == made[::-1]


def test_filters_narrow_it(holder: Holder, read: Read, database: Database) -> None:
    one, other = holder(), holder()
    agent = one.agent()["id"]
    session = other.session(agent_id=agent)["id"]
    other.send("DELETE", f"/v1/agents/{show_id(Kind.AGENT, new_id())}")
    everything = read()
    assert len(everything) == 3

    def actions(query: str) -> list[str]:
        return [each["action"] for each in read(query)]

    assert actions(f"actor={key_of(one, database)}") == ["create_agent"]
    assert actions("actor=api_key&outcome=failed") == ["archive_agent"]
    assert actions("action=create_session") == ["create_session"]
    assert actions("resource_type=session") == ["create_session"]
    assert actions(f"resource_id={session.removeprefix('session_')}") == ["create_session"]
    assert actions(f"resource_id={agent}") == ["create_agent"]
    assert actions(f"resource_type=session&resource_id={agent}") == []
    middle = everything[1]["at"]
    assert actions(f"until={middle}") == ["create_agent"]
    assert actions(f"since={middle}") == ["archive_agent", "create_session"]


@pytest.mark.parametrize(
    "query", ["page_token=x", "page_token=MjAyNg==", "since=then", "outcome=maybe", "limit=0"]
)
def test_what_is_malformed_is_refused(holder: Holder, query: str) -> None:
    assert holder().get(f"{LOG}?{query}").status == 400


# --- what is never in it -----------------------------------------------------------------


def test_neither_secrets_nor_words_are_ever_in_it(
    deps: Deps, database: Database, document: Document, trail: AuditTrail, holder: Holder
) -> None:
    planted = "xyzzy-plugh-4711"
    box = SecretBox(MasterKey.parse("test:" + "QUFB" * 10 + "QUE="))
    app = create_app(replace(deps, secrets=box))
    caller = Api(
        app, {"X-Org-Id": show_id(Kind.ORGANIZATION, make_organization(database))}, document
    )
    agent = caller.agent(system_prompt=planted)["id"]
    session = caller.session(agent_id=agent, title=planted)["id"]
    caller.message(session, planted)
    secrets = {"secrets": {"TOKEN": planted}}
    assert caller.put(f"/v1/sessions/{session}/storage/secrets", secrets).status == 200
    caller.post(
        "/v1/providers", {"name": "p", "provider_type": "openai", "api_key": f"sk-{planted}"}
    )
    caller.post(f"/v1/sessions/{session}/messages?note={planted}", b"{" + planted.encode())
    caller.get(f"/v1/agents?search={planted}", headers={"X-Org-Id": "nonsense"})
    holder("agents:read").post("/v1/sessions", {"title": planted})
    trail.flush()

    with database.reading() as tx:
        rows = tx.execute(text("SELECT row_to_json(l)::text FROM audit_log l")).scalars().all()

    assert len(rows) > 6
    assert not [row for row in rows if planted in row]


# --- what it costs, and when it cannot be written ------------------------------------------


def test_messages_cost_no_statement_and_their_entries_one_together(
    deps: Deps, database: Database, organization: UUID, document: Document
) -> None:
    patient = AuditTrail(database, pause_seconds=3600)
    caller = Api(
        create_app(replace(deps, trail=patient)),
        {"X-Org-Id": show_id(Kind.ORGANIZATION, organization)},
        document,
    )
    session = caller.session()["id"]
    caller.message(session)
    with counting(database) as asked:
        for _ in range(3):
            caller.message(session)
    with counting(database) as written:
        patient.flush()

    assert len(asked.statements) == 3
    assert len(written.statements) == 1
    assert len(caller.get(f"{LOG}?action=create_message").body["data"]) == 4


class Unwritable(AuditTrail):
    """Loses its connection whenever an entry is to be written at once."""

    def write(self, database: Database, entry: Entry) -> None:  # noqa: ARG002 - as the base has it
        super().put(entry)
        raise OperationalError("INSERT", {}, Exception("gone"), connection_invalidated=True)


def test_no_key_is_shown_whose_entry_could_not_be_written(
    deps: Deps, database: Database, holder: Holder, document: Document
) -> None:
    unwritable = Unwritable(database, pause_seconds=3600)
    app = create_app(guarded_deps(replace(deps, trail=unwritable)))
    caller = Api(app, holder().headers, document)

    reply = caller.post("/v1/auth/api-keys", {"name": "unseen"})
    malformed = caller.post("/v1/auth/api-keys", {"name": 5})
    unwritable.flush()

    assert (reply.status, reply.body["code"]) == (503, "audit_unavailable")
    assert "key" not in reply.body
    assert malformed.status == 400
    found = caller.get(f"{LOG}?action=create_api_key").body["data"]
    assert [each["status"] for each in found] == [400, 201]
    gate_of(app).close()


# --- that nothing is forgotten -------------------------------------------------------------


def test_every_argument_of_a_path_is_known() -> None:
    """A new one fails here, until somebody has said what it names."""
    assert KINDS.keys() | NAMES.keys() == PATH_READERS.keys()


def test_routes_are_written_as_in_the_document(app: APIFlask, document: Document) -> None:
    written = {template(rule.rule) for rule in app.url_map.iter_rules()}
    assert set(document.document["paths"]) <= written
