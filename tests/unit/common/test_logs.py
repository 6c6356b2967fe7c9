"""No log line shows a secret, whoever wrote it and however it was told."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from common.settings import InvalidSettings, Settings
from dev.paths import ROOT
from tests.fakes import indiscreet

_MASTER = base64.b64encode(bytes(range(100, 132))).decode()
_PLANTED = {
    "DATABASE_URL": "postgresql://everturn:planted-database@db:5432/everturn",
    "REDIS_URL": "redis://:planted%2Fredis@cache:6379/0",
    "BROKER_URL": "rediss://user:planted-broker@cache:6379/1",
    "SECRETS_ENCRYPTION_KEY": f"kek-1:{_MASTER}",
    "DEFAULT_OPENAI_API_KEY": "planted-openai-key",
    "DEFAULT_ANTHROPIC_API_KEY": "planted-anthropic-key",
    "S3_SECRET_ACCESS_KEY": "planted-bucket-key",
}
_SECRETS = (
    "planted-database",
    "planted/redis",
    "planted%2Fredis",
    "planted-broker",
    _MASTER,
    "planted-openai-key",
    "planted-anthropic-key",
    "planted-bucket-key",
    indiscreet.KEY,
    indiscreet.FOREIGN,
    indiscreet.CONTENT,
)


@pytest.mark.parametrize("form", ["json", "console"])
def test_planted_secrets_are_in_no_line_of_a_process(form: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, str(Path(indiscreet.__file__))],
        env={**_PLANTED, "LOG_FORMAT": form, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    for word in ("own", "refused", "seen to the end", "crashed", "thread_crashed", "RuntimeError"):
        assert word in done.stderr, done.stderr
    assert "Received invalid task message" in done.stderr
    assert "Invalid request from ip=127.0.0.1" in done.stderr
    shown = [secret for secret in _SECRETS if secret in done.stdout + done.stderr]
    assert shown == [], done.stderr
    if form == "json":
        lines = [json.loads(line) for line in done.stderr.splitlines()]
        (crash,) = [line for line in lines if line["event"] == "crashed"]
        assert crash["error"] == "RuntimeError"
        assert crash["at"][-1].startswith("__main__:")


def test_settings_do_not_show_their_secrets() -> None:
    settings = Settings.from_env(_PLANTED)

    assert [secret for secret in _SECRETS if secret in repr(settings)] == []
    assert settings.secrets >= set(_SECRETS) - {
        indiscreet.KEY,
        indiscreet.FOREIGN,
        indiscreet.CONTENT,
    }


def test_every_setting_that_is_named_like_a_secret_is_one() -> None:
    named = ("_key", "_url", "_secret", "_password", "_token")
    harmless = {"s3_endpoint_url"}
    shown = Settings.from_env(_PLANTED)

    assert [
        name
        for name in Settings.__dataclass_fields__
        if name.endswith(named) and name not in harmless and f"{name}=" in repr(shown)
    ] == []


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:planted@word@host/db",
        "postgresql://u:planted/word@host/db",
        "planted-word",
    ],
)
@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "BROKER_URL"])
def test_an_address_that_is_none_is_refused_without_repeating_it(name: str, url: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        Settings.from_env({**_PLANTED, name: url})

    assert name in str(refused.value)
    assert "planted" not in str(refused.value)
