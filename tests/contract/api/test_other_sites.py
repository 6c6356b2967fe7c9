"""AUTH_MODE=none lets in who is on this machine, but no page of a site that is open there."""

import pytest

from tests.contract.api.client import Api
from tests.contract.api.conftest import Holder

ELSEWHERE = [
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]
# What a page may send without asking first, and what our clients send.
SIMPLE = {"content_type": "text/plain"}


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_a_page_of_another_site_changes_nothing(api: Api, headers: dict[str, str]) -> None:
    agent = api.agent()["id"]

    made = api.post("/v1/sessions", {}, headers=headers, **SIMPLE)
    deleted = api.delete(f"/v1/agents/{agent}", headers=headers)

    assert [(each.status, each.body["code"]) for each in (made, deleted)] == [
        (403, "forbidden")
    ] * 2
    assert api.get(f"/v1/agents/{agent}", headers=headers).status == 200
    assert api.get("/v1/sessions").body["data"] == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_programs_and_pages_of_this_origin_do_as_before(api: Api, headers: dict[str, str]) -> None:
    assert api.post("/v1/sessions", {}, headers=headers).status == 201


def test_who_shows_a_key_may_be_anywhere(holder: Holder) -> None:
    """No browser adds that by itself; which pages may is for CORS to say."""
    assert holder().post("/v1/sessions", {}, headers=ELSEWHERE[0]).status == 201
