"""The whole OpenAPI document, tried by requests that are made from it."""

import json
import secrets
from typing import Any

import pytest
from hypothesis import settings

from api.blueprints.reference import _CACHED
from api.deps import Deps
from common.storage.engine import Database
from tests.contract.api.client import Api
from tests.contract.api.generated import run
from tests.contract.api.inhabited import HEADERS, inhabit
from tests.contract.api.keyed import keyed
from tests.fuzzing import LONG

pytestmark = pytest.mark.slow

_EXAMPLES = 4
# `make generated`
_LONG_EXAMPLES = 80
_LEAST_CASES = 10_000


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Providers that requests invent are looked for at a proxy that is not there."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")


@pytest.mark.usefixtures("no_network")
def test_every_answer_is_one_that_the_document_tells_of(
    deps: Deps, api: Api, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    is_long = settings.get_current_profile_name() == LONG
    seed = secrets.randbelow(10**9) if is_long else 1
    operator = Api(keyed(deps, api).app, HEADERS, api._document)

    outcome = run(
        operator.app,
        lambda: inhabit(operator, database),
        headers=HEADERS,
        examples=_LONG_EXAMPLES if is_long else _EXAMPLES,
        seed=seed,
    )

    if is_long:
        with capsys.disabled():
            print(f"\nseed {seed}: {outcome.summary()}")  # noqa: T201 - it was asked for
        assert outcome.cases >= _LEAST_CASES
    assert outcome.failures == {}, outcome.summary()
    streams = [path for path in api._document.document["paths"] if path.endswith("/sse")]
    documented: list[Any] = [
        operation
        for path, operations in api._document.document["paths"].items()
        for operation in operations
    ]
    assert outcome.operations == len(documented) - len(streams)
    assert outcome.cases > 3 * outcome.operations


def test_a_document_that_tells_too_little_is_found_out(deps: Deps, api: Api) -> None:
    """Else the test above would hold whatever the answers are."""
    document = json.loads(json.dumps(api._document.document))
    operation = document["paths"]["/v1/agents/{agent}"]["get"]
    del operation["responses"]["404"]
    agent = document["components"]["schemas"]["Agent"]
    agent["properties"]["name"] = {"type": "integer"}
    document["paths"] = {"/v1/agents/{agent}": {"get": operation}}
    app = keyed(deps, api).app
    app.extensions[_CACHED] = json.dumps(document).encode()
    made = api.agent()

    outcome = run(app, lambda: {"agent": made["id"]}, headers=api.headers, examples=10, seed=1)

    assert {kind for _, kind in outcome.failures} == {
        "UndefinedStatusCode",
        "JsonSchemaError",
    }, outcome.summary()
