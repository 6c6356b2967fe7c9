"""Configuration from the environment: the only reader of it.

Names follow contract 8.2 where ours mean the same.  Every fault is reported at
once, so an operator fixes a deployment in one go.  `.env.example` lists the same
names; a test compares the two.
"""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from common.domain.access import parse_digest
from common.domain.browser import read_origins
from common.domain.identity import read_email, read_password, read_token_secret
from common.domain.outbound import PrivateTargets
from common.encryption import MasterKey
from common.setting_conflicts import LOOPBACK, contradictions

_AUTH_MODES: Final = ("none", "admin", "full")
_GRADES: Final = ("dev", "poc", "preview", "prod")


class InvalidSettings(Exception):
    """One or more settings are missing or wrong; the message lists all of them."""


def _text(raw: str) -> str:
    return raw


def _whole(raw: str) -> int:
    try:
        return int(raw)
    except ValueError:
        raise ValueError("must be a whole number") from None


def _count(raw: str) -> int:
    value = _whole(raw)
    if value < 0:
        raise ValueError("must not be negative")
    return value


def _some(raw: str) -> int:
    value = _whole(raw)
    if value < 1:
        raise ValueError("must be at least 1")
    return value


def _port(raw: str) -> int:
    value = _whole(raw)
    if not 0 < value < 65536:  # noqa: PLR2004 - the ports there are
        raise ValueError("must be a port, 1 to 65535")
    return value


def _port_or_none(raw: str) -> int:
    return 0 if raw == "0" else _port(raw)


def _seconds(raw: str) -> float:
    value = float(raw)
    if not 0 < value < math.inf:
        raise ValueError("must be greater than 0")
    return value


def _address(raw: str) -> str:
    """Refuse what a driver would refuse too, but repeating the password."""
    try:
        parts = urlsplit(raw)
        has_odd_port = parts.port == 0
    except ValueError:
        has_odd_port = True
    if raw and (has_odd_port or "://" not in raw or parts.netloc.count("@") > 1):
        raise ValueError(
            "must be a URL; signs such as : / ? # @ in its password are written as %3A and so on"
        )
    return raw


def _flag(raw: str) -> bool:
    if raw.lower() in ("1", "true", "yes", "on"):
        return True
    if raw.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("must be 0 or 1")


def _object(raw: str) -> dict[str, Any]:
    value = json.loads(raw)
    if not isinstance(value, dict):
        raise ValueError("must be a JSON object")  # noqa: TRY004 - reported with the others
    return value


def _master_key(raw: str) -> MasterKey | None:
    return MasterKey.parse(raw) if raw else None


def _key_digest(raw: str) -> str | None:
    return parse_digest(raw) if raw else None


@dataclass(frozen=True, slots=True)
class Choice:
    """Takes one of these words."""

    allowed: tuple[str, ...]

    def __call__(self, raw: str) -> str:
        if raw not in self.allowed:
            raise ValueError(f"must be one of {', '.join(self.allowed)}")
        return raw


def _choice(*allowed: str) -> Choice:
    return Choice(allowed)


def _setting(default: str | None, parse: Callable[[str], Any], doc: str) -> Any:
    return field(metadata={"default": default, "parse": parse, "doc": doc})


