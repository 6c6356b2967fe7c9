"""Browsers have their tokens in cookies, which other sites cannot use."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from api.app import create_app
from tests.contract.api.client import Api, Document
from tests.contract.api.conftest import gate_of
from tests.contract.api.people import (
    PASSWORD,
    People,
    cookies_of,
    is_in,
)

# --- browsers ----------------------------------------------------------------------------------


def test_a_browser_has_its_tokens_in_cookies_no_script_reads(people: People) -> None:
    reply = people.try_log_in(people.user())

    cookies = cookies_of(reply)
    access, refresh = cookies["access_token"], cookies["refresh_token"]
    assert access.value == reply.body["access_token"]
    assert refresh.value == reply.body["refresh_token"]
    for each, path, lasts in ((access, "/", "900"), (refresh, "/v1/auth", "2592000")):
        assert each["httponly"] is each["secure"] is True
        assert (each["samesite"], each["path"], each["max-age"]) == ("Lax", path, lasts)


def test_below_the_other_prefix_the_cookie_is_for_that(people: People) -> None:
    body = {"email": people.user(), "password": PASSWORD}
    reply = people.anybody().post("/api/v1/auth/login", body)

    assert cookies_of(reply)["refresh_token"]["path"] == "/api/v1/auth"


HERE = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
ELSEWHERE = [
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "same-site"},
]


def test_a_cookie_lets_in_whom_the_header_would(people: People, organization: UUID) -> None:
    person = people.member(organization)
    cookie = f"theme=dark; access_token={person.tokens['access_token']}"
    browser = people.anybody(Cookie=cookie)

    assert is_in(browser)
    assert browser.post("/v1/sessions", {}, headers=HERE).status == 201
    assert browser.post("/v1/sessions", {}, headers={"Origin": "http://localhost"}).status == 201
    for headers in ELSEWHERE:
        assert browser.post("/v1/sessions", {}, headers=headers).status == 403
        assert browser.get("/v1/sessions", headers=headers).status == 200
    # A header is shown on purpose.
    for headers in ELSEWHERE:
        assert person.api.post("/v1/sessions", {}, headers=headers).status == 201
    # And it counts, not the cookie.
    wrong = browser.get("/v1/auth/me", headers={"Authorization": "Bearer nonsense"})
    assert wrong.status == 401


def test_a_page_of_an_allowed_origin_may_use_the_cookie(
    people: People, organization: UUID, document: Document
) -> None:
    settings = replace(people.deps.settings, cors_allowed_origins=("https://ui.example",))
    app = create_app(replace(people.deps, settings=settings))
    person = people.member(organization)
    other = People(app, people.deps, document)
    browser = other.anybody(Cookie=f"access_token={person.tokens['access_token']}")
    allowed = {"Origin": "https://ui.example", "Sec-Fetch-Site": "same-site"}

    assert browser.post("/v1/sessions", {}, headers=allowed).status == 201
    assert browser.post("/v1/sessions", {}, headers=ELSEWHERE[0]).status == 403
    gate_of(app).close()


def test_a_browser_refreshes_and_logs_out_by_its_cookies(people: People) -> None:
    first = cookies_of(people.try_log_in(people.user()))

    def browser(cookies: Any) -> Api:
        shown = "; ".join(f"{name}={each.value}" for name, each in cookies.items())
        return people.anybody(Cookie=shown)

    for headers in ELSEWHERE:
        assert browser(first).post("/v1/auth/refresh", headers=headers).status == 403
        assert browser(first).post("/v1/auth/logout", headers=headers).status == 403
    reply = browser(first).post("/v1/auth/refresh", headers=HERE)
    assert reply.status == 200
    second = cookies_of(reply)
    assert second["refresh_token"].value != first["refresh_token"].value
    assert is_in(browser(second))
    gone = browser(second).post("/v1/auth/logout", headers=HERE)
    assert gone.status == 204
    assert {each["max-age"] for each in cookies_of(gone).values()} == {"0"}
    assert not is_in(browser(second))


def test_another_site_logs_nobody_in(people: People) -> None:
    """Or else it could let a victim work in an account of the attacker's."""
    for headers in ELSEWHERE:
        body = {"email": people.user(), "password": PASSWORD}
        reply = people.anybody().post("/v1/auth/login", body, headers=headers)
        assert reply.status == 403
        assert "Set-Cookie" not in reply.headers
