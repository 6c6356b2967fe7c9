"""Which model a turn runs on (contract 6.2), and what else it takes from whom."""

import json
from dataclasses import replace
from uuid import UUID

import pytest

from common.domain.errors import InvalidId
from common.domain.ids import DEFAULT_ORGANIZATION, GENERIC_HARNESS, Kind, parse_id, show_id
from common.domain.model import ModelProfile
from common.settings import Settings
from common.storage import beginnings, configs
from tests.integration.providers.conftest import Rows
from tests.statements import heard
from worker.turn.config import ModelChoice, ModelMissing, TurnConfig
from worker.turn.resolution import find_model, resolve

SETTINGS = Settings.from_env({"DATABASE_URL": "postgresql://x", "REDIS_URL": "redis://x"})


def resolved(rows: Rows, session_id: UUID, default_model: str = "") -> TurnConfig:
    settings = replace(SETTINGS, default_model=default_model)
    with rows.database.reading() as tx:
        begins = beginnings.read(
            tx, DEFAULT_ORGANIZATION, session_id, default_model=settings.default_model
        )
    return resolve(begins.configuration, settings)


def found(rows: Rows, ref: str, organization_id: UUID = DEFAULT_ORGANIZATION) -> str | None:
    """The shown id of the model that is found."""
    with rows.database.reading() as tx:
        model = find_model(tx, organization_id, ref)
    return model.id if isinstance(model, ModelChoice) else None


def test_the_nearest_that_names_a_model_wins(rows: Rows) -> None:
    provider_id = rows.provider()
    for name in ("of-session", "of-agent", "of-harness", "of-organization", "of-system"):
        rows.model(provider_id, name)
    agent_id = rows.agent(default_model_id="of-agent")
    session_id = rows.session(agent_id=agent_id, model_id="of-session")
    rows.run("UPDATE harnesses SET default_model_id = 'of-harness' WHERE name = 'generic'")
    rows.run("UPDATE organizations SET default_model_id = 'of-organization'")
    took = []

    for forget in (
        "UPDATE sessions SET model_id = NULL",
        "UPDATE agents SET default_model_id = NULL",
        "UPDATE harnesses SET default_model_id = NULL",
        "UPDATE organizations SET default_model_id = NULL",
        "SELECT 1",
    ):
        model = resolved(rows, session_id, "of-system").model
        assert isinstance(model, ModelChoice)
        took.append(model.name)
        rows.run(forget)

    assert took == ["of-session", "of-agent", "of-harness", "of-organization", "of-system"]
    assert resolved(rows, session_id).model == ModelMissing("")


def test_a_harness_inherits_its_model_and_adds_to_what_it_stands_on(rows: Rows) -> None:
    rows.model(rows.provider(), "of-parent")
    rows.run(
        "UPDATE harnesses SET parent_harness_id = (SELECT id FROM harnesses WHERE name = 'base')"
        " WHERE id = :id",
        id=GENERIC_HARNESS,
    )
    rows.run(
        "UPDATE harnesses SET default_model_id = 'of-parent', system_prompt = 'From below.',"
        ' capabilities = \'[{"ref": "noop", "config": {}}]\' WHERE name = \'base\''
    )
    rows.run(
        'UPDATE harnesses SET capabilities = \'[{"ref": "current_time", "config": {}}]\''
        " WHERE name = 'generic'"
    )

    config = resolved(rows, rows.session())

    assert isinstance(config.model, ModelChoice)
    assert config.model.name == "of-parent"
    assert "From below." not in config.prompts
    assert [each["ref"] for each in config.capabilities] == ["noop", "current_time"]


@pytest.mark.parametrize(
    "disable",
    [
        "UPDATE models SET enabled = false WHERE model_id = 'mine'",
        "UPDATE providers SET status = 'disabled' WHERE name = 'Mine'",
        "DELETE FROM models WHERE model_id = 'mine'",
        "DELETE FROM providers WHERE name = 'Mine'",
    ],
)
def test_one_that_is_named_and_cannot_be_used_is_missing(rows: Rows, disable: str) -> None:
    rows.model(rows.provider(), "mine")
    session_id = rows.session(model_id="mine")
    rows.run(disable)

    assert resolved(rows, session_id, "llmsim").model == ModelMissing("mine")


def test_a_model_is_named_in_many_ways(rows: Rows) -> None:
    provider_id = rows.provider(provider_type="openrouter")
    model_id = rows.model(provider_id, "house/seven")
    shown = show_id(Kind.MODEL, model_id)

    for ref in (
        shown,
        shown.upper(),
        str(model_id),
        model_id.hex,
        f"model_{model_id}",
        "house/seven",
        "openrouter",
    ):
        assert found(rows, ref) == shown, ref
    for ref in ("house", "HOUSE/SEVEN", "gemini", f"agent_{model_id.hex}", "model_x"):
        assert found(rows, ref) is None, ref


def test_a_models_id_is_read_in_the_database_as_everywhere(rows: Rows) -> None:
    model_id = rows.model(rows.provider(), "mine")
    digits, dashed = model_id.hex, str(model_id)
    spellings = [
        f"{before}{each}{after}"
        for each in (digits, digits.upper(), dashed, dashed.replace("-", "", 1), f"-{digits}-")
        for before in (
            "",
            "model_",
            "MODEL_",
            "Model-",
            "mo-del_",
            "model__",
            "agent_",
            " ",
            "\n",
            "a",
        )
        for after in ("", " ", "\t", "a", "-", "----", "-----", "_")
    ]

    for ref in spellings:
        try:
            is_named = parse_id(Kind.MODEL, ref) == model_id
        except InvalidId:
            is_named = False
        assert (found(rows, ref) is not None) == is_named, repr(ref)


