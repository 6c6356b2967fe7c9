"""GET /events: every parameter, alone and together (contract 3.4)."""

from typing import Any
from urllib.parse import quote

import pytest

from common.domain.cursor import TextCursor, delta_id, event_id
from common.domain.events import EventDraft, EventType
from common.domain.ids import Kind, parse_id, show_id
from common.storage import event_queries
from common.storage.engine import Database
from tests.contract.api import worker
from tests.contract.api.client import Api, Json


class Talk:
    """A session with one tool turn in its log."""

    def __init__(self, api: Api, database: Database) -> None:
        self.api = api
        self.session = api.session()
        self.id: str = self.session["id"]
        self.message = api.message(self.id, 'Say "50%" of Tōkyō\n')
        self.turn_id = worker.start_turn(database, self.id)
        self.exec_id = show_id(Kind.EXEC, self.turn_id)
        turn = {"turn_id": show_id(Kind.TURN, self.turn_id)}
        step = {**turn, "exec_id": self.exec_id, "trace_id": "f" * 32}
        worker.write(
            database,
            self.id,
            EventDraft(EventType.REASON_STARTED, {"harness_id": "h"}, step),
            EventDraft(EventType.OUTPUT_STARTED, turn, step),
            worker.answer("Let me look", ("c1", "look_up")),
            EventDraft(
                EventType.TOOL_STARTED,
                {"tool_call": {"id": "c1", "name": "look_up", "arguments": {}}},
                step,
            ),
            worker.tool_result("c1", "42"),
            worker.tool_result("c2", None, error="no"),
            worker.answer("It is 42"),
        )
        worker.finish_turn(database, self.id)
        self.total = 12
        self.all = self.find()

    def find(self, query: str = "", **parameters: Any) -> list[Json]:
        found: list[Json] = self.ask(query, **parameters).body["data"]
        return found

    def ask(self, query: str = "", **parameters: Any) -> Any:
        if parameters:
            return self.api.get(f"/v1/sessions/{self.id}/events", query_string=parameters)
        return self.api.get(f"/v1/sessions/{self.id}/events{query}")

    def sequences(self, query: str = "", **parameters: Any) -> list[int]:
        return [event["sequence"] for event in self.find(query, **parameters)]


@pytest.fixture
def talk(api: Api, database: Database) -> Talk:
    return Talk(api, database)


def test_without_parameters_all_events_come_in_order(talk: Talk) -> None:
    reply = talk.ask()

    assert [event["sequence"] for event in talk.all] == list(range(1, talk.total + 1))
    assert reply.body["total"] == talk.total
    assert reply.headers["X-Total-Count"] == str(talk.total)
    for event in talk.all:
        assert event["session_id"] == talk.id
        assert event["tags"] == []
        assert event["ts"].endswith("Z")
        assert event["id"].startswith("event_")
    assert talk.all[1]["data"]["message"]["created_at"] == talk.all[1]["ts"]


def test_a_limit_means_the_last_events_or_the_first_after_a_cursor(talk: Talk) -> None:
    fourth = talk.all[3]["id"]

    assert talk.sequences("?limit=3") == [10, 11, 12]
    assert talk.sequences("?limit=3&before_sequence=6") == [3, 4, 5]
    assert talk.sequences("?limit=3&after_sequence=0") == [1, 2, 3]
    assert talk.sequences("?limit=3&after_sequence=10") == [11, 12]
    assert talk.sequences(f"?limit=3&since_id={fourth}") == [5, 6, 7]
    assert talk.sequences(f"?since_id={fourth}&before_sequence=7") == [5, 6]
    assert talk.sequences("?after_sequence=12") == []
    assert talk.sequences("?after_sequence=99999999999999") == []
    assert talk.sequences("?limit=2&order_desc=true") == [12, 11]
    assert talk.sequences("?limit=2&after_sequence=0&order_desc=true") == [2, 1]
    assert "X-Total-Count" not in talk.ask("?limit=2&after_sequence=0").headers
    assert talk.ask("?limit=2&before_sequence=5").headers["X-Total-Count"] == str(talk.total)


def test_paging_as_the_agent_client_does_ends_at_an_empty_page(talk: Talk) -> None:
    seen: list[int] = []
    while page := talk.sequences(f"?after_sequence={seen[-1] if seen else 0}&limit=5"):
        seen += page

    assert seen == list(range(1, talk.total + 1))


def test_cursors_are_taken_in_every_form_and_from_deltas(talk: Talk) -> None:
    session_id = parse_id(Kind.SESSION, talk.id)
    delta = delta_id(session_id, TextCursor(sequence=6, opener=5, offset=3), 1_700_000_000_000)
    bare = talk.all[5]["id"].removeprefix("event_")

    for cursor in (delta, bare, talk.all[5]["id"].upper()):
        assert talk.sequences(since_id=cursor)[0] == 7


