"""Names that are the same, and names that only look alike."""

import pytest

from tests.contract.api.client import Api


@pytest.mark.parametrize(("first", "second"), [("Foo Bar", "foo bar"), ("Foo Bar", "foo-bar")])
def test_the_same_name_replaces(api: Api, first: str, second: str) -> None:
    made = api.post("/v1/agents", body={"name": first, "system_prompt": "one"})
    again = api.post("/v1/agents", body={"name": second, "system_prompt": "two"})
    assert (made.status, again.status) == (201, 200)
    assert made.body["id"] == again.body["id"]


@pytest.mark.parametrize(("first", "second"), [("C++", "C#"), ("a.b", "a b")])
def test_a_name_that_only_looks_alike_replaces_nothing(api: Api, first: str, second: str) -> None:
    made = api.post("/v1/agents", body={"name": first, "system_prompt": "one"})
    other = api.post("/v1/agents", body={"name": second, "system_prompt": "two"})
    assert (made.status, other.status) == (201, 409)
    kept = api.get(f"/v1/agents/{made.body['id']}").body
    assert (kept["name"], kept["system_prompt"]) == (first, "one")
