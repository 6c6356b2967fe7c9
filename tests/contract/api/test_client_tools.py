"""Tools that agents and sessions define: kept, dropped or refused."""

import pytest

from tests.contract.api.client import Api, Json

TOOL = {"type": "client_side", "name": "look_up", "description": "", "parameters": {}}


@pytest.mark.parametrize("maker", ["agent", "session"])
def test_client_tools_and_policies_are_kept(api: Api, maker: str) -> None:
    tools = [
        {"name": "look_up", "type": "client", "policy": "requires_approval"},
        {"name": "add", "type": "builtin", "policy": "requires_approval"},
        {"name": "subtract", "type": "builtin"},
        {"name": "multiply", "type": "builtin", "policy": "auto"},
    ]
    kept = getattr(api, maker)(tools=tools)["tools"]
    assert [(each["type"], each["name"], each["policy"]) for each in kept] == [
        ("client_side", "look_up", "requires_approval"),
        ("builtin", "add", "requires_approval"),
    ]


@pytest.mark.parametrize(
    "tool",
    [
        TOOL | {"parameters": {"type": "nonsense"}},
        TOOL | {"parameters": {"properties": []}},
        TOOL | {"parameters": {"properties": {"a": 1}}},
        TOOL | {"parameters": []},
        TOOL | {"policy": "sometimes"},
        TOOL | {"name": "x" * 65},
        TOOL | {"description": "x" * 1025},
        TOOL | {"parameters": {"description": "x" * 10241}},
        TOOL | {"type": "other"},
    ],
)
def test_a_tool_with_a_fault_is_refused(api: Api, tool: Json) -> None:
    assert api.post("/v1/sessions", {"tools": [tool]}).status == 400
    agent = {"name": "A", "system_prompt": "Hi", "tools": [tool]}
    assert api.post("/v1/agents", agent).status == 400


def test_there_are_at_most_fifty_of_them(api: Api) -> None:
    tools = [TOOL | {"name": f"tool_{number}"} for number in range(51)]
    assert api.post("/v1/sessions", {"tools": tools[:50]}).status == 201
    assert api.post("/v1/sessions", {"tools": tools}).status == 400
    assert api.post("/v1/sessions", {"tools": [TOOL, TOOL]}).status == 400