def test_around_shows_both_sides(talk: Talk) -> None:
    middle = talk.all[5]["id"]

    assert talk.sequences(f"?around={middle}&window=2") == [4, 5, 6, 7, 8]
    assert talk.sequences(f"?around={middle}&window=0") == [6]
    assert talk.sequences(f"?around={middle}") == list(range(1, 13))
    assert talk.sequences(f"?around={middle}&window=1&types=tool.*,turn.*") == [3, 7, 8]
    assert talk.sequences(f"?around={middle}&window=1&order_desc=true") == [7, 6, 5]


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("types=turn.started&types=turn.completed", ["turn.started", "turn.completed"]),
        ("types=turn.started,turn.completed", ["turn.started", "turn.completed"]),
        ("types=turn.*&exclude=turn.started", ["turn.completed"]),
        ("types=reason.*", ["reason.started"]),
        ("types=output.message.delta", []),
        (
            "exclude=tool.*&exclude=output.*&exclude=session.*&exclude=turn.*&exclude=input.message",
            ["reason.started"],
        ),
        ("types=tool.completed&limit=1", ["tool.completed"]),
    ],
)
def test_types_narrow_and_exclude_removes(talk: Talk, query: str, types: list[str]) -> None:
    assert [event["type"] for event in talk.find(f"?{query}")] == types


def test_events_are_found_by_what_they_belong_to(talk: Talk) -> None:
    turn = show_id(Kind.TURN, talk.turn_id)

    assert talk.sequences(turn_id=turn) == list(range(3, 13))
    assert talk.sequences(turn_id=str(talk.turn_id)) == list(range(3, 13))
    assert talk.sequences(exec_id=talk.exec_id) == [4, 5, 7]
    assert talk.sequences(trace_id="f" * 32) == [4, 5, 7]
    assert talk.sequences(tool_name="look_up") == [7, 8, 9]
    assert talk.sequences(turn_id="turn_" + "0" * 32) == []
    assert talk.sequences(tags="a") == []


def test_events_are_found_by_their_words(talk: Talk) -> None:
    assert talk.sequences(q='"50%"') == [2]
    assert talk.sequences(q="of TŌKYŌ\n") == [2]
    assert talk.sequences(q="50_") == []
    assert talk.sequences(q="it is 42") == [10]
    assert talk.sequences(q="\\") == []


def test_events_are_found_by_time(talk: Talk) -> None:
    first, last = talk.all[0]["ts"], talk.all[-1]["ts"]

    assert len(talk.find(from_ts=first, to_ts=last)) == talk.total
    assert talk.find(to_ts="2020-01-01T00:00:00Z") == []
    assert talk.find(from_ts="2120-01-01T00:00:00+01:00") == []
    assert len(talk.find("?from_ts=2020-01-01T00:00:00+02:00")) == talk.total
    assert len(talk.find("?from_ts=2020-01-01T00:00")) == talk.total


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("after_sequence=-1", "after_sequence"),
        ("before_sequence=x", "before_sequence"),
        ("types=nope", "types"),
        ("types=turn.started,nope", "types"),
        ("exclude=no.*", "exclude"),
        ("types=" + ",".join(["turn.*"] + [f"x{n}" for n in range(40)]), "types"),
        ("from_ts=yesterday", "from_ts"),
        ("to_ts=2020-13-01T00:00:00Z", "to_ts"),
        ("from_ts=0001-01-01T00:00:00%2B23:59", "from_ts"),
        ("turn_id=nope", "turn_id"),
        ("exec_id=turn_" + "0" * 32, "exec_id"),
        ("tags=" + ",".join(f"t{n}" for n in range(21)), "tags"),
        ("order_desc=maybe", "order_desc"),
        ("around={first}&since_id={first}", "around"),
        ("around={first}&after_sequence=1", "around"),
        ("around={first}&before_sequence=1", "around"),
        ("around={first}&window=501", "window"),
        ("since_id={first}&after_sequence=1", "since_id"),
        ("q=%00", "q"),
        ("q=" + "x" * 501, "q"),
    ],
)
def test_a_bad_parameter_is_named(talk: Talk, query: str, field: str) -> None:
    refused = talk.ask("?" + query.replace("{first}", talk.all[0]["id"]))

    assert refused.status == 400
    assert [problem["field"] for problem in refused.body["errors"]] == [field]


def test_a_cursor_of_another_session_or_none_is_refused(talk: Talk, api: Api) -> None:
    other = api.session()
    foreign = api.get(f"/v1/sessions/{other['id']}/events").body["data"][0]["id"]

    for bad in (foreign, "nope", "event_" + "0" * 32, talk.id, quote("é")):
        for name in ("since_id", "around"):
            refused = talk.ask(f"?{name}={bad}")
            assert (refused.status, refused.body["code"]) == (400, "invalid_cursor")
            assert [problem["field"] for problem in refused.body["errors"]] == [name]
    beyond = event_id(parse_id(Kind.SESSION, talk.id), 1000, 1_700_000_000_000)
    assert talk.ask(f"?around={beyond}").status == 400
    assert talk.sequences(since_id=beyond) == []


def test_large_answers_are_written_in_slices(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = Talk(api, database)
    monkeypatch.setattr(event_queries, "SLICE_EVENTS", 5)

    reply = talk.ask()

    assert reply.body["data"] == talk.all
    assert "Content-Length" not in reply.headers


def test_the_summary_counts(talk: Talk, api: Api) -> None:
    summary = api.get(f"/v1/sessions/{talk.id}/events/summary").body

    counts = {entry["event_type"]: entry["count"] for entry in summary["by_type"]}
    assert counts["tool.completed"] == 2
    assert summary["total"] == sum(counts.values()) == talk.total
    assert (summary["turn_count"], summary["error_count"]) == (1, 1)
    assert (summary["first_ts"], summary["last_ts"]) == (talk.all[0]["ts"], talk.all[-1]["ts"])


def test_the_stream_is_not_served_here(api: Api) -> None:
    session = api.session()

    refused = api.get(f"/v1/sessions/{session['id']}/sse")

    assert (refused.status, refused.body["code"]) == (421, "misdirected")
