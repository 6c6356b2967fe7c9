"""Models: added by hand, listed, changed; and read from what a provider lists."""

import gzip
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from api.deps import Deps
from common import model_listing, provider_connections
from tests.contract.api.client import Api
from tests.contract.api.keyed import keyed
from tests.fakes.model_lists import ListingProvider, listing_provider

SECRET = "sk-test-0123456789abcdefghijklmnop"  # noqa: S105 - made up
SIMULATED = "model_01933b5a000070008000000000000400"
PROFILE = {
    "name": "House model",
    "family": "House",
    "limits": {"context": 4000, "output": 500},
    "modalities": {"input": ["text"], "output": ["text"]},
}


@pytest.fixture
def admin(deps: Deps, api: Api) -> Api:
    return keyed(deps, api)


@pytest.fixture
def listing() -> Iterator[ListingProvider]:
    with listing_provider() as provider:
        yield provider


def provider_of(api: Api, **fields: Any) -> str:
    body = {"name": "Mine", "provider_type": "openai_completions"} | fields
    made = api.post("/v1/providers", body)
    assert made.status == 201, made.text
    return str(made.body["id"])


def model_of(api: Api, provider_id: str, **fields: Any) -> dict[str, Any]:
    made = api.post(f"/v1/providers/{provider_id}/models", {"model_id": "house-7b"} | fields)
    assert made.status == 201, made.text
    body: dict[str, Any] = made.body
    return body


def names(api: Api, query: str = "") -> list[str]:
    return [each["model_id"] for each in api.get(f"/v1/models{query}").body["data"]]


def own(api: Api, query: str = "") -> list[str]:
    found = api.get(f"/v1/models{query}").body["data"]
    return [each["model_id"] for each in found if not each["is_built_in"]]


def test_the_built_in_models_are_listed_with_what_is_known_of_them(api: Api) -> None:
    listed = api.get("/v1/models").body

    assert listed["total"] == len(listed["data"]) == 9
    by_name = {each["model_id"]: each for each in listed["data"]}
    assert by_name["llmsim-model"]["id"] == SIMULATED
    assert by_name["llmsim-model"]["healthy"] is False  # this deployment is no development one
    astra = by_name["gpt-6.2-astra"]
    assert (astra["provider_name"], astra["model_vendor"]) == ("OpenAI", "openai")
    assert astra["profile"]["limits"] == {"context": 1_050_000, "output": 128_000}
    assert astra["profile"]["reasoning"]
    assert {each["source"] for each in listed["data"]} == {"predefined"}
    assert api.get("/v1/llm-models").body == listed
    assert api.get(f"/v1/models/{SIMULATED}").body == by_name["llmsim-model"]


def test_a_model_is_added_and_changed(admin: Api) -> None:
    provider_id = provider_of(admin, base_url="http://localhost:11434/v1")
    made = model_of(admin, provider_id, profile=PROFILE, settings={"a": 1})

    assert (made["display_name"], made["source"], made["enabled"]) == ("house-7b", "manual", True)
    assert (made["capabilities"], made["is_favorite"]) == (["chat"], False)
    assert made["healthy"]  # a server of one's own needs no key
    assert made["profile"]["limits"] == {"context": 4000, "output": 500}
    path = f"/v1/models/{made['id']}"
    changed = admin.patch(
        path,
        {"display_name": "House", "enabled": False, "is_favorite": True, "profile": None},
    ).body
    assert (changed["display_name"], changed["profile"]) == ("House", None)
    assert (changed["healthy"], changed["settings"]) == (False, {"a": 1})
    assert own(admin, "?favorites_only=true") == ["house-7b"]
    assert names(admin, "?favorites_only=true") == ["house-7b"]
    assert admin.get(f"/v1/providers/{provider_id}/models").body["data"] == [changed]
    assert admin.patch(path, {"model_id": "house-8b"}).body["model_id"] == "house-8b"
    assert admin.delete(path).status == 204
    assert admin.get(path).status == 404
    assert admin.delete(path).status == 404


