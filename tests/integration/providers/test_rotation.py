"""Stored secrets move to a new master key while everything goes on."""

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import text

from common import rotation
from common.clock import new_id
from common.domain import mcp_server, provider, webhook
from common.domain.ids import DEFAULT_ORGANIZATION
from common.encryption import EncryptionUnavailable, MasterKey, SecretBox
from common.provider_access import endpoint_facts
from common.settings import Settings
from common.storage import secrets_at_rest, session_storage
from dev.paths import ROOT
from tests.integration.providers.conftest import Rows

OLD = MasterKey("kek-1", bytes(range(32)))
NEW = MasterKey("kek-2", bytes(range(32, 64)))
STRANGE = MasterKey("kek-x", bytes(32))


def spelled(key: MasterKey) -> str:
    return f"{key.name}:{base64.b64encode(key.key).decode()}"


@dataclass(frozen=True)
class Run:
    status: int
    out: str
    err: str


def everturn(rows: Rows, *arguments: str, **environment: str) -> Run:
    """The command as an operator runs it."""
    url = rows.database.engine.url.set(drivername="postgresql")
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "common.cli", "rotate-secrets", *arguments],
        cwd=ROOT,
        env={
            "PATH": os.defpath,
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "REDIS_URL": "redis://localhost:1",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)


def key_of(rows: Rows, provider_id: UUID, box: SecretBox) -> str | None:
    settings = Settings.from_env({"DATABASE_URL": "postgresql://x", "REDIS_URL": "redis://x"})
    with rows.database.reading() as tx:
        facts = endpoint_facts(
            tx, DEFAULT_ORGANIZATION, provider_id, secrets=box, settings=settings
        )
    assert facts is not None
    return facts.api_key


def test_after_a_rotation_the_previous_key_may_go(rows: Rows) -> None:
    keys = {
        rows.provider(f"P{number}", box=SecretBox(OLD), api_key=f"sk-{number}"): f"sk-{number}"
        for number in range(5)
    }
    newer = rows.provider("Newer", box=SecretBox(NEW), api_key="sk-newer")
    rows.provider("Without")
    both = {
        "SECRETS_ENCRYPTION_KEY": spelled(NEW),
        "SECRETS_ENCRYPTION_KEY_PREVIOUS": spelled(OLD),
    }

    first = everturn(rows, **both)
    again = everturn(rows, "--json", SECRETS_ENCRYPTION_KEY=spelled(NEW))

    assert (first.status, first.err) == (0, "")
    assert "providers.api_key: 5 encrypted anew, 1 were current, 0 unreadable" in first.out
    assert again.status == 0
    counts = {each.pop("place"): each for each in json.loads(again.out)}
    assert counts["providers.api_key"] == {"rotated": 0, "current": 6, "unreadable": []}
    for provider_id, key in {**keys, newer: "sk-newer"}.items():
        assert key_of(rows, provider_id, SecretBox(NEW)) == key
    assert "sk-" not in first.out + again.out


def test_what_does_not_open_is_named_and_the_rest_goes_on(rows: Rows) -> None:
    lost = rows.provider("Lost", box=SecretBox(STRANGE), api_key="sk-lost-key")
    kept = rows.provider("Kept", box=SecretBox(OLD), api_key="sk-kept-key")

    run = everturn(
        rows,
        SECRETS_ENCRYPTION_KEY=spelled(NEW),
        SECRETS_ENCRYPTION_KEY_PREVIOUS=spelled(OLD),
    )

    assert run.status == 1
    assert f"cannot be decrypted: providers.api_key of {lost}" in run.out
    assert str(kept) not in run.out
    assert "sk-" not in run.out + run.err
    assert key_of(rows, kept, SecretBox(NEW)) == "sk-kept-key"
    # It is as it was, for the day its key turns up.
    assert key_of(rows, lost, SecretBox(STRANGE)) == "sk-lost-key"


