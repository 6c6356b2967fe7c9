"""Health: at the root, without a caller, and saying what is down."""

from dataclasses import replace

import pytest

from api.app import create_app
from api.deps import Deps
from common.storage.engine import Database
from tests.contract.api.client import Api, Document


@pytest.mark.parametrize("path", ["/health", "/health/live"])
def test_a_living_process_says_so(api: Api, path: str) -> None:
    expected = {"status": "ok", "version": "1.2.3", "auth_mode": "none"}

    assert api.get(path).body == expected


def test_a_ready_process_says_what_is_up(api: Api) -> None:
    ready = api.get("/health/ready")

    assert ready.status == 200
    assert ready.body["dependencies"] == {"database": "up", "redis": "up"}


def test_a_process_that_cannot_work_says_what_is_down(deps: Deps, document: Document) -> None:
    def refuse() -> None:
        raise ConnectionRefusedError

    nowhere = Database("postgresql://127.0.0.1:1/nothing", pool_size=1, application="test")
    broken = replace(deps, database=nowhere, reach_redis=refuse)
    api = Api(create_app(broken), {}, document)

    reply = api.app.test_client().get("/health/ready")

    assert reply.status_code == 503
    assert reply.json == {
        "status": "unavailable",
        "dependencies": {"database": "down", "redis": "down"},
    }
    assert api.get("/health").status == 200


def test_health_is_not_below_the_prefix(api: Api) -> None:
    assert api.get("/v1/health").status == 404
    assert api.get("/api/v1/health").status == 404