def test_a_provider_has_one_model_of_a_name(admin: Api) -> None:
    provider_id = provider_of(admin)
    first = model_of(admin, provider_id)
    other = model_of(admin, provider_id, model_id="other")

    again = admin.post(f"/v1/providers/{provider_id}/models", {"model_id": "house-7b"})
    assert again.status == 409
    assert admin.patch(f"/v1/models/{other['id']}", {"model_id": "house-7b"}).status == 409
    assert model_of(admin, provider_of(admin, name="Second"))["id"] != first["id"]
    keyed_caller = admin.with_headers(Idempotency_Key="once")
    repeated = [model_of(keyed_caller, provider_id, model_id="x")["id"] for _ in range(2)]
    assert repeated[0] == repeated[1]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "model_id"),
        ({"model_id": " "}, 422, "model_id"),
        ({"model_id": 7}, 400, "model_id"),
        ({"model_id": "x" * 257}, 400, "model_id"),
        ({"model_id": "x", "enabled": "yes"}, 400, "enabled"),
        ({"model_id": "x", "profile": {"name": "x"}}, 400, "profile.family"),
        ({"model_id": "x", "profile": {**PROFILE, "limits": {}}}, 400, "profile.limits"),
        ({"model_id": "x", "settings": "x"}, 400, "settings"),
    ],
    ids=str,
)
def test_what_is_no_model_is_refused(
    admin: Api, body: dict[str, Any], status: int, field: str
) -> None:
    refused = admin.post(f"/v1/providers/{provider_of(admin)}/models", body)

    assert refused.status == status, refused.text
    assert refused.body["errors"][0]["field"].startswith(field)


def test_models_go_with_their_provider_and_agents_may_still_name_them(admin: Api) -> None:
    provider_id = provider_of(admin)
    model = model_of(admin, provider_id)
    agent = admin.agent(default_model_id=model["id"])

    assert admin.delete(f"/v1/providers/{provider_id}").status == 204
    assert admin.get(f"/v1/models/{model['id']}").status == 404
    assert admin.get(f"/v1/providers/{provider_id}").status == 404
    assert admin.get(f"/v1/agents/{agent['id']}").body["default_model_id"] == model["id"]


def test_syncing_takes_what_the_provider_lists(admin: Api, listing: ListingProvider) -> None:
    provider_id = provider_of(admin, base_url=listing.url, api_key=SECRET)
    path = f"/v1/providers/{provider_id}/sync-models"
    by_hand = model_of(admin, provider_id, model_id="alpha", display_name="By hand")
    listing.lists("alpha", "beta", "gamma", "text-embedding-3-large")

    first = admin.post(path).body
    assert first == {"status": "success", "created": 2, "updated": 1, "stale": 0}
    assert own(admin) == ["alpha", "beta", "gamma"]
    assert own(admin, "?source=discovered") == ["beta", "gamma"]
    assert admin.get(f"/v1/models/{by_hand['id']}").body["display_name"] == "By hand"
    assert admin.get(f"/v1/providers/{provider_id}").body["last_synced_at"] is not None
    asked, headers = listing.asked[0]
    assert (asked, headers["authorization"]) == ("/v1/models", f"Bearer {SECRET}")

    listing.lists("beta")
    second = admin.post(f"/v1/llm-providers/{provider_id}/sync-models").body
    assert second == {"status": "success", "created": 0, "updated": 1, "stale": 1}
    # What was written by hand stays, listed or not.
    assert own(admin) == ["alpha", "beta"]
    assert own(admin, "?include_stale=true") == ["alpha", "beta", "gamma"]
    everything = admin.get("/v1/models?include_stale=true").body["data"]
    gamma = next(each for each in everything if each["model_id"] == "gamma")
    assert (gamma["stale_since"] is not None, gamma["healthy"]) == (True, False)

    assert admin.post(path).body == {"status": "success", "created": 0, "updated": 1, "stale": 0}
    listing.lists("beta", "gamma")
    assert admin.post(path).body["stale"] == 0
    assert own(admin) == ["alpha", "beta", "gamma"]


