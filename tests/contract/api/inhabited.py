"""One of everything that a path can name, for requests that are to find something."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from common.clock import new_id
from common.domain.ids import DEFAULT_ORGANIZATION, Kind, show_id
from common.domain.worker import WorkerReport, WorkerStatus
from common.storage import workers
from common.storage.engine import Database
from tests.contract.api import worker
from tests.contract.api.client import Api
from tests.contract.api.uploads import uploaded

Json = dict[str, Any]

HEADERS = {"X-Org-Id": show_id(Kind.ORGANIZATION, DEFAULT_ORGANIZATION)}


def inhabit(api: Api, database: Database) -> Json:
    """Make it all anew; returns the ids by the names that paths have for them."""
    with database.transaction() as tx:
        tx.execute(text("DELETE FROM workers"))
    agent = api.agent(name=f"Agent {new_id().hex}")
    api.patch(f"/v1/agents/{agent['id']}", {"description": "changed"})
    newest, oldest = api.get(f"/v1/agents/{agent['id']}/versions").body
    sealed = api.session(agent_id=agent["id"])
    api.message(sealed["id"])
    worker.seal(database, sealed["id"])
    session = api.session(agent_id=agent["id"])
    api.message(session["id"])
    turn = worker.open_turn_of(database, session["id"])
    workspace = _made(api, "/v1/workspaces", {"name": f"w {new_id().hex}"})
    for root in (f"/v1/workspaces/{workspace['id']}", f"/v1/sessions/{session['id']}"):
        api.put(f"{root}/fs/notes.md", {"content": "# Notes"})
    provider = _made(
        api,
        "/v1/providers",
        {"name": f"p {new_id().hex}", "provider_type": "openai", "base_url": "http://127.0.0.1:1"},
    )
    model = _made(
        api,
        f"/v1/providers/{provider['id']}/models",
        {"model_id": "house", "display_name": "House"},
    )
    server = _made(
        api, "/v1/mcp-servers", {"name": f"s {new_id().hex}", "url": "https://mcp.example.com/mcp"}
    )
    letters = api.get("/v1/durable/dlq").body["data"]
    return {
        "agent": agent["id"],
        "channel": agent["id"],
        "version_id": newest["id"],
        "from_id": oldest["id"],
        "to_id": newest["id"],
        "session_id": session["id"],
        "workflow_id": show_id(Kind.TURN, turn),
        "entry_id": letters[0]["id"],
        "workspace_id": workspace["id"],
        "file": "notes.md",
        "provider_id": provider["id"],
        "key": provider["id"],
        "model_id": model["id"],
        "server_id": server["id"],
        "harness": _made(api, "/v1/harnesses", {"name": f"h-{new_id().hex}"})["id"],
        "capability_id": "current_time",
        "image_id": uploaded(api)["id"],
        "worker_id": _worker(database),
    }


def _made(api: Api, path: str, body: Json) -> Json:
    reply = api.post(path, body)
    assert reply.status in (200, 201), reply.text
    made: Json = reply.body
    return made


def _worker(database: Database) -> str:
    worker_id = new_id()
    report = WorkerReport(
        id=worker_id,
        hostname="node-7",
        pid=42,
        version="1",
        status=WorkerStatus.ACTIVE,
        load=1,
        capacity=4,
    )
    with database.transaction() as tx:
        workers.beat(tx, report)
    return show_id(Kind.WORKER, worker_id)
