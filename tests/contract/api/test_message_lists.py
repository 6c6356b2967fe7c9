"""Lists of messages: the projection, its two dialects, pages, and the export."""

import json

import pytest

from api.lists import messages as lists
from common.storage import messages as storage
from common.storage.engine import Database
from tests.contract.api import worker
from tests.contract.api.client import Api, Json


def tool_turn(api: Api, database: Database) -> str:
    """A session whose first turn called three tools that finished in another order."""
    session = api.session()
    api.message(session["id"], "Weather in Tokyo?")
    worker.start_turn(database, session["id"])
    calls = (("c1", "weather"), ("c2", "weather"), ("c3", "weather"))
    worker.write(database, session["id"], worker.answer("Let me look.", *calls))
    worker.write(database, session["id"], worker.tool_result("c3", None, error="No such city"))
    worker.write(database, session["id"], worker.tool_result("c1", '{"degrees":14.0}'))
    api.message(session["id"], "And Osaka?")
    worker.write(database, session["id"], worker.tool_result("c2", "plain words"))
    worker.write(database, session["id"], worker.answer("14 degrees."))
    identifier: str = session["id"]
    return identifier


def test_tool_results_are_shown_in_call_order_and_in_every_spelling(
    api: Api, database: Database
) -> None:
    session_id = tool_turn(api, database)

    listed = api.get(f"/v1/sessions/{session_id}/messages").body

    roles = [message["role"] for message in listed["data"]]
    assert roles == ["user", "agent", "tool", "tool", "user", "tool", "agent"]
    assert listed["total"] == 7
    results = [m["content"][0] for m in listed["data"] if m["role"] == "tool"]
    assert results == [
        {
            "type": "tool_result",
            "tool_call_id": "c1",
            "content": '{"degrees":14.0}',
            "text": '{"degrees":14.0}',
            "result": {"degrees": 14.0},
            "error": None,
        },
        {
            "type": "tool_result",
            "tool_call_id": "c2",
            "content": "plain words",
            "text": "plain words",
            "result": "plain words",
            "error": None,
        },
        {
            "type": "tool_result",
            "tool_call_id": "c3",
            "content": "No such city",
            "text": "No such city",
            "result": None,
            "error": "No such city",
        },
    ]
    agent = listed["data"][1]
    assert agent["phase"] == "commentary"
    assert [part["type"] for part in agent["content"]] == ["text", *["tool_call"] * 3]
    assert len({message["id"] for message in listed["data"]}) == 7


@pytest.mark.parametrize(
    ("authorization", "query", "role"),
    [
        (None, "", "tool"),
        ("Bearer evr_x", "", "tool"),
        ("ApiKey evr_x", "", "tool"),
        ("evr_x", "", "tool_result"),
        ("", "", "tool"),
        (None, "?dialect=sdk", "tool_result"),
        ("Bearer x", "?dialect=sdk", "tool_result"),
        ("evr_x", "?dialect=seed", "tool"),
        ("Basic eDp5", "", "tool_result"),
    ],
)
def test_the_sdk_gets_the_role_it_knows(
    api: Api, database: Database, authorization: str | None, query: str, role: str
) -> None:
    session_id = tool_turn(api, database)
    caller = api if authorization is None else api.with_headers(Authorization=authorization)

    listed = caller.get(f"/v1/sessions/{session_id}/messages{query}").body

    assert listed["data"][2]["role"] == role


def test_pages_by_key_and_by_offset_hold_every_message_once(api: Api, database: Database) -> None:
    session_id = tool_turn(api, database)
    path = f"/v1/sessions/{session_id}/messages"
    everything = sorted(api.get(path).body["data"], key=lambda message: message["sequence"])

    def walk_forward() -> list[Json]:
        found: list[Json] = []
        after = 0
        while page := api.get(f"{path}?limit=2&after_sequence={after}").body["data"]:
            found += page
            after = page[-1]["sequence"]
        return found

    def walk_back() -> list[Json]:
        found: list[Json] = []
        before = 1000
        while page := api.get(f"{path}?limit=2&before_sequence={before}").body["data"]:
            found = page + found
            before = page[0]["sequence"]
        return found

    def walk_by_offset() -> list[Json]:
        return [
            message
            for offset in range(0, 8, 3)
            for message in api.get(f"{path}?limit=3&offset={offset}").body["data"]
        ]

    assert walk_forward() == walk_back() == walk_by_offset() == everything
    page = api.get(f"{path}?limit=2&offset=1").body
    assert (page["total"], page["offset"], page["limit"]) == (7, 1, 2)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=x",
        "offset=-1",
        "after_sequence=-1",
        "after_sequence=1&before_sequence=9",
        "offset=1&after_sequence=1",
        "after_sequence=" + "9" * 5000,
    ],
)
def test_a_bad_page_is_refused(api: Api, query: str) -> None:
    session = api.session()

    assert api.get(f"/v1/sessions/{session['id']}/messages?{query}").status == 400


def test_a_cursor_beyond_the_log_finds_nothing(api: Api) -> None:
    session = api.session()
    api.message(session["id"])
    path = f"/v1/sessions/{session['id']}/messages"

    assert api.get(f"{path}?after_sequence=999999999999").body["data"] == []
    assert len(api.get(f"{path}?before_sequence=999999999999").body["data"]) == 1


def test_long_lists_are_written_in_slices_and_lose_nothing(api: Api, database: Database) -> None:
    session = api.session()
    count = 2 * lists._FIRST + storage.SLICE + 3
    for start in range(0, count, 50):
        worker.write(
            database,
            session["id"],
            *[worker.answer(f"{number}") for number in range(start, min(count, start + 50))],
        )

    listed = api.get(f"/v1/sessions/{session['id']}/messages")

    texts = [message["content"][0]["text"] for message in listed.body["data"]]
    assert texts == [str(number) for number in range(count)]
    assert listed.body["total"] == count
    assert "Content-Length" not in listed.headers


def test_the_export_has_a_line_for_each_message(api: Api, database: Database) -> None:
    session_id = tool_turn(api, database)

    reply = api.get(f"/v1/sessions/{session_id}/export?segmented=true&cursor=x")

    lines = [json.loads(line) for line in reply.text.splitlines()]
    assert reply.headers["Content-Type"].startswith("application/x-ndjson")
    assert reply.headers["Content-Disposition"] == f'attachment; filename="{session_id}.jsonl"'
    keys = ["id", "session_id", "sequence", "role", "content", "created_at"]
    assert [list(line) for line in lines] == [keys] * 7
    listed = api.get(f"/v1/sessions/{session_id}/messages").body["data"]
    assert [line["id"] for line in lines] == [message["id"] for message in listed]


def test_export_formats(api: Api) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}/export"

    assert api.get(path).raw == b""
    assert api.get(f"{path}?format=atif").status == 501
    assert api.get(f"{path}?format=pdf").status == 400
