"""An agent on the files of its workspace: real tools, real rows, the simulated model."""

import json
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from common.clock import new_id
from common.domain.events import EventType
from common.domain.file import hash_of
from common.domain.ids import DEFAULT_ORGANIZATION, Kind, show_id
from common.encryption import MasterKey
from common.storage import file_queries, files, session_storage
from common.storage.files import Place
from tests.integration.worker.conftest import World
from tests.integration.worker.test_recovery import assert_ended_once
from worker.capabilities.capability import ToolContext, ToolFailed, ToolSucceeded
from worker.capabilities.registry import built_capabilities
from worker.capabilities.services import Services
from worker.llm.driver import Endpoint, ImageLimits, LLMDriver, LLMRequest, Stop
from worker.llm.registry import driver_for
from worker.turn import assembly

Json = dict[str, Any]


@dataclass
class Requests:
    """Drivers that note what they were asked."""

    seen: list[LLMRequest] = field(default_factory=list)

    image_limits = ImageLimits()

    def driver_for(self, endpoint: Endpoint, *, allow_simulated: bool) -> LLMDriver:
        self._inner = driver_for(endpoint, allow_simulated=allow_simulated)
        return self

    def stream(self, request: LLMRequest, *, stop: Stop) -> Any:
        self.seen.append(request)
        return self._inner.stream(request, stop=stop)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Requests:
    requests = Requests()
    monkeypatch.setattr(assembly, "driver_for", requests.driver_for)
    return requests


def place(world: World) -> Place:
    return Place(DEFAULT_ORGANIZATION, world.session_id)


def put(world: World, path: str, content: str, **more: Any) -> None:
    with world.database.transaction() as tx:
        files.write(tx, place(world), path, content.encode(), **more)


def content(world: World, path: str, workspace_id: UUID | None = None) -> str | None:
    with world.database.reading() as tx:
        found = file_queries.read(tx, DEFAULT_ORGANIZATION, workspace_id or world.session_id, path)
    return None if found is None or found.content is None else found.content.decode()


def act(world: World, *calls: tuple[str, Json]) -> list[Json]:
    """Let the agent make these calls one step after the other; their results."""
    made = [{"tool_calls": [{"name": name, "arguments": given}]} for name, given in calls]
    turns = [*made, {"text": "done"}]
    world.worker().run(world.say("Go", response={"type": "scripted", "turns": turns}))
    assert_ended_once(world)
    return results(world)


def results(world: World) -> list[Json]:
    found = []
    for event in world.events():
        if event.type == EventType.TOOL_COMPLETED:
            data = event.data
            shown = data["error"] if not data["success"] else data["result"][0]["text"]
            found.append({"error": shown} if not data["success"] else json.loads(shown))
    return found


def written(world: World) -> list[Json]:
    return [each.data for each in world.events() if each.type == EventType.FILE_WRITTEN]


def test_an_agent_writes_reads_edits_searches_and_deletes(world: World) -> None:
    world.grant("session_file_system")
    done = act(
        world,
        ("write_file", {"path": "/notes/a.md", "content": "one\ntwo\n"}),
        ("read_file", {"path": "/notes/a.md", "offset": 2}),
        (
            "edit_file",
            {
                "path": "/notes/a.md",
                "expected_hash": hash_of(b"one\ntwo\n"),
                "edits": [
                    {"old_text": "two", "new_text": "2"},
                    {"old_text": "2", "new_text": "II"},
                ],
            },
        ),
        ("list_directory", {"path": "/notes"}),
        ("grep_files", {"pattern": "^I+$"}),
        ("read_many_files", {"paths": ["/notes/a.md", "/none"]}),
        ("stat_file", {"path": "/notes"}),
        ("delete_file", {"path": "/notes", "recursive": True}),
        ("stat_file", {"path": "/notes/a.md"}),
        ("stat_file", {"path": "/"}),
    )
    assert done[0] == {
        "path": "/notes/a.md",
        "size_bytes": 8,
        "created": True,
        "content_hash": hash_of(b"one\ntwo\n"),
    }
    assert (done[1]["content"], done[1]["total_lines"]) == ("two\n", 2)
    assert done[2]["content_hash"] == hash_of(b"one\nII\n")
    assert [each["path"] for each in done[3]["entries"]] == ["/notes/a.md"]
    assert done[4]["matches"] == [{"path": "/notes/a.md", "line_number": 2, "line": "II"}]
    assert [each.get("error") for each in done[5]] == [None, "/none does not exist"]  # type: ignore[attr-defined]
    assert (done[6]["exists"], done[6]["is_directory"]) == (True, True)
    assert done[7] == {"path": "/notes", "deleted": True}
    assert done[8] == {"path": "/notes/a.md", "exists": False}
    assert (done[9]["path"], done[9]["exists"], done[9]["is_directory"]) == ("/", True, True)
    assert [(each["path"], each["operation"], each["created"]) for each in written(world)] == [
        ("/notes/a.md", "write", True),
        ("/notes/a.md", "edit", False),
    ]


