"""Errors: one envelope for all of them, and nothing of ours in it (contract 1.5)."""

from dataclasses import replace
from typing import Any

import pytest
from gunicorn.http.errors import InvalidChunkSize
from sqlalchemy.exc import OperationalError

from api.app import create_app
from api.deps import Deps
from api.errors import STATUS_OF
from common.domain import errors
from common.domain.errors import DomainError
from common.storage.engine import Database
from tests.contract.api.client import Api, Document


def every_error() -> list[type[DomainError]]:
    def below(kind: type[DomainError]) -> list[type[DomainError]]:
        return [found for direct in kind.__subclasses__() for found in [direct, *below(direct)]]

    return below(DomainError)


def test_every_error_has_a_status() -> None:
    assert errors.BadRequest in every_error()
    assert set(every_error()) == set(STATUS_OF)


def test_the_envelope_of_a_missing_session(api: Api) -> None:
    refused = api.with_headers(X_Request_Id="my-request.1").get("/v1/sessions/" + "0" * 32)

    assert refused.status == 404
    assert refused.body == {
        "error": "Session not found",
        "status": 404,
        "code": "not_found",
        "message": "Session not found",
        "title": "Not Found",
        "detail": "Session not found",
        "request_id": "my-request.1",
    }
    assert refused.headers["Content-Type"] == "application/json; charset=utf-8"
    assert refused.headers["X-Content-Type-Options"] == "nosniff"
    assert refused.headers["X-Request-Id"] == "my-request.1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 200, 'quote"', "é"])
def test_a_request_id_that_is_not_usable_is_replaced(api: Api, given: str) -> None:
    reply = api.with_headers(X_Request_Id=given).get("/v1/agents")

    assert reply.status == 200
    assert reply.headers["X-Request-Id"] not in ("", given)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/v1", 404, "not_found"),
        ("GET", "/v1/nothing", 404, "not_found"),
        ("POST", "/api/v1/nothing/at/all", 404, "not_found"),
        ("GET", "//v1/agents", 404, "not_found"),
        ("GET", "/v1//agents", 404, "not_found"),
        ("GET", "/static/x", 404, "not_found"),
        ("PUT", "/v1/agents", 405, "method_not_allowed"),
        ("DELETE", "/v1/sessions", 405, "method_not_allowed"),
        ("PATCH", "/health", 405, "method_not_allowed"),
        ("TRACE", "/v1/agents", 405, "method_not_allowed"),
    ],
)
def test_the_frameworks_errors_look_the_same(
    api: Api, method: str, path: str, status: int, code: str
) -> None:
    refused = api.send(method, path)

    assert (refused.status, refused.body["code"]) == (status, code)
    assert (status == 405) == ("Allow" in refused.headers)


@pytest.mark.parametrize(
    "path",
    ["/v1/agents/", "/api/v1/agents/", "/v1/sessions/", "/health/", "/docs/", "/openapi.json/"],
)
def test_a_trailing_slash_is_no_redirect(api: Api, path: str) -> None:
    assert api.get(path).status == 200


def test_a_get_with_the_sdks_content_type_and_no_body_is_fine(api: Api) -> None:
    session = api.session()

    for method, path in (
        ("GET", "/v1/agents"),
        ("GET", f"/v1/sessions/{session['id']}"),
        ("PUT", f"/v1/sessions/{session['id']}/pin"),
        ("DELETE", f"/v1/sessions/{session['id']}/pin"),
        ("POST", f"/v1/sessions/{session['id']}/cancel"),
        ("DELETE", f"/v1/sessions/{session['id']}"),
    ):
        assert api.send(method, path, content_type="application/json").status < 300, path


def test_a_fault_of_ours_tells_nothing(deps: Deps, document: Document) -> None:
    def fail() -> Any:
        raise RuntimeError("the secret is 42")

    api = Api(create_app(replace(deps, new_id=fail)), {"X-Request-Id": "a"}, document)

    refused = api.post("/v1/sessions", {})

    assert refused.status == 500
    assert refused.body["error"] == "Internal server error"
    assert "42" not in refused.text


def test_a_database_that_cannot_be_reached_is_said_and_worth_a_retry(
    deps: Deps, document: Document
) -> None:
    nowhere = Database("postgresql://127.0.0.1:1/nothing", pool_size=1, application="test")
    api = Api(create_app(replace(deps, database=nowhere)), {}, document)

    for method, path in (("GET", "/v1/agents"), ("POST", "/v1/sessions")):
        refused = api.send(method, path)
        assert (refused.status, refused.body["code"]) == (503, "unavailable")


def test_a_statement_that_took_too_long_is_worth_a_retry(deps: Deps, document: Document) -> None:
    class Slow(Exception):
        pgcode = "57014"

    def cancelled() -> Any:
        raise OperationalError("SELECT", {}, Slow())

    api = Api(create_app(replace(deps, new_id=cancelled)), {"X-Request-Id": "a"}, document)

    assert api.post("/v1/sessions", {}).status == 503


@pytest.mark.parametrize(
    ("named", "status"),
    [
        ("", 200),
        ("org_00000000000000000000000000000001", 200),
        ("00000000-0000-0000-0000-000000000001", 200),
        ("org_" + "f" * 32, 404),
        ("nope", 404),
        ("agent_00000000000000000000000000000001", 404),
        ("é", 404),
    ],
)
def test_the_organization_is_taken_from_its_header(api: Api, named: str, status: int) -> None:
    caller = api.with_headers(X_Org_Id=named)

    assert caller.get("/v1/agents").status == status
    assert caller.get("/health").status == 200


@pytest.mark.parametrize(
    "authorization", ["Bearer x", "bearer x", "ApiKey x", "evr_123", "Basic x", "Bearer", "  ", "é"]
)
def test_any_credential_is_accepted(api: Api, authorization: str) -> None:
    assert api.with_headers(Authorization=authorization).get("/v1/agents").status == 200


@pytest.mark.parametrize(
    "query",
    ["search=%00", "search=%ff%fe", "%00=1", "offset=%D9%A3", "search=" + "x" * 600, "&&=&"],
)
def test_no_query_is_too_strange(api: Api, query: str) -> None:
    assert api.get(f"/v1/agents?{query}").status in (200, 400)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/agents/%00",
        "/v1/agents/%ff",
        "/v1/agents/" + "x" * 300,
        "/v1/agents/%2F",
        "/v1/agents/..",
    ],
)
def test_no_path_is_too_strange(api: Api, path: str) -> None:
    assert api.get(path).status in (400, 404)


class _BrokenBody:
    """As gunicorn's, when a client's chunks are no chunks."""

    def read(self, _size: int | None = -1) -> bytes:
        raise InvalidChunkSize(b"zz")

    def close(self) -> None: ...


@pytest.mark.parametrize("path", ["/v1/agents", "/v1/images"])
def test_a_body_that_is_not_sent_as_http_wants_it_is_malformed(api: Api, path: str) -> None:
    form = "multipart/form-data; boundary=x" if path.endswith("images") else "application/json"
    refused = api.post(
        path,
        environ_overrides={"wsgi.input": _BrokenBody(), "wsgi.input_terminated": True},
        content_type=form,
    )
    assert (refused.status, refused.body["code"]) == (400, "bad_request")
    assert refused.headers["Connection"] == "close", refused.text
