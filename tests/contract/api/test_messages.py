"""Posting messages: what is stored, what is answered, what is refused."""

import base64
from io import BytesIO
from typing import Any

import pytest

from api.schemas.parts import MAX_PARTS
from common.domain.ids import Kind, parse_id
from common.storage.engine import Database
from tests.contract.api import worker
from tests.contract.api.client import Api, Reply, saying
from tests.fakes.live import RecordingLive
from tests.fakes.turn_queue import RecordingQueue

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


def test_the_seeds_curl_example(api: Api) -> None:
    session = api.session()
    caller = api.with_headers(Authorization="Bearer YOUR_API_KEY")

    reply = caller.post(
        f"/v1/sessions/{session['id']}/messages", saying("What is the weather in Tokyo?")
    )

    message = reply.body
    assert reply.status == 201
    documented = {key: message[key] for key in ("id", "role", "content", "created_at")}
    assert set(message) - set(documented) == {"session_id", "sequence"}
    assert documented["role"] == "user"
    assert documented["content"] == [{"type": "text", "text": "What is the weather in Tokyo?"}]
    assert str(parse_id(Kind.MESSAGE, message["id"])) == message["id"]
    assert message["created_at"].endswith("Z")
    assert message["session_id"] == session["id"]


def test_controls_and_metadata_come_from_both_places_and_the_inner_wins(api: Api) -> None:
    session = api.session()
    body = {
        "message": {
            "role": "user",
            "content": [{"type": "text", "text": "Hi", "own": 1}],
            "controls": {"max_tokens": 500, "temperature": 0.8, "model_id": None},
            "metadata": {"source": "inner", "deep": {"a": [1, None]}},
            "unknown": 1,
        },
        "controls": {
            "max_tokens": 9,
            "model_id": "outer",
            "speed": "fast",
            "reasoning": {"effort": "low"},
        },
        "metadata": {"source": "outer", "ticket": "5"},
        "tags": ["a"],
        "external_actor": {"actor_id": "U1", "source": "slack"},
        "addressed_participant_id": "part_1",
    }

    message = api.post(f"/v1/sessions/{session['id']}/messages", body).body

    assert message["content"] == [{"type": "text", "text": "Hi", "own": 1}]
    assert message["controls"] == {
        "max_tokens": 500,
        "temperature": 0.8,
        "model_id": "outer",
        "speed": "fast",
        "reasoning": {"effort": "low"},
    }
    assert message["metadata"] == {"source": "inner", "ticket": "5", "deep": {"a": [1, None]}}
    assert message["tags"] == ["a"]
    assert message["external_actor"] == {"actor_id": "U1", "source": "slack"}
    assert api.get(f"/v1/sessions/{session['id']}/messages").body["data"] == [message]


def test_what_was_not_given_is_not_answered(api: Api) -> None:
    session = api.session()
    body = {"message": {"content": "Hi", "controls": None, "metadata": None}, "controls": None}

    message = api.post(f"/v1/sessions/{session['id']}/messages", body).body

    assert message["content"] == [{"type": "text", "text": "Hi"}]
    assert not {"controls", "metadata", "tags", "external_actor"} & set(message)


def test_images_are_taken_by_address_and_in_place(api: Api) -> None:
    session = api.session()
    content = [
        {"type": "image", "url": "https://example.org/a.png"},
        {"type": "image", "base64": PIXEL, "media_type": "image/png"},
    ]

    reply = api.post(f"/v1/sessions/{session['id']}/messages", {"message": {"content": content}})

    assert reply.status == 201
    assert reply.body["content"] == content


def content(*parts: Any) -> dict[str, Any]:
    return {"message": {"content": list(parts)}}


