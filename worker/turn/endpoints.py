"""Where a model is reached, looked up at each call: keys change under running turns."""

from __future__ import annotations

from uuid import UUID

from common.domain.ids import Kind, parse_id
from common.encryption import CannotDecrypt, EncryptionUnavailable, SecretBox
from common.provider_access import endpoint_facts
from common.settings import Settings
from common.storage.engine import Database
from worker.llm.driver import Endpoint, FailureReason, LLMFailure
from worker.llm.registry import SIMULATED
from worker.turn.config import ModelChoice


class Endpoints:
    """May be shared between threads."""

    def __init__(self, database: Database, secrets: SecretBox, settings: Settings) -> None:
        self._database = database
        self._secrets = secrets
        self._settings = settings

    def of(self, organization_id: UUID, model: ModelChoice) -> Endpoint:
        """The model's endpoint as of now; one statement, none for the simulated model.

        Raises:
            LLMFailure: MODEL_UNAVAILABLE, the provider is gone or switched off;
                MISCONFIGURED, its key cannot be read.
            common.storage.engine.DatabaseError: ask again later.
        """
        if model.provider_type == SIMULATED or not model.provider_id:
            # In this process, without address or key.  The previous release pinned no other.
            return Endpoint(model.provider_id, model.provider_type)
        provider_id = parse_id(Kind.PROVIDER, model.provider_id)
        try:
            with self._database.of(organization_id).reading() as tx:
                facts = endpoint_facts(
                    tx,
                    organization_id,
                    provider_id,
                    secrets=self._secrets,
                    settings=self._settings,
                )
        except EncryptionUnavailable as unavailable:
            detail = "the provider has a stored key and no master key is configured"
            raise LLMFailure(FailureReason.MISCONFIGURED, detail) from unavailable
        except CannotDecrypt as unreadable:
            detail = "the provider's stored key cannot be read with the configured master keys"
            raise LLMFailure(FailureReason.MISCONFIGURED, detail) from unreadable
        if facts is None:
            detail = f"the provider of model {model.name} does not exist any more"
            raise LLMFailure(FailureReason.MODEL_UNAVAILABLE, detail)
        if not facts.is_active:
            detail = f"the provider of model {model.name} is disabled"
            raise LLMFailure(FailureReason.MODEL_UNAVAILABLE, detail)
        return Endpoint(
            provider_id=model.provider_id,
            provider_type=facts.provider_type,
            base_url=facts.base_url,
            api_key=facts.api_key,
            settings=facts.settings,
        )
