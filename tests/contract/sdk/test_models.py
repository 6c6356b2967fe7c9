"""Models through the official client."""

import httpx
import pytest
from everruns_sdk import Everruns, NotFoundError

from common.clock import new_id
from tests.system import System

pytestmark = pytest.mark.anyio

SIMULATED = "model_01933b5a000070008000000000000400"


async def test_the_built_in_models_are_listed(sdk: Everruns) -> None:
    listed = {model.model_id: model for model in await sdk.models.list()}

    simulated = listed["llmsim-model"]
    assert (simulated.id, simulated.provider_type) == (SIMULATED, "llmsim")
    assert (simulated.healthy, simulated.model_vendor) == (True, "llmsim")
    assert listed["claude-opus-5-5"].provider_name == "Anthropic"
    profile = listed["gpt-6.2-sol"].profile
    assert profile is not None
    assert profile.limits is not None
    assert profile.limits.context == 1_050_000


async def test_a_model_is_read_by_its_id(sdk: Everruns) -> None:
    assert (await sdk.models.get(SIMULATED)).model_id == "llmsim-model"
    with pytest.raises(NotFoundError):
        await sdk.models.get(f"model_{new_id().hex}")


async def test_a_model_that_was_added_is_one_more(sdk: Everruns, system: System) -> None:
    base = f"{system.base_url}/v1/providers"
    name = f"house-{new_id().hex}"
    async with httpx.AsyncClient() as http:
        body = {"name": name, "provider_type": "openrouter"}
        provider = (await http.post(base, json=body)).json()
        models = f"{base}/{provider['id']}/models"
        made = (await http.post(models, json={"model_id": name})).json()
        try:
            model = await sdk.models.get(made["id"])
            assert (model.model_id, model.provider_id) == (name, provider["id"])
            assert (model.healthy, model.profile, model.source) == (False, None, "manual")
            assert made["id"] in {each.id for each in await sdk.models.list()}
        finally:
            await http.delete(f"{base}/{provider['id']}")