def test_what_goes_wrong_is_told_with_the_path(world: World) -> None:
    world.grant("session_file_system")
    put(world, "/fixed.txt", "same same", is_readonly=True)
    put(world, "/twice.txt", "same same")
    edit = [{"old_text": "same", "new_text": "x"}]
    done = act(
        world,
        ("read_file", {"path": "/none"}),
        ("write_file", {"path": "/fixed.txt", "content": "x"}),
        ("delete_file", {"path": "/fixed.txt"}),
        ("edit_file", {"path": "/twice.txt", "edits": edit}),
        ("edit_file", {"path": "/twice.txt", "expected_hash": "sha256:0", "edits": edit}),
        ("edit_file", {"path": "/none", "edits": edit}),
        ("write_file", {"path": "/twice.txt/below", "content": "x"}),
        ("read_file", {"path": "relative"}),
        ("grep_files", {"pattern": "("}),
        ("list_directory", {"path": "/twice.txt"}),
    )
    told = [each["error"] for each in done]
    assert told[0] == "/none does not exist"
    assert told[1] == told[2] == "/fixed.txt is read-only"
    assert told[3] == "Edit 1 of /twice.txt: old_text occurs 2 times, not exactly once"
    assert "/twice.txt has changed" in told[4]
    assert told[5] == "/none does not exist"
    assert "/twice.txt is a file" in told[6]
    assert told[7] == "path: Must begin with /"
    assert told[8].startswith("pattern: Is no valid expression")
    assert told[9] == "/twice.txt is a file, not a directory"
    assert (content(world, "/twice.txt"), written(world)) == ("same same", [])


def test_a_long_file_is_read_in_parts(world: World) -> None:
    world.grant("session_file_system")
    lines = [f"line {number} {'x' * 90}\n" for number in range(1, 1501)]
    put(world, "/long.txt", "".join(lines))
    (first,) = act(world, ("read_file", {"path": "/long.txt"}))
    assert first["truncated"]
    assert first["total_lines"] == 1500
    rest = first["next_offset"]
    shown = first["content"].splitlines(keepends=True)[: rest - 1]
    assert shown == lines[: rest - 1]


def test_instructions_of_the_workspace_reach_the_prompt(world: World, requests: Requests) -> None:
    world.grant("agent_instructions")
    put(world, "/AGENTS.md", "Always answer in rhymes.")
    world.worker().run(world.say("Hi"))
    assert "Always answer in rhymes." in requests.seen[0].system_prompt
    put(world, "/AGENTS.md", "Never rhyme." + "x" * 40_000)
    world.worker().run(world.say("Hi again"))
    later = requests.seen[1].system_prompt
    assert "Never rhyme." in later
    assert "Always answer" not in later
    assert len(later) < 34_000


def test_without_instructions_nothing_is_added(world: World, requests: Requests) -> None:
    world.worker().run(world.say("Hi"))
    world.grant("agent_instructions")
    world.worker().run(world.say("Hi"))
    assert requests.seen[0].system_prompt == requests.seen[1].system_prompt


def test_the_files_are_those_of_the_session_s_workspace(world: World, requests: Requests) -> None:
    shared = new_id()
    with world.database.transaction() as tx:
        tx.execute(
            text("INSERT INTO workspaces (id, organization_id, name) VALUES (:w, :o, 'Shared')"),
            {"w": shared, "o": DEFAULT_ORGANIZATION},
        )
        tx.execute(
            text("UPDATE sessions SET workspace_id = :w WHERE id = :s"),
            {"w": shared, "s": world.session_id},
        )
        files.write(tx, Place(DEFAULT_ORGANIZATION, shared), "/AGENTS.md", b"Shared rules")
    world.grant("session_file_system", "agent_instructions")
    act(world, ("write_file", {"path": "/a", "content": "x"}))
    assert "Shared rules" in requests.seen[0].system_prompt
    assert content(world, "/a", shared) == "x"
    assert content(world, "/a") is None


def test_an_agent_names_its_session(world: World) -> None:
    world.grant("session")
    info, titled = act(
        world,
        ("get_session_info", {}),
        ("write_session_title", {"title": " Plans "}),
    )
    assert info["session_id"] == show_id(Kind.SESSION, world.session_id)
    assert info["title"] is None
    assert titled == {"title": "Plans", "success": True}
    told = [e.data for e in world.events() if e.type == EventType.SESSION_TITLE_UPDATED]
    assert told == [{"title": "Plans", "previous_title": None}]
    assert world.row("SELECT title FROM sessions WHERE id = :s").title == "Plans"