def test_a_list_that_tells_limits_makes_profiles(admin: Api, listing: ListingProvider) -> None:
    provider_id = provider_of(admin, base_url=listing.url)
    listing.lists(
        "house/one",
        name="One",
        context_length=9000,
        top_provider={"max_completion_tokens": 700},
        architecture={"input_modalities": ["text"]},
        supported_parameters=["tools"],
    )

    admin.post(f"/v1/providers/{provider_id}/sync-models")

    model = admin.get(f"/v1/providers/{provider_id}/models").body["data"][0]
    assert model["display_name"] == "One"
    assert model["profile"]["limits"] == {"context": 9000, "output": 700}
    assert (model["profile"]["tool_call"], model["profile"]["temperature"]) == (True, False)
    assert model["profile"]["modalities"]["input"] == ["text"]


def test_an_anthropic_list_is_read_page_by_page(admin: Api, listing: ListingProvider) -> None:
    provider_id = provider_of(
        admin, provider_type="anthropic", base_url=listing.url, api_key=SECRET
    )
    listing.lists("claude-next", display_name="Claude Next", max_input_tokens=5, max_tokens=4)
    listing.body["has_more"] = True
    listing.body["last_id"] = "claude-next"

    assert admin.post(f"/v1/providers/{provider_id}/sync-models").body["created"] == 1

    paths = [path for path, _ in listing.asked]
    assert paths[:2] == [
        "/v1/models?limit=1000",
        "/v1/models?limit=1000&after_id=claude-next",
    ]
    assert len(paths) <= 10  # a list without end is left
    headers = listing.asked[0][1]
    assert (headers["x-api-key"], "authorization" in headers) == (SECRET, False)
    assert headers["anthropic-version"]
    assert own(admin) == ["claude-next"]


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, {"error": {"message": f"Incorrect key {SECRET}"}}, "refused the key"),
        (403, f"no {SECRET}", "refused the key"),
        (404, "", "no list"),
        (429, "", "too often"),
        (500, {"detail": SECRET}, "failed (HTTP 500)"),
        (302, "", "redirect"),
        (200, b"<html>", "expected form"),
        (200, {"models": []}, "expected form"),
        (200, [], "expected form"),
    ],
)
def test_a_failing_provider_is_told_apart_and_not_quoted(
    admin: Api, listing: ListingProvider, status: int, body: Any, says: str
) -> None:
    provider_id = provider_of(admin, base_url=listing.url, api_key=SECRET)
    listing.status, listing.body = status, body
    listing.headers = {"Location": listing.url + "/stolen"}

    with structlog.testing.capture_logs() as logged:
        failed = admin.post(f"/v1/providers/{provider_id}/sync-models")

    assert (failed.status, failed.body["code"]) == (502, "provider_failed")
    assert says in failed.body["error"]
    assert SECRET not in failed.text + repr(logged)
    assert [path for path, _ in listing.asked] == ["/v1/models"]
    assert admin.get(f"/v1/providers/{provider_id}").body["last_synced_at"] is None


def test_a_list_without_end_is_cut_off(
    admin: Api, listing: ListingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_listing, "_MOST_BYTES", 1000)
    provider_id = provider_of(admin, base_url=listing.url)
    listing.lists(*(f"model-{number}" for number in range(100)))

    failed = admin.post(f"/v1/providers/{provider_id}/sync-models")

    assert (failed.status, "too large" in failed.body["error"]) == (502, True)


def test_a_compressed_list_is_not_unpacked(admin: Api, listing: ListingProvider) -> None:
    provider_id = provider_of(admin, base_url=listing.url)
    listing.body = gzip.compress(b" " * (16 * 1024 * 1024))
    listing.headers = {"Content-Encoding": "gzip"}

    failed = admin.post(f"/v1/providers/{provider_id}/sync-models")

    assert (failed.status, "compressed" in failed.body["error"]) == (502, True)
    assert listing.asked[0][1]["accept-encoding"] == "identity"


