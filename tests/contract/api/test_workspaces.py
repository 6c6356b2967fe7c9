"""Shared workspaces: their rows, and what holds while sessions work on them."""

import pytest

from tests.contract.api.client import Api, Json


def make(api: Api, name: str = "Shared", **fields: object) -> Json:
    made = api.post("/v1/workspaces", {"name": name, **fields})
    assert made.status == 201, made.text
    workspace: Json = made.body
    return workspace


def test_a_workspace_is_made_found_and_changed(api: Api) -> None:
    made = make(api, description="For all")
    assert made["id"].startswith("wsp_")
    assert (made["status"], made["archived_at"], made["deleted_at"]) == ("active", None, None)
    url = f"/v1/workspaces/{made['id']}"
    assert api.get(url).body == made
    changed = api.patch(url, {"name": "Renamed", "description": None}).body
    assert (changed["name"], changed["description"]) == ("Renamed", None)
    assert api.patch(url, {}).body["name"] == "Renamed"


def test_names_are_unique(api: Api, stranger: Api) -> None:
    first, second = make(api, "One"), make(api, "Two")
    assert api.post("/v1/workspaces", {"name": "One"}).status == 409
    assert api.patch(f"/v1/workspaces/{second['id']}", {"name": "One"}).status == 409
    assert api.patch(f"/v1/workspaces/{first['id']}", {"name": "One"}).status == 200
    assert stranger.post("/v1/workspaces", {"name": "One"}).status == 201


def test_archived_ones_are_listed_when_asked_for(api: Api) -> None:
    kept, gone = make(api, "Alpha kept"), make(api, "Beta", description="alpha too")
    url = f"/v1/workspaces/{gone['id']}"
    assert api.delete(url).status == 204
    assert api.delete(url).status == 204
    assert api.get(url).body["status"] == "archived"
    assert [each["id"] for each in api.get("/v1/workspaces").body["data"]] == [kept["id"]]
    every = api.get("/v1/workspaces?include_archived=true&search=alpha").body
    assert ([each["id"] for each in every["data"]], every["total"]) == ([gone["id"], kept["id"]], 2)
    assert api.get("/v1/workspaces?search=nothing").body == {"data": [], "total": 0}
    assert api.patch(url, {"status": "active"}).body["archived_at"] is None
    assert len(api.get("/v1/workspaces").body["data"]) == 2


def test_an_archived_one_is_not_given_to_new_sessions(api: Api) -> None:
    workspace = make(api)
    session = api.session(workspace_id=workspace["id"])
    api.delete(f"/v1/workspaces/{workspace['id']}")
    assert api.post("/v1/sessions", {"workspace_id": workspace["id"]}).status == 409
    assert api.put(f"/v1/sessions/{session['id']}/fs/a", {"content": "x"}).status == 200


def test_only_what_is_archived_and_unused_is_deleted(api: Api) -> None:
    workspace = make(api)
    url = f"/v1/workspaces/{workspace['id']}"
    session = api.session(workspace_id=workspace["id"])
    assert api.post(f"{url}/delete").status == 409
    api.delete(url)
    assert api.post(f"{url}/delete").status == 409
    api.delete(f"/v1/sessions/{session['id']}")
    assert api.post(f"{url}/delete").status == 204
    assert api.get(url).status == 404
    assert api.get(f"{url}/fs").status == 404
    assert api.put(f"{url}/fs/a", {"content": "x"}).status == 404
    assert api.post(f"{url}/delete").status == 404
    make(api)  # the name is free again


def test_a_session_s_own_workspace_is_no_row(api: Api) -> None:
    session = api.session()
    assert api.get(f"/v1/workspaces/{session['workspace_id']}").status == 404
    assert api.get("/v1/workspaces").body["total"] == 0
    other = api.session(workspace_id=session["workspace_id"])
    assert other["workspace_id"] == session["workspace_id"]
    api.put(f"/v1/sessions/{session['id']}/fs/a", {"content": "x"})
    api.delete(f"/v1/sessions/{session['id']}")
    assert api.get(f"/v1/sessions/{other['id']}/fs/a").body["session_id"] == other["id"]


def test_a_repeated_post_makes_one(api: Api) -> None:
    once = api.with_headers(Idempotency_Key="k")
    first = once.post("/v1/workspaces", {"name": "Shared"})
    again = once.post("/v1/workspaces", {"name": "Shared"})
    assert (again.status, again.body) == (201, first.body)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": " "},
        {"name": 1},
        {"name": "x" * 129},
        {"name": "x", "description": 1},
    ],
)
def test_bad_bodies_are_refused(api: Api, body: Json) -> None:
    assert api.post("/v1/workspaces", body).status == 400
    workspace = make(api)
    if body:
        assert api.patch(f"/v1/workspaces/{workspace['id']}", body).status == 400


def test_a_status_is_one_of_two(api: Api) -> None:
    url = f"/v1/workspaces/{make(api)['id']}"
    assert api.patch(url, {"status": "archived"}).body["status"] == "archived"
    assert api.patch(url, {"status": "deleted"}).status == 400


def test_a_stranger_meets_nothing(api: Api, stranger: Api) -> None:
    workspace = make(api)
    url = f"/v1/workspaces/{workspace['id']}"
    assert stranger.get("/v1/workspaces?include_archived=true").body["data"] == []
    assert stranger.get(url).status == 404
    assert stranger.patch(url, {"name": "Mine"}).status == 404
    assert stranger.delete(url).status == 404
    assert stranger.post(f"{url}/delete").status == 404
    assert stranger.post("/v1/sessions", {"workspace_id": workspace["id"]}).status == 404
    assert (
        stranger.post("/v1/sessions", {"workspace_id": api.session()["workspace_id"]}).status == 404
    )
    assert api.get(url).body == workspace
