"""Providers: their routes, their rules, and that a key never comes out again."""

import re
from typing import Any

import pytest
import structlog
from sqlalchemy import text

from api.deps import Deps
from common.domain.ids import Kind, parse_id
from common.encryption import CannotDecrypt, SecretBox
from common.storage.engine import Database
from tests.contract.api.client import Api, Document
from tests.contract.api.keyed import KEY, keyed

SECRET = "sk-test-0123456789abcdefghijklmnop"  # noqa: S105 - made up
OPENAI = "provider_01933b5a000070008000000000000001"
ANTHROPIC = "provider_01933b5a000070008000000000000002"


@pytest.fixture
def admin(deps: Deps, api: Api) -> Api:
    return keyed(deps, api)


def provider_of(api: Api, **fields: Any) -> dict[str, Any]:
    made = api.post("/v1/providers", {"name": "Mine", "provider_type": "openai"} | fields)
    assert made.status == 201, made.text
    body: dict[str, Any] = made.body
    return body


def test_a_provider_is_created_listed_and_read(admin: Api) -> None:
    made = provider_of(admin, api_key=SECRET, base_url="https://models.example/v1/")

    assert made["id"].startswith("provider_")
    assert made["base_url"] == "https://models.example/v1"
    assert (made["api_key_set"], made["status"]) == (True, "active")
    assert (made["is_built_in"], made["last_synced_at"]) == (False, None)
    assert admin.get(f"/v1/providers/{made['id']}").body == made
    assert admin.get(f"/v1/llm-providers/{made['id']}").body == made
    listed = admin.get("/v1/providers").body
    assert listed["total"] == len(listed["data"]) == 4
    assert listed["data"][-1] == made
    assert admin.get("/v1/llm-providers").body == listed


def test_the_built_in_ones_say_whether_the_environment_has_their_key(deps: Deps, api: Api) -> None:
    without = {each["id"]: each for each in api.get("/v1/providers").body["data"]}
    with_key = keyed(deps, api, default_openai_api_key=SECRET)
    found = {each["id"]: each for each in with_key.get("/v1/providers").body["data"]}

    assert not without[OPENAI]["api_key_set"]
    assert (found[OPENAI]["api_key_set"], found[ANTHROPIC]["api_key_set"]) == (True, False)
    assert found[OPENAI]["is_built_in"]
    models = with_key.get("/v1/models").body["data"]
    assert {each["provider_id"]: each["healthy"] for each in models}[OPENAI] is True


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", f"/v1/providers/{OPENAI}"),
        ("DELETE", f"/v1/providers/{OPENAI}"),
        ("POST", f"/v1/providers/{OPENAI}/sync-models"),
        ("POST", f"/v1/providers/{OPENAI}/models"),
        ("PATCH", "/v1/models/model_01933b5a000070008000000000000400"),
        ("DELETE", "/v1/models/model_01933b5a000070008000000000000400"),
    ],
)
def test_what_is_built_in_is_read_only(admin: Api, method: str, path: str) -> None:
    body = {"model_id": "x", "name": "x"} if method != "DELETE" else None
    refused = admin.send(method, path, body)

    assert (refused.status, refused.body["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"provider_type": "nonsense"}, 422, "provider_type"),
        ({"provider_type": "llmsim"}, 422, "provider_type"),
        ({"provider_type": 7}, 400, "provider_type"),
        ({"name": "  "}, 422, "name"),
        ({"name": None}, 400, "name"),
        ({"base_url": "ftp://models.example"}, 422, "base_url"),
        ({"base_url": "models.example"}, 422, "base_url"),
        ({"base_url": "https://user:word@models.example"}, 422, "base_url"),
        ({"base_url": "https://models.example/v1?key=1"}, 422, "base_url"),
        ({"base_url": "http://169.254.169.254/latest"}, 422, "base_url"),
        ({"base_url": "http://[::ffff:169.254.169.254]/"}, 422, "base_url"),
        ({"base_url": "http://0xa9fea9fe/"}, 422, "base_url"),
        ({"base_url": "http://metadata.google.internal/"}, 422, "base_url"),
        ({"base_url": "https://models.example:99999/"}, 422, "base_url"),
        ({"provider_type": "azure_openai"}, 422, "base_url"),
        ({"api_key": "two words"}, 422, "api_key"),
        ({"api_key": 7}, 400, "api_key"),
        ({"settings": {"headers": {"Authorization": "x"}}}, 422, "settings.headers"),
        ({"settings": {"headers": {"X-A": "a\r\nb: c"}}}, 422, "settings.headers"),
        ({"settings": []}, 400, "settings"),
        ({"status": "deleted"}, 400, "status"),
    ],
    ids=str,
)
def test_what_will_not_do_is_refused_and_named(
    admin: Api, changes: dict[str, Any], status: int, field: str
) -> None:
    refused = admin.post("/v1/providers", {"name": "A", "provider_type": "openai"} | changes)

    assert refused.status == status, refused.text
    assert refused.body["errors"][0]["field"].startswith(field)
    assert "word" not in refused.text.replace("password", "")


