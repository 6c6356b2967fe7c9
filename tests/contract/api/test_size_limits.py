"""What is too much of anything is a clear 4xx in the envelope; docs/limits.md has the table."""

from typing import Any

import pytest

from api.request_body import MAX_DEPTH, MAX_VALUES
from api.schemas.fields import METADATA_BYTES
from api.schemas.parts import MAX_PARTS
from tests.contract.api.client import Api

TEXT = {"type": "text", "text": "x"}


def said(**beside: Any) -> dict[str, Any]:
    return {"message": {"content": [TEXT]}, **beside}


@pytest.fixture
def messages(api: Api) -> str:
    return f"/v1/sessions/{api.session()['id']}/messages"


LARGE = {"k": "v" * METADATA_BYTES}
MANY = {f"k{number}": number for number in range(METADATA_BYTES // 8)}


@pytest.mark.parametrize("value", [LARGE, MANY])
@pytest.mark.parametrize(
    "place", ["metadata", "message.metadata", "external_actor.metadata"], ids=str
)
def test_metadata_that_is_too_large(
    api: Api, messages: str, place: str, value: dict[str, Any]
) -> None:
    body: dict[str, Any] = {
        "metadata": said(metadata=value),
        "message.metadata": {"message": {"content": [TEXT], "metadata": value}},
        "external_actor.metadata": said(
            external_actor={"actor_id": "a", "source": "s", "metadata": value}
        ),
    }[place]

    refused = api.post(messages, body)

    assert refused.status == 400
    message = f"Must not be larger than {METADATA_BYTES} bytes"
    assert refused.body["errors"] == [{"field": place, "message": message}]


def test_metadata_as_large_as_it_may_be(api: Api, messages: str) -> None:
    value = {"k": "v" * (METADATA_BYTES - len('{"k":""}'))}
    assert api.post(messages, said(metadata=value)).body["metadata"] == value


def test_parts_that_are_too_many(api: Api, messages: str) -> None:
    refused = api.post(messages, {"message": {"content": [TEXT] * (MAX_PARTS + 1)}})
    assert (refused.status, refused.body["code"]) == (422, "validation_error")
    assert api.post(messages, {"message": {"content": [TEXT] * MAX_PARTS}}).status == 201


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"a":' * 100_000, f"is nested deeper than {MAX_DEPTH} levels"),
        (b"[" * 5_000_000, f"has more than {MAX_VALUES} values"),
        (
            b"{" + b",".join(b'"k%d":1' % number for number in range(MAX_VALUES + 2)) + b"}",
            f"has more than {MAX_VALUES} values",
        ),
        (b'{"a":' + b"9" * 1_000_000 + b"}", "out of range"),
    ],
    ids=["deep", "wide", "keys", "digits"],
)
def test_json_that_would_be_costly_to_read(api: Api, raw: bytes, message: str) -> None:
    refused = api.post("/v1/sessions", raw)
    assert (refused.status, refused.body["code"]) == (400, "bad_request")
    assert message in refused.body["error"]


ANSWERS: dict[str, tuple[str, dict[str, Any]]] = {
    "tool-results": ("tool_results", {"result": 1}),
    "tool-approvals": ("decisions", {"decision": "allow"}),
}


@pytest.mark.parametrize("route", ANSWERS)
def test_answers_that_are_too_many_or_name_too_long_an_id(api: Api, route: str) -> None:
    name, rest = ANSWERS[route]
    path = f"/v1/sessions/{api.session()['id']}/{route}"

    many = [{"tool_call_id": f"c{number}", **rest} for number in range(1001)]
    refused = api.post(path, {name: many})
    assert (refused.status, refused.body["errors"][0]["field"]) == (400, name)
    assert "more than 1000" in refused.body["error"]

    long = [{"tool_call_id": "c" * 1025, **rest}]
    refused = api.post(path, {name: long})
    assert (refused.status, refused.body["errors"][0]["field"]) == (
        400,
        f"{name}[0].tool_call_id",
    )