TEXT = {"type": "text", "text": "x"}
IMAGE_ID = "01933b5a-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ({}, 400, ["message"]),
        ({"message": None}, 400, ["message"]),
        ({"message": "Hi"}, 400, ["message"]),
        ({"message": []}, 400, ["message"]),
        ({"message": {}}, 400, ["message.content"]),
        ({"message": {"content": None}}, 400, ["message.content"]),
        ({"message": {"content": 5}}, 400, ["message.content"]),
        ({"message": {"content": {}}}, 400, ["message.content"]),
        ({"message": {"content": []}}, 422, ["message.content"]),
        ({"message": {"content": ""}}, 422, ["message.content[0].text"]),
        (content("x"), 400, ["message.content[0]"]),
        (content({}), 400, ["message.content[0].type"]),
        (content({"type": 5}), 400, ["message.content[0].type"]),
        (content({"type": "text"}), 400, ["message.content[0].text"]),
        (content({"type": "text", "text": None}), 400, ["message.content[0].text"]),
        (content({"type": "text", "text": 5}), 400, ["message.content[0].text"]),
        (content({"type": "text", "text": ""}), 422, ["message.content[0].text"]),
        (content(TEXT, {"type": "text", "text": " \n"}), 422, ["message.content[1].text"]),
        (
            content({"type": "text", "text": "x" * (4 * 1024 * 1024 + 1)}),
            422,
            ["message.content[0].text"],
        ),
        (content({"type": "reasoning"}), 422, ["message.content[0].type"]),
        (
            content({"type": "tool_call", "id": "c", "name": "n", "arguments": {}}),
            422,
            ["message.content[0].type"],
        ),
        (content({"type": "tool_result", "tool_call_id": "c"}), 422, ["message.content[0].type"]),
        (content(*[TEXT] * (MAX_PARTS + 1)), 422, ["message.content"]),
        (content({"type": "image"}), 422, ["message.content[0]"]),
        (
            content({"type": "image", "url": "https://a.b", "base64": PIXEL}),
            422,
            ["message.content[0]"],
        ),
        (content({"type": "image", "url": "file:///etc/passwd"}), 422, ["message.content[0].url"]),
        (content({"type": "image", "url": "https://[oops"}), 422, ["message.content[0].url"]),
        (content({"type": "image", "url": "https://a b/"}), 422, ["message.content[0].url"]),
        (content({"type": "image", "url": 5}), 400, ["message.content[0].url"]),
        (
            content({"type": "image", "base64": "%%", "media_type": "image/png"}),
            422,
            ["message.content[0].base64"],
        ),
        (content({"type": "image", "base64": PIXEL}), 422, ["message.content[0].media_type"]),
        (
            content({"type": "image", "base64": PIXEL, "media_type": "text/html"}),
            422,
            ["message.content[0].media_type"],
        ),
        (
            content({"type": "image", "base64": PIXEL, "media_type": "image/jpeg"}),
            422,
            ["message.content[0].base64"],
        ),
        (content({"type": "image_file"}), 400, ["message.content[0].image_id"]),
        (content({"type": "image_file", "image_id": 5}), 400, ["message.content[0].image_id"]),
        (
            content(TEXT, {"type": "image_file", "image_id": IMAGE_ID}),
            422,
            ["message.content[1].image_id"],
        ),
        (content({"type": "image_file", "image_id": "nope"}), 422, ["message.content[0].image_id"]),
        (
            content({"type": "text"}, {"type": "text", "text": ""}),
            400,
            ["message.content[0].text", "message.content[1].text"],
        ),
        ({"message": {"role": "agent", "content": "x"}}, 422, ["message.role"]),
        ({"message": {"role": "tool_result", "content": "x"}}, 422, ["message.role"]),
        ({"message": {"role": 5, "content": "x"}}, 400, ["message.role"]),
        ({"message": {"content": "x", "controls": []}}, 400, ["message.controls"]),
        (
            {"message": {"content": "x", "controls": {"max_tokens": 0}}},
            422,
            ["message.controls.max_tokens"],
        ),
        (
            {"message": {"content": "x", "controls": {"max_tokens": "5"}}},
            400,
            ["message.controls.max_tokens"],
        ),
        (
            {"message": {"content": "x", "controls": {"max_tokens": True}}},
            400,
            ["message.controls.max_tokens"],
        ),
        (
            {"message": {"content": "x", "controls": {"max_tokens": 1.5}}},
            400,
            ["message.controls.max_tokens"],
        ),
        (
            {"message": {"content": "x", "controls": {"temperature": 2.1}}},
            422,
            ["message.controls.temperature"],
        ),
        (
            {"message": {"content": "x", "controls": {"temperature": -1}}},
            422,
            ["message.controls.temperature"],
        ),
        (
            {"message": {"content": "x", "controls": {"temperature": "1"}}},
            400,
            ["message.controls.temperature"],
        ),
        (
            {"message": {"content": "x"}, "controls": {"reasoning": {"effort": "max"}}},
            422,
            ["controls.reasoning.effort"],
        ),
        (
            {"message": {"content": "x"}, "controls": {"error_disclosure": "all"}},
            422,
            ["controls.error_disclosure"],
        ),
        ({"message": {"content": "x"}, "controls": {"model_id": 5}}, 400, ["controls.model_id"]),
        ({"message": {"content": "x"}, "controls": {"hints": 5}}, 400, ["controls.hints"]),
        ({"message": {"content": "x", "metadata": "m"}}, 400, ["message.metadata"]),
        ({"message": {"content": "x"}, "metadata": []}, 400, ["metadata"]),
        ({"message": {"content": "x"}, "tags": "a"}, 400, ["tags"]),
        (
            {"message": {"content": "x"}, "external_actor": {"source": "slack"}},
            400,
            ["external_actor.actor_id"],
        ),
    ],
)
def test_what_is_wrong_is_named_and_stores_nothing(
    api: Api, queue: RecordingQueue, body: dict[str, Any], status: int, fields: list[str]
) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}"

    refused = api.post(f"{path}/messages", body)

    assert refused.status == status
    assert [problem["field"] for problem in refused.body["errors"]] == fields
    assert api.get(f"{path}/messages").body == {"data": [], "total": 0}
    assert len(api.get(f"{path}/events").body["data"]) == 1
    assert queue.sent == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'"x"', b"null", b"\xff", b"nope"])
