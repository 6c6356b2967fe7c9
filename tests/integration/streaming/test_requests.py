"""What is refused before a stream starts, and what is let through."""

import http.client
import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from common.clock import new_id
from common.domain.ids import (
    ANONYMOUS_PRINCIPAL,
    DEFAULT_ORGANIZATION,
    GENERIC_HARNESS,
    Kind,
    show_id,
)
from tests.integration.streaming.author import Author
from tests.integration.streaming.conftest import ReadStream, World
from tests.integration.streaming.reader import Reader


def ask(
    world: World, method: str, path: str, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], Any]:
    connection = http.client.HTTPConnection("127.0.0.1", world.servers[0].port, timeout=10)
    connection.request(method, path, headers=headers or {})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, dict(response.headers), json.loads(body) if body else None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"since_id": "nonsense"}, "since_id"),
        ({"since_id": show_id(Kind.EVENT, new_id())}, "since_id"),
        ({"after_sequence": "-1"}, "after_sequence"),
        ({"after_sequence": "x"}, "after_sequence"),
        ({"after_sequence": "9" * 5000}, "after_sequence"),
        ({"types": "no.such"}, "types"),
        ({"types": ["turn.*", "connected"]}, "types"),
        ({"exclude": "turn.started,\x00"}, "exclude"),
        ({"exclude": ["turn.started"] * 26}, "exclude"),
        ({"start": "yesterday"}, "start"),
        ({"accumulated": "maybe"}, "accumulated"),
    ],
)
def test_a_bad_parameter_is_named(
    author: Author, read: ReadStream, query: dict[str, Any], field: str
) -> None:
    reader = read(author, **query)
    assert reader.status == 400
    assert reader.error["errors"][0]["field"] == field
    assert field in reader.error["error"]


def test_two_cursors_are_one_too_many(author: Author, read: ReadStream) -> None:
    reader = read(author, since_id=author.log()[0].id, after_sequence=1)
    assert reader.status == 400


def test_a_cursor_of_another_session_is_refused(author: Author, world: World) -> None:
    other = world.author()
    assert world.read(author, since_id=other.log()[0].id).status == 400


def test_an_error_has_the_envelope(world: World) -> None:
    world.serve()
    status, headers, body = ask(world, "GET", f"/v1/sessions/{new_id()}/sse")
    assert status == 404
    assert headers["content-type"].startswith("application/json")
    assert body == {
        "error": "Session not found",
        "status": 404,
        "code": "not_found",
        "message": "Session not found",
        "title": "Not Found",
        "detail": "Session not found",
        "request_id": headers["x-request-id"],
    }


@pytest.mark.parametrize("session", ["x", "agent_" + "0" * 32, "session_123", "%00"])
def test_a_malformed_id_is_refused(world: World, session: str) -> None:
    world.serve()
    assert ask(world, "GET", f"/v1/sessions/{session}/sse")[0] == 400


def test_every_form_of_id_and_path_is_accepted(author: Author, world: World) -> None:
    dashed, plain = str(author.session_id), author.session_id.hex
    for path in (
        f"/v1/sessions/{plain}/sse",
        f"/api/v1/sessions/{dashed}/sse",
        f"/v1/sessions/session_{dashed.upper()}/sse/",
    ):
        with Reader(world.servers[0].port, path) as reader:
            assert reader.status == 200


def test_another_organization_does_not_see_the_session(author: Author, world: World) -> None:
    organization = new_id()
    with world.database.transaction() as tx:
        tx.execute(
            text("INSERT INTO organizations (id, name) VALUES (:id, 'Other')"),
            {"id": organization},
        )
    theirs = {"X-Org-Id": show_id(Kind.ORGANIZATION, organization)}
    assert world.read(author, headers=theirs).status == 404
    own = world.author(organization_id=organization)
    assert world.read(own).status == 404
    assert world.read(own, headers=theirs).status == 200


@pytest.mark.parametrize("organization", ["nonsense", show_id(Kind.ORGANIZATION, UUID(int=77))])
def test_an_unknown_organization_has_no_sessions(
    author: Author, read: ReadStream, organization: str
) -> None:
    assert read(author, headers={"X-Org-Id": organization}).status == 404


def test_a_deleted_session_is_not_found(author: Author, read: ReadStream) -> None:
    author.delete()
    assert read(author).status == 404


def test_other_routes_and_methods_are_refused(author: Author, world: World) -> None:
    path = f"/v1/sessions/{author.session_id.hex}/sse"
    assert ask(world, "GET", "/v1/sessions")[0] == 404
    assert ask(world, "GET", "/")[0] == 404
    for method in ("HEAD", "POST", "DELETE", "OPTIONS"):
        status, headers, _ = ask(world, method, path)
        assert (status, headers["allow"]) == (405, "GET")


