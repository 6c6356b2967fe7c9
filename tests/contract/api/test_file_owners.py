"""Whose files they are: what a session hears of them, what it shares, and who meets nothing."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.api.client import Api, Json, paths
from tests.fakes.live import RecordingLive


def written(api: Api, session_id: str) -> list[Json]:
    events = api.get(f"/v1/sessions/{session_id}/events?types=file.written").body["data"]
    return [event["data"] for event in events]


def test_a_session_hears_of_its_files(api: Api, live: RecordingLive) -> None:
    session = api.session()
    fs = f"/v1/sessions/{session['id']}/fs"
    by_workspace = f"/v1/workspaces/{session['workspace_id']}/fs"
    api.post(f"{fs}/a", {"content": "private words"})
    api.put(f"{by_workspace}/a", {"content": "xy"})
    api.put(f"{fs}/a", {"content": "xy"})  # changes nothing
    api.post(f"{fs}/_/move", {"src_path": "/a", "dst_path": "/b"})
    api.post(f"{fs}/_/copy", {"src_path": "/b", "dst_path": "/c"})
    api.delete(f"{fs}/c")
    told = [
        (e["path"], e["operation"], e["created"], e["size_bytes"])
        for e in written(api, session["id"])
    ]
    assert told == [
        ("/a", "write", True, 13),
        ("/a", "write", False, 2),
        ("/b", "move", True, 2),
        ("/c", "copy", True, 2),
    ]
    assert "private" not in json.dumps(written(api, session["id"]))
    told_live = [event.type for _, events in live.published for event in events]
    assert told_live == ["session.started", *["file.written"] * 4]


def test_a_shared_workspace_is_one_for_all_its_sessions(api: Api) -> None:
    workspace = api.post("/v1/workspaces", {"name": "Shared"}).body
    first, second = (api.session(workspace_id=workspace["id"]) for _ in range(2))
    assert first["workspace_id"] == second["workspace_id"] == workspace["id"]
    api.put(f"/v1/sessions/{first['id']}/fs/a", {"content": "x"})
    found = api.get(f"/v1/sessions/{second['id']}/fs/a").body
    assert (found["content"], found["session_id"]) == ("x", second["id"])
    alone = api.get(f"/v1/workspaces/{workspace['id']}/fs/a").body
    assert alone["session_id"] == workspace["id"]
    assert [len(written(api, each["id"])) for each in (first, second)] == [1, 0]
    api.delete(f"/v1/sessions/{first['id']}")
    assert api.get(f"/v1/workspaces/{workspace['id']}/fs/a").status == 200


def test_a_deleted_session_has_no_files(api: Api) -> None:
    session = api.session()
    fs = f"/v1/sessions/{session['id']}/fs"
    api.put(f"{fs}/a", {"content": "x"})
    api.delete(f"/v1/sessions/{session['id']}")
    assert api.get(fs).status == 404
    assert api.put(f"{fs}/a", {"content": "x"}).status == 404
    assert api.get(f"/v1/workspaces/{session['workspace_id']}/fs").status == 404


Request = Callable[[Api, str], Any]
_EVERYTHING: list[Request] = [
    lambda api, fs: api.get(fs),
    lambda api, fs: api.get(f"{fs}/a"),
    lambda api, fs: api.post(f"{fs}/b", {"content": "x"}),
    lambda api, fs: api.put(f"{fs}/a", {"content": "x"}),
    lambda api, fs: api.delete(f"{fs}/a"),
    lambda api, fs: api.post(f"{fs}/_/stat", {"path": "/a"}),
    lambda api, fs: api.post(f"{fs}/_/move", {"src_path": "/a", "dst_path": "/b"}),
    lambda api, fs: api.post(f"{fs}/_/copy", {"src_path": "/a", "dst_path": "/b"}),
    lambda api, fs: api.post(f"{fs}/_/grep", {"pattern": "x"}),
    lambda api, fs: api.get(f"{fs}/_/download/a"),
    lambda api, fs: api.get(f"{fs}/_/preview/a"),
]


@pytest.mark.parametrize("ask", _EVERYTHING)
def test_a_stranger_meets_nothing(api: Api, stranger: Api, fs: str, ask: Request) -> None:
    api.put(f"{fs}/a", {"content": "x"})
    assert ask(stranger, fs).status == 404
    assert api.get(f"{fs}/a").body["content"] == "x"
    assert paths(api, fs) == ["/a"]


@pytest.mark.parametrize("ask", _EVERYTHING)
def test_bad_ids_are_refused(api: Api, ask: Request) -> None:
    assert ask(api, "/v1/workspaces/nope/fs").status == 400
    assert ask(api, f"/v1/workspaces/session_{'0' * 32}/fs").status == 400
    assert ask(api, f"/v1/workspaces/wsp_{'0' * 32}/fs").status == 404
    assert ask(api, f"/v1/sessions/{'0' * 32}/fs").status == 404
