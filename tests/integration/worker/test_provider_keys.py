"""A provider's key reaches the provider and nobody else."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import text

from common.clock import new_id
from common.domain.events import EventType
from common.domain.ids import DEFAULT_ORGANIZATION
from common.domain.provider import NewProvider, key_purpose
from common.encryption import MasterKey, SecretBox
from common.storage import models, providers
from common.storage.models import ModelFields
from tests.fakes.model_lists import ListingProvider, listing_provider
from tests.integration.worker.conftest import World

KEY = MasterKey("kek-test", bytes(range(32)))
SECRET = "sk-test-0123456789abcdefghijklmnop"  # noqa: S105 - made up


@pytest.fixture
def indiscreet() -> Iterator[ListingProvider]:
    """Refuses every key, and says which one."""
    with listing_provider() as provider:
        provider.status = 401
        provider.body = {
            "error": {"message": f"Incorrect API key provided: {SECRET}", "type": SECRET}
        }
        yield provider


def provided(world: World, kind: str, url: str) -> UUID:
    """A session's model at a provider with a stored key."""
    provider_id, model_id = new_id(), new_id()
    given = NewProvider(name=kind, provider_type=kind, base_url=url)
    fields = ModelFields(
        model_id=f"house-{kind}",
        display_name="House",
        capabilities=["chat"],
        enabled=True,
        is_favorite=False,
        profile=None,
        settings={},
    )
    with world.database.transaction() as tx:
        providers.insert(tx, DEFAULT_ORGANIZATION, provider_id, given)
        envelope = SecretBox(KEY).encrypt(SECRET, purpose=key_purpose(provider_id))
        providers.set_key(tx, DEFAULT_ORGANIZATION, provider_id, envelope)
        models.insert(tx, DEFAULT_ORGANIZATION, provider_id, model_id, fields)
        tx.execute(text("UPDATE sessions SET model_id = :model"), {"model": f"house-{kind}"})
    return provider_id


@pytest.mark.parametrize("kind", ["openai", "openai_completions", "openrouter", "anthropic"])
def test_a_key_that_the_provider_repeats_is_in_no_event_and_no_log(
    world: World, indiscreet: ListingProvider, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    world.settings = replace(world.settings, secrets_encryption_key=KEY)
    provided(world, kind, indiscreet.url)

    world.worker().run(world.post("Hello", error_disclosure="detailed"))

    _, headers = indiscreet.asked[0]
    assert SECRET in (headers.get("authorization", "") + headers.get("x-api-key", ""))
    types = world.types()
    assert EventType.TURN_FAILED in types
    with world.database.reading() as tx:
        rows = tx.execute(text("SELECT events::text FROM events")).scalars().all()
        pinned = tx.execute(text("SELECT config::text FROM turn_configs")).scalars().all()
    assert SECRET not in "".join([*rows, *pinned])
    printed = capfd.readouterr()
    assert SECRET not in printed.out + printed.err


def test_a_key_that_does_not_open_fails_the_turn_and_asks_nobody(
    world: World, indiscreet: ListingProvider
) -> None:
    world.settings = replace(world.settings, secrets_encryption_key=None)
    provided(world, "openai", indiscreet.url)

    world.worker().run(world.post("Hello"))

    failed = next(event for event in world.events() if event.type == EventType.TURN_FAILED)
    assert failed.data["error_code"] == "llm_error"
    assert failed.data["error_fields"]["reason"] == "provider_misconfigured"
    assert indiscreet.asked == []