def _secret(default: str | None, parse: Callable[[str], Any], doc: str) -> Any:
    """A setting that holds what no log may show."""
    about = {"default": default, "parse": parse, "doc": doc, "is_secret": True}
    return field(repr=False, metadata=about)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings.  The environment name is the field's name in capitals."""

    database_url: str = _secret(None, _address, "PostgreSQL 14 to 18, postgresql://…")
    redis_url: str = _secret(None, _address, "Redis or Valkey from 7.0, redis://…")
    broker_url: str = _secret("", _address, "Celery's broker; REDIS_URL when empty")
    pubsub_url: str = _secret("", _address, "live channel; REDIS_URL when empty")
    live_text_url: str = _secret("", _address, "text being streamed; REDIS_URL when empty")

    deployment_grade: str = _setting("prod", _choice(*_GRADES), "dev opens llmsim and its hints")
    auth_mode: str = _setting(
        "none",
        _choice(*_AUTH_MODES),
        "who may call; none: everyone; admin: keys and one user; full: keys and users",
    )
    auth_bootstrap_key: str | None = _secret(
        "", _key_digest, "a key of the operator's, its text or sha256:<hex>; empty: none"
    )
    auth_allow_open: bool = _setting("0", _flag, "1: AUTH_MODE=none may listen beyond loopback")
    auth_admin_email: str = _setting("", read_email, "the operator's own user; empty: none")
    auth_admin_password: str = _secret("", read_password, "belongs to AUTH_ADMIN_EMAIL")
    auth_disable_signup: bool = _setting("1", _flag, "0: with full, anyone may make an account")
    auth_jwt_secret: str = _secret(
        "", read_token_secret, "signs access tokens; SECRETS_ENCRYPTION_KEY does when empty"
    )
    auth_jwt_access_token_lifetime: int = _setting("900", _some, "seconds an access token is good")
    auth_jwt_refresh_token_lifetime: int = _setting(
        "2592000", _some, "seconds a refresh token is good"
    )
    cors_allowed_origins: tuple[str, ...] = _setting(
        "", read_origins, "origins whose pages may read answers, comma-separated"
    )
    hsts_seconds: int = _setting("0", _count, "browsers are to use only TLS for so long; 0: unsaid")
    trusted_proxy_hops: int = _setting(
        "1", _count, "reverse proxies in front, whose X-Forwarded-For is believed"
    )
    rate_limit_api_requests_per_minute: int = _setting(
        "6000", _count, "requests of an address; 0: no limit; this machine has none"
    )
    rate_limit_key_requests_per_minute: int = _setting(
        "6000", _count, "requests with a key; 0: no limit"
    )
    rate_limit_org_requests_per_minute: int = _setting(
        "60000", _count, "requests with an organization's keys; 0: no limit"
    )
    org_max_active_turns: int = _setting("1000", _count, "open turns an organization; 0: no limit")
    queue_max_turns: int = _setting(
        "20000", _count, "turns that wait for a worker, of all; 0: no limit"
    )
    queue_max_wait_seconds: int = _setting(
        "900", _count, "wait of an organization's oldest turn, beyond it none is added; 0: no limit"
    )

    bind_host: str = _setting("127.0.0.1", _text, "address that api and stream listen on")
    api_port: int = _setting("9301", _port, "port of api")
    stream_port: int = _setting("9302", _port, "port of stream")
    flower_port: int = _setting("9355", _port, "port of Flower")
    flower_basic_auth: str = _setting(
        "", _text, "who may use Flower, name:password, comma-separated"
    )
    metrics_host: str = _setting("127.0.0.1", _text, "address that /metrics is served on")
    api_metrics_port: int = _setting("9311", _port_or_none, "port of api's /metrics; 0: none")
    stream_metrics_port: int = _setting("9312", _port_or_none, "port of stream's; 0: none")
    worker_metrics_port: int = _setting("9313", _port_or_none, "port of worker's; 0: none")
    sweeper_metrics_port: int = _setting("9314", _port_or_none, "port of sweeper's; 0: none")
    api_workers: int = _setting("2", _some, "processes of api")
    api_max_wait_seconds: float = _setting(
        "2", _seconds, "a request that waited so long for a thread of api is refused"
    )
    api_threads: int = _setting("8", _some, "threads, and so connections, a process of api")
    worker_threads: int = _setting("200", _some, "turns at once a worker process")
    worker_database_pool: int = _setting("20", _some, "connections a worker process")

    default_model: str = _setting("", _text, "model when nothing else names one; empty: none")
    error_disclosure_max: str = _setting(
        "detailed",
        _choice("generic", "standard", "detailed"),
        "most that a caller is told of a provider's failure",
    )
    llmsim: dict[str, Any] = _setting("{}", _object, "behaviour of the simulated model, JSON")

    secrets_encryption_key: MasterKey | None = _secret(
        "", _master_key, "encrypts stored keys and secrets, <name>:<base64 of 32 bytes>"
    )
    secrets_encryption_key_previous: MasterKey | None = _secret(
        "", _master_key, "still decrypts, until everturn rotate-secrets has run"
    )
    default_openai_api_key: str = _secret("", _text, "for OpenAI providers without a key")
    default_anthropic_api_key: str = _secret("", _text, "for Anthropic providers without a key")

    lease_seconds: float = _setting("15", _seconds, "how long a silent worker keeps its turn")
    renew_seconds: float = _setting("5", _seconds, "how often a worker renews its leases")
    sweep_seconds: float = _setting("5", _seconds, "how often the sweeper looks")
    max_reclaims: int = _setting("3", _some, "reclaims without progress that seal a turn")
    max_iterations: int = _setting("100", _some, "reason steps a turn may take")
    llm_deadline_seconds: float = _setting("600", _seconds, "one LLM call, whole")
    tool_deadline_seconds: float = _setting("120", _seconds, "one tool call")
    client_tool_deadline_seconds: float = _setting(
        "300", _seconds, "how long a turn waits for results of client-side tools"
    )
    approval_deadline_seconds: float = _setting(
        "300", _seconds, "how long a turn waits for a person to allow a call"
    )
    approval_default: str = _setting(
        "reject", _choice("reject", "allow"), "what becomes of a call nobody decided on"
    )
    outbound_allow_private: PrivateTargets = _setting(
        "", PrivateTargets.parse, "private hosts, networks that tools may reach, comma-separated"
    )
    act_max_tool_concurrency: int = _setting("32", _some, "tool calls of a turn at once")
    worker_deaf_seconds: float = _setting(
        "30", _seconds, "a worker that takes nothing from a full queue for so long leaves"
    )
    shutdown_grace_seconds: float = _setting("10", _seconds, "time a worker has after SIGTERM")

    delta_flush_seconds: float = _setting("0.04", _seconds, "pause between pushes of new text")
    live_text_ttl_seconds: int = _setting("3600", _some, "life of streamed text after a push")
    redis_timeout_seconds: float = _setting("0.3", _seconds, "one Redis command, at most")

    sse_heartbeat_interval_secs: float = _setting("15", _seconds, "between heartbeat comments")
    sse_realtime_cycle_secs: float = _setting("300", _seconds, "life of a stream, ± 20 %")
    sse_monitoring_cycle_secs: float = _setting("600", _seconds, "life of a monitoring stream")
    sse_per_session_max: int = _setting("12", _count, "streams a session; 0: no limit")
    sse_per_org_max: int = _setting("1000", _count, "streams an organization; 0: no limit")
    sse_global_max: int = _setting("10000", _some, "streams a stream process")
    sse_default_start: str = _setting(
        "turn", _choice("turn", "live", "all"), "where a stream without cursor starts"
    )

    storage_blob_backend: str = _setting(
        "filesystem", _choice("filesystem", "s3"), "where uploads are kept"
    )
    storage_directory: str = _setting(
        "/var/lib/everturn", _text, "of uploads, those on their way too; shared by all processes"
    )
    s3_bucket: str = _setting("", _text, "bucket of uploads")
    s3_region: str = _setting("us-east-1", _text, "region of the bucket")
    s3_endpoint_url: str = _setting("", _text, "of an S3-compatible store; empty: AWS")
    s3_access_key_id: str = _setting("", _text, "empty: what the machine's role allows")
    s3_secret_access_key: str = _secret("", _text, "belongs to S3_ACCESS_KEY_ID")
    blob_orphan_seconds: float = _setting(
        "3600", _seconds, "age at which a blob that nothing names is removed"
    )
    blob_collect_seconds: float = _setting("3600", _seconds, "how often such blobs are looked for")
    image_limit_bytes: int = _setting("104857600", _some, "largest image")
    image_max_pixels: int = _setting("64000000", _some, "most pixels of an image")
    image_processes: int = _setting("2", _some, "images looked into at once, a process")
    image_cpu_seconds: int = _setting("20", _some, "processor time for one image, at most")

    body_limit_bytes: int = _setting("10000000", _some, "largest JSON request body")
    idempotency_hours: int = _setting("24", _some, "how long an Idempotency-Key is kept")
    audit_retention_days: int = _setting(
        "90", _count, "age at which entries of the audit log are deleted; 0: never"
    )
    log_level: str = _setting(
        "INFO", _choice("DEBUG", "INFO", "WARNING", "ERROR"), "least severity that is logged"
    )
    log_format: str = _setting("json", _choice("json", "console"), "form of a log line")

    otel_exporter_otlp_endpoint: str = _setting(
        "", _text, "OpenTelemetry collector, OTLP over HTTP, http://…:4318; empty: no traces"
    )
    otel_service_name: str = _setting("everturn", _text, "service.name of spans")
    otel_environment: str = _setting("", _text, "deployment.environment.name of spans")
    otel_record_content: bool = _setting(
        "0", _flag, "1: spans say what models and tools said, up to 16,000 characters each"
    )

    @property
    def incoming_directory(self) -> Path:
        """Where files are while they are looked into; they have no name there."""
        return Path(self.storage_directory) / "incoming"

    @property
    def listens_on_loopback(self) -> bool:
        return self.bind_host in LOOPBACK

    @property
    def has_passwords(self) -> bool:
        """Whether anybody can log in."""
        return self.auth_mode == "full" or (
            self.auth_mode == "admin" and self.auth_admin_email != ""
        )

    @property
    def only_email(self) -> str | None:
        """The only user there is; None: there may be any."""
        return self.auth_admin_email if self.auth_mode == "admin" else None

    @property
    def is_development(self) -> bool:
        return self.deployment_grade == "dev"

    @property
    def secrets(self) -> frozenset[str]:
        """What no log may show: keys, and the passwords of addresses."""
        values = [
            getattr(self, each.name) for each in fields(self) if each.metadata.get("is_secret")
        ]
        return frozenset(secret for value in values if value for secret in _secrets_of(value))

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read all settings.

        Raises:
            InvalidSettings: naming every setting that is missing or wrong.
        """
        source = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        faults: list[str] = []
        for spec in fields(cls):
            name, default = spec.name.upper(), spec.metadata["default"]
            raw = source.get(name) or default
            if raw is None:
                faults.append(f"{name} is not set ({spec.metadata['doc']})")
                continue
            try:
                values[spec.name] = spec.metadata["parse"](raw)
            except ValueError as wrong:
                faults.append(f"{name}: {wrong}")
        if not faults:
            for name in ("broker_url", "pubsub_url", "live_text_url"):
                values[name] = values[name] or values["redis_url"]
            faults = contradictions(values)
        if faults:
            raise InvalidSettings("; ".join(faults))
        return cls(**values)


def _secrets_of(value: str | MasterKey) -> Iterator[str]:
    """The forms in which a setting's secret could be met."""
    if isinstance(value, MasterKey):
        yield base64.b64encode(value.key).decode()
        yield base64.urlsafe_b64encode(value.key).decode()
        return
    if "://" not in value:
        yield value
        return
    parts = urlsplit(value)
    # A password that is also the user's name is no secret, and would mask ordinary words.
    if parts.password and parts.password not in (parts.username, parts.path.strip("/")):
        yield parts.password
        yield unquote(parts.password)
