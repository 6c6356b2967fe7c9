"""What is kept for a model's provider is in no answer of the api (contract 6.2)."""

from dataclasses import replace

import pytest

from common.storage.engine import Database
from tests.contract.api import worker
from tests.contract.api.client import Api, saying

_SIGNATURE = "s3cret-signature"


@pytest.mark.parametrize(
    "path",
    [
        "/messages",
        "/events",
        "/events?types=output.message.completed",
        f"/events?q={_SIGNATURE}",
        "/events/summary",
        "/export",
        "",
    ],
)
def test_a_signature_is_shown_nowhere(api: Api, database: Database, path: str) -> None:
    session_id = api.session()["id"]
    assert api.post(f"/v1/sessions/{session_id}/messages", saying("Hi")).status == 201
    worker.start_turn(database, session_id)
    private = {"thinking": [{"text": "hm", "replay": {"signature": _SIGNATURE}}]}
    worker.write(database, session_id, replace(worker.answer("Hello"), private=private))

    reply = api.get(f"/v1/sessions/{session_id}{path}")

    assert reply.status == 200
    assert _SIGNATURE not in reply.text
    assert _SIGNATURE not in str(reply.headers)
    if path in ("/messages", "/events", "/export"):
        assert "Hello" in reply.text
