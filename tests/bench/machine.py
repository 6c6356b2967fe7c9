"""What it was measured on: without that a figure says nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psutil
import redis

from dev.paths import ROOT
from tests.bench.site import Site

_PACKAGES: Final = (
    "celery",
    "flask",
    "gunicorn",
    "hiredis",
    "kombu",
    "psycopg2-binary",
    "redis",
    "sqlalchemy",
    "uvicorn",
    "uvloop",
)


def described(site: Site) -> dict[str, Any]:
    """Commit, machine and versions."""
    with closing(redis.Redis.from_url(site.cache.url)) as client:
        cache: dict[str, Any] = client.info("server")
    return {
        "commit": commit(),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
            "system": platform.platform(),
            "open_files": psutil.Process().rlimit(psutil.RLIMIT_NOFILE)[1],
        },
        "versions": {
            "python": platform.python_version(),
            "postgresql": site.execute("SHOW server_version")[0][0],
            "redis": cache.get("valkey_version") or cache.get("redis_version"),
            **{name: version(name) for name in _PACKAGES},
        },
    }


def commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    return found.stdout.strip() or "unknown"


def load_average() -> list[float]:
    """Over 1, 5 and 15 minutes; ours included."""
    return [round(each, 2) for each in os.getloadavg()]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