def test_without_a_master_key_it_says_what_to_set(rows: Rows) -> None:
    run = everturn(rows)

    assert (run.status, run.out) == (2, "")
    assert "SECRETS_ENCRYPTION_KEY" in run.err


def test_two_keys_of_one_name_are_a_fault_of_the_settings(rows: Rows) -> None:
    run = everturn(
        rows,
        SECRETS_ENCRYPTION_KEY=spelled(NEW),
        SECRETS_ENCRYPTION_KEY_PREVIOUS=spelled(MasterKey(NEW.name, OLD.key)),
    )

    assert run.status == 2
    assert "different keys of one name" in run.err


def test_more_than_a_slice_is_rotated_whole(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "_SLICE", 2)
    for number in range(5):
        rows.provider(f"P{number}", box=SecretBox(OLD), api_key=f"sk-{number}")

    found = {each.place: each for each in rotation.rotate(rows.database, SecretBox(NEW, OLD))}

    assert found["providers.api_key"].rotated == 5


def test_a_key_that_was_changed_meanwhile_is_not_overwritten(rows: Rows) -> None:
    provider_id = rows.provider(box=SecretBox(OLD), api_key="sk-before")

    class Interrupted(SecretBox):
        def encrypt(self, secret: str, *, purpose: str) -> dict[str, object]:
            made = super().encrypt(secret, purpose=purpose)
            fresh = SecretBox(NEW).encrypt("sk-after", purpose=purpose)
            rows.run(
                "UPDATE providers SET api_key = CAST(:key AS jsonb) WHERE id = :id",
                key=json.dumps(fresh),
                id=provider_id,
            )
            return made

    found = {each.place: each for each in rotation.rotate(rows.database, Interrupted(NEW, OLD))}

    assert key_of(rows, provider_id, SecretBox(NEW)) == "sk-after"
    assert (found["providers.api_key"].rotated, found["providers.api_key"].current) == (0, 1)


def test_rotation_needs_a_current_key(rows: Rows) -> None:
    with pytest.raises(EncryptionUnavailable):
        rotation.rotate(rows.database, SecretBox(None, OLD))


def test_what_is_registered_is_what_the_parts_encrypt_with() -> None:
    row = new_id()
    key = {"id": str(row), "session_id": str(row), "name": "a {b}/c"}
    purposes = {
        f"{each.table}.{each.column}": each.purpose_of(key)
        for each in secrets_at_rest.SECRET_COLUMNS
    }

    assert purposes == {
        "providers.api_key": provider.key_purpose(row),
        "mcp_servers.headers": mcp_server.headers_purpose(row),
        "mcp_servers.api_key": mcp_server.key_purpose(row),
        "webhooks.secret": webhook.secret_purpose(row),
        "session_secrets.secret": session_storage.purpose_of(row, "a {b}/c"),
    }


def test_secrets_of_sessions_are_rotated_too(rows: Rows) -> None:
    session_id = rows.session()
    for name in ("first", "Second", "a {b}"):
        purpose = session_storage.purpose_of(session_id, name)
        rows.run(
            "INSERT INTO session_secrets (organization_id, session_id, name, secret)"
            " VALUES (:organization_id, :session_id, :name, CAST(:secret AS jsonb))",
            organization_id=DEFAULT_ORGANIZATION,
            session_id=session_id,
            name=name,
            secret=json.dumps(SecretBox(OLD).encrypt(f"value of {name}", purpose=purpose)),
        )

    found = {each.place: each for each in rotation.rotate(rows.database, SecretBox(NEW, OLD))}
    again = {each.place: each for each in rotation.rotate(rows.database, SecretBox(NEW))}

    assert found["session_secrets.secret"].rotated == 3
    with rows.database.reading() as tx:
        entered = tx.execute(text("SELECT actor_type, action FROM audit_log")).all()
    assert {tuple(row) for row in entered} == {("cli", "rotate_secrets")}
    assert (again["session_secrets.secret"].rotated, again["session_secrets.secret"].current) == (
        0,
        3,
    )
