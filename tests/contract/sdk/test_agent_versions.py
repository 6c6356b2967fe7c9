"""Versions, analysis and totals of agents through the official client."""

import pytest
from everruns_sdk import Agent, ApiError, Everruns, NotFoundError

from common.clock import new_id
from tests.contract.sdk.following import answers, read_through

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Everruns\\.:DeprecationWarning"),
]


async def changed_agent(sdk: Everruns) -> Agent:
    """An agent with two versions: `one`, then `two`."""
    made = await sdk.agents.create(f"versioned-{new_id().hex}", "one")
    return await sdk.agents.apply(made.id, made.name, "two")


async def test_list_create_and_diff(sdk: Everruns) -> None:
    agent = await changed_agent(sdk)

    made = await sdk.agents.create_version(agent.id, change_kind="minor", summary="Ready")
    found = await sdk.agents.list_versions(agent.id)
    diff = await sdk.agents.diff_versions(agent.id, found[-1].id, found[0].id)

    assert [each.version for each in found] == ["1.1.0", "1.0.1", "1.0.0"]
    assert found[0] == made
    assert (made.change_kind, made.summary, made.version_number) == ("minor", "Ready", 3)
    assert diff.authored_diff == [{"path": "system_prompt", "from": "one", "to": "two"}]


async def test_fork_and_rollback(sdk: Everruns) -> None:
    agent = await changed_agent(sdk)
    first = (await sdk.agents.list_versions(agent.id))[-1]

    forked = await sdk.agents.fork_version(agent.id, first.id, name=f"fork-{new_id().hex}")
    back = await sdk.agents.rollback_version(agent.id, first.id, summary="Better so")

    assert (forked.system_prompt, forked.forked_from_agent_id) == ("one", agent.id)
    assert (back.id, back.name, back.system_prompt) == (agent.id, agent.name, "one")
    newest = (await sdk.agents.list_versions(agent.id))[0]
    assert (newest.change_kind, newest.summary) == ("rollback", "Better so")
    with pytest.raises(NotFoundError):
        await sdk.agents.rollback_version(forked.id, first.id)


async def test_the_default_version(sdk: Everruns) -> None:
    agent = await changed_agent(sdk)
    first = (await sdk.agents.list_versions(agent.id))[-1]

    chosen = await sdk.agents.set_default_version(agent.id, first.id)

    assert chosen.default_version_id == first.id
    assert chosen.system_prompt == "two"


async def test_a_reason_is_kept_as_the_summary(sdk: Everruns) -> None:
    reasoned = sdk.with_reason("Because it is größer")

    made = await reasoned.agents.create(f"reasoned-{new_id().hex}", "p")

    assert (await sdk.agents.list_versions(made.id))[0].summary == "Because it is größer"


async def test_analyze(sdk: Everruns) -> None:
    report = await sdk.agents.analyze("Always shout at them. Never shout at them. {{name}}")

    rules = {each.rule_id for each in report.findings}
    assert {"prompt_contradiction", "prompt_placeholder"} <= rules
    assert {each.source for each in report.findings} == {"builtin"}
    assert {each.severity for each in report.findings} <= {"warning", "info", "suggestion"}


async def test_stats_after_a_turn(sdk: Everruns) -> None:
    agent = await changed_agent(sdk)
    session = await sdk.sessions.create(agent_id=agent.id)
    await sdk.messages.create(session.id, "Hello")
    seen = await read_through(sdk.events.stream(session.id), "session.idled")

    stats = await sdk.agents.stats(agent.id)

    assert answers(seen) == ["Echo: Hello"]
    assert (stats.session_count, stats.idle_session_count, stats.execution_count) == (1, 1, 1)
    assert stats.total_output_tokens > 0


async def test_import_of_an_example(sdk: Everruns) -> None:
    made = await sdk.agents.import_example("weather-reporter")

    assert [each.ref for each in made.capabilities or []] == ["test_weather"]
    assert (await sdk.agents.import_example("weather-reporter")).id == made.id
    with pytest.raises(ApiError) as unknown:
        await sdk.agents.import_example("no-such-example")
    assert unknown.value.status_code == 404
