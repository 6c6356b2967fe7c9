"""What the started processes find in their environment: the caller's wishes over our defaults.

The processes are configured by environment alone, as in production; this is
the one place where the local run differs from it.
"""

import base64
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dev import ports
from dev.paths import LOCAL, VENV

_DEFAULTS = {
    "AUTH_MODE": "none",
    "DEFAULT_MODEL": "llmsim",
    "DEPLOYMENT_GRADE": "dev",
    "LOG_FORMAT": "console",
    # One organization has the whole machine.
    "ORG_MAX_ACTIVE_TURNS": "0",
    "STORAGE_DIRECTORY": str(LOCAL / "storage"),
    # Seven lines that say what whoever tries this as root in a container knows.
    "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
}


_MASTER_KEY_BYTES = 32
_METRICS = (
    "API_METRICS_PORT",
    "STREAM_METRICS_PORT",
    "WORKER_METRICS_PORT",
    "SWEEPER_METRICS_PORT",
)
_FIRST_METRICS_PORT = 9311


class InvalidEnvironment(Exception):
    """A setting of the launcher itself makes no sense; the text names it."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one run; those of `metrics` by their settings."""

    public: int
    api: int
    stream: int
    flower: int
    metrics: Mapping[str, int] = field(default_factory=dict)

    @property
    def all(self) -> frozenset[int]:
        """For whoever looks for yet another one."""
        named = {self.public, self.api, self.stream, self.flower}
        return frozenset({*named, *self.metrics.values()})


def read_dotenv(path: Path) -> dict[str, str]:
    """Return the settings of a `.env` file; none when there is no file."""
    if not path.exists():
        return {}
    settings = {}
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        name, separator, value = line.partition("=")
        if not separator or not name.strip().isidentifier():
            raise InvalidEnvironment(f"{path.name} line {number}: expected NAME=value")
        settings[name.strip()] = _unquoted(value.strip())
    return settings


def choose_ports(settings: Mapping[str, str]) -> Ports:
    """Return the run's ports: the public one as it is set, the internal ones where there is room.

    Raises:
        PortTaken: when the public port is not free.
        InvalidEnvironment: when a port setting is not a port.
    """
    wanted = {
        name: _port(settings, name, default)
        for name, default in (
            ("PORT", 9300),
            ("API_PORT", 9301),
            ("STREAM_PORT", 9302),
            ("FLOWER_PORT", 9355),
        )
    }
    public = wanted["PORT"]
    ports.require(public, setting="PORT")
    # Each keeps clear of what the others would like, so that one taken port moves one process.
    api = ports.next_free(wanted["API_PORT"], avoid={public, wanted["STREAM_PORT"]})
    stream = ports.next_free(wanted["STREAM_PORT"], avoid={public, api})
    flower = ports.next_free(wanted["FLOWER_PORT"], avoid={public, api, stream})
    metrics: dict[str, int] = {}
    for number, name in enumerate(_METRICS):
        port = _port(settings, name, _FIRST_METRICS_PORT + number, least=0)
        taken = {public, api, stream, flower, *metrics.values()}
        metrics[name] = ports.next_free(port, avoid=taken) if port else 0
    return Ports(public, api, stream, flower, metrics)


def kept_master_key(file: Path) -> str:
    """Return the key that this run's stored secrets are encrypted with; made once, for its data.

    Raises:
        InvalidEnvironment: when the file is there and cannot be read.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    made = base64.b64encode(secrets.token_bytes(_MASTER_KEY_BYTES)).decode()
    try:
        # Never readable by others, not even for a moment.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            opened.write(f"local:{made}\n")
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise InvalidEnvironment(f"{file} cannot be read: {error.strerror}") from error


def for_children(
    settings: Mapping[str, str],
    *,
    database_url: str,
    redis_url: str,
    run_ports: Ports,
    master_key: str,
) -> dict[str, str]:
    """Return the whole environment of a started process.

    `master_key` counts only where the settings name none.
    """
    path = os.pathsep.join([str(VENV / "bin"), settings.get("PATH", os.defpath)])
    return {
        **_DEFAULTS,
        **settings,
        "SECRETS_ENCRYPTION_KEY": settings.get("SECRETS_ENCRYPTION_KEY") or master_key,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "PORT": str(run_ports.public),
        "API_PORT": str(run_ports.api),
        "STREAM_PORT": str(run_ports.stream),
        "FLOWER_PORT": str(run_ports.flower),
        **{name: str(port) for name, port in run_ports.metrics.items()},
        "PATH": path,
        "PYTHONUNBUFFERED": "1",
    }


def _unquoted(value: str) -> str:
    for quote in ("'", '"'):
        if len(value) > 1 and value.startswith(quote) and value.endswith(quote):
            return value[1:-1]
    return value.partition(" #")[0].rstrip()


def _port(settings: Mapping[str, str], name: str, default: int, *, least: int = 1) -> int:
    value = settings.get(name) or str(default)
    if not value.isdecimal() or not least <= int(value) < 65536:  # noqa: PLR2004
        raise InvalidEnvironment(f"{name} is {value!r}, which is not a port")
    return int(value)