def test_an_agent_keeps_values(world: World) -> None:
    world.grant("session_storage")
    done = act(
        world,
        ("kv_store", {"operation": "set", "key": "a", "value": "1"}),
        ("kv_store", {"operation": "get", "key": "a"}),
        ("kv_store", {"operation": "list"}),
        ("kv_store", {"operation": "delete", "key": "a"}),
        ("kv_store", {"operation": "get", "key": "a"}),
        ("kv_store", {"operation": "set", "key": "a"}),
        ("secret_store", {"operation": "set", "name": "A", "value": "x"}),
    )
    assert done[1] == {"key": "a", "value": "1", "exists": True}
    assert done[2] == {"keys": ["a"], "count": 1}
    assert done[4] == {"key": "a", "value": None, "exists": False}
    assert done[5] == {"error": "value is missing"}
    assert "SECRETS_ENCRYPTION_KEY" in done[6]["error"]


def test_a_secret_is_kept_encrypted_and_listed_by_name(world: World) -> None:
    world.settings = replace(
        world.settings, secrets_encryption_key=MasterKey("test", bytes(range(32)))
    )
    world.grant("session_storage")
    done = act(
        world,
        ("secret_store", {"operation": "set", "name": "TOKEN", "value": "hunter2"}),
        ("secret_store", {"operation": "list"}),
        ("secret_store", {"operation": "get", "name": "TOKEN"}),
        ("secret_store", {"operation": "set", "name": "1-x", "value": "v"}),
    )
    assert done[1] == {"names": ["TOKEN"], "count": 1}
    assert done[2]["value"] == "hunter2"
    assert "error" in done[3]
    stored = world.row("SELECT secret::text AS secret FROM session_secrets WHERE session_id = :s")
    assert "hunter2" not in stored.secret


# --- what a worker that lost its turn may still do: nothing (I3, I5) -----------------


@pytest.fixture
def services(world: World) -> Services:
    worker = world.worker()
    return Services(
        now=lambda: pytest.fail("no clock is needed"),
        settings=world.settings,
        database=worker.database,
        secrets=worker._around.secrets,
    )


def context(world: World, *, epoch: int, call: str = "call-1") -> ToolContext:
    return ToolContext(
        organization_id=DEFAULT_ORGANIZATION,
        session_id=world.session_id,
        workspace_id=world.session_id,
        turn_id=new_id(),
        tool_call_id=call,
        idempotency_key=call,
        timeout_seconds=10,
        epoch=epoch,
    )


_CHANGES: list[tuple[str, str, Json]] = [
    ("session_file_system", "write_file", {"path": "/a", "content": "new"}),
    (
        "session_file_system",
        "edit_file",
        {"path": "/a", "edits": [{"old_text": "old", "new_text": "new"}]},
    ),
    ("session_file_system", "delete_file", {"path": "/a"}),
    ("session", "write_session_title", {"title": "new"}),
    ("session_storage", "kv_store", {"operation": "set", "key": "a", "value": "new"}),
    ("session_storage", "kv_store", {"operation": "delete", "key": "old"}),
]


@pytest.mark.parametrize(("capability", "name", "arguments"), _CHANGES)
def test_a_worker_that_lost_the_turn_changes_nothing(
    world: World, services: Services, capability: str, name: str, arguments: Json
) -> None:
    put(world, "/a", "old")
    with world.database.transaction() as tx:
        session_storage.set_value(tx, DEFAULT_ORGANIZATION, world.session_id, "old", "old")
    tool = next(t for t in built_capabilities(services)[capability].tools if t.name == name)
    lost = tool.run(arguments, context(world, epoch=41))
    assert isinstance(lost, ToolFailed)
    assert "taken over" in lost.message
    assert content(world, "/a") == "old"
    assert world.events() == []
    assert world.row("SELECT title FROM sessions WHERE id = :s").title is None
    with world.database.reading() as tx:
        assert session_storage.keys(tx, DEFAULT_ORGANIZATION, world.session_id) == ["old"]


@pytest.mark.parametrize(("capability", "name", "arguments"), _CHANGES[:3])
def test_what_became_of_a_change_is_found_out(
    world: World, services: Services, capability: str, name: str, arguments: Json
) -> None:
    put(world, "/a", "old")
    tool = next(t for t in built_capabilities(services)[capability].tools if t.name == name)
    assert tool.reconcile is not None
    assert tool.reconcile(arguments, context(world, epoch=0)) is None
    done = tool.run(arguments, context(world, epoch=0))
    found = tool.reconcile(arguments, context(world, epoch=0))
    assert isinstance(done, ToolSucceeded)
    assert isinstance(found, ToolSucceeded)
    assert {name: found.result[name] for name in done.result} == done.result
    if name != "delete_file":
        assert tool.reconcile(arguments, context(world, epoch=0, call="call-2")) is None


def test_the_same_words_again_are_no_second_event(world: World, services: Services) -> None:
    (tool,) = (
        t
        for t in built_capabilities(services)["session_file_system"].tools
        if t.name == "write_file"
    )
    for _ in range(2):
        assert isinstance(
            tool.run({"path": "/a", "content": "x"}, context(world, epoch=0)), ToolSucceeded
        )
    assert len(written(world)) == 1
