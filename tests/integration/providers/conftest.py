"""Providers and models in a database of the test's own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from common.clock import new_id
from common.domain.ids import DEFAULT_ORGANIZATION, GENERIC_HARNESS
from common.domain.provider import NewProvider, key_purpose
from common.encryption import SecretBox
from common.storage import models, providers
from common.storage.engine import Database
from common.storage.models import ModelFields


@dataclass(frozen=True)
class Rows:
    """Makes rows as the api does."""

    database: Database

    def provider(
        self,
        name: str = "Mine",
        *,
        organization_id: UUID = DEFAULT_ORGANIZATION,
        box: SecretBox | None = None,
        api_key: str | None = None,
        **fields: Any,
    ) -> UUID:
        provider_id = new_id()
        given = NewProvider(name=name, **{"provider_type": "openai", **fields})
        with self.database.transaction() as tx:
            providers.insert(tx, organization_id, provider_id, given)
            if box is not None and api_key is not None:
                envelope = box.encrypt(api_key, purpose=key_purpose(provider_id))
                providers.set_key(tx, organization_id, provider_id, envelope)
        return provider_id

    def model(
        self,
        provider_id: UUID,
        name: str,
        *,
        organization_id: UUID = DEFAULT_ORGANIZATION,
        **fields: Any,
    ) -> UUID:
        model_id = new_id()
        given = {
            "model_id": name,
            "display_name": name,
            "capabilities": ["chat"],
            "enabled": True,
            "is_favorite": False,
            "profile": None,
            "settings": {},
        }
        with self.database.transaction() as tx:
            made = ModelFields(**{**given, **fields})
            models.insert(tx, organization_id, provider_id, model_id, made)
        return model_id

    def organization(self) -> UUID:
        organization_id = new_id()
        self.run("INSERT INTO organizations (id, name) VALUES (:id, 'Other')", id=organization_id)
        return organization_id

    def session(self, *, organization_id: UUID = DEFAULT_ORGANIZATION, **columns: Any) -> UUID:
        session_id = new_id()
        given = {"harness_id": GENERIC_HARNESS, **columns}
        listed = "".join(f", {name}" for name in given)
        values = "".join(f", :{name}" for name in given)
        self.run(
            f"INSERT INTO sessions (id, organization_id, workspace_id, owner_principal_id{listed})"  # noqa: S608 - names of columns
            f" VALUES (:id, :organization_id, :id, :id{values})",
            id=session_id,
            organization_id=organization_id,
            **given,
        )
        return session_id

    def agent(self, **columns: Any) -> UUID:
        agent_id = new_id()
        given = {"fallback_models": "[]", "tools": "[]", "default_model_id": None, **columns}
        self.run(
            "INSERT INTO agents (id, organization_id, name, slug, system_prompt, harness_id,"
            " default_model_id, fallback_models, tools) VALUES (:id, :organization_id, 'A', :slug,"
            " 'Be kind.', :harness_id, :default_model_id, CAST(:fallback_models AS jsonb),"
            " CAST(:tools AS jsonb))",
            id=agent_id,
            organization_id=DEFAULT_ORGANIZATION,
            slug=agent_id.hex,
            harness_id=GENERIC_HARNESS,
            **given,
        )
        return agent_id

    def run(self, sql: str, **values: Any) -> None:
        with self.database.transaction() as tx:
            tx.execute(text(sql), values)


@pytest.fixture
def rows(database_url: str) -> Iterator[Rows]:
    database = Database(database_url, pool_size=4, application="test")
    yield Rows(database)
    database.close()
