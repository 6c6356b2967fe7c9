import re
from dataclasses import fields

import pytest

from common.settings import InvalidSettings, Settings
from dev.paths import ROOT

_REQUIRED = {"DATABASE_URL": "postgresql://db/everturn", "REDIS_URL": "redis://cache/0"}
# The launcher's own, which no process of the product reads.
_LAUNCHER = {"PORT": "9300"}


def _settings(**given: str) -> Settings:
    return Settings.from_env(_REQUIRED | given)


def _faults(**given: str) -> list[str]:
    with pytest.raises(InvalidSettings) as caught:
        _settings(**given)
    return str(caught.value).split("; ")


def _example() -> dict[str, tuple[str, str]]:
    """What `.env.example` says of each name: its default and the line above it."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    found = re.findall(r"^# (.*)\n#?([A-Z0-9_]+)=(.*)$", text, re.MULTILINE)
    assert len(found) == len(re.findall(r"^#?\s*[A-Z0-9_]+=", text, re.MULTILINE))
    return {name: (default, doc) for doc, name, default in found}


def test_two_addresses_are_enough() -> None:
    settings = _settings()
    assert settings.database_url == "postgresql://db/everturn"
    assert (settings.lease_seconds, settings.renew_seconds, settings.sweep_seconds) == (15, 5, 5)
    assert (settings.max_reclaims, settings.max_iterations, settings.worker_threads) == (
        3,
        100,
        200,
    )
    assert settings.delta_flush_seconds == 0.04
    assert (settings.sse_heartbeat_interval_secs, settings.sse_realtime_cycle_secs) == (15, 300)
    assert (settings.api_port, settings.stream_port) == (9301, 9302)
    assert settings.auth_mode == "none"


def test_production_is_the_default_and_has_no_model() -> None:
    assert not _settings().is_development
    assert not _settings().default_model
    assert _settings(DEPLOYMENT_GRADE="dev").is_development


def test_redis_is_one_server_unless_it_is_split_by_purpose() -> None:
    one = _settings()
    assert one.broker_url == one.pubsub_url == one.live_text_url == "redis://cache/0"
    other = "redis://other/1"
    split = _settings(BROKER_URL=other)
    assert (split.broker_url, split.pubsub_url) == (other, "redis://cache/0")
    split = _settings(PUBSUB_URL=other, LIVE_TEXT_URL=other)
    assert (split.broker_url, split.pubsub_url) == ("redis://cache/0", other)


@pytest.mark.parametrize("name", ["PUBSUB_URL", "LIVE_TEXT_URL"])
def test_text_is_stored_where_it_is_published(name: str) -> None:
    with pytest.raises(InvalidSettings, match="PUBSUB_URL and LIVE_TEXT_URL"):
        _settings(**{name: "redis://other/1"})


def test_what_is_missing_and_what_is_wrong_is_told_at_once() -> None:
    wrong = {
        "REDIS_URL": "redis://cache/0",
        "API_PORT": "many",
        "LEASE_SECONDS": "-1",
        "DEPLOYMENT_GRADE": "production",
        "LLMSIM": "[]",
        "AUTH_ALLOW_OPEN": "perhaps",
    }
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_env(wrong)
    faults = str(caught.value).split("; ")
    assert [re.split(r"[: ]", fault)[0] for fault in faults] == [
        "DATABASE_URL",
        "DEPLOYMENT_GRADE",
        "AUTH_ALLOW_OPEN",
        "API_PORT",
        "LLMSIM",
        "LEASE_SECONDS",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_PORT", "-1"),
        ("API_PORT", "9301.5"),
        ("LEASE_SECONDS", "0"),
        ("LEASE_SECONDS", "nan"),
        ("LEASE_SECONDS", "inf"),
        ("LEASE_SECONDS", "soon"),
        ("AUTH_MODE", "external"),
        ("AUTH_BOOTSTRAP_KEY", "short"),
        ("SSE_DEFAULT_START", "latest"),
        ("LOG_LEVEL", "info"),
        ("LLMSIM", "{"),
        ("LLMSIM", '"echo"'),
        ("AUTH_ALLOW_OPEN", "2"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    (fault,) = _faults(**{name: value})
    assert fault.startswith(f"{name}: ")


def test_an_empty_value_counts_as_not_set() -> None:
    assert _settings(API_PORT="", LLMSIM="", DEPLOYMENT_GRADE="") == _settings()
    assert _faults(DATABASE_URL="") == [
        "DATABASE_URL is not set (PostgreSQL 14 to 18, postgresql://…)"
    ]


@pytest.mark.parametrize(
    ("raw", "is_set"), [("1", True), ("TRUE", True), ("on", True), ("0", False), ("No", False)]
)
def test_a_flag_has_several_spellings(raw: str, *, is_set: bool) -> None:
    assert _settings(AUTH_ALLOW_OPEN=raw).auth_allow_open is is_set


def test_origins_are_a_list() -> None:
    settings = _settings(CORS_ALLOWED_ORIGINS=" http://a:3000, ,http://b ")
    assert settings.cors_allowed_origins == ("http://a:3000", "http://b")
    other = _settings(CORS_ALLOWED_ORIGINS="http://[::1]:3000,https://a.b-c.example")
    assert other.cors_allowed_origins == ("http://[::1]:3000", "https://a.b-c.example")


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "https://*.example.com",
        "null",
        "https://a.example.com/",
        "https://a.example.com/path",
        "https://user:word@a.example.com",
        "https://A.example.com",
        "a.example.com",
        "ftp://a.example.com",
        "https://a.example.com:x",
    ],
)
def test_what_is_no_origin_is_refused_at_the_start(origin: str) -> None:
    (fault,) = _faults(CORS_ALLOWED_ORIGINS=f"https://a.example.com,{origin}")
    assert fault.startswith("CORS_ALLOWED_ORIGINS: must be origins")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "example.org"])  # noqa: S104 - refused
def test_nobody_is_let_in_unasked_from_outside(host: str) -> None:
    (fault,) = _faults(BIND_HOST=host)
    assert "AUTH_ALLOW_OPEN" in fault
    assert _settings(BIND_HOST=host, AUTH_ALLOW_OPEN="1").bind_host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_the_own_machine_is_let_in(host: str) -> None:
    assert _settings(BIND_HOST=host).bind_host == host


def test_a_lease_outlives_a_missed_renewal() -> None:
    (fault,) = _faults(LEASE_SECONDS="9.9", RENEW_SECONDS="5")
    assert "RENEW_SECONDS" in fault
    assert _settings(LEASE_SECONDS="10", RENEW_SECONDS="5").lease_seconds == 10


def test_contradictions_are_told_together() -> None:
    assert len(_faults(BIND_HOST="0.0.0.0", LEASE_SECONDS="1")) == 2  # noqa: S104 - refused


def test_a_fault_never_quotes_an_address_with_its_password() -> None:
    faults = _faults(DATABASE_URL="postgresql://u:hunter2@db/x", API_PORT="x")
    assert "hunter2" not in "; ".join(faults)


def test_the_example_lists_every_setting_with_its_default_and_meaning() -> None:
    expected = {
        spec.name.upper(): (spec.metadata["default"] or "", spec.metadata["doc"])
        for spec in fields(Settings)
    }
    example = _example()
    launcher = {name: example.pop(name)[0] for name in _LAUNCHER}
    assert list(example.items()) == list(expected.items())
    assert launcher == _LAUNCHER


def test_the_example_sets_nothing_as_it_stands() -> None:
    # Copied to `.env` unread, it must not turn a local run into a production one.
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("#") or not line for line in lines)


_SECRET = {"AUTH_JWT_SECRET": "x" * 32}
_ADMIN = {"AUTH_ADMIN_EMAIL": " Op@Example.com", "AUTH_ADMIN_PASSWORD": "twelve 1 chr"}


def test_users_log_in_with_full_or_where_the_environment_names_one() -> None:
    assert not _settings().has_passwords
    assert not _settings(AUTH_MODE="admin").has_passwords
    admin = _settings(AUTH_MODE="admin", **_ADMIN, **_SECRET)
    assert (admin.has_passwords, admin.only_email) == (True, "op@example.com")
    full = _settings(AUTH_MODE="full", **_SECRET)
    assert (full.has_passwords, full.only_email, full.auth_disable_signup) == (True, None, True)
    assert not _settings(AUTH_MODE="none", **_ADMIN).has_passwords


@pytest.mark.parametrize("mode", ["admin", "full"])
def test_where_users_log_in_something_signs_their_tokens(mode: str) -> None:
    (fault,) = _faults(AUTH_MODE=mode, **_ADMIN)
    assert "AUTH_JWT_SECRET or SECRETS_ENCRYPTION_KEY" in fault
    key = f"k1:{'A' * 43}="
    assert _settings(AUTH_MODE=mode, SECRETS_ENCRYPTION_KEY=key, **_ADMIN).has_passwords


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("AUTH_ADMIN_EMAIL", "nonsense", "Must be an email address"),
        ("AUTH_ADMIN_PASSWORD", "short", "must have at least 12 characters"),
        ("AUTH_JWT_SECRET", "short", "must have at least 32 characters"),
    ],
)
def test_what_lets_people_in_is_not_weak(name: str, value: str, fault: str) -> None:
    assert f"{name}: {fault}" in _faults(**{**_ADMIN, name: value})


@pytest.mark.parametrize("name", sorted(_ADMIN))
def test_an_address_and_a_password_need_one_another(name: str) -> None:
    (fault,) = _faults(**{name: _ADMIN[name]})
    assert fault == "AUTH_ADMIN_EMAIL and AUTH_ADMIN_PASSWORD need one another"
