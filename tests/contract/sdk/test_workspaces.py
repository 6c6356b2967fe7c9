"""Workspaces, files and secrets through the official client."""

import base64

import pytest
from everruns_sdk import ApiError, Everruns, InitialFile, NotFoundError

from common.clock import new_id

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Everruns\\.:DeprecationWarning"),
]


def fresh_name() -> str:
    return f"workspace-{new_id().hex}"


async def test_workspaces_are_made_found_changed_and_archived(sdk: Everruns) -> None:
    name = fresh_name()
    made = await sdk.workspaces.create(name, description="For all")
    assert await sdk.workspaces.get(made.id) == made
    assert (made.name, made.description, made.status) == (name, "For all", "active")
    with pytest.raises(ApiError) as taken:
        await sdk.workspaces.create(name)
    assert taken.value.status_code == 409
    changed = await sdk.workspaces.update(made.id, description="For some")
    assert (changed.name, changed.description) == (name, "For some")
    assert [each.id for each in await sdk.workspaces.list(search=name)] == [made.id]
    await sdk.workspaces.delete(made.id)
    assert await sdk.workspaces.list(search=name) == []
    (archived,) = await sdk.workspaces.list(search=name, include_archived=True)
    assert archived.status == "archived"
    assert (await sdk.workspaces.update(made.id, status="active")).archived_at is None


async def test_every_call_on_files(sdk: Everruns) -> None:
    files = sdk.workspace_files
    workspace = (await sdk.workspaces.create(fresh_name())).id
    made = await files.create(workspace, "/docs/a b.md", "# Title\n")
    assert (made.path, made.content, made.encoding) == ("/docs/a b.md", "# Title\n", "text")
    assert await files.read(workspace, "docs/a b.md") == made
    raw = base64.b64encode(b"\0\1").decode()
    binary = await files.create(workspace, "/b.bin", raw, encoding="base64", is_readonly=True)
    assert (binary.content, binary.encoding, binary.is_readonly) == (raw, "base64", True)
    assert (await files.create_dir(workspace, "/empty")).is_directory
    assert (await files.update(workspace, "/docs/a b.md", "new\nold\n")).size_bytes == 8
    listed = await files.list(workspace)
    assert [each.path for each in listed] == ["/b.bin", "/docs", "/empty"]
    assert [each.path for each in await files.list(workspace, "/docs")] == ["/docs/a b.md"]
    assert len(await files.list(workspace, recursive=True)) == 4
    assert (await files.move_file(workspace, "/docs", "/texts")).path == "/texts"
    copied = await files.copy_file(workspace, "/texts/a b.md", "/c.md")
    assert copied.content == "new\nold\n"
    (found,) = await files.grep(workspace, "^o.d$", path_pattern="/c.*")
    assert [(m.path, m.line_number, m.line) for m in found.matches] == [("/c.md", 2, "old")]
    assert (await files.stat(workspace, "/c.md")).size_bytes == 8
    assert (await files.delete(workspace, "/texts", recursive=True)).deleted
    for gone in (files.read(workspace, "/texts/a b.md"), files.stat(workspace, "/texts")):
        with pytest.raises(NotFoundError):
            await gone
    with pytest.raises(ApiError) as read_only:
        await files.update(workspace, "/b.bin", "x")
    assert read_only.value.status_code == 403


async def test_an_agent_s_initial_files_are_in_its_sessions(sdk: Everruns) -> None:
    given = [
        InitialFile(path="/AGENTS.md", content="Be brief."),
        InitialFile(path="/fixed.txt", content="x", is_readonly=True),
    ]
    agent = await sdk.agents.create(f"agent-{new_id().hex}", "p", initial_files=given)
    own = [InitialFile(path="/AGENTS.md", content="Be long.")]
    session = await sdk.sessions.create(agent_id=agent.id, initial_files=own)
    assert session.workspace_id is not None
    found = await sdk.workspace_files.list(session.workspace_id)
    assert [(each.path, each.is_readonly) for each in found] == [
        *(("/AGENTS.md", False), ("/fixed.txt", True))
    ]
    assert {each.session_id for each in found} == {session.id}
    read = await sdk.workspace_files.read(session.workspace_id, "/AGENTS.md")
    assert read.content == "Be long."


async def test_set_secrets(sdk: Everruns) -> None:
    session = await sdk.sessions.create()
    await sdk.sessions.set_secrets(session.id, {"TOKEN": "hunter2"})
    with pytest.raises(ApiError) as refused:
        await sdk.sessions.set_secrets(session.id, {"no-name": "hunter2"})
    assert refused.value.status_code == 422
    assert "hunter2" not in str(refused.value)
    with pytest.raises(NotFoundError):
        await sdk.sessions.set_secrets(f"session_{'0' * 32}", {"TOKEN": "x"})
