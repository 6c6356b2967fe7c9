"""Tenants are walls (I9) for turns too: rows that name another organization's things.

The api lets nobody write such rows; here they are written all the same.
"""

from collections.abc import Mapping
from uuid import UUID

import pytest
from sqlalchemy import text

from common.clock import new_id
from common.domain.events import EventType
from common.domain.ids import DEFAULT_ORGANIZATION, GENERIC_HARNESS, Kind, show_id
from common.domain.mcp_server import CAPABILITY_PREFIX
from tests.integration.worker.conftest import World
from tests.integration.worker.test_configuration import give, resolved
from worker.turn.config import ModelMissing

MARK = "walled-7f3a"
_ROWS: Mapping[str, str] = {
    "harness": "INSERT INTO harnesses (id, organization_id, name, system_prompt)"
    " VALUES (:id, :o, 'h', :mark)",
    "agent": "INSERT INTO agents (id, organization_id, name, slug, system_prompt, harness_id)"
    " VALUES (:id, :o, 'a', 'a', :mark, :generic)",
    "provider": "INSERT INTO providers (id, organization_id, name, provider_type)"
    " VALUES (:id, :o, :mark, 'llmsim')",
    "model": "INSERT INTO models (id, organization_id, model_id, display_name, provider_type,"
    " provider_id) VALUES (:id, :o, :mark, 'm', 'llmsim', :provider)",
    "server": "INSERT INTO mcp_servers (id, organization_id, name, slug, url)"
    " VALUES (:id, :o, :mark, 's', 'https://m.example.com/')",
    "blob": "INSERT INTO image_blobs (id, organization_id, digest, size_bytes, media_type, width,"
    " height) VALUES (:id, :o, 'd', 1, 'image/png', 1, 1)",
    "image": "INSERT INTO images (id, organization_id, owner_principal_id, blob_id, filename)"
    " VALUES (:id, :o, :o, :blob, :mark)",
    "workspace": "INSERT INTO workspaces (id, organization_id, name) VALUES (:id, :o, 'w')",
    "file": "INSERT INTO workspace_files (id, organization_id, workspace_id, path, parent, content)"
    " VALUES (:id, :o, :workspace, '/' || :mark, '/', 'x')",
}


@pytest.fixture
def theirs(world: World) -> dict[str, UUID]:
    """Ids of another organization's things, one of each."""
    organization = new_id()
    made = {name: new_id() for name in _ROWS}
    known = {**made, "o": organization, "mark": MARK, "generic": GENERIC_HARNESS}
    with world.database.transaction() as tx:
        tx.execute(
            text("INSERT INTO organizations (id, name) VALUES (:o, 'theirs')"), {"o": organization}
        )
        for name, statement in _ROWS.items():
            tx.execute(text(statement), {**known, "id": made[name]})
    return made


def assert_nothing_of_theirs(world: World) -> None:
    assert MARK not in "".join(event.data_json for event in world.events())


def test_an_agent_of_another_organization_is_none(world: World, theirs: dict[str, UUID]) -> None:
    give(world, agent_id=theirs["agent"])

    config = resolved(world)

    assert config.agent_id is None
    assert MARK not in str(config.to_json())


def test_a_harness_of_another_organization_is_no_parent(
    world: World, theirs: dict[str, UUID]
) -> None:
    own = new_id()
    with world.database.transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO harnesses (id, organization_id, name, parent_harness_id)"
                " VALUES (:id, :o, 'own', :parent)"
            ),
            {"id": own, "o": DEFAULT_ORGANIZATION, "parent": theirs["harness"]},
        )
    give(world, harness_id=own)

    assert MARK not in str(resolved(world).to_json())


def test_a_turn_on_another_organizations_harness_is_sealed(
    world: World, theirs: dict[str, UUID]
) -> None:
    give(world, harness_id=theirs["harness"])

    world.worker().run(world.post("Hello"))

    assert EventType.TURN_SEALED in world.types()
    assert world.types()[-1] == EventType.SESSION_IDLED
    assert_nothing_of_theirs(world)


@pytest.mark.parametrize("is_named", [True, False], ids=["by name", "by id"])
def test_a_model_of_another_organization_is_missing(
    world: World, theirs: dict[str, UUID], *, is_named: bool
) -> None:
    ref = MARK if is_named else show_id(Kind.MODEL, theirs["model"])
    world.grant(model_id=ref)

    assert isinstance(resolved(world).model, ModelMissing)


def test_a_model_of_ones_own_has_no_provider_of_another(
    world: World, theirs: dict[str, UUID]
) -> None:
    own = new_id()
    with world.database.transaction() as tx:
        tx.execute(
            text(_ROWS["model"]),
            {"id": own, "o": DEFAULT_ORGANIZATION, "mark": "own", "provider": theirs["provider"]},
        )
    world.grant(model_id=show_id(Kind.MODEL, own))

    assert isinstance(resolved(world).model, ModelMissing)


def test_a_turn_finds_no_tools_images_or_files_of_another_organization(
    world: World, theirs: dict[str, UUID]
) -> None:
    give(world, workspace_id=theirs["workspace"])
    world.grant(f"{CAPABILITY_PREFIX}:{theirs['server']}", "session_file_system")
    call = {"name": "list_directory", "arguments": {"path": "/"}}
    turn = world.post_parts(
        [
            {"type": "text", "text": "Look"},
            {"type": "image_file", "image_id": str(theirs["image"]), "filename": "x.png"},
        ],
        hints={
            "llmsim": {
                "response": {
                    "type": "scripted",
                    "turns": [{"tool_calls": [call]}, {"text": "done"}],
                }
            }
        },
    )

    world.worker().run(turn)

    (listed,) = [e.data for e in world.events() if e.type == EventType.TOOL_COMPLETED]
    assert listed["success"]
    assert world.types()[-1] == EventType.SESSION_IDLED
    assert_nothing_of_theirs(world)