def test_an_unknown_type_is_told_the_known_ones(admin: Api) -> None:
    refused = admin.post("/v1/providers", {"name": "A", "provider_type": "gemini"})

    for known in ("openai", "openai_completions", "openrouter", "azure_openai", "anthropic"):
        assert known in refused.body["error"]


def test_names_are_unique_in_any_letter_case(admin: Api) -> None:
    first = provider_of(admin, name="Office")
    other = provider_of(admin, name="Home")

    again = admin.post("/v1/providers", {"name": "office", "provider_type": "anthropic"})
    assert (again.status, again.body["code"]) == (409, "conflict")
    assert admin.patch(f"/v1/providers/{other['id']}", {"name": "OFFICE"}).status == 409
    assert admin.patch(f"/v1/providers/{first['id']}", {"name": "OFFICE"}).status == 200
    assert admin.delete(f"/v1/providers/{first['id']}").status == 204
    assert provider_of(admin, name="office")["id"] != first["id"]


def test_a_repeat_with_the_same_key_makes_one(admin: Api) -> None:
    caller = admin.with_headers(Idempotency_Key="once")
    first, second = provider_of(caller), provider_of(caller)

    assert first == second
    other = caller.post("/v1/providers", {"name": "Other", "provider_type": "openai"})
    assert (other.status, other.body["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("removal", [None, ""])
def test_a_key_stays_until_it_is_removed(admin: Api, removal: str | None) -> None:
    made = provider_of(admin, api_key=SECRET)
    path = f"/v1/providers/{made['id']}"

    renamed = admin.patch(path, {"name": "Renamed", "status": "disabled"})
    assert (renamed.body["api_key_set"], renamed.body["status"]) == (True, "disabled")
    assert admin.patch(path, {"api_key": removal}).body["api_key_set"] is False
    assert admin.patch(path, {"api_key": SECRET}).body["api_key_set"] is True


def test_a_key_does_not_follow_to_another_address_by_itself(admin: Api) -> None:
    made = provider_of(admin, api_key=SECRET)
    path = f"/v1/providers/{made['id']}"

    refused = admin.patch(path, {"base_url": "https://elsewhere.example/v1"})
    assert (refused.status, refused.body["errors"][0]["field"]) == (422, "api_key")
    moved = admin.patch(path, {"base_url": "https://elsewhere.example/v1", "api_key": SECRET})
    assert moved.status == 200
    assert admin.patch(path, {"base_url": None, "api_key": None}).body["base_url"] is None


def test_the_type_cannot_change(admin: Api) -> None:
    made = provider_of(admin)
    path = f"/v1/providers/{made['id']}"

    assert admin.patch(path, {"provider_type": "anthropic"}).status == 422
    assert admin.patch(path, {"provider_type": "openai"}).status == 200


def test_without_a_master_key_no_key_is_stored_and_the_caller_is_told(api: Api) -> None:
    body = {"name": "Mine", "provider_type": "openai", "api_key": SECRET}
    refused = api.post("/v1/providers", body)

    assert (refused.status, refused.body["code"]) == (503, "encryption_unavailable")
    assert "SECRETS_ENCRYPTION_KEY" in refused.body["error"]
    assert api.get("/v1/providers").body["total"] == 3
    made = provider_of(api)
    path = f"/v1/providers/{made['id']}"
    assert api.patch(path, {"api_key": SECRET}).status == 503
    assert api.patch(path, {"api_key": None}).status == 200


def test_the_types_there_are_are_told_with_what_they_need(deps: Deps, api: Api) -> None:
    config = api.get("/v1/providers/config").body
    drivers = {each["driver"]: each for each in config["drivers"]}

    assert set(drivers) == {
        "openai", "openai_completions", "openrouter", "azure_openai", "anthropic",
    }  # fmt: skip
    assert drivers["azure_openai"]["credential_schema"]["required"] == ["base_url"]
    assert drivers["openai"]["credential_schema"]["properties"]["api_key"]["writeOnly"]
    assert not any(each["supports_oauth"] for each in drivers.values())
    assert config["policies"]["create"]
    developer = keyed(deps, api, deployment_grade="dev")
    assert provider_of(developer, provider_type="llmsim")["provider_type"] == "llmsim"


def test_of_headers_only_the_names_are_shown(admin: Api) -> None:
    made = provider_of(
        admin, settings={"headers": {"X-Title": "hidden-value"}, "organization": "org-1"}
    )

    assert made["header_names"] == ["X-Title"]
    assert made["settings"] == {"organization": "org-1"}
    assert "hidden-value" not in admin.get("/v1/providers").text


def test_headers_that_are_shown_to_nobody_go_to_no_other_address(admin: Api) -> None:
    headers = {"X-Gateway": "hidden-value"}
    made = provider_of(admin, base_url="https://one.example/v1", settings={"headers": headers})
    their = f"/v1/providers/{made['id']}"
    elsewhere = {"base_url": "https://two.example/v1"}

    refused = admin.patch(their, elsewhere)
    assert (refused.status, refused.body["errors"][0]["field"]) == (422, "settings")
    assert admin.patch(their, {"base_url": made["base_url"], "name": "Same"}).status == 200
    assert admin.patch(their, {**elsewhere, "settings": {"headers": headers}}).status == 200
    assert admin.patch(their, {**elsewhere, "settings": None}).status == 200


def test_another_organization_sees_nothing_of_it(deps: Deps, admin: Api, stranger: Api) -> None:
    made = provider_of(admin, api_key=SECRET)
    model = admin.post(f"/v1/providers/{made['id']}/models", {"model_id": "m"}).body
    other = keyed(deps, stranger)

    assert made["id"] not in other.get("/v1/providers").text
    assert model["id"] not in other.get("/v1/models?include_stale=true").text
    for method, path in (
        ("GET", f"/v1/providers/{made['id']}"),
        ("PATCH", f"/v1/providers/{made['id']}"),
        ("DELETE", f"/v1/providers/{made['id']}"),
        ("GET", f"/v1/providers/{made['id']}/models"),
        ("POST", f"/v1/providers/{made['id']}/sync-models"),
        ("GET", f"/v1/models/{model['id']}"),
        ("PATCH", f"/v1/models/{model['id']}"),
        ("DELETE", f"/v1/models/{model['id']}"),
    ):
        assert other.send(method, path).status == 404, path
    assert other.post(f"/v1/providers/{made['id']}/models", {"model_id": "n"}).status == 404
    assert provider_of(other)["name"] == made["name"]
    assert admin.get(f"/v1/providers/{made['id']}").body == made


@pytest.mark.parametrize("path", ["/v1/providers/nonsense", "/v1/providers/agent_" + "0" * 32])
def test_a_malformed_id_is_refused(api: Api, path: str) -> None:
    assert (api.get(path).status, api.get(path).body["code"]) == (400, "invalid_id")


def test_a_key_is_stored_encrypted_for_its_own_row(admin: Api, database: Database) -> None:
    one = provider_of(admin, name="One", api_key=SECRET)["id"]
    other = provider_of(admin, name="Other", api_key=SECRET)["id"]
    ids = [parse_id(Kind.PROVIDER, each) for each in (one, other)]
    with database.reading() as tx:
        query = text("SELECT id, api_key, providers::text AS whole FROM providers")
        rows = {row.id: row for row in tx.execute(query)}
        dumped = "".join(row.whole for row in rows.values())

    assert SECRET not in dumped
    envelope = rows[ids[0]].api_key
    assert set(envelope) == {"version", "alg", "key_id", "dek_wrapped", "nonce", "ciphertext"}
    assert (envelope["version"], envelope["alg"]) == (1, "AES-256-GCM")
    assert SecretBox(KEY).decrypt(envelope, purpose=f"provider:{ids[0]}") == SECRET
    assert rows[ids[1]].api_key["ciphertext"] != envelope["ciphertext"]
    with pytest.raises(CannotDecrypt):
        SecretBox(KEY).decrypt(envelope, purpose=f"provider:{ids[1]}")


def test_a_key_is_in_no_answer_no_log_and_no_document(
    admin: Api, document: Document, capfd: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    with structlog.testing.capture_logs() as logged:
        made = admin.post(
            "/v1/providers", {"name": "Mine", "provider_type": "openai", "api_key": SECRET}
        )
        path = f"/v1/providers/{made.body['id']}"
        said.append(made.text)
        # Refusals of every kind with the key in the body.
        known = {"name": "B", "provider_type": "openai"}
        for method, address, body in (
            ("POST", "/v1/providers", {"provider_type": "openai", "api_key": SECRET}),
            ("POST", "/v1/providers", {**known, "name": "Mine", "api_key": SECRET}),
            ("POST", "/v1/providers", {"name": "B", "provider_type": SECRET, "api_key": SECRET}),
            ("POST", "/v1/providers", {**known, "api_key": [SECRET]}),
            ("POST", "/v1/providers", {**known, "api_key": f"{SECRET} x"}),
            ("POST", "/v1/providers", {**known, "base_url": f"https://a:{SECRET}@b/"}),
            ("PATCH", path, {"api_key": SECRET, "status": "nonsense"}),
            ("PATCH", path, {"api_key": SECRET, "name": "New"}),
            ("GET", path, None),
            ("GET", "/v1/providers", None),
            ("GET", "/v1/models", None),
            ("GET", "/v1/providers/config", None),
        ):
            said.append(admin.send(method, address, body).text)
        admin.post("/v1/providers", f'{{"api_key": "{SECRET}", '.encode())

    assert not [each for each in said if SECRET in each]
    assert SECRET not in repr(logged)
    printed = capfd.readouterr()
    assert SECRET not in printed.out + printed.err
    assert not re.search(r"\bsk-", str(document.document))
    schema = document.document["components"]["schemas"]["Provider"]["properties"]
    assert "api_key" not in schema
