"""What a turn runs on: the chain of harnesses, and the agent's default version."""

from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import text

from common.clock import new_id
from common.domain.agent import AgentConfig
from common.domain.agent_version import AgentVersion, Change, authored, hash_of
from common.domain.harness import HarnessConfig
from common.domain.ids import ANONYMOUS_PRINCIPAL, DEFAULT_ORGANIZATION, GENERIC_HARNESS
from common.domain.session import ForkChanges
from common.storage import agents, beginnings, forks, harness_chain, harnesses, log, versions
from tests.integration.worker.conftest import World
from worker.turn.config import TurnConfig
from worker.turn.resolution import resolve


def harness(world: World, parent: UUID | None, **fields: Any) -> UUID:
    harness_id = new_id()
    config = HarnessConfig(name=harness_id.hex, parent_harness_id=parent, **fields)
    with world.database.transaction() as tx:
        harnesses.insert(tx, DEFAULT_ORGANIZATION, harness_id, config, slug=harness_id.hex)
    return harness_id


def give(world: World, **columns: UUID) -> None:
    with world.database.transaction() as tx:
        for column, value in columns.items():
            tx.execute(
                text(f"UPDATE sessions SET {column} = :value WHERE id = :id"),  # noqa: S608
                {"value": value, "id": world.session_id},
            )


def resolved(world: World) -> TurnConfig:
    with world.database.reading() as tx:
        begins = beginnings.read(
            tx,
            DEFAULT_ORGANIZATION,
            world.session_id,
            default_model=world.settings.default_model,
        )
    return resolve(begins.configuration, world.settings)


def make_agent(world: World, **fields: Any) -> UUID:
    agent_id = new_id()
    config = AgentConfig(name=agent_id.hex, harness_id=GENERIC_HARNESS, **fields)
    with world.database.transaction() as tx:
        assert agents.insert(tx, DEFAULT_ORGANIZATION, agent_id, config, slug=agent_id.hex)
    return agent_id


def ref(name: str, **config: Any) -> dict[str, Any]:
    return {"ref": name, "config": config}


_OF_GENERIC = [ref("current_time"), ref("session_file_system")]


def test_a_child_overrides_its_parents_and_capabilities_add_up(world: World) -> None:
    root = harness(
        world,
        GENERIC_HARNESS,
        system_prompt="root",
        capabilities=[ref("current_time"), ref("test_math", a=1)],
        tools=[{"name": "t1", "description": "root"}, {"name": "t2", "description": "root"}],
        network_access={"allowed": ["root.example"], "blocked": []},
        parallel_tool_calls=False,
        mcp_servers={"a": {"url": "root"}, "b": {"url": "root"}},
    )
    middle = harness(world, root, capabilities=[ref("test_math", a=2)])
    leaf = harness(
        world,
        middle,
        system_prompt="leaf",
        default_model_id="llmsim-model",
        tools=[{"name": "t1", "description": "leaf"}],
        mcp_servers={"a": {"url": "leaf"}},
    )
    give(world, harness_id=leaf)

    config = resolved(world)

    assert config.prompts == ("leaf",)
    named = [dict(each) for each in config.capabilities if not each["ref"].startswith("mcp")]
    assert named == [
        *_OF_GENERIC,
        ref("current_time"),
        ref("test_math", a=1),
        ref("test_math", a=2),
    ]
    assert {tool["name"]: tool["description"] for tool in config.tools} == {
        "t1": "leaf",
        "t2": "root",
    }
    assert config.network_access == {"allowed": ["root.example"], "blocked": []}
    assert config.parallel_tool_calls is False
    with world.database.reading() as tx:
        merged = harness_chain.of_harness(tx, DEFAULT_ORGANIZATION, leaf)
        strange = harness_chain.of_harness(tx, new_id(), leaf)
    assert merged.mcp_servers == {"a": {"url": "leaf"}, "b": {"url": "root"}}
    assert merged.default_model_id == "llmsim-model"
    assert strange.capabilities == []


def test_a_prompt_that_only_the_root_has_is_everybodys(world: World) -> None:
    give(world, harness_id=harness(world, harness(world, GENERIC_HARNESS)))

    assert resolved(world).prompts == ("You are a helpful assistant.",)


def test_sessions_run_on_the_default_version_of_their_agent(world: World) -> None:
    now = {"system_prompt": "now", "capabilities": [ref("current_time")], "max_iterations": 9}
    agent_id = make_agent(world, **now)
    give(world, agent_id=agent_id)
    then = AgentConfig(
        name="then",
        system_prompt="then",
        harness_id=GENERIC_HARNESS,
        tools=[{"name": "t", "type": "client_side"}],
        network_access={"allowed": ["then.example"], "blocked": []},
    )
    version = AgentVersion(
        id=new_id(),
        agent_id=agent_id,
        number=4,
        semver=(1, 0, 0),
        change=Change(),
        config_hash=hash_of(authored(then)),
        authored=authored(then),
        resolved={},
        created_at=log_time(world),
    )
    with world.database.transaction() as tx:
        versions.insert(tx, DEFAULT_ORGANIZATION, version)

    before = resolved(world)
    with world.database.transaction() as tx:
        versions.set_default(tx, DEFAULT_ORGANIZATION, agent_id, version.id)
    chosen = resolved(world)

    assert before.prompts[-1] == "now"
    assert (before.max_iterations, before.network_access) == (9, None)
    assert chosen.prompts[-1] == "then"
    assert (chosen.agent_version, chosen.capabilities) == (4, tuple(_OF_GENERIC))
    assert [tool["name"] for tool in chosen.tools] == ["t"]
    assert chosen.network_access == {"allowed": ["then.example"], "blocked": []}
    assert chosen.max_iterations == world.settings.max_iterations


def log_time(world: World) -> Any:
    return world.row("SELECT clock_timestamp() AS now").now


def test_a_message_to_a_fork_continues_the_conversation(world: World) -> None:
    worker = world.worker()
    worker.run(world.say("first", response={"type": "fixed", "text": "one"}))
    source, fork = world.session_id, new_id()
    with world.database.transaction() as tx:
        head = log.lock(tx, DEFAULT_ORGANIZATION, source)
        assert head is not None
        forks.copy_session(
            tx,
            DEFAULT_ORGANIZATION,
            source,
            fork,
            ForkChanges(),
            up_to=head.last_sequence,
            principal_id=ANONYMOUS_PRINCIPAL,
        )
    world.session_id = fork

    worker.run(world.say("second", response={"type": "fixed", "text": "two"}))

    assert world.answers() == ["one", "two"]
    events = world.events()
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert all(one.ts <= other.ts for one, other in pairwise(events))
    asked = [e.data["usage"]["input_tokens"] for e in events if e.type == "turn.completed"]
    assert asked[1] > asked[0] + 1, "the second question was sent without the first"
    head_row = world.row(
        "SELECT status, message_count, last_input_sequence FROM session_heads WHERE session_id = :s"
    )
    assert (head_row.status, head_row.message_count) == ("idle", 4)
    assert head_row.last_input_sequence == head.last_sequence + 1
