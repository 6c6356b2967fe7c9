"""Where a model is reached is looked up at each call, and what that can come to."""

from uuid import UUID

import pytest

from common.clock import new_id
from common.domain.ids import DEFAULT_ORGANIZATION, Kind, show_id
from common.domain.provider import NewProvider, ProviderStatus, key_purpose
from common.encryption import MasterKey, SecretBox
from common.storage import providers
from tests.integration.worker.conftest import World
from worker.llm.driver import Endpoint, FailureReason, LLMFailure
from worker.turn.config import ModelChoice
from worker.turn.endpoints import Endpoints

_KEY = MasterKey("kek-one", bytes(range(32)))
_OTHER_KEY = MasterKey("kek-two", bytes(range(1, 33)))
_URL = "https://models.example/v1"


def _given(status: ProviderStatus = ProviderStatus.ACTIVE) -> NewProvider:
    return NewProvider(
        name="ours",
        provider_type="openai_completions",
        base_url=_URL,
        settings={"headers": {"X-Team": "a"}},
        status=status,
    )


def _stored(world: World, *, given: NewProvider | None = None) -> ModelChoice:
    provider_id = new_id()
    with world.database.transaction() as tx:
        providers.insert(tx, DEFAULT_ORGANIZATION, provider_id, given or _given())
    _set_key(world, provider_id, "sk-1")
    return ModelChoice("model_1", "m", "openai_completions", provider_id=_shown(provider_id))


def _set_key(world: World, provider_id: UUID, secret: str) -> None:
    envelope = SecretBox(_KEY).encrypt(secret, purpose=key_purpose(provider_id))
    with world.database.transaction() as tx:
        providers.set_key(tx, DEFAULT_ORGANIZATION, provider_id, envelope)


def _shown(provider_id: UUID) -> str:
    return show_id(Kind.PROVIDER, provider_id)


def _endpoints(world: World, key: MasterKey | None = _KEY) -> Endpoints:
    return Endpoints(world.database, SecretBox(key), world.settings)


def _failure(endpoints: Endpoints, model: ModelChoice, *, of: UUID = DEFAULT_ORGANIZATION) -> str:
    with pytest.raises(LLMFailure) as failed:
        endpoints.of(of, model)
    assert "sk-1" not in failed.value.detail
    assert not failed.value.may_retry
    return failed.value.reason


def test_a_provider_s_address_key_and_settings_are_found(world: World) -> None:
    model = _stored(world)
    assert _endpoints(world).of(DEFAULT_ORGANIZATION, model) == Endpoint(
        provider_id=model.provider_id,
        provider_type="openai_completions",
        base_url=_URL,
        api_key="sk-1",
        settings={"headers": {"X-Team": "a"}},
    )


def test_a_key_that_is_changed_counts_from_the_next_call_on(world: World) -> None:
    model, endpoints = _stored(world), _endpoints(world)
    assert endpoints.of(DEFAULT_ORGANIZATION, model).api_key == "sk-1"
    _set_key(world, UUID(hex=model.provider_id.removeprefix("provider_")), "sk-2")
    assert endpoints.of(DEFAULT_ORGANIZATION, model).api_key == "sk-2"


def test_a_provider_that_is_switched_off_or_gone_is_not_available(world: World) -> None:
    disabled = _stored(world, given=_given(ProviderStatus.DISABLED))
    assert _failure(_endpoints(world), disabled) == FailureReason.MODEL_UNAVAILABLE
    gone = ModelChoice("model_1", "m", "openai", provider_id=_shown(new_id()))
    assert _failure(_endpoints(world), gone) == FailureReason.MODEL_UNAVAILABLE


def test_another_organization_s_provider_is_not_there(world: World) -> None:
    model = _stored(world)
    assert _failure(_endpoints(world), model, of=new_id()) == FailureReason.MODEL_UNAVAILABLE


def test_a_key_that_cannot_be_read_is_a_matter_of_configuration(world: World) -> None:
    model = _stored(world)
    for key in (None, _OTHER_KEY):
        assert _failure(_endpoints(world, key), model) == FailureReason.MISCONFIGURED


def test_what_the_previous_release_pinned_still_runs(world: World) -> None:
    model = ModelChoice("model_1", "llmsim-model", "llmsim")
    found = _endpoints(world, None).of(DEFAULT_ORGANIZATION, model)
    assert found == Endpoint("", "llmsim")
