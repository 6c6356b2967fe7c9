"""The whole system with AUTH_MODE=admin, as the official client and curl see it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from everruns_sdk import AgentClient, ApiError, AuthenticationError, Everruns

from tests import plain_http
from tests.contract.sdk.following import following, until
from tests.system import System, running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore:Everruns\\.:DeprecationWarning"),
]

BOOTSTRAP = "evr_pat_" + "5" * 64


@pytest.fixture
def anyio_backend() -> str:
    """The client is written for asyncio."""
    return "asyncio"


@pytest.fixture
def guarded(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[System]:
    settings = {"AUTH_MODE": "admin", "AUTH_BOOTSTRAP_KEY": BOOTSTRAP}
    with running(database_url, redis_url, tmp_path, settings=settings) as system:
        yield system


def make_key(system: System, **fields: object) -> dict[str, str]:
    made = plain_http.post(
        f"{system.base_url}/v1/auth/api-keys",
        headers={"Authorization": f"Bearer {BOOTSTRAP}"},
        json={"name": "mine", **fields},
    )
    assert made.status_code == 201, made.text
    body: dict[str, str] = made.json()
    return body


def revoke_key(system: System, key_id: str) -> None:
    gone = httpx.delete(
        f"{system.base_url}/v1/auth/api-keys/{key_id}",
        headers={"Authorization": f"Bearer {BOOTSTRAP}"},
    )
    assert gone.status_code == 204


@pytest.mark.anyio
async def test_a_conversation_with_a_key_and_its_end(guarded: System) -> None:
    made = make_key(guarded)
    base = f"{guarded.base_url}/api"
    async with Everruns(made["key"], base_url=base) as client:
        agent = await client.agents.create(name="assistant", system_prompt="You answer.")
        session = await client.sessions.create(agent_id=agent.id)
        await client.messages.create(session.id, "Hello")
        async with following(client.events.stream(session.id)) as events:
            seen = await until(events, "session.idled")
        assert "turn.completed" in {event.type for event in seen}
        async with AgentClient(f"{base}/v1/channels/{agent.id}", made["key"]) as channel:
            assert "Hi" in await channel.run("Hi")

        revoke_key(guarded, made["id"])
        with pytest.raises(AuthenticationError):
            await client.agents.list()
    async with Everruns("evr_pat_any", base_url=base) as stranger:
        with pytest.raises(AuthenticationError):
            await stranger.sessions.list()
    reading = make_key(guarded, scopes=["*:read"])
    async with Everruns(reading["key"], base_url=base) as reader:
        assert len(await reader.agents.list()) == 1
        with pytest.raises(ApiError) as refused:
            await reader.agents.create(name="another", system_prompt="x")
        assert refused.value.status_code == 403
    for part in guarded.parts:
        assert made["key"] not in part.output.read_text()
