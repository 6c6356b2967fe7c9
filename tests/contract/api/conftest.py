"""The api on a real database, each test in an organization of its own."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from api.admission import _EXTENSION
from api.app import create_app
from api.audit_trail import AuditTrail
from api.deps import Deps
from api.gate import Gate
from common.blobs.opening import open_blobs
from common.clock import new_id
from common.domain.access import Grants, digest_of, key_text, shown_prefix
from common.domain.ids import OPERATOR_PRINCIPAL, Kind, show_id
from common.images.workshop import open_workshop
from common.settings import Settings
from common.storage import api_keys
from common.storage.api_keys import NewKey
from common.storage.engine import Database
from tests.contract.api.client import Api, Document
from tests.contract.api.people import People, full_deps
from tests.fakes.examiner import examiner_of
from tests.fakes.live import RecordingLive
from tests.fakes.turn_queue import RecordingQueue


@pytest.fixture(scope="module")
def database(shared_database_url: str) -> Iterator[Database]:
    database = Database(shared_database_url, pool_size=16, application="everturn test")
    yield database
    database.close()


@pytest.fixture(scope="module")
def trail(shared_database_url: str) -> Iterator[AuditTrail]:
    made = AuditTrail(Database(shared_database_url, pool_size=1, application="everturn audit"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def deps(
    database: Database,
    trail: AuditTrail,
    shared_database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Deps:
    settings = Settings.from_env(
        {
            "DATABASE_URL": shared_database_url,
            "REDIS_URL": "redis://localhost:1",
            "STORAGE_DIRECTORY": str(tmp_path_factory.mktemp("storage")),
        }
    )
    return Deps(
        settings=settings,
        database=database,
        live=RecordingLive(),
        queue=RecordingQueue(),
        new_id=new_id,
        reach_redis=lambda: True,
        version="1.2.3",
        blobs=open_blobs(settings),
        workshop=open_workshop(settings, threads=8),
        trail=trail,
        examiner=examiner_of(settings),
    )


@pytest.fixture(scope="module")
def app(deps: Deps) -> APIFlask:
    return create_app(deps)


@pytest.fixture
def live(deps: Deps) -> RecordingLive:
    assert isinstance(deps.live, RecordingLive)
    deps.live.forget()
    return deps.live


@pytest.fixture
def queue(deps: Deps) -> RecordingQueue:
    assert isinstance(deps.queue, RecordingQueue)
    deps.queue.forget()
    return deps.queue


@pytest.fixture(scope="session")
def document() -> Document:
    return Document.made()


@pytest.fixture
def organization(database: Database) -> UUID:
    return make_organization(database)


@pytest.fixture
def api(app: APIFlask, organization: UUID, document: Document) -> Api:
    """A caller in an organization that is this test's alone."""
    return Api(app, {"X-Org-Id": show_id(Kind.ORGANIZATION, organization)}, document)


@pytest.fixture
def stranger(app: APIFlask, database: Database, document: Document) -> Api:
    """A caller in another organization."""
    other = make_organization(database)
    return Api(app, {"X-Org-Id": show_id(Kind.ORGANIZATION, other)}, document)


def make_organization(database: Database) -> UUID:
    organization_id = new_id()
    with database.transaction() as tx:
        tx.execute(
            text("INSERT INTO organizations (id, name) VALUES (:id, 'A test')"),
            {"id": organization_id},
        )
    return organization_id


@pytest.fixture(params=["workspace", "session", "nested"])
def fs(request: pytest.FixtureRequest, api: Api) -> str:
    """The root of somebody's files, by each way to address them."""
    if request.param == "workspace":
        made = api.post("/v1/workspaces", {"name": "Shared"})
        return f"/v1/workspaces/{made.body['id']}/fs"
    if request.param == "session":
        return f"/v1/sessions/{api.session()['id']}/fs"
    agent = api.agent()
    session = api.session(agent_id=agent["id"])
    return f"/v1/agents/{agent['id']}/sessions/{session['id']}/fs"


@pytest.fixture
def own(api: Api) -> str:
    return f"/v1/sessions/{api.session()['id']}/fs"


# --- with authentication

BOOTSTRAP = "the operator's own key, long enough"


@pytest.fixture(scope="module")
def guarded(deps: Deps) -> Iterator[APIFlask]:
    """The api with AUTH_MODE=admin."""
    app = create_app(guarded_deps(deps))
    yield app
    gate_of(app).close()


def guarded_deps(deps: Deps) -> Deps:
    settings = replace(deps.settings, auth_mode="admin", auth_bootstrap_key=digest_of(BOOTSTRAP))
    return replace(deps, settings=settings)


def gate_of(app: APIFlask) -> Gate:
    gate: Gate = app.extensions[_EXTENSION]
    return gate


@pytest.fixture
def nobody(guarded: APIFlask, document: Document) -> Api:
    return Api(guarded, {}, document)


@pytest.fixture
def operator(nobody: Api) -> Api:
    return nobody.with_headers(Authorization=f"Bearer {BOOTSTRAP}")


Holder = Callable[..., Api]


@pytest.fixture
def holder(nobody: Api, database: Database, organization: UUID) -> Holder:
    """Makes a caller with a key of its own."""

    def make(*scopes: str, **fields: Any) -> Api:
        key = fields.pop("text", None) or key_text(new_id().bytes + new_id().bytes)
        new = NewKey(
            **{
                "id": new_id(),
                "organization_id": organization,
                "principal_id": OPERATOR_PRINCIPAL,
                "name": "a test",
                "digest": digest_of(key),
                "prefix": shown_prefix(key),
                "grants": Grants(scopes or ("*",)),
                "lasts": None,
                **fields,
            }
        )
        with database.transaction() as tx:
            api_keys.insert(tx, new)
        return nobody.with_headers(Authorization=f"Bearer {key}")

    return make


# --- with users


@pytest.fixture(scope="module")
def people(deps: Deps, document: Document) -> Iterator[People]:
    """Users of an api with AUTH_MODE=full."""
    full = full_deps(deps)
    app = create_app(full)
    yield People(app, full, document)
    gate_of(app).close()
