"""Numbers that a database keeps in another form come back, and can be sent again."""

import json
from typing import Any

import pytest

from tests.contract.api.client import Api

_NUMBERS = [1e19, 1e20, -1e20, 1e308, -9.3e18, 2**63 - 1, 2**64 - 1, -(2**63), 1.5e-300]


@pytest.mark.parametrize("number", _NUMBERS)
def test_a_session_with_a_large_number_can_be_read(api: Api, number: float) -> None:
    tool = {"name": "t", "description": "d", "parameters": {"type": "object", "maximum": number}}
    granted = {"ref": "noop", "config": {"n": number}}
    made = api.session(hints={"n": number}, tools=[tool], capabilities=[granted])
    assert made["hints"] == {"n": number}
    assert made["tools"][0]["parameters"]["maximum"] == number
    (listed,) = api.get("/v1/sessions").body["data"]
    assert listed == made == api.get(f"/v1/sessions/{made['id']}").body


@pytest.mark.parametrize("number", _NUMBERS)
@pytest.mark.parametrize("path", ["/v1/agents", "/v1/harnesses"])
def test_an_agent_and_a_harness_can_be_sent_as_they_were_read(
    api: Api, path: str, number: float
) -> None:
    granted = {"ref": "noop", "config": {"n": number}}
    body = {"name": "n", "system_prompt": "x", "capabilities": [granted]}
    made = api.post(path, body)
    assert made.status == 201, made.text
    shown: dict[str, Any] = api.get(f"{path}/{made.body['id']}").body
    assert shown["capabilities"][0]["config"] == {"n": number}
    again = api.patch(f"{path}/{made.body['id']}", {"capabilities": shown["capabilities"]})
    assert again.status == 200, again.text
    assert again.body["capabilities"] == shown["capabilities"]
    assert json.loads(api.get(path).raw)["data"]
