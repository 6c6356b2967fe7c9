"""Flower shows everybody everything, so it does not start without credentials."""

import pytest

from common import cli


@pytest.mark.parametrize(
    "settings",
    [
        {"DEPLOYMENT_GRADE": "prod"},
        {"DEPLOYMENT_GRADE": "prod", "FLOWER_BASIC_AUTH": ""},
        {"DEPLOYMENT_GRADE": "dev", "BIND_HOST": "10.0.0.7", "AUTH_ALLOW_OPEN": "1"},
    ],
)
def test_without_a_password_it_is_refused(
    settings: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = {
        "DATABASE_URL": "postgresql://db/x",
        "REDIS_URL": "redis://cache/0",
        "AUTH_MODE": "none",
    }
    for name, value in {**given, **settings}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        cli.main(["flower"])
    assert ended.value.code == 2
    assert "FLOWER_BASIC_AUTH" in capsys.readouterr().err