def test_nobody_there_and_nobody_answering_are_failures(
    admin: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_listing, "_READ_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        provider_id = provider_of(admin, base_url=url)
        slow = admin.post(f"/v1/providers/{provider_id}/sync-models")
    gone = admin.post(f"/v1/providers/{provider_id}/sync-models")

    assert (slow.status, "in time" in slow.body["error"]) == (502, True)
    assert (gone.status, "cannot be reached" in gone.body["error"]) == (502, True)


def test_a_name_that_leads_to_metadata_is_not_asked(
    admin: Api, listing: ListingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No test can listen on such an address, so this one is taken for one.
    monkeypatch.setattr(provider_connections, "is_metadata", lambda peer: peer.is_loopback)
    provider_id = provider_of(admin, base_url=listing.url)

    failed = admin.post(f"/v1/providers/{provider_id}/sync-models")

    assert (failed.status, "link-local" in failed.body["error"]) == (502, True)
    assert listing.asked == []


def test_what_cannot_be_asked_is_not(admin: Api) -> None:
    keyless = provider_of(admin, provider_type="openai")
    disabled = provider_of(admin, name="Off", base_url="http://localhost:1", status="disabled")
    azure = provider_of(
        admin, name="Azure", provider_type="azure_openai", base_url="https://x.openai.azure.com"
    )

    assert admin.post(f"/v1/providers/{keyless}/sync-models").status == 409
    assert admin.post(f"/v1/providers/{disabled}/sync-models").status == 409
    answered = admin.post(f"/v1/providers/{azure}/sync-models").body
    assert answered == {"status": "not_supported"}


def test_an_environment_key_is_never_sent_to_an_address_of_ones_own(
    deps: Deps, api: Api, listing: ListingProvider
) -> None:
    admin = keyed(deps, api, default_openai_api_key=SECRET, default_anthropic_api_key=SECRET)
    listing.lists("a")
    for kind in ("openai", "openai_completions", "anthropic", "openrouter"):
        provider_id = provider_of(admin, name=kind, provider_type=kind, base_url=listing.url)
        admin.post(f"/v1/providers/{provider_id}/sync-models")

    # A key of one's own is what OpenRouter cannot do without.
    assert len(listing.asked) == 3
    assert SECRET not in repr(listing.asked)


def test_a_key_that_no_longer_opens_is_said_so(
    deps: Deps, api: Api, listing: ListingProvider
) -> None:
    provider_id = provider_of(keyed(deps, api), base_url=listing.url, api_key=SECRET)

    failed = api.post(f"/v1/providers/{provider_id}/sync-models")

    assert (failed.status, failed.body["code"]) == (503, "encryption_unavailable")
    assert listing.asked == []


def test_an_agent_names_models_to_fall_back_to(api: Api) -> None:
    agent = api.agent(fallback_models=["gpt-4.1", SIMULATED])
    path = f"/v1/agents/{agent['id']}"

    assert agent["fallback_models"] == ["gpt-4.1", SIMULATED]
    copied = api.post(f"{path}/copy").body
    assert copied["fallback_models"] == ["gpt-4.1", SIMULATED]
    exported = api.get(f"{path}/export").text.replace("name: Assistant", "name: Imported")
    imported = api.post("/v1/agents/import", exported.encode(), content_type="text/plain").body
    assert (imported["name"], imported["fallback_models"]) == ("Imported", ["gpt-4.1", SIMULATED])
    assert api.patch(path, {"fallback_models": None}).body["fallback_models"] == []
    assert api.patch(path, {"fallback_models": ["a"]}).body["fallback_models"] == ["a"]
    replaced = api.put(path, {"name": "Assistant", "system_prompt": "x"}).body
    assert replaced["fallback_models"] == []
    for wrong in ([""], [" "], ["a"] * 11, "a", [7], ["x" * 257]):
        refused = api.patch(path, {"fallback_models": wrong})
        assert refused.status == 400, wrong


def test_a_session_changes_its_model_and_says_so(api: Api) -> None:
    session = api.session(model_id="first")
    path = f"/v1/sessions/{session['id']}"

    assert api.patch(path, {"model_id": "second"}).body["model_id"] == "second"
    assert api.patch(path, {"model_id": "second", "title": "T"}).body["title"] == "T"
    assert api.patch(path, {"locale": "en"}).body["model_id"] == "second"
    assert api.patch(path, {"model_id": None}).body["model_id"] is None
    events = api.get(f"{path}/events?types=session.model.changed").body["data"]
    assert [event["data"] for event in events] == [
        {"model_id": "second", "previous_model_id": "first"},
        {"model_id": None, "previous_model_id": "second"},
    ]
    assert api.patch(path, {"model_id": 7}).status == 400