def test_only_configured_origins_may_read(world: World) -> None:
    world.serve(CORS_ALLOWED_ORIGINS="https://app.example")
    author = world.author()
    path = f"/v1/sessions/{author.session_id.hex}/sse"
    own, foreign = {"Origin": "https://app.example"}, {"Origin": "https://evil.example"}
    assert ask(world, "OPTIONS", path, own)[1]["access-control-allow-methods"] == "GET"
    assert ask(world, "OPTIONS", path, foreign)[0] == 405
    with world.read(author, headers=own) as reader:
        assert reader.response.headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert "X-After-Sequence" in reader.response.headers["Access-Control-Expose-Headers"]
    with world.read(author, headers=foreign) as reader:
        assert "Access-Control-Allow-Origin" not in reader.response.headers


def test_every_answer_tells_browsers_to_do_nothing_with_it(author: Author, world: World) -> None:
    path = f"/v1/sessions/{author.session_id.hex}/sse"
    answers = [
        ask(world, method, path)[1]
        for method, path in (("GET", "/health"), ("GET", "/x"), ("POST", path))
    ]
    with world.read(author) as reader:
        answers.append(dict(reader.response.headers))
    for headers in answers:
        shown = {name.lower(): value for name, value in headers.items()}
        assert shown["x-content-type-options"] == "nosniff"
        assert shown["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in shown["content-security-policy"]
        assert shown["cache-control"] in ("no-store", "no-cache")
        assert "strict-transport-security" not in shown
    world.serve(HSTS_SECONDS="600")
    told = Reader(world.servers[-1].port, path)
    world.readers.append(told)
    assert told.response.headers["Strict-Transport-Security"] == "max-age=600"


def test_ready_names_what_is_down(world: World) -> None:
    world.serve(REDIS_URL="redis://127.0.0.1:1/0")
    status, _, body = ask(world, "GET", "/health/ready")
    assert (status, body["dependencies"]) == (503, {"database": "up", "redis": "down"})
    assert ask(world, "GET", "/health")[0] == 200


def test_a_server_that_is_about_to_stop_opens_no_stream(author: Author, world: World) -> None:
    world.servers[0].deps.drain.has_begun = True
    refused = world.read(author)
    assert (refused.status, refused.error["code"]) == (503, "draining")
    assert int(refused.response.headers["Retry-After"]) > 0


def test_health_says_what_is_up(world: World) -> None:
    world.serve()
    assert ask(world, "GET", "/health")[2]["status"] == "ok"
    assert ask(world, "GET", "/health/live")[0] == 200
    status, _, body = ask(world, "GET", "/health/ready")
    assert (status, body["dependencies"]) == (200, {"database": "up", "redis": "up"})
    assert ask(world, "POST", "/health")[0] == 405


def test_below_an_agent_only_its_own_sessions_are_streamed(world: World) -> None:
    world.serve()
    agent_id, other_id, end_user = new_id(), new_id(), "customer-42"
    author = world.author()
    with world.database.transaction() as tx:
        for each in (agent_id, other_id):
            tx.execute(
                text(
                    "INSERT INTO agents (id, organization_id, name, slug, system_prompt,"
                    " harness_id) VALUES (:id, :o, :name, :name, '', :h)"
                ),
                {
                    "id": each,
                    "o": DEFAULT_ORGANIZATION,
                    "name": f"agent-{each.hex}",
                    "h": GENERIC_HARNESS,
                },
            )
        tx.execute(
            text(
                "UPDATE sessions SET agent_id = :agent, owner_principal_id = :owner WHERE id = :id"
            ),
            {"agent": agent_id, "owner": ANONYMOUS_PRINCIPAL, "id": author.session_id},
        )

    def status(above: str, agent: str, **headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", world.servers[0].port, timeout=10)
        path = f"/api/v1/{above}/{agent}/sessions/{author.shown_id}/sse"
        connection.request("GET", path, headers=headers)
        found = connection.getresponse().status
        connection.close()
        return found

    for above in ("agents", "channels"):
        assert status(above, f"agent-{agent_id.hex}") == 200
        assert status(above, show_id(Kind.AGENT, agent_id)) == 200
        assert status(above, show_id(Kind.AGENT, other_id)) == 404
        assert status(above, "nobody") == 404
    assert status("agents", show_id(Kind.AGENT, agent_id), **{"End-User": end_user}) == 200
    assert status("channels", show_id(Kind.AGENT, agent_id), **{"End-User": end_user}) == 404
    assert status("channels", show_id(Kind.AGENT, agent_id), **{"End-User": " "}) == 400
