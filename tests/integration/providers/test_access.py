"""Which key goes where."""

from uuid import UUID

import pytest

from common.clock import new_id
from common.domain.ids import ANTHROPIC_PROVIDER, DEFAULT_ORGANIZATION, OPENAI_PROVIDER
from common.encryption import CannotDecrypt, EncryptionUnavailable, MasterKey, SecretBox
from common.provider_access import ProviderFacts, endpoint_facts
from common.settings import Settings
from tests.integration.providers.conftest import Rows

KEY = MasterKey("kek-1", bytes(range(32)))
SETTINGS = Settings.from_env(
    {
        "DATABASE_URL": "postgresql://x",
        "REDIS_URL": "redis://x",
        "DEFAULT_OPENAI_API_KEY": "env-openai",
        "DEFAULT_ANTHROPIC_API_KEY": "env-anthropic",
    }
)


def facts_of(
    rows: Rows,
    provider_id: UUID,
    organization_id: UUID = DEFAULT_ORGANIZATION,
    box: SecretBox | None = None,
) -> ProviderFacts | None:
    with rows.database.reading() as tx:
        return endpoint_facts(
            tx, organization_id, provider_id, secrets=box or SecretBox(KEY), settings=SETTINGS
        )


def key_of(rows: Rows, provider_id: UUID) -> str | None:
    facts = facts_of(rows, provider_id)
    assert facts is not None
    return facts.api_key


def test_built_in_providers_have_the_environments_keys(rows: Rows) -> None:
    assert key_of(rows, OPENAI_PROVIDER) == "env-openai"
    assert key_of(rows, ANTHROPIC_PROVIDER) == "env-anthropic"


@pytest.mark.parametrize(
    ("provider_type", "base_url", "key"),
    [
        ("openai", None, "env-openai"),
        ("openai_completions", None, "env-openai"),
        ("anthropic", None, "env-anthropic"),
        ("openrouter", None, None),
        ("openai", "https://elsewhere.example/v1", None),
        ("openai_completions", "https://api.openai.com/v1", None),
        ("anthropic", "https://elsewhere.example", None),
        ("azure_openai", "https://x.openai.azure.com", None),
        ("llmsim", None, None),
    ],
)
def test_an_environment_key_goes_to_its_own_address_alone(
    rows: Rows, provider_type: str, base_url: str | None, key: str | None
) -> None:
    assert key_of(rows, rows.provider(provider_type=provider_type, base_url=base_url)) == key


def test_a_key_of_its_own_comes_first(rows: Rows) -> None:
    provider_id = rows.provider(box=SecretBox(KEY), api_key="own")
    facts = facts_of(rows, provider_id)

    assert facts is not None
    assert (facts.api_key, facts.is_active, facts.provider_id) == ("own", True, provider_id)
    assert "own" not in repr(facts)


def test_a_key_that_does_not_open_is_an_error_and_no_fallback(rows: Rows) -> None:
    provider_id = rows.provider(box=SecretBox(KEY), api_key="own")

    with pytest.raises(CannotDecrypt):
        facts_of(rows, provider_id, box=SecretBox(MasterKey("kek-2", bytes(32))))
    with pytest.raises(EncryptionUnavailable):
        facts_of(rows, provider_id, box=SecretBox(None))


def test_another_organizations_provider_is_none(rows: Rows) -> None:
    provider_id = rows.provider()

    assert facts_of(rows, provider_id, rows.organization()) is None
    assert facts_of(rows, new_id()) is None
    assert facts_of(rows, OPENAI_PROVIDER, rows.organization()) is not None
