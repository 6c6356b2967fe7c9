"""The api on a real database, each test in an organization of its own."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from api.app import create_app
from api.deps import Deps
from common.blobs.opening import open_blobs
from common.clock import new_id
from common.domain.ids import Kind, show_id
from common.images.workshop import open_workshop
from common.settings import Settings
from common.storage.engine import Database
from tests.contract.api.client import Api, Document
from tests.fakes.examiner import examiner_of
from tests.fakes.live import RecordingLive
from tests.fakes.turn_queue import RecordingQueue


@pytest.fixture(scope="module")
def database(shared_database_url: str) -> Iterator[Database]:
    database = Database(shared_database_url, pool_size=16, application="everturn test")
    yield database
    database.close()


@pytest.fixture(scope="module")
def deps(
    database: Database, shared_database_url: str, tmp_path_factory: pytest.TempPathFactory
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
