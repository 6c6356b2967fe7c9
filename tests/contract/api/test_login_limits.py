"""Nobody tries to get in more often than a person would."""

from tests.contract.api.people import (
    OTHER_PASSWORD,
    PASSWORD,
    People,
    an_email,
    registration,
)

# --- limits ------------------------------------------------------------------------------------


def test_an_address_tries_only_so_often(people: People) -> None:
    caller = people.anybody()
    body = {"email": an_email(), "password": PASSWORD}
    for _ in range(10):
        assert caller.post("/v1/auth/login", {**body, "email": an_email()}).status == 401

    refused = caller.post("/v1/auth/login", {"email": people.user(), "password": PASSWORD})

    assert (refused.status, refused.body["code"]) == (429, "rate_limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    # What the client itself says of where it comes from counts for nothing.
    told = f"1.2.3.4, {caller.headers['X-Forwarded-For']}"
    assert caller.post("/v1/auth/login", body, headers={"X-Forwarded-For": told}).status == 429
    assert people.try_log_in(people.user()).status == 200


def test_an_account_is_tried_only_so_often_wherever_from(people: People) -> None:
    email = people.user()
    statuses = [people.try_log_in(email, "wrong").status for _ in range(10)]
    assert statuses == [401] * 10

    assert people.try_log_in(email).status == 429

    unknown = an_email()
    statuses = [people.try_log_in(unknown, "wrong").status for _ in range(11)]
    assert statuses == [401] * 10 + [429]


def test_accounts_are_made_and_tokens_refreshed_only_so_often(people: People) -> None:
    caller = people.anybody()
    made = [caller.post("/v1/auth/register", registration()).status for _ in range(6)]
    assert made == [201] * 5 + [429]
    tried = [caller.post("/v1/auth/refresh", {"refresh_token": "x"}).status for _ in range(31)]
    assert tried == [401] * 30 + [429]


def test_a_password_is_changed_only_so_often(people: People) -> None:
    person = people.member()
    body = {"current_password": "wrong", "new_password": OTHER_PASSWORD}
    tried = [
        person.api.post("/v1/auth/password", body, headers=people.anybody().headers).status
        for _ in range(6)
    ]
    assert tried == [403] * 5 + [429]