def test_the_organizations_own_come_before_built_in_ones(rows: Rows) -> None:
    built_in = found(rows, "gpt-4.1")
    provider_id = rows.provider()
    own = show_id(Kind.MODEL, rows.model(provider_id, "gpt-4.1"))

    assert built_in is not None
    assert found(rows, "gpt-4.1") == own
    assert found(rows, built_in) == built_in
    assert found(rows, "gpt-4.1", rows.organization()) == built_in
    # Switching off one's own does not switch on the environment's key.
    rows.run("UPDATE models SET enabled = false WHERE provider_id = :p", p=provider_id)
    assert found(rows, "gpt-4.1") is None
    # Of two of one's own the one that can be used.
    second = rows.model(rows.provider("Second"), "gpt-4.1")
    assert found(rows, "gpt-4.1") == show_id(Kind.MODEL, second)


def test_another_organizations_models_are_not_found_by_any_name(rows: Rows) -> None:
    other = rows.organization()
    provider_id = rows.provider(organization_id=other, provider_type="openrouter")
    model_id = rows.model(provider_id, "theirs", organization_id=other)

    for ref in (show_id(Kind.MODEL, model_id), "theirs", "openrouter"):
        assert found(rows, ref) is None
        assert found(rows, ref, other) is not None


def test_a_choice_carries_provider_settings_and_profile(rows: Rows) -> None:
    provider_id = rows.provider()
    profile = {
        "limits": {"context": 4000, "output": 500},
        "modalities": {"input": ["text"], "output": ["text"]},
        "temperature": False,
    }
    rows.model(provider_id, "mine", settings={"a": 1}, profile=profile)
    rows.model(provider_id, "claude-opus-5-5")
    rows.model(provider_id, "nobody-knows")

    with rows.database.reading() as tx:
        mine, known, unknown = (
            find_model(tx, DEFAULT_ORGANIZATION, ref)
            for ref in ("mine", "claude-opus-5-5", "nobody-knows")
        )

    assert isinstance(mine, ModelChoice)
    assert mine.provider_id == show_id(Kind.PROVIDER, provider_id)
    assert (mine.provider_type, mine.settings) == ("openai", {"a": 1})
    assert mine.profile == ModelProfile(
        context_tokens=4000, output_tokens=500, takes_images=False, takes_temperature=False
    )
    assert isinstance(known, ModelChoice)
    assert (known.profile.context_tokens, known.profile.reasons) == (1_000_000, True)
    assert isinstance(unknown, ModelChoice)
    assert unknown.profile == ModelProfile()


def test_a_configuration_and_its_models_are_found_in_one_statement(rows: Rows) -> None:
    provider_id = rows.provider()
    rows.model(provider_id, "first")
    second = rows.model(provider_id, "second")
    refs = [show_id(Kind.MODEL, second), "missing", "gpt-4.1"]
    agent_id = rows.agent(default_model_id="first", fallback_models=json.dumps(refs))
    session_id = rows.session(agent_id=agent_id)
    statements: list[str] = []

    with heard(rows.database.engine, lambda statement, _: statements.append(statement)):
        config = resolved(rows, session_id)

    assert [
        each.name if isinstance(each, ModelChoice) else each
        for each in (config.model, *config.fallbacks)
    ] == ["first", "second", ModelMissing("missing"), "gpt-4.1"]
    # The session's configuration and its models together.
    assert [each.split()[0] for each in statements] == ["PREPARE", "EXECUTE"]
    stored = json.loads(json.dumps(config.to_json()))
    assert TurnConfig.from_json(stored) == config


def test_a_sessions_tool_replaces_its_agents_of_the_same_name(rows: Rows) -> None:
    def tools(*given: tuple[str, str]) -> str:
        return json.dumps([{"name": name, "description": says} for name, says in given])

    agent_id = rows.agent(tools=tools(("look", "agent"), ("shared", "agent")))
    session_id = rows.session(
        agent_id=agent_id, tools=tools(("shared", "session"), ("own", "session"))
    )

    config = resolved(rows, session_id)

    assert [(tool["name"], tool["description"]) for tool in config.tools] == [
        ("look", "agent"),
        ("shared", "session"),
        ("own", "session"),
    ]


def test_network_access_is_the_nearest_that_is_given(rows: Rows) -> None:
    agent_id = rows.agent()
    session_id = rows.session(agent_id=agent_id)
    assert resolved(rows, session_id).network_access is None

    for table, host in (("harnesses", "h"), ("agents", "a"), ("sessions", "s")):
        access = {"allowed": [host], "blocked": []}
        rows.run(
            f"UPDATE {table} SET network_access = CAST(:access AS jsonb)",  # noqa: S608 - a name above
            access=json.dumps(access),
        )
        assert resolved(rows, session_id).network_access == access


def test_finding_a_model_does_not_read_everybodys(rows: Rows) -> None:
    other = rows.organization()
    provider_id = rows.provider(organization_id=other, provider_type="openrouter")
    rows.run(
        "INSERT INTO models (id, organization_id, provider_id, provider_type, model_id,"
        " display_name, source) SELECT gen_random_uuid(), :o, :p, 'openrouter', 'm-' || n, 'M',"
        " 'discovered' FROM generate_series(1, 20000) n",
        o=other,
        p=provider_id,
    )
    rows.run("ANALYZE models")
    named = {"organization_id": DEFAULT_ORGANIZATION, "refs": ["gpt-4.1", "m-7"]}

    with rows.database.reading() as tx:
        configs._FIND.on(tx, named)
        explained = tx.exec_driver_sql(f"EXPLAIN ANALYZE {configs._FIND._execute}", named)
        plan = "\n".join(explained.scalars())

    assert "Seq Scan on models" not in plan, plan
