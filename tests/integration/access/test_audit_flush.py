"""What waits in a process's memory for the audit log is written when the process is told to end."""

import signal
from pathlib import Path

import pytest
from sqlalchemy import text

from common.storage.engine import Database
from tests import plain_http
from tests.system import running

pytestmark = pytest.mark.timeout(60)


def test_entries_survive_the_end_of_the_process(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    with running(database_url, redis_url, tmp_path, parts=("api",)) as system:
        (api,) = system.parts
        base = f"http://127.0.0.1:{api.port}/v1"
        with plain_http.client(base_url=base) as client:
            session = client.post("/sessions", json={}).json()["id"]
            message = {"message": {"content": [{"type": "text", "text": "Hello"}]}}
            for _ in range(3):
                assert client.post(f"/sessions/{session}/messages", json=message).is_success
        # At once, and the thread writes once a second.
        api.signal(signal.SIGTERM)
        api.process.wait(20)

    database = Database(database_url, pool_size=1, application="everturn test")
    with database.reading() as tx:
        found = tx.execute(text("SELECT action FROM audit_log ORDER BY at, id")).scalars().all()
    database.close()
    assert found == ["create_session", *["create_message"] * 3]
