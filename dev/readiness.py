"""Ask the started processes whether they can work, without holding up their output."""

import http.client
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping

import redis

from dev.environment import Ports
from dev.processes import Child

_HTTP_SECONDS = 2.0
_PING_SECONDS = 0.7
_PAUSE_SECONDS = 0.1

Check = Callable[[], bool]


class Readiness(threading.Thread):
    """Runs each check until it succeeds once.

    A thread, because a check may take a second.  Nothing may be started beside
    it: forking with threads about is asking for trouble.
    """

    def __init__(self, checks: Mapping[str, Check]) -> None:
        super().__init__(daemon=True, name="readiness")
        self.pending = dict(checks)

    def run(self) -> None:
        """Go round until nothing is pending."""
        while self.pending:
            for name, check in list(self.pending.items()):
                if check():
                    del self.pending[name]
            time.sleep(_PAUSE_SECONDS)

    def is_complete(self) -> bool:
        """Whether every process has said yes."""
        return not self.pending


def checks_for(
    children: Mapping[str, Child], run_ports: Ports, broker_url: str
) -> dict[str, Check]:
    """The checks for those of the processes that can be asked; the others only have to live."""
    checks: dict[str, Check] = {
        "api": lambda: http_answers(run_ports.api, "/health/ready"),
        "stream": lambda: http_answers(run_ports.stream, "/health/ready"),
        "front": lambda: http_answers(run_ports.public, "/health/ready"),
    }
    if "worker" in children:
        group = children["worker"].process.pid
        checks["worker"] = lambda: worker_answers(broker_url, group)
    return {name: check for name, check in checks.items() if name in children}


def http_answers(port: int, path: str) -> bool:
    """Whether a GET on the loopback gets a 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_HTTP_SECONDS)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def worker_answers(broker_url: str, group: int) -> bool:
    """Whether a worker of that process group answers over the broker.

    Others may hang on the same broker when REDIS_URL was given: theirs do not count.
    """
    # Half a second, spent while the others start.
    from celery import Celery  # noqa: PLC0415
    from kombu.exceptions import OperationalError  # noqa: PLC0415

    with Celery(broker=broker_url) as app:
        try:
            replies = app.control.broadcast("stats", reply=True, timeout=_PING_SECONDS) or []
        except (OSError, OperationalError, redis.RedisError):
            return False
    host = socket.gethostname()
    return any(
        name.endswith(f"@{host}") and _is_in_group(stats.get("pid"), group)
        for reply in replies
        for name, stats in reply.items()
    )


def _is_in_group(pid: object, group: int) -> bool:
    try:
        return isinstance(pid, int) and os.getpgid(pid) == group
    except ProcessLookupError:
        return False