def test_what_is_no_json_object_is_refused(api: Api, body: bytes) -> None:
    session = api.session()

    assert api.post(f"/v1/sessions/{session['id']}/messages", body).status == 400


def test_the_first_message_opens_a_turn_and_later_ones_steer_it(
    api: Api, queue: RecordingQueue, live: RecordingLive, database: Database
) -> None:
    session = api.session()
    first = api.message(session["id"], "one")
    turn_id = worker.open_turn_of(database, session["id"])

    second = api.message(session["id"], "two")

    assert queue.sent == [turn_id]
    assert (first["sequence"], second["sequence"]) == (2, 3)
    assert [[event.sequence for event in found] for _, found in live.published] == [[1], [2], [3]]
    worker.start_turn(database, session["id"])
    worker.finish_turn(database, session["id"])
    api.message(session["id"], "three")
    assert len(queue.sent) == 2
    assert worker.open_turn_of(database, session["id"]) == queue.sent[1] != turn_id


def test_content_types_and_trailing_slashes_do_not_matter(api: Api) -> None:
    session = api.session()
    body = b'{"message": {"content": "Hi"}}'

    for path in ("/v1", "/api/v1"):
        for end in ("", "/"):
            for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
                reply = api.send(
                    "POST",
                    f"{path}/sessions/{session['id']}/messages{end}",
                    data=body,
                    content_type=kind,
                )
                assert reply.status == 201, reply.text


def test_a_body_without_a_length_is_read_and_bounded(api: Api) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}/messages"

    def sent(text: bytes) -> Reply:
        return api.send(
            "POST",
            path,
            input_stream=BytesIO(b'{"message":{"content":"' + text + b'"}}'),
            headers={"Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
        )

    assert sent(b"Hi").status == 201
    assert sent(b"x" * 10_000_000).status == 413
    assert api.get(path).body["total"] == 1


def test_an_oversized_body_is_refused_unread(api: Api) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}/messages"

    refused = api.post(path, b'{"message":{"content":"' + b"x" * 10_000_000 + b'"}}')

    assert (refused.status, refused.body["code"]) == (413, "too_large")
    assert api.get(path).body["total"] == 0
