"""Capabilities: the list, one of them, and what a reference to one may say."""

from typing import Any

import pytest

from common.domain.capability_catalog import CAPABILITIES
from common.installed_capabilities import known_capabilities
from tests.contract.api.client import Api


def test_the_list_has_everything_in_the_order_of_the_catalogue(api: Api) -> None:
    page = api.get("/v1/capabilities?limit=100").body
    ids = [each["id"] for each in page["data"]]
    assert ids[: len(CAPABILITIES)] == list(CAPABILITIES)
    assert (page["total"], page["offset"], page["limit"]) == (len(known_capabilities()), 0, 100)


def test_the_list_is_paged(api: Api) -> None:
    whole = api.get("/v1/capabilities?limit=100").body["data"]
    page = api.get("/v1/capabilities?offset=3&limit=2").body
    assert page["data"] == whole[3:5]
    assert (page["total"], page["offset"], page["limit"]) == (len(whole), 3, 2)
    assert api.get("/v1/capabilities").body["limit"] == 20
    beyond = api.get("/v1/capabilities?offset=1000").body
    assert (beyond["data"], beyond["total"]) == ([], len(whole))


@pytest.mark.parametrize("query", ["offset=-1", "limit=0", "limit=x"])
def test_a_page_that_cannot_be_is_refused(api: Api, query: str) -> None:
    assert api.get(f"/v1/capabilities?{query}").status == 400


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("FORECAST", ["test_weather"]),
        ("todo list", ["stateless_todo_list"]),
        ("write_todos", ["stateless_todo_list"]),
        ("no such thing", []),
    ],
)
def test_a_search_looks_at_names_descriptions_and_tools(
    api: Api, search: str, found: list[str]
) -> None:
    page = api.get(f"/v1/capabilities?search={search.replace(' ', '%20')}").body
    assert ([each["id"] for each in page["data"]], page["total"]) == (found, len(found))


def test_one_capability_says_everything_about_its_tools(api: Api) -> None:
    weather = api.get("/v1/capabilities/test_weather").body
    assert (weather["name"], weather["status"], weather["icon"]) == (
        "Test Weather",
        "available",
        "cloud-sun",
    )
    now, later = weather["tool_definitions"]
    assert (now["name"], now["type"], later["name"]) == ("get_weather", "builtin", "get_forecast")
    assert now["parameters"]["required"] == ["location"]
    assert "get_weather" in weather["system_prompt"]
    assert (weather["is_mcp"], weather["is_skill"], weather["is_guardrail"]) == (
        False,
        False,
        False,
    )
    assert weather["config_schema"] == {"type": "object"}
    assert weather["risk_level"] in ("low", "medium", "high")


def test_what_is_only_announced_says_so_and_shows_no_tools(api: Api) -> None:
    shown = api.get("/v1/capabilities/research").body
    assert (shown["status"], shown["tool_definitions"]) == ("coming_soon", [])


def test_an_alias_is_answered_with_what_it_means(api: Api) -> None:
    assert api.get("/v1/capabilities/virtual_bash").body["id"] == "bashkit_shell"


@pytest.mark.parametrize("unknown", ["nope", "NOOP", "declarative:x", "mcp:x", "%00", "x" * 300])
def test_another_id_is_not_found(api: Api, unknown: str) -> None:
    assert api.get(f"/v1/capabilities/{unknown}").status in (400, 404)
    assert api.get("/v1/capabilities/nope").status == 404


def test_it_is_counted_who_grants_a_capability(api: Api, stranger: Api) -> None:
    def counts() -> tuple[int, int]:
        shown = api.get("/v1/capabilities/test_math").body
        listed = api.get("/v1/capabilities?search=test_math").body["data"][0]
        assert shown == listed
        return shown["agent_count"], shown["harness_count"]

    agents, harnesses = counts()
    body = {"system_prompt": "p", "capabilities": ["test_math", "noop"]}
    made = api.post("/v1/agents", {"name": "one", **body}).body
    api.post("/v1/agents", {"name": "two", **body})
    stranger.post("/v1/agents", {"name": "elsewhere", **body})
    assert counts() == (agents + 2, harnesses)
    api.delete(f"/v1/agents/{made['id']}")
    assert counts() == (agents + 1, harnesses)


def test_there_are_no_presets_of_guardrails(api: Api) -> None:
    assert api.get("/v1/capabilities/guardrails/examples").body == {"examples": []}
    assert api.post("/v1/capabilities/guardrails/dry-run", {}).status == 501


# --- the config of a reference --------------------------------------------------------

BAD_CONFIGS: list[tuple[str, dict[str, Any], str]] = [
    ("loop_detection", {"threshold": "3"}, "capabilities[0].config.threshold"),
    ("loop_detection", {"threshold": 1}, "capabilities[0].config.threshold"),
    ("loop_detection", {"unknown": 1}, "capabilities[0].config"),
    ("compaction", {"threshold": 1}, "capabilities[0].config.threshold"),
    ("compaction", {"strategy": "forget"}, "capabilities[0].config.strategy"),
]


@pytest.mark.parametrize(("ref", "config", "field"), BAD_CONFIGS)
def test_a_config_that_does_not_fit_is_refused_by_name(
    api: Api, ref: str, config: dict[str, Any], field: str
) -> None:
    granted = [{"ref": ref, "config": config}]
    for refused in (
        api.post("/v1/agents", {"name": "a", "system_prompt": "p", "capabilities": granted}),
        api.post("/v1/sessions", {"capabilities": granted}),
    ):
        assert refused.status == 400
        assert [problem["field"] for problem in refused.body["errors"]] == [field]


def test_a_config_that_fits_is_kept(api: Api) -> None:
    granted = [
        {"ref": "loop_detection", "config": {"threshold": 5}},
        {"ref": "compaction", "config": {"threshold": 0.5, "strategy": "trim"}},
    ]
    made = api.post("/v1/agents", {"name": "a", "system_prompt": "p", "capabilities": granted})
    assert (made.status, made.body["capabilities"]) == (201, granted)
