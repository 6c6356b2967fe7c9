"""The api listens where BIND_HOST says, also when that is an IPv6 address."""

import subprocess
import sys
from pathlib import Path

import pytest
from gunicorn.util import parse_address

SHOW = "from api import gunicorn_conf; print(gunicorn_conf.bind)"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_gunicorn_reads_the_address_that_is_configured(host: str, tmp_path: Path) -> None:
    shown = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-c", SHOW],
        cwd=Path(__file__).parents[3],
        env={
            "DATABASE_URL": "postgresql://localhost:1/none",
            "REDIS_URL": "redis://localhost:1",
            "BIND_HOST": host,
            "API_PORT": "9301",
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert parse_address(shown.stdout.strip()) == (host, 9301)
