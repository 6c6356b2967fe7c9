"""From a registration over HTTP to what its server hears, by processes as in production."""

from contextlib import closing
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Verifier

from tests.conditions import wait_until
from tests.integration.worker.webhook_receiver import Receiver, receiver
from tests.system import running
from tests.talk import Talk

__all__ = ["receiver"]


@pytest.mark.slow
def test_whoever_registers_is_told(
    database_url: str, redis_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    settings = {"OUTBOUND_ALLOW_PRIVATE": "127.0.0.1"}
    parts = ("api", "worker", "sweeper")
    with (
        running(database_url, redis_url, tmp_path, parts=parts, settings=settings) as system,
        closing(Talk(f"http://127.0.0.1:{system.environment['API_PORT']}")) as talk,
    ):
        body = {"url": receiver.url, "events": ["turn.completed"]}
        webhook = talk.call("POST", "/task-webhooks", body=body, expect=201)
        session_id = talk.open_session()
        talk.say(session_id, "Hello")
        wait_until(lambda: receiver.got, description="it is told", timeout_seconds=20)
    ((headers, raw),) = receiver.got
    told = Verifier(webhook["secret"]).verify(raw, headers)
    assert (told["type"], told["data"]["session_id"]) == ("turn.completed", session_id)
